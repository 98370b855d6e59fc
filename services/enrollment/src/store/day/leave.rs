//! Leaves.

use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{District, Id, Leave as LeaveKind, Moment, Pupil, School};

use crate::domain::day::leave::Leave;
use crate::store::entity::leave;

/// Finds a leave.
///
/// # Errors
/// When the database refuses.
pub async fn find(db: &impl ConnectionTrait, id: Id<LeaveKind>) -> Result<Option<Leave>, Error> {
    let row = leave::Entity::find().filter(leave::Column::Id.eq(id.uuid())).one(db).await?;
    Ok(row.map(read))
}

/// Locks a leave.
///
/// # Errors
/// When the database refuses.
pub async fn lock(tx: &Tx, id: Id<LeaveKind>) -> Result<Option<Leave>, Error> {
    let row = leave::Entity::find().filter(leave::Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?;
    Ok(row.map(read))
}

/// Lists the leaves of a school from one day to another, oldest first; those taken back too.
///
/// # Errors
/// When the database refuses.
pub async fn list(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
    first_day: NaiveDate,
    last_day: NaiveDate,
) -> Result<Vec<Leave>, Error> {
    let rows = leave::Entity::find()
        .filter(leave::Column::DistrictId.eq(district_id.uuid()))
        .filter(leave::Column::SchoolId.eq(school_id.uuid()))
        .filter(leave::Column::Day.between(first_day, last_day))
        .order_by_asc(leave::Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(read).collect())
}

/// Lists a pupil's leaves of a day, oldest first; those taken back too.
///
/// # Errors
/// When the database refuses.
pub async fn list_of_pupil(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
    day: NaiveDate,
) -> Result<Vec<Leave>, Error> {
    let rows = leave::Entity::find()
        .filter(leave::Column::DistrictId.eq(district_id.uuid()))
        .filter(leave::Column::PupilId.eq(pupil_id.uuid()))
        .filter(leave::Column::Day.eq(day))
        .order_by_asc(leave::Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(read).collect())
}

/// Keeps a new leave.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, leave: &Leave) -> Result<(), Error> {
    let row = leave::ActiveModel {
        district_id: Set(leave.district_id.uuid()),
        id: Set(leave.id.uuid()),
        school_id: Set(leave.school_id.uuid()),
        pupil_id: Set(leave.pupil_id.uuid()),
        day: Set(leave.day),
        section_id: Set(leave.section_id.map(Id::uuid)),
        guardian_id: Set(leave.guardian_id.uuid()),
        created_at: Set(leave.created_at),
        cancelled_at: Set(leave.cancelled_at),
    };
    leave::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Keeps that a locked leave was taken back.
///
/// # Errors
/// When the database refuses.
pub async fn save_cancelled(tx: &Tx, leave: &Leave, at: Moment) -> Result<(), Error> {
    let row = leave::ActiveModel {
        district_id: Set(leave.district_id.uuid()),
        id: Set(leave.id.uuid()),
        cancelled_at: Set(Some(at)),
        ..Default::default()
    };
    leave::Entity::update(row).exec(tx).await?;
    Ok(())
}

fn read(row: leave::Model) -> Leave {
    Leave {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        pupil_id: Id::new(row.pupil_id),
        day: row.day,
        section_id: row.section_id.map(Id::new),
        guardian_id: Id::new(row.guardian_id),
        created_at: row.created_at,
        cancelled_at: row.cancelled_at,
    }
}
