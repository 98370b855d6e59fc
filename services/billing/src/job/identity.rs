//! Hears identity: the tree, and where pupils learn.

use async_trait::async_trait;
use proto::identity::v1 as pb;
use shared::db::Tx;
use shared::feed::{Consumer, Told};
use shared::value::{Id, IdError};
use tonic::Status;
use uuid::Uuid;

use crate::store;
use crate::store::node::Node;
use crate::store::pupil::Pupil;

/// Keeps the read model of nodes and pupils.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity;

#[async_trait]
impl Consumer for Identity {
    type Event = pb::Event;

    async fn apply(&self, tx: &Tx, told: &Told, event: pb::Event) -> Result<(), Status> {
        match event.kind {
            Some(pb::event::Kind::NodeAdded(added)) => {
                let node = added.node.ok_or_else(|| unreadable("a node is missing"))?;
                let node = Node {
                    id: uuid(&node.id)?,
                    path: path(&node.path)?,
                    pack_id: node.pack_id,
                    supplement_id: node.supplement_id,
                };
                store::node::save(tx, &node).await?;
            }
            Some(pb::event::Kind::PupilEnrolled(pupil)) => {
                keep(tx, told, &pupil.pupil_id, &pupil.path).await?
            }
            Some(pb::event::Kind::PupilMoved(pupil)) => keep(tx, told, &pupil.pupil_id, &pupil.path).await?,
            // Enrollment releases the seats; what was paid is dealt with when it tells so.
            Some(pb::event::Kind::PupilLeft(left)) => {
                store::heads::leave(tx, Id::new(uuid(&left.pupil_id)?)).await?;
            }
            Some(pb::event::Kind::GuardianBound(_) | pb::event::Kind::ConsentWithdrawn(_)) | None => {}
        }
        Ok(())
    }
}

async fn keep(tx: &Tx, told: &Told, pupil_id: &str, nodes: &[String]) -> Result<(), Status> {
    let pupil = Pupil { id: Id::new(uuid(pupil_id)?), district_id: told.district_id, path: path(nodes)? };
    store::pupil::save(tx, &pupil).await?;
    if let Some(school_id) = pupil.path.get(2) {
        store::heads::enrol(tx, pupil.id, pupil.district_id, Id::new(*school_id)).await?;
    }
    Ok(())
}

/// The ids of a path.
pub(super) fn path(nodes: &[String]) -> Result<Vec<Uuid>, Status> {
    nodes.iter().map(|node| uuid(node)).collect()
}

/// An id in an event.
pub(super) fn uuid(text: &str) -> Result<Uuid, Status> {
    let id: Result<Id<shared::value::Node>, IdError> = text.parse();
    id.map(Id::uuid).map_err(|_| unreadable("an id is not a UUID"))
}

/// An event that cannot be understood: the consumer stops there.
pub(super) fn unreadable(why: &'static str) -> Status {
    Status::invalid_argument(why)
}
