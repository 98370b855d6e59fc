//! Keeps the schools, towns and districts that identity tells of.

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

use crate::domain::node::{KnownNode, ListNode, ListPlace, SchoolNode, SchoolPath};
use crate::domain::policy_ref::PolicyRef;
use crate::store;

/// Hears identity's feed. People are none of the catalog's business: only nodes of the tree are kept.
#[derive(Clone, Copy, Debug)]
pub struct FollowIdentity;

#[async_trait]
impl Consumer for FollowIdentity {
    type Event = identity::Event;

    async fn apply(&self, tx: &Tx, _told: &Told, event: identity::Event) -> Result<(), Status> {
        match event.kind {
            Some(Kind::NodeAdded(added)) => {
                let node = added.node.ok_or_else(|| unreadable("a node was added without saying which"))?;
                if let Some(node) = known(&node)? {
                    store::node::save(tx, &node).await?;
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
            // Told by an identity that is newer than this catalog: to go on would be to miss it for ever.
            None => Err(unreadable("an event of a kind that is not known here")),
        }
    }
}

/// Reads a node; none for a class.
fn known(node: &identity::Node) -> Result<Option<KnownNode>, Status> {
    let path: Vec<Uuid> = node
        .path
        .iter()
        .map(|id| id.parse().map_err(|_| unreadable("an id of the path is no UUID")))
        .collect::<Result<_, _>>()?;
    let supplement_id = Some(node.supplement_id.clone()).filter(|id| !id.is_empty());
    let ruled_by = PolicyRef { pack_id: node.pack_id.clone(), supplement_id };
    let known = match (node.kind(), path.as_slice()) {
        (NodeKind::District, [district_id]) => {
            KnownNode::List(ListNode { place: ListPlace::District(Id::new(*district_id)), ruled_by })
        }
        (NodeKind::Town, [district_id, town_id]) => {
            let place = ListPlace::Town(Id::new(*district_id), Id::new(*town_id));
            KnownNode::List(ListNode { place, ruled_by })
        }
        (NodeKind::School, [district_id, town_id, school_id]) => {
            let stage = match node.stage() {
                identity::Stage::Primary => Stage::Primary,
                identity::Stage::Junior => Stage::Junior,
                identity::Stage::Unspecified => return Err(unreadable("a school without a stage")),
            };
            let (district_id, town_id) = (Id::new(*district_id), Id::new(*town_id));
            let path = SchoolPath { district_id, town_id, school_id: Id::new(*school_id) };
            KnownNode::School(SchoolNode { path, stage, ruled_by })
        }
        (NodeKind::Class, [_, _, _, _]) => return Ok(None),
        (
            NodeKind::Unspecified | NodeKind::District | NodeKind::Town | NodeKind::School | NodeKind::Class,
            _,
        ) => {
            return Err(unreadable("a node whose path does not fit its kind"));
        }
    };
    Ok(Some(known))
}

fn unreadable(why: &'static str) -> Status {
    Status::invalid_argument(why)
}
