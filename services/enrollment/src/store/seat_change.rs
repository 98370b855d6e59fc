//! Seats changed for others from a later day on.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{Enrollment as EnrollmentKind, Id, Moment};
use uuid::Uuid;

use super::entity::enrollment;
use super::entity::seat_change::{ActiveModel, Column, Entity, Model};
use crate::domain::enrollment::Enrollment;
use crate::domain::seat_change::SeatChange;

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The old seat was given back.
    Done,
    /// Nothing came of it.
    Void,
}

/// Keeps a change that waits.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, change: &SeatChange, now: Moment) -> Result<(), Error> {
    let row = ActiveModel {
        to_enrollment_id: Set(change.to_enrollment_id.uuid()),
        district_id: Set(change.district_id.uuid()),
        from_enrollment_id: Set(change.from_enrollment_id.uuid()),
        pupil_id: Set(change.pupil_id.uuid()),
        from_day: Set(change.from_day),
        state: Set("planned".to_owned()),
        created_at: Set(now),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds the change that waits to end an enrollment, if there is one.
///
/// # Errors
/// When the database refuses.
pub async fn planned_of(
    db: &impl ConnectionTrait,
    from: Id<EnrollmentKind>,
) -> Result<Option<SeatChange>, Error> {
    let planned = Entity::find()
        .filter(Column::FromEnrollmentId.eq(from.uuid()))
        .filter(Column::State.eq("planned"))
        .one(db)
        .await?;
    Ok(planned.map(|row| read(&row)))
}

/// Locks a change that waits; none when it waits no more.
///
/// # Errors
/// When the database refuses.
pub async fn lock(tx: &Tx, to: Id<EnrollmentKind>) -> Result<Option<SeatChange>, Error> {
    let row = Entity::find()
        .filter(Column::ToEnrollmentId.eq(to.uuid()))
        .filter(Column::State.eq("planned"))
        .lock_exclusive()
        .one(tx)
        .await?;
    Ok(row.map(|row| read(&row)))
}

/// Ends a change that is locked.
///
/// # Errors
/// When the database refuses.
pub async fn end(tx: &Tx, change: &SeatChange, end: End) -> Result<(), Error> {
    let state = match end {
        End::Done => "done",
        End::Void => "void",
    };
    let row = ActiveModel {
        to_enrollment_id: Set(change.to_enrollment_id.uuid()),
        state: Set(state.to_owned()),
        ..Default::default()
    };
    Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Lists changes that wait and may have come to something on `today`: their day is there and the new seat is confirmed, or one of the
/// seats is given back. By day, at most `limit`.
///
/// # Errors
/// When the database refuses.
pub async fn list_ripe(
    db: &impl ConnectionTrait,
    today: NaiveDate,
    limit: u64,
) -> Result<Vec<SeatChange>, Error> {
    let stands = |of: Column, states: &[&str]| {
        let own = |column| Expr::col((enrollment::Entity, column));
        Expr::exists(
            Query::select()
                .expr(Expr::val(1))
                .from(enrollment::Entity)
                .and_where(own(enrollment::Column::DistrictId).eq(Expr::col((Entity, Column::DistrictId))))
                .and_where(own(enrollment::Column::Id).eq(Expr::col((Entity, of))))
                .and_where(enrollment::Column::State.is_in(states.iter().copied()))
                .to_owned(),
        )
    };
    let is_due =
        Condition::all().add(Column::FromDay.lte(today)).add(stands(Column::ToEnrollmentId, &["confirmed"]));
    let is_over = Condition::any()
        .add(stands(Column::ToEnrollmentId, &["released"]))
        .add(stands(Column::FromEnrollmentId, &["released", "releasing"]));
    let rows = Entity::find()
        .filter(Column::State.eq("planned"))
        .filter(Condition::any().add(is_due).add(is_over))
        .order_by_asc(Column::FromDay)
        .order_by_asc(Column::ToEnrollmentId)
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows.iter().map(read).collect())
}

/// On which days pupils are not had by seats they have: of a new seat before its first day, of an old one from that day on.
#[derive(Clone, Debug, Default)]
pub struct Absences {
    begins: HashMap<Uuid, NaiveDate>,
    ends: HashMap<Uuid, NaiveDate>,
}

impl Absences {
    /// Reads those of enrollments.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn of(
        db: &impl ConnectionTrait,
        enrollments: impl IntoIterator<Item = Id<EnrollmentKind>>,
    ) -> Result<Self, Error> {
        let ids: HashSet<_> = enrollments.into_iter().map(Id::uuid).collect();
        let mut absences = Self::default();
        let ids: Vec<_> = ids.into_iter().collect();
        for ids in ids.chunks(MANY) {
            let rows = Entity::find()
                .filter(Column::State.ne("void"))
                .filter(
                    Condition::any()
                        .add(Column::ToEnrollmentId.is_in(ids.iter().copied()))
                        .add(Column::FromEnrollmentId.is_in(ids.iter().copied())),
                )
                .all(db)
                .await?;
            for row in rows {
                absences.begins.insert(row.to_enrollment_id, row.from_day);
                if row.state == "planned" {
                    absences.ends.insert(row.from_enrollment_id, row.from_day);
                }
            }
        }
        Ok(absences)
    }

    /// Says whether the pupil of an enrollment is had on a day.
    #[must_use]
    pub fn has(&self, id: Id<EnrollmentKind>, day: NaiveDate) -> bool {
        self.begins.get(&id.uuid()).is_none_or(|begins| *begins <= day)
            && self.ends.get(&id.uuid()).is_none_or(|ends| day < *ends)
    }
}

/// Keeps those of a list of enrollments whose pupils are had on a day.
///
/// # Errors
/// When the database refuses.
pub async fn had_on(
    db: &impl ConnectionTrait,
    enrollments: Vec<Enrollment>,
    day: NaiveDate,
) -> Result<Vec<Enrollment>, Error> {
    let absences = Absences::of(db, enrollments.iter().map(|enrollment| enrollment.id)).await?;
    Ok(enrollments.into_iter().filter(|enrollment| absences.has(enrollment.id, day)).collect())
}

/// The most ids asked about in one statement.
const MANY: usize = 10_000;

fn read(row: &Model) -> SeatChange {
    SeatChange {
        district_id: Id::new(row.district_id),
        pupil_id: Id::new(row.pupil_id),
        from_enrollment_id: Id::new(row.from_enrollment_id),
        to_enrollment_id: Id::new(row.to_enrollment_id),
        from_day: row.from_day,
    }
}
