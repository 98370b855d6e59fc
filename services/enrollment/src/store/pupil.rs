//! Pupils, and who consents for them.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{District, Guardian, Id, Pupil as PupilKind};
use uuid::Uuid;

use super::entity::{consent, pupil};
use super::many::among;
use super::{from_json, to_json};
use crate::domain::pupil::{Pupil, Standing};

const TABLE: &str = "pupil";

/// Locks pupils, by id; those not known are left out.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn lock(tx: &Tx, ids: &[Id<PupilKind>]) -> Result<Vec<Pupil>, Error> {
    let rows = pupil::Entity::find()
        .filter(among(tx, pupil::Entity, pupil::Column::Id, ids.iter().map(|id| id.uuid())))
        .order_by_asc(pupil::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Finds a pupil.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(db: &impl ConnectionTrait, id: Id<PupilKind>) -> Result<Option<Pupil>, Error> {
    let row = pupil::Entity::find().filter(pupil::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(read).transpose()
}

/// Finds pupils, in no order; those not known are left out.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn find_all(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Id<PupilKind>>,
) -> Result<Vec<Pupil>, Error> {
    let ids: Vec<_> = ids.into_iter().map(Id::uuid).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = pupil::Entity::find().filter(pupil::Column::Id.is_in(ids)).all(db).await?;
    rows.into_iter().map(read).collect()
}

/// Keeps a pupil as told: anew, or in place of what was known.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, pupil: &Pupil) -> Result<(), Error> {
    let class_id =
        pupil.path.get(3).copied().ok_or_else(|| Error::inconsistent(TABLE, pupil.id, "no class"))?;
    let row = pupil::ActiveModel {
        district_id: Set(pupil.district_id.uuid()),
        id: Set(pupil.id.uuid()),
        school_id: Set(pupil.school_id.uuid()),
        class_id: Set(class_id),
        path: Set(to_json(&pupil.path, TABLE, pupil.id)?),
        grade: Set(pupil.grade),
        state: Set(match pupil.standing {
            Standing::Enrolled => "enrolled",
            Standing::Left => "left",
        }
        .to_owned()),
    };
    let on_known = OnConflict::columns([pupil::Column::DistrictId, pupil::Column::Id])
        .update_columns([
            pupil::Column::SchoolId,
            pupil::Column::ClassId,
            pupil::Column::Path,
            pupil::Column::Grade,
            pupil::Column::State,
        ])
        .to_owned();
    pupil::Entity::insert(row).on_conflict(on_known).exec_without_returning(tx).await?;
    Ok(())
}

/// Notes that a guardian consents.
///
/// # Errors
/// When the database refuses.
pub async fn consent(
    tx: &Tx,
    district_id: Uuid,
    pupil_id: Id<PupilKind>,
    guardian_id: Id<Guardian>,
) -> Result<(), Error> {
    let row = consent::ActiveModel {
        district_id: Set(district_id),
        pupil_id: Set(pupil_id.uuid()),
        guardian_id: Set(guardian_id.uuid()),
    };
    let columns = [consent::Column::DistrictId, consent::Column::PupilId, consent::Column::GuardianId];
    consent::Entity::insert(row).on_conflict_do_nothing_on(columns).exec_without_returning(tx).await?;
    Ok(())
}

/// Lists the guardians who consent for a pupil, by id.
///
/// # Errors
/// When the database refuses.
pub async fn guardians(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    pupil_id: Id<PupilKind>,
) -> Result<Vec<Id<Guardian>>, Error> {
    let rows = consent::Entity::find()
        .filter(consent::Column::DistrictId.eq(district_id.uuid()))
        .filter(consent::Column::PupilId.eq(pupil_id.uuid()))
        .order_by_asc(consent::Column::GuardianId)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| Id::new(row.guardian_id)).collect())
}

/// Notes that a guardian consents no more; gives how many still do.
///
/// # Errors
/// When the database refuses.
pub async fn withdraw_consent(
    tx: &Tx,
    district_id: Uuid,
    pupil_id: Id<PupilKind>,
    guardian_id: Id<Guardian>,
) -> Result<u64, Error> {
    consent::Entity::delete_by_id((district_id, pupil_id.uuid(), guardian_id.uuid())).exec(tx).await?;
    let left = consent::Entity::find()
        .filter(consent::Column::DistrictId.eq(district_id))
        .filter(consent::Column::PupilId.eq(pupil_id.uuid()))
        .count(tx)
        .await?;
    Ok(left)
}

fn read(row: pupil::Model) -> Result<Pupil, Error> {
    let path: Vec<Uuid> = from_json(row.path, TABLE, row.id)?;
    if path.len() != 4 {
        return Err(Error::inconsistent(TABLE, row.id, "its path has not four ids"));
    }
    Ok(Pupil {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        path,
        grade: row.grade,
        standing: match row.state.as_str() {
            "enrolled" => Standing::Enrolled,
            "left" => Standing::Left,
            _ => return Err(Error::inconsistent(TABLE, row.id, "its state is unknown")),
        },
    })
}
