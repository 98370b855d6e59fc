//! Trials and bookings. Whoever changes a booking holds its trial's lock.

use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{
    Booking as BookingKind, District, Id, Moment, Page, Pupil, Section, Slot, Term, Trial as TrialKind,
};
use uuid::Uuid;

use super::entity::{booking, trial};
use super::{from_json, to_json};
use crate::domain::trial::{Booking, State, Trial};

const TABLE: &str = "trial";

/// Finds a trial.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(db: &impl ConnectionTrait, id: Id<TrialKind>) -> Result<Option<Trial>, Error> {
    let row = trial::Entity::find().filter(trial::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(read).transpose()
}

/// Finds trials, in no order.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn find_all(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Id<TrialKind>>,
) -> Result<Vec<Trial>, Error> {
    let ids = ids.into_iter().map(Id::uuid);
    let rows = trial::Entity::find().filter(trial::Column::Id.is_in(ids)).all(db).await?;
    rows.into_iter().map(read).collect()
}

/// Finds the trial of a lesson.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find_of_lesson(
    db: &impl ConnectionTrait,
    section_id: Id<Section>,
    day: NaiveDate,
    slot_id: Id<Slot>,
) -> Result<Option<Trial>, Error> {
    let row = trial::Entity::find()
        .filter(trial::Column::SectionId.eq(section_id.uuid()))
        .filter(trial::Column::Day.eq(day))
        .filter(trial::Column::SlotId.eq(slot_id.uuid()))
        .one(db)
        .await?;
    row.map(read).transpose()
}

/// Locks a trial. Where its section and a pupil are locked too: the section, the pupil, the trial.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn lock(tx: &Tx, id: Id<TrialKind>) -> Result<Option<Trial>, Error> {
    let row = trial::Entity::find().filter(trial::Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?;
    row.map(read).transpose()
}

/// Lists the trials of a term, by day and start.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    term_id: Id<Term>,
) -> Result<Vec<Trial>, Error> {
    let rows = trial::Entity::find()
        .filter(trial::Column::DistrictId.eq(district_id.uuid()))
        .filter(trial::Column::TermId.eq(term_id.uuid()))
        .order_by_asc(trial::Column::Day)
        .order_by_asc(trial::Column::StartsAt)
        .order_by_asc(trial::Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Keeps a new trial.
///
/// # Errors
/// When the database refuses: one a lesson.
pub async fn insert(tx: &Tx, trial: &Trial, by: &str, now: Moment) -> Result<(), Error> {
    let row = trial::ActiveModel {
        district_id: Set(trial.district_id.uuid()),
        id: Set(trial.id.uuid()),
        school_id: Set(trial.school_id.uuid()),
        path: Set(to_json(&trial.path, TABLE, trial.id)?),
        term_id: Set(trial.term_id.uuid()),
        section_id: Set(trial.section_id.uuid()),
        day: Set(trial.day),
        slot_id: Set(trial.slot_id.uuid()),
        starts_at: Set(trial.starts_at),
        ends_at: Set(trial.ends_at),
        place_count: Set(trial.place_count),
        booked_count: Set(trial.booked_count),
        created_by: Set(by.to_owned()),
        created_at: Set(now),
    };
    trial::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Keeps how many places of a locked trial are booked.
///
/// # Errors
/// When the database refuses: a check holds them within the places there are.
pub async fn save_booked(tx: &Tx, trial: &Trial, booked_count: i32) -> Result<(), Error> {
    let row = trial::ActiveModel {
        district_id: Set(trial.district_id.uuid()),
        id: Set(trial.id.uuid()),
        booked_count: Set(booked_count),
        ..Default::default()
    };
    trial::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// Finds a booking.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find_booking(db: &impl ConnectionTrait, id: Id<BookingKind>) -> Result<Option<Booking>, Error> {
    let row = booking::Entity::find().filter(booking::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(read_booking).transpose()
}

/// Lists who has a place in a trial, by pupil id.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_booked(db: &impl ConnectionTrait, id: Id<TrialKind>) -> Result<Vec<Booking>, Error> {
    let rows = booking::Entity::find()
        .filter(booking::Column::TrialId.eq(id.uuid()))
        .filter(booking::Column::State.eq("booked"))
        .order_by_asc(booking::Column::PupilId)
        .all(db)
        .await?;
    rows.into_iter().map(read_booking).collect()
}

/// Lists the places a pupil has in trials.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_booked_of(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
) -> Result<Vec<Booking>, Error> {
    let rows = booking::Entity::find()
        .filter(booking::Column::DistrictId.eq(district_id.uuid()))
        .filter(booking::Column::PupilId.eq(pupil_id.uuid()))
        .filter(booking::Column::State.eq("booked"))
        .all(db)
        .await?;
    rows.into_iter().map(read_booking).collect()
}

/// Lists a pupil's bookings, newest first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_bookings(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    pupil_id: Id<Pupil>,
    page: &Page<Uuid>,
) -> Result<Vec<Booking>, Error> {
    let mut query = booking::Entity::find()
        .filter(booking::Column::DistrictId.eq(district_id.uuid()))
        .filter(booking::Column::PupilId.eq(pupil_id.uuid()));
    if let Some(after) = page.after {
        query = query.filter(booking::Column::Id.lt(after));
    }
    let rows = query.order_by_desc(booking::Column::Id).limit(page.size).all(db).await?;
    rows.into_iter().map(read_booking).collect()
}

/// Keeps a new booking of a locked trial.
///
/// # Errors
/// When the database refuses: a pupil has one place in a trial.
pub async fn insert_booking(tx: &Tx, booking: &Booking) -> Result<(), Error> {
    let row = booking::ActiveModel {
        district_id: Set(booking.district_id.uuid()),
        id: Set(booking.id.uuid()),
        trial_id: Set(booking.trial_id.uuid()),
        pupil_id: Set(booking.pupil_id.uuid()),
        guardian_id: Set(booking.guardian_id.uuid()),
        state: Set(state_text(booking.state).to_owned()),
        created_at: Set(booking.created_at),
        ended_at: Set(None),
    };
    booking::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Keeps that a booking of a locked trial has ended.
///
/// # Errors
/// When the database refuses.
pub async fn end_booking(tx: &Tx, booking: &Booking, state: State, now: Moment) -> Result<(), Error> {
    let row = booking::ActiveModel {
        district_id: Set(booking.district_id.uuid()),
        id: Set(booking.id.uuid()),
        state: Set(state_text(state).to_owned()),
        ended_at: Set(Some(now)),
        ..Default::default()
    };
    booking::Entity::update(row).exec(tx).await?;
    Ok(())
}

fn state_text(state: State) -> &'static str {
    match state {
        State::Booked => "booked",
        State::Cancelled => "cancelled",
        State::Declined => "declined",
    }
}

fn read(row: trial::Model) -> Result<Trial, Error> {
    Ok(Trial {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        path: from_json(row.path, TABLE, row.id)?,
        term_id: Id::new(row.term_id),
        section_id: Id::new(row.section_id),
        day: row.day,
        slot_id: Id::new(row.slot_id),
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        place_count: row.place_count,
        booked_count: row.booked_count,
    })
}

fn read_booking(row: booking::Model) -> Result<Booking, Error> {
    Ok(Booking {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        trial_id: Id::new(row.trial_id),
        pupil_id: Id::new(row.pupil_id),
        guardian_id: Id::new(row.guardian_id),
        created_at: row.created_at,
        state: match row.state.as_str() {
            "booked" => State::Booked,
            "cancelled" => State::Cancelled,
            "declined" => State::Declined,
            _ => return Err(Error::inconsistent("booking", row.id, "its state is unknown")),
        },
    })
}
