//! Rounds.

use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use shared::db::{Error, Tx};
use shared::value::{Id, Moment, Term};

use super::entity::round;
use super::many::among;
use crate::domain::round::{Mode, Round, Waits};

const TABLE: &str = "round";

/// Lists the rounds of terms, latest first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list(db: &impl ConnectionTrait, terms: &[Id<Term>]) -> Result<Vec<Round>, Error> {
    let rows = round::Entity::find()
        .filter(among(db, round::Entity, round::Column::TermId, terms.iter().map(|id| id.uuid())))
        .order_by_desc(round::Column::OpenAt)
        .order_by_desc(round::Column::Id)
        .all(db)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Keeps a new round.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, round: &Round, now: Moment) -> Result<(), Error> {
    let row = round::ActiveModel {
        district_id: Set(round.district_id.uuid()),
        id: Set(round.id.uuid()),
        school_id: Set(round.school_id.uuid()),
        term_id: Set(round.term_id.uuid()),
        mode: Set(match round.mode {
            Mode::FirstCome => "first_come",
        }
        .to_owned()),
        open_at: Set(round.open_at),
        close_at: Set(round.close_at),
        review_seconds: Set(round.waits.review_seconds),
        payment_seconds: Set(round.waits.payment_seconds),
        created_at: Set(now),
    };
    round::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

fn read(row: round::Model) -> Result<Round, Error> {
    Ok(Round {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        term_id: Id::new(row.term_id),
        mode: match row.mode.as_str() {
            "first_come" => Mode::FirstCome,
            _ => return Err(Error::inconsistent(TABLE, row.id, "its mode is unknown")),
        },
        open_at: row.open_at,
        close_at: row.close_at,
        waits: Waits { review_seconds: row.review_seconds, payment_seconds: row.payment_seconds },
    })
}
