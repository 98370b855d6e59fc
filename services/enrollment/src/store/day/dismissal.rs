//! Batches of dismissal, what was said of when pupils leave, and who stays.

use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::random;
use shared::value::{
    Batch as BatchKind, District, ExtendedCare as ExtendedCareKind, Id, Moment, Pupil, School, Term,
};

use crate::domain::day::dismissal::{Batch, Choice, ExtendedCare, Source};
use crate::store::entity::{dismissal, dismissal_batch, extended_care};

/// The most rows one statement inserts.
const ROWS: usize = 1_000;

/// Finds a batch.
///
/// # Errors
/// When the database refuses.
pub async fn find_batch(db: &impl ConnectionTrait, id: Id<BatchKind>) -> Result<Option<Batch>, Error> {
    let by_id = dismissal_batch::Column::Id.eq(id.uuid());
    Ok(dismissal_batch::Entity::find().filter(by_id).one(db).await?.map(read_batch))
}

/// Lists a term's batches, by time, then id.
///
/// # Errors
/// When the database refuses.
pub async fn list_batches(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    term_id: Id<Term>,
) -> Result<Vec<Batch>, Error> {
    let rows = dismissal_batch::Entity::find()
        .filter(dismissal_batch::Column::DistrictId.eq(district_id.uuid()))
        .filter(dismissal_batch::Column::TermId.eq(term_id.uuid()))
        .order_by_asc(dismissal_batch::Column::Minute)
        .order_by_asc(dismissal_batch::Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(read_batch).collect())
}

/// Keeps a new batch.
///
/// # Errors
/// When the database refuses.
pub async fn insert_batch(tx: &Tx, batch: &Batch, now: Moment) -> Result<(), Error> {
    let row = dismissal_batch::ActiveModel {
        district_id: Set(batch.district_id.uuid()),
        id: Set(batch.id.uuid()),
        school_id: Set(batch.school_id.uuid()),
        term_id: Set(batch.term_id.uuid()),
        name: Set(batch.name.clone()),
        minute: Set(batch.minute),
        created_at: Set(now),
    };
    dismissal_batch::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Lists everything that was said of pupils of one district, each with the pupil and the weekday; in no order.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_choices(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    pupils: impl IntoIterator<Item = Id<Pupil>>,
) -> Result<Vec<(Id<Pupil>, i32, Choice)>, Error> {
    let rows = dismissal::Entity::find()
        .filter(dismissal::Column::DistrictId.eq(district_id.uuid()))
        .filter(dismissal::Column::PupilId.is_in(pupils.into_iter().map(Id::uuid)))
        .all(db)
        .await?;
    let read = |row: dismissal::Model| {
        let source = match row.source.as_str() {
            "guardian" => Source::Guardian,
            "school" => Source::School,
            _ => return Err(Error::inconsistent("dismissal", row.id, "its source is unknown")),
        };
        let choice = Choice { source, minute: row.minute, created_at: row.created_at };
        Ok((Id::new(row.pupil_id), row.weekday, choice))
    };
    rows.into_iter().map(read).collect()
}

/// What is said of when one pupil leaves on a weekday.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChoice {
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// 1 to 7.
    pub weekday: i32,
    /// Who says what, and when.
    pub choice: Choice,
    /// The batch, where one was chosen.
    pub batch_id: Option<Id<BatchKind>>,
}

/// Keeps what was said.
///
/// # Errors
/// When the database refuses.
pub async fn insert_choices(
    tx: &Tx,
    district_id: Id<District>,
    choices: &[NewChoice],
    by: &str,
) -> Result<(), Error> {
    for choices in choices.chunks(ROWS) {
        let rows = choices.iter().map(|new| dismissal::ActiveModel {
            district_id: Set(district_id.uuid()),
            id: Set(random::uuid(new.choice.created_at)),
            pupil_id: Set(new.pupil_id.uuid()),
            weekday: Set(new.weekday),
            source: Set(match new.choice.source {
                Source::Guardian => "guardian",
                Source::School => "school",
            }
            .to_owned()),
            minute: Set(new.choice.minute),
            batch_id: Set(new.batch_id.map(Id::uuid)),
            created_by: Set(by.to_owned()),
            created_at: Set(new.choice.created_at),
        });
        dismissal::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Finds a request for extended care.
///
/// # Errors
/// When the database refuses.
pub async fn find_care(
    db: &impl ConnectionTrait,
    id: Id<ExtendedCareKind>,
) -> Result<Option<ExtendedCare>, Error> {
    let by_id = extended_care::Column::Id.eq(id.uuid());
    Ok(extended_care::Entity::find().filter(by_id).one(db).await?.map(read_care))
}

/// Lists the requests of a school for a day that stand, by time, then id.
///
/// # Errors
/// When the database refuses.
pub async fn list_care(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    school_id: Id<School>,
    day: NaiveDate,
) -> Result<Vec<ExtendedCare>, Error> {
    let rows = extended_care::Entity::find()
        .filter(extended_care::Column::DistrictId.eq(district_id.uuid()))
        .filter(extended_care::Column::SchoolId.eq(school_id.uuid()))
        .filter(extended_care::Column::Day.eq(day))
        .filter(extended_care::Column::CancelledAt.is_null())
        .order_by_asc(extended_care::Column::UntilMinute)
        .order_by_asc(extended_care::Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(read_care).collect())
}

/// Finds the requests that stand of pupils of one district on a day, in no order. The pupils are locked before a change.
///
/// # Errors
/// When the database refuses.
pub async fn standing_care(
    db: &impl ConnectionTrait,
    district_id: Id<District>,
    pupils: impl IntoIterator<Item = Id<Pupil>>,
    day: NaiveDate,
) -> Result<Vec<ExtendedCare>, Error> {
    let rows = extended_care::Entity::find()
        .filter(extended_care::Column::DistrictId.eq(district_id.uuid()))
        .filter(extended_care::Column::PupilId.is_in(pupils.into_iter().map(Id::uuid)))
        .filter(extended_care::Column::Day.eq(day))
        .filter(extended_care::Column::CancelledAt.is_null())
        .all(db)
        .await?;
    Ok(rows.into_iter().map(read_care).collect())
}

/// Locks a request.
///
/// # Errors
/// When the database refuses.
pub async fn lock_care(tx: &Tx, id: Id<ExtendedCareKind>) -> Result<Option<ExtendedCare>, Error> {
    let row = extended_care::Entity::find()
        .filter(extended_care::Column::Id.eq(id.uuid()))
        .lock_exclusive()
        .one(tx)
        .await?;
    Ok(row.map(read_care))
}

/// Keeps a new request.
///
/// # Errors
/// When the database refuses: one stands for a pupil and a day.
pub async fn insert_care(tx: &Tx, care: &ExtendedCare) -> Result<(), Error> {
    let row = extended_care::ActiveModel {
        district_id: Set(care.district_id.uuid()),
        id: Set(care.id.uuid()),
        school_id: Set(care.school_id.uuid()),
        pupil_id: Set(care.pupil_id.uuid()),
        guardian_id: Set(care.guardian_id.uuid()),
        day: Set(care.day),
        until_minute: Set(care.until_minute),
        created_at: Set(care.created_at),
        cancelled_at: Set(care.cancelled_at),
    };
    extended_care::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Keeps that a request was taken back or replaced.
///
/// # Errors
/// When the database refuses.
pub async fn cancel_care(tx: &Tx, care: &ExtendedCare, at: Moment) -> Result<(), Error> {
    let row = extended_care::ActiveModel {
        district_id: Set(care.district_id.uuid()),
        id: Set(care.id.uuid()),
        cancelled_at: Set(Some(at)),
        ..Default::default()
    };
    extended_care::Entity::update(row).exec(tx).await?;
    Ok(())
}

fn read_batch(row: dismissal_batch::Model) -> Batch {
    Batch {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        term_id: Id::new(row.term_id),
        name: row.name,
        minute: row.minute,
    }
}

fn read_care(row: extended_care::Model) -> ExtendedCare {
    ExtendedCare {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        pupil_id: Id::new(row.pupil_id),
        guardian_id: Id::new(row.guardian_id),
        day: row.day,
        until_minute: row.until_minute,
        created_at: row.created_at,
        cancelled_at: row.cancelled_at,
    }
}
