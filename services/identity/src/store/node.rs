//! Nodes of the tree.

use std::collections::HashMap;

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{self, District, Id, Page};
use uuid::Uuid;

use super::entity::node::{ActiveModel, Column, Entity, Model};
use crate::domain::node::{Kind, Node, Stage};

/// Adds nodes, parents before children.
///
/// # Errors
/// When the database refuses; `node_district_id_code_key` or `node_code_key` when another transaction took a code meanwhile.
pub async fn insert_all(tx: &Tx, nodes: &[Node]) -> Result<(), Error> {
    let mut nodes: Vec<&Node> = nodes.iter().collect();
    nodes.sort_by_key(|node| node.path.len());
    for nodes in nodes.chunks(super::ROWS) {
        let rows = nodes.iter().map(|node| ActiveModel {
            id: Set(node.id.uuid()),
            district_id: Set(node.district_id().uuid()),
            town_id: Set(above(node, Kind::Town)),
            school_id: Set(above(node, Kind::School)),
            parent_id: Set(node.parent_id().map(Id::uuid)),
            kind: Set(node.kind.as_str().to_owned()),
            code: Set(node.code.clone()),
            name: Set(node.name.clone()),
            stage: Set(node.stage.map(|stage| stage.as_str().to_owned())),
            grade: Set(node.grade),
            pack_id: Set(node.pack_id.clone()),
            supplement_id: Set(node.supplement_id.clone()),
            created_at: Set(node.created_at),
        });
        Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// The id of the node of `kind` that stands above `node`.
fn above(node: &Node, kind: Kind) -> Option<Uuid> {
    let is_above = kind.depth() < node.kind.depth();
    node.path.get(kind.depth() - 1).filter(|_| is_above).map(|id| id.uuid())
}

/// The nodes with any of `codes`, in every district.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn with_codes(conn: &impl ConnectionTrait, codes: &[String]) -> Result<Vec<Node>, Error> {
    let mut found = Vec::new();
    for codes in codes.chunks(super::ROWS) {
        found.extend(Entity::find().filter(Column::Code.is_in(codes)).all(conn).await?);
    }
    found.into_iter().map(read).collect()
}

/// The nodes of a district with any of `codes`, by code.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn of_district(
    conn: &impl ConnectionTrait,
    district_id: Id<District>,
    codes: &[String],
) -> Result<HashMap<String, Node>, Error> {
    let mut found = HashMap::new();
    for codes in codes.chunks(super::ROWS) {
        let rows = Entity::find()
            .filter(Column::DistrictId.eq(district_id.uuid()))
            .filter(Column::Code.is_in(codes))
            .all(conn)
            .await?;
        for row in rows {
            found.insert(row.code.clone(), read(row)?);
        }
    }
    Ok(found)
}

/// The nodes with any of `ids`, by id.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn with_ids(
    conn: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Id<value::Node>>,
) -> Result<HashMap<Id<value::Node>, Node>, Error> {
    let mut ids: Vec<Uuid> = ids.into_iter().map(Id::uuid).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = HashMap::new();
    for ids in ids.chunks(super::ROWS) {
        for row in Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(conn).await? {
            let node = read(row)?;
            found.insert(node.id, node);
        }
    }
    Ok(found)
}

/// One node.
///
/// # Errors
/// When the database refuses, or the row is inconsistent.
pub async fn find(conn: &impl ConnectionTrait, id: Id<value::Node>) -> Result<Option<Node>, Error> {
    Entity::find_by_id(id.uuid()).one(conn).await?.map(read).transpose()
}

/// One node, so that nobody else changes what hangs on it.
///
/// # Errors
/// When the database refuses, or the row is inconsistent.
pub async fn lock(tx: &Tx, id: Id<value::Node>) -> Result<Option<Node>, Error> {
    Entity::find_by_id(id.uuid()).lock_exclusive().one(tx).await?.map(read).transpose()
}

/// Locks the districts with these ids, in id order, so that nobody else adds to their trees.
///
/// # Errors
/// When the database refuses.
pub async fn lock_districts(tx: &Tx, ids: impl IntoIterator<Item = Id<District>>) -> Result<(), Error> {
    let mut ids: Vec<Uuid> = ids.into_iter().map(Id::uuid).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    }
    Ok(())
}

/// The nodes right below `parent_id`, or the districts, by code.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn list(
    conn: &impl ConnectionTrait,
    parent_id: Option<Id<value::Node>>,
    page: &Page<String>,
) -> Result<Vec<Node>, Error> {
    let below = match parent_id {
        Some(parent_id) => Column::ParentId.eq(parent_id.uuid()),
        None => Column::Kind.eq(Kind::District.as_str()),
    };
    let mut query = Entity::find().filter(below);
    if let Some(after) = &page.after {
        query = query.filter(Column::Code.gt(after.as_str()));
    }
    let rows = query.order_by_asc(Column::Code).limit(page.size).all(conn).await?;
    rows.into_iter().map(read).collect()
}

/// The classes of a school, by code.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn classes(conn: &impl ConnectionTrait, school_id: Id<value::Node>) -> Result<Vec<Node>, Error> {
    let below = Column::ParentId.eq(school_id.uuid());
    let rows = Entity::find().filter(below).order_by_asc(Column::Code).all(conn).await?;
    rows.into_iter().map(read).collect()
}

fn read(row: Model) -> Result<Node, Error> {
    let wrong = |why: &str| Error::inconsistent("node", row.id, why);
    let kind =
        Kind::ALL.iter().find(|kind| kind.as_str() == row.kind).copied().ok_or_else(|| wrong("kind"))?;
    let ids = [Some(row.district_id), row.town_id, row.school_id, Some(row.id)];
    let path: Vec<_> = match kind {
        Kind::District => vec![Id::new(row.id)],
        Kind::Town | Kind::School | Kind::Class => ids.into_iter().flatten().map(Id::new).collect(),
    };
    if path.len() != kind.depth() {
        return Err(wrong("its path has not the length of its kind"));
    }
    let stage = match row.stage.as_deref() {
        None => None,
        Some(text) => {
            let stage = Stage::ALL.iter().find(|stage| stage.as_str() == text);
            Some(*stage.ok_or_else(|| wrong("stage"))?)
        }
    };
    Ok(Node {
        id: Id::new(row.id),
        kind,
        path,
        code: row.code,
        name: row.name,
        stage,
        grade: row.grade,
        pack_id: row.pack_id,
        supplement_id: row.supplement_id,
        created_at: row.created_at,
    })
}
