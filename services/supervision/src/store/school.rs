//! Schools, as identity told of them.

use policy::vocabulary::Stage;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use shared::db::{Error, Tx};
use shared::value::{Id, School};

use super::entity::school::{ActiveModel, Column, Entity, Model};
use crate::domain::school::{SchoolNode, SchoolPath};

/// Keeps what identity told of a school; a later telling replaces an earlier one.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, school: &SchoolNode) -> Result<(), Error> {
    let row = ActiveModel {
        district_id: Set(school.path.district_id.uuid()),
        id: Set(school.path.school_id.uuid()),
        town_id: Set(school.path.town_id.uuid()),
        stage: Set(school.stage.word().to_owned()),
        pack_id: Set(school.pack_id.clone()),
        supplement_id: Set(school.supplement_id.clone()),
    };
    let mut replace = OnConflict::columns([Column::DistrictId, Column::Id]);
    replace.update_columns([Column::TownId, Column::Stage, Column::PackId, Column::SupplementId]);
    Entity::insert(row).on_conflict(replace).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds a school.
///
/// # Errors
/// When the database refuses or the row is broken.
pub async fn find(db: &impl ConnectionTrait, id: Id<School>) -> Result<Option<SchoolNode>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).one(db).await?.map(read).transpose()
}

fn read(row: Model) -> Result<SchoolNode, Error> {
    let stage = Stage::from_word(&row.stage)
        .ok_or_else(|| Error::inconsistent("school", row.id, "an unknown stage"))?;
    let path = SchoolPath {
        district_id: Id::new(row.district_id),
        town_id: Id::new(row.town_id),
        school_id: Id::new(row.id),
    };
    Ok(SchoolNode { path, stage, pack_id: row.pack_id, supplement_id: row.supplement_id })
}
