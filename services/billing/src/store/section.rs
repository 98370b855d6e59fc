//! What the catalog told of sections.

use std::collections::HashMap;

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use shared::db::Tx;
use shared::value::{Id, Section as SectionKind};

use super::code::LessonJson;
use super::entity::section::{ActiveModel, Column, Entity, Model};
use super::{Error, code};
use crate::domain::term::{Lesson, Section};

/// Keeps a section, in place of what was known of it.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, section: &Section) -> Result<(), Error> {
    let lessons: Vec<_> = section.lessons.iter().map(LessonJson::from).collect();
    let row = ActiveModel {
        id: Set(section.id.uuid()),
        district_id: Set(section.district_id.uuid()),
        term_id: Set(section.term_id.uuid()),
        title: Set(section.title.clone()),
        lessons: Set(code::list(&lessons)),
    };
    let replace = OnConflict::columns([Column::Id, Column::DistrictId])
        .update_columns([Column::Title, Column::Lessons])
        .to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds sections by id; those that are not known are missing.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn find_all(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Id<SectionKind>>,
) -> Result<HashMap<Id<SectionKind>, Section>, Error> {
    let ids: Vec<_> = ids.into_iter().map(Id::uuid).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = Entity::find().filter(Column::Id.is_in(ids)).all(db).await?;
    rows.into_iter().map(|row| section(row).map(|section| (section.id, section))).collect()
}

fn section(row: Model) -> Result<Section, Error> {
    let lessons = code::read_list::<LessonJson>("section", row.id, "lessons", row.lessons)?;
    Ok(Section {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        term_id: Id::new(row.term_id),
        title: row.title,
        lessons: lessons.into_iter().map(Lesson::from).collect(),
    })
}
