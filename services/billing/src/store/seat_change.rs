//! Seats changed for others from a later day on.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use shared::db::Tx;
use shared::value::{District, Id, Moment, Pupil};

use super::Error;
use super::entity::seat_change::{ActiveModel, Column, Entity, Model};
use crate::domain::seat_change::SeatChange;

/// Keeps a change; one told again stays as it is.
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    tx: &Tx,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
    change: &SeatChange,
    now: Moment,
) -> Result<(), Error> {
    let row = ActiveModel {
        to_enrollment_id: Set(change.to_enrollment_id.uuid()),
        district_id: Set(district_id.uuid()),
        from_enrollment_id: Set(change.from_enrollment_id.uuid()),
        pupil_id: Set(pupil_id.uuid()),
        from_day: Set(change.from_day),
        created_at: Set(now),
    };
    Entity::insert(row)
        .on_conflict_do_nothing_on([Column::ToEnrollmentId])
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Finds a pupil's changes, in no order.
///
/// # Errors
/// When the database refuses.
pub async fn of_pupil(db: &impl ConnectionTrait, pupil_id: Id<Pupil>) -> Result<Vec<SeatChange>, Error> {
    let rows = Entity::find().filter(Column::PupilId.eq(pupil_id.uuid())).all(db).await?;
    Ok(rows.into_iter().map(change).collect())
}

fn change(row: Model) -> SeatChange {
    SeatChange {
        from_enrollment_id: Id::new(row.from_enrollment_id),
        to_enrollment_id: Id::new(row.to_enrollment_id),
        from_day: row.from_day,
    }
}
