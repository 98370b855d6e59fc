//! Rounds, and how they were changed.

use std::collections::HashMap;

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::{Error, Tx};
use shared::value::{Id, Moment, Round as RoundKind, Staff, Term};
use uuid::Uuid;

use super::entity::{round, round_change};
use super::many::among;
use crate::domain::round::{Mode, Round, State, Ties, Waits};

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
        mode: Set(mode_text(round.mode).to_owned()),
        open_at: Set(round.open_at),
        close_at: Set(round.close_at),
        review_seconds: Set(round.waits.review_seconds),
        payment_seconds: Set(round.waits.payment_seconds),
        created_at: Set(now),
        state: Set(state_text(&round.state).to_owned()),
        cancel_reason: Set(String::new()),
        tie_seconds: Set(round.ties.map(|ties| ties.seconds)),
        tie_until: Set(round.ties.map(|ties| ties.until)),
        ties_decided: Set(round.ties.is_some_and(|ties| ties.is_decided)),
    };
    round::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds a round.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn find(db: &impl ConnectionTrait, id: Id<RoundKind>) -> Result<Option<Round>, Error> {
    let row = round::Entity::find().filter(round::Column::Id.eq(id.uuid())).one(db).await?;
    row.map(read).transpose()
}

/// Locks a round for a change.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn lock(tx: &Tx, id: Id<RoundKind>) -> Result<Option<Round>, Error> {
    let row = round::Entity::find().filter(round::Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?;
    row.map(read).transpose()
}

/// Locks a round so that it stays as it is until the end of the transaction; many may do so at once.
///
/// # Errors
/// When the database refuses, or the row breaks a promise.
pub async fn hold(tx: &Tx, id: Id<RoundKind>) -> Result<Option<Round>, Error> {
    let row = round::Entity::find().filter(round::Column::Id.eq(id.uuid())).lock_shared().one(tx).await?;
    row.map(read).transpose()
}

/// Lists drawn rounds whose lists are to be closed at `now`, longest due first.
///
/// # Errors
/// When the database refuses.
pub async fn list_closing(
    db: &impl ConnectionTrait,
    now: Moment,
    limit: u64,
) -> Result<Vec<Id<RoundKind>>, Error> {
    let ids: Vec<Uuid> = round::Entity::find()
        .select_only()
        .column(round::Column::Id)
        .filter(round::Column::State.eq("opened"))
        .filter(round::Column::Mode.ne("first_come"))
        .filter(round::Column::CloseAt.lte(now))
        .order_by_asc(round::Column::CloseAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    Ok(ids.into_iter().map(Id::new).collect())
}

/// Keeps where a round stands, and until when it is open.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, round: &Round) -> Result<(), Error> {
    let row = round::ActiveModel {
        district_id: Set(round.district_id.uuid()),
        id: Set(round.id.uuid()),
        close_at: Set(round.close_at),
        state: Set(state_text(&round.state).to_owned()),
        cancel_reason: Set(match &round.state {
            State::Cancelled { reason } => reason.clone(),
            State::Opened | State::Closed | State::Drawn => String::new(),
        }),
        ..Default::default()
    };
    round::Entity::update(row).exec(tx).await?;
    Ok(())
}

/// What was done to a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It closes later.
    Extended,
    /// It is called off.
    Cancelled,
    /// Another act of the draw began.
    Repeated,
}

/// A change of a round, recorded for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundChange {
    /// What was done.
    pub kind: ChangeKind,
    /// Why.
    pub reason: String,
    /// Who did it.
    pub staff_id: Id<Staff>,
    /// When the round closes since then.
    pub close_at: Moment,
    /// When.
    pub created_at: Moment,
}

/// Records a change of a round. `id` is new and sorts by time.
///
/// # Errors
/// When the database refuses.
pub async fn record(tx: &Tx, id: Uuid, round: &Round, change: &RoundChange) -> Result<(), Error> {
    let row = round_change::ActiveModel {
        district_id: Set(round.district_id.uuid()),
        id: Set(id),
        round_id: Set(round.id.uuid()),
        kind: Set(match change.kind {
            ChangeKind::Extended => "extended",
            ChangeKind::Cancelled => "cancelled",
            ChangeKind::Repeated => "repeated",
        }
        .to_owned()),
        reason: Set(change.reason.clone()),
        staff_id: Set(change.staff_id.uuid()),
        close_at: Set(change.close_at),
        created_at: Set(change.created_at),
    };
    round_change::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Lists the changes of rounds, the first first.
///
/// # Errors
/// When the database refuses, or a row breaks a promise.
pub async fn list_changes(
    db: &impl ConnectionTrait,
    rounds: &[Round],
) -> Result<HashMap<Id<RoundKind>, Vec<RoundChange>>, Error> {
    let mut changes: HashMap<_, Vec<RoundChange>> = HashMap::new();
    let rows = round_change::Entity::find()
        .filter(round_change::Column::DistrictId.is_in(rounds.iter().map(|round| round.district_id.uuid())))
        .filter(round_change::Column::RoundId.is_in(rounds.iter().map(|round| round.id.uuid())))
        .order_by_asc(round_change::Column::Id)
        .all(db)
        .await?;
    for row in rows {
        let kind = match row.kind.as_str() {
            "extended" => ChangeKind::Extended,
            "cancelled" => ChangeKind::Cancelled,
            "repeated" => ChangeKind::Repeated,
            _ => return Err(Error::inconsistent("round_change", row.id, "its kind is unknown")),
        };
        changes.entry(Id::new(row.round_id)).or_default().push(RoundChange {
            kind,
            reason: row.reason,
            staff_id: Id::new(row.staff_id),
            close_at: row.close_at,
            created_at: row.created_at,
        });
    }
    Ok(changes)
}

const fn mode_text(mode: Mode) -> &'static str {
    match mode {
        Mode::FirstCome => "first_come",
        Mode::Ranked => "ranked",
        Mode::Lottery => "lottery",
    }
}

const fn state_text(state: &State) -> &'static str {
    match state {
        State::Opened => "opened",
        State::Closed => "closed",
        State::Drawn => "drawn",
        State::Cancelled { .. } => "cancelled",
    }
}

fn read(row: round::Model) -> Result<Round, Error> {
    Ok(Round {
        id: Id::new(row.id),
        district_id: Id::new(row.district_id),
        school_id: Id::new(row.school_id),
        term_id: Id::new(row.term_id),
        mode: match row.mode.as_str() {
            "first_come" => Mode::FirstCome,
            "ranked" => Mode::Ranked,
            "lottery" => Mode::Lottery,
            _ => return Err(Error::inconsistent(TABLE, row.id, "its mode is unknown")),
        },
        open_at: row.open_at,
        close_at: row.close_at,
        waits: Waits { review_seconds: row.review_seconds, payment_seconds: row.payment_seconds },
        ties: match (row.tie_seconds, row.tie_until) {
            (Some(seconds), Some(until)) => Some(Ties { seconds, until, is_decided: row.ties_decided }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(Error::inconsistent(TABLE, row.id, "half of its ties"));
            }
        },
        state: match row.state.as_str() {
            "opened" => State::Opened,
            "closed" => State::Closed,
            "drawn" => State::Drawn,
            "cancelled" => State::Cancelled { reason: row.cancel_reason },
            _ => return Err(Error::inconsistent(TABLE, row.id, "its state is unknown")),
        },
    })
}
