//! Who read which children's data. Rows are added and never changed: the database refuses.

use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait as _;
use shared::db::{Error, Tx};
use shared::random;
use shared::value::Moment;

use super::entity::audit::{ActiveModel, Entity};
use crate::domain::node::Node;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The pupils of a school or class were listed.
    ListPupils,
    /// A table of pupils was brought in.
    ImportPupils,
}

/// Notes that `actor` (`staff:<id>`) did `action` at `node`, with the data of `subject_count` children.
///
/// # Errors
/// When the database refuses: what is not noted is not done.
pub async fn append(
    tx: &Tx,
    actor: &str,
    action: Action,
    node: &Node,
    subject_count: usize,
    now: Moment,
) -> Result<(), Error> {
    let action = match action {
        Action::ListPupils => "list_pupils",
        Action::ImportPupils => "import_pupils",
    };
    let row = ActiveModel {
        id: Set(random::uuid(now)),
        district_id: Set(node.district_id().uuid()),
        actor: Set(actor.to_owned()),
        action: Set(action.to_owned()),
        node_id: Set(node.id.uuid()),
        subject_count: Set(i32::try_from(subject_count).unwrap_or(i32::MAX)),
        happened_at: Set(now),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}
