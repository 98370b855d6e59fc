//! What identity told of pupils. The row is also the lock over everything of a pupil.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use shared::db::Tx;
use shared::value::{District, Id, Pupil as PupilKind};
use uuid::Uuid;

use super::entity::pupil::{ActiveModel, Column, Entity};
use super::{Error, code};

/// A pupil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pupil {
    /// Who.
    pub id: Id<PupilKind>,
    /// The district they were first enrolled in.
    pub district_id: Id<District>,
    /// The ids district, town, school, class.
    pub path: Vec<Uuid>,
}

/// Keeps where a pupil learns, in place of what was known.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, pupil: &Pupil) -> Result<(), Error> {
    let known = Entity::find().filter(Column::Id.eq(pupil.id.uuid())).lock_exclusive().one(tx).await?;
    let row = ActiveModel {
        id: Set(pupil.id.uuid()),
        district_id: Set(known.as_ref().map_or(pupil.district_id.uuid(), |known| known.district_id)),
        path: Set(code::path(&pupil.path)),
    };
    match known {
        Some(_) => {
            Entity::update(row).exec(tx).await?;
        }
        None => {
            Entity::insert(row).exec_without_returning(tx).await?;
        }
    }
    Ok(())
}

/// Locks a pupil, and with them everything of theirs.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn lock(tx: &Tx, id: Id<PupilKind>) -> Result<Option<Pupil>, Error> {
    let Some(row) = Entity::find().filter(Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await? else {
        return Ok(None);
    };
    let path = code::read_list("pupil", id, "path", row.path)?;
    Ok(Some(Pupil { id, district_id: Id::new(row.district_id), path }))
}
