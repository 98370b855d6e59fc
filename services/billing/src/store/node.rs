//! What identity told of the tree.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use shared::db::Tx;
use uuid::Uuid;

use super::entity::node::{ActiveModel, Column, Entity};
use super::{Error, code};

/// A place in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: Uuid,
    /// The ids from the district down to it.
    pub path: Vec<Uuid>,
    /// The pack that rules there; empty when none does yet.
    pub pack_id: String,
    /// The supplement to it; empty when there is none.
    pub supplement_id: String,
}

/// Keeps a node, in place of what was known of it.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, node: &Node) -> Result<(), Error> {
    let row = ActiveModel {
        id: Set(node.id),
        district_id: Set(node.path.first().copied().unwrap_or_default()),
        path: Set(code::path(&node.path)),
        pack_id: Set(node.pack_id.clone()),
        supplement_id: Set(node.supplement_id.clone()),
    };
    let replace = OnConflict::columns([Column::Id, Column::DistrictId])
        .update_columns([Column::Path, Column::PackId, Column::SupplementId])
        .to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds a node.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Node>, Error> {
    let Some(row) = Entity::find().filter(Column::Id.eq(id)).one(db).await? else { return Ok(None) };
    let path = code::read_list("node", id, "path", row.path)?;
    Ok(Some(Node { id, path, pack_id: row.pack_id, supplement_id: row.supplement_id }))
}
