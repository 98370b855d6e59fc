//! Districts, towns and schools, as identity told of them.

use policy::vocabulary::Stage;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{Id, School};
use uuid::Uuid;

use super::entity::node::{ActiveModel, Column, Entity, Model};
use crate::domain::node::{KnownNode, ListNode, ListPlace, SchoolNode, SchoolPath};
use crate::domain::policy_ref::PolicyRef;

/// Keeps what identity told of a node; a later telling replaces an earlier one.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, node: &KnownNode) -> Result<(), Error> {
    let row = match node {
        KnownNode::School(school) => ActiveModel {
            district_id: Set(school.path.district_id.uuid()),
            id: Set(school.path.school_id.uuid()),
            kind: Set("school".to_owned()),
            town_id: Set(Some(school.path.town_id.uuid())),
            stage: Set(Some(school.stage.word().to_owned())),
            pack_id: Set(school.ruled_by.pack_id.clone()),
            supplement_id: Set(school.ruled_by.supplement_id.clone()),
        },
        KnownNode::List(list) => {
            let kind = match list.place {
                ListPlace::District(_) => "district",
                ListPlace::Town(..) => "town",
            };
            ActiveModel {
                district_id: Set(list.place.district_id().uuid()),
                id: Set(list.place.node_id().uuid()),
                kind: Set(kind.to_owned()),
                town_id: Set(None),
                stage: Set(None),
                pack_id: Set(list.ruled_by.pack_id.clone()),
                supplement_id: Set(list.ruled_by.supplement_id.clone()),
            }
        }
    };
    let mut replace = OnConflict::columns([Column::DistrictId, Column::Id]);
    replace.update_columns([
        Column::Kind,
        Column::TownId,
        Column::Stage,
        Column::PackId,
        Column::SupplementId,
    ]);
    Entity::insert(row).on_conflict(replace).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds a school.
///
/// # Errors
/// When the database refuses or the row is broken.
pub async fn find_school(db: &impl ConnectionTrait, id: Id<School>) -> Result<Option<SchoolNode>, Error> {
    let row =
        Entity::find().filter(Column::Id.eq(id.uuid())).filter(Column::Kind.eq("school")).one(db).await?;
    row.map(school).transpose()
}

/// Finds a school and locks it: whatever changes which terms or courses it has waits.
///
/// # Errors
/// When the database refuses or the row is broken.
pub async fn lock_school(tx: &Tx, id: Id<School>) -> Result<Option<SchoolNode>, Error> {
    let select = Entity::find().filter(Column::Id.eq(id.uuid())).filter(Column::Kind.eq("school"));
    let row = select.lock_exclusive().one(tx).await?;
    row.map(school).transpose()
}

/// Finds a district or town.
///
/// # Errors
/// When the database refuses.
pub async fn find_list(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<ListNode>, Error> {
    let row = Entity::find().filter(Column::Id.eq(id)).filter(Column::Kind.ne("school")).one(db).await?;
    Ok(row.map(|row| {
        let place = place(row.district_id, row.id);
        ListNode { place, ruled_by: PolicyRef { pack_id: row.pack_id, supplement_id: row.supplement_id } }
    }))
}

/// The place of a list: a district's own id is that of its node.
pub(super) fn place(district_id: Uuid, node_id: Uuid) -> ListPlace {
    if district_id == node_id {
        ListPlace::District(Id::new(district_id))
    } else {
        ListPlace::Town(Id::new(district_id), Id::new(node_id))
    }
}

fn school(row: Model) -> Result<SchoolNode, Error> {
    let broken = |why| Error::inconsistent("node", row.id, why);
    let town_id = row.town_id.ok_or_else(|| broken("a school without a town"))?;
    let stage =
        row.stage.as_deref().and_then(Stage::from_word).ok_or_else(|| broken("a school without a stage"))?;
    Ok(SchoolNode {
        path: SchoolPath {
            district_id: Id::new(row.district_id),
            town_id: Id::new(town_id),
            school_id: Id::new(row.id),
        },
        stage,
        ruled_by: PolicyRef { pack_id: row.pack_id, supplement_id: row.supplement_id },
    })
}
