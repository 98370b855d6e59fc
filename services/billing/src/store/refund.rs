//! Refunds.

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use shared::db::Tx;
use shared::value::{Fen, Id, Moment, Page, Pupil, Refund as RefundKind};

use super::entity::refund::{ActiveModel, Column, Entity, Model};
use super::invoice::NewestKey;
use super::{Error, code};
use crate::domain::refund::{Reason, Refund, State};

/// Adds a refund.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, refund: &Refund) -> Result<(), Error> {
    Entity::insert(row(refund)).exec_without_returning(tx).await?;
    Ok(())
}

/// Saves a refund that is locked.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, refund: &Refund) -> Result<(), Error> {
    Entity::update(row(refund)).exec(tx).await?;
    Ok(())
}

/// Finds a refund by our number at WeChat.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn by_number(db: &impl ConnectionTrait, out_refund_no: &str) -> Result<Option<Refund>, Error> {
    Entity::find().filter(Column::OutRefundNo.eq(out_refund_no)).one(db).await?.map(refund).transpose()
}

/// Finds a refund.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn find(db: &impl ConnectionTrait, id: Id<RefundKind>) -> Result<Option<Refund>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).one(db).await?.map(refund).transpose()
}

/// Locks a refund. Its payment is locked before.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn lock(tx: &Tx, id: Id<RefundKind>) -> Result<Option<Refund>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?.map(refund).transpose()
}

/// Finds refunds whose time has come, at most `limit`, the longest waiting first.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn due(db: &impl ConnectionTrait, now: Moment, limit: u64) -> Result<Vec<Refund>, Error> {
    let query = Entity::find()
        .filter(Column::NextAttemptAt.lte(now))
        .order_by_asc(Column::NextAttemptAt)
        .order_by_asc(Column::Id)
        .limit(limit);
    query.all(db).await?.into_iter().map(refund).collect()
}

/// Lists refunds of a pupil, newest first; one more than asked for when there is a next page.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn list(
    db: &impl ConnectionTrait,
    pupil_id: Id<Pupil>,
    page: &Page<NewestKey>,
) -> Result<Vec<Refund>, Error> {
    let mut query = Entity::find().filter(Column::PupilId.eq(pupil_id.uuid()));
    if let Some((created_at, id)) = page.after {
        query = query.filter(
            Condition::any()
                .add(Column::CreatedAt.lt(created_at))
                .add(Condition::all().add(Column::CreatedAt.eq(created_at)).add(Column::Id.lt(id))),
        );
    }
    let rows =
        query.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(page.size + 1).all(db).await?;
    rows.into_iter().map(refund).collect()
}

const REASONS: [Reason; 4] = [Reason::Released, Reason::Late, Reason::Surplus, Reason::SectionCancelled];

const fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::Released => "released",
        Reason::Late => "late",
        Reason::Surplus => "surplus",
        Reason::SectionCancelled => "section_cancelled",
    }
}

fn row(refund: &Refund) -> ActiveModel {
    let (state, succeeded_at) = match refund.state {
        State::Requested => ("requested", None),
        State::Submitted => ("submitted", None),
        State::Succeeded { at } => ("succeeded", Some(at)),
        State::Failed => ("failed", None),
    };
    ActiveModel {
        id: Set(refund.id.uuid()),
        district_id: Set(refund.district_id.uuid()),
        invoice_id: Set(refund.invoice_id.uuid()),
        payment_id: Set(refund.payment_id.uuid()),
        enrollment_id: Set(refund.enrollment_id.uuid()),
        pupil_id: Set(refund.pupil_id.uuid()),
        out_refund_no: Set(refund.out_refund_no.clone()),
        request_json: Set(refund.request_json.clone()),
        amount_fen: Set(refund.amount.get()),
        reason: Set(reason_word(refund.reason).to_owned()),
        state: Set(state.to_owned()),
        succeeded_at: Set(succeeded_at),
        created_at: Set(refund.created_at),
        next_attempt_at: Set(refund.next_attempt_at),
        attempt_count: Set(code::count_column(refund.attempt_count)),
    }
}

fn refund(row: Model) -> Result<Refund, Error> {
    let id = row.id;
    let state = match row.state.as_str() {
        "requested" => State::Requested,
        "submitted" => State::Submitted,
        "succeeded" => State::Succeeded { at: code::given("refund", id, "succeeded_at", row.succeeded_at)? },
        "failed" => State::Failed,
        other => return Err(Error::inconsistent("refund", id, format!("state is {other:?}"))),
    };
    let reason = |word: &str| REASONS.into_iter().find(|reason| reason_word(*reason) == word);
    Ok(Refund {
        id: Id::new(id),
        district_id: Id::new(row.district_id),
        invoice_id: Id::new(row.invoice_id),
        payment_id: Id::new(row.payment_id),
        enrollment_id: Id::new(row.enrollment_id),
        pupil_id: Id::new(row.pupil_id),
        out_refund_no: row.out_refund_no,
        request_json: row.request_json,
        amount: Fen::new(row.amount_fen),
        reason: code::word("refund", id, "reason", &row.reason, reason)?,
        state,
        created_at: row.created_at,
        next_attempt_at: row.next_attempt_at,
        attempt_count: code::count("refund", id, "attempt_count", row.attempt_count)?,
    })
}
