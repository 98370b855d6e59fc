//! Keeps the schools that identity tells of.

use async_trait::async_trait;
use policy::vocabulary::Stage;
use proto::identity::v1 as identity;
use proto::identity::v1::event::Kind;
use proto::identity::v1::node::Kind as NodeKind;
use shared::db::Tx;
use shared::feed::{Consumer, Told};
use shared::value::Id;
use tonic::Status;
use uuid::Uuid;

use crate::domain::school::{SchoolNode, SchoolPath};
use crate::store;

/// Hears identity's feed. A ticket is about a school: other nodes and people are not kept.
#[derive(Clone, Copy, Debug)]
pub struct FollowIdentity;

#[async_trait]
impl Consumer for FollowIdentity {
    type Event = identity::Event;

    async fn apply(&self, tx: &Tx, _told: &Told, event: identity::Event) -> Result<(), Status> {
        match event.kind {
            Some(Kind::NodeAdded(added)) => {
                let node = added.node.ok_or_else(|| unreadable("a node was added without saying which"))?;
                if let Some(school) = school(&node)? {
                    store::school::save(tx, &school).await?;
                }
                Ok(())
            }
            Some(
                Kind::PupilEnrolled(_)
                | Kind::PupilMoved(_)
                | Kind::PupilLeft(_)
                | Kind::GuardianBound(_)
                | Kind::ConsentWithdrawn(_),
            ) => Ok(()),
            // Told by an identity that is newer than this service: to go on would be to miss it for ever.
            None => Err(unreadable("an event of a kind that is not known here")),
        }
    }
}

/// Reads a node; none for one that is no school.
fn school(node: &identity::Node) -> Result<Option<SchoolNode>, Status> {
    match node.kind() {
        NodeKind::School => {}
        NodeKind::District | NodeKind::Town | NodeKind::Class => return Ok(None),
        NodeKind::Unspecified => return Err(unreadable("a node of no kind")),
    }
    let path: Vec<Uuid> = node
        .path
        .iter()
        .map(|id| id.parse().map_err(|_| unreadable("an id of the path is no UUID")))
        .collect::<Result<_, _>>()?;
    let [district_id, town_id, school_id] = path[..] else {
        return Err(unreadable("a school whose path does not have three ids"));
    };
    let stage = match node.stage() {
        identity::Stage::Primary => Stage::Primary,
        identity::Stage::Junior => Stage::Junior,
        identity::Stage::Unspecified => return Err(unreadable("a school without a stage")),
    };
    let path = SchoolPath {
        district_id: Id::new(district_id),
        town_id: Id::new(town_id),
        school_id: Id::new(school_id),
    };
    let supplement_id = Some(node.supplement_id.clone()).filter(|id| !id.is_empty());
    Ok(Some(SchoolNode { path, stage, pack_id: node.pack_id.clone(), supplement_id }))
}

fn unreadable(why: &'static str) -> Status {
    Status::invalid_argument(why)
}
