//! Payments.

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::Tx;
use shared::value::{Fen, Id, Invoice, Moment, Payment as PaymentKind};

use super::entity::payment::{ActiveModel, Column, Entity, Model};
use super::{Error, code};
use crate::domain::payment::{Payment, State, Success};

/// The states in which money may still come in the ordinary way.
const OPEN: [&str; 3] = ["created", "prepay", "unknown"];

/// Adds a payment.
///
/// # Errors
/// When the database refuses: an invoice has at most one open payment and one that succeeded.
pub async fn insert(tx: &Tx, payment: &Payment) -> Result<(), Error> {
    Entity::insert(row(payment)).exec_without_returning(tx).await?;
    Ok(())
}

/// Saves a payment that is locked.
///
/// # Errors
/// When the database refuses.
pub async fn save(tx: &Tx, payment: &Payment) -> Result<(), Error> {
    Entity::update(row(payment)).exec(tx).await?;
    Ok(())
}

/// Finds a payment by our number at WeChat.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn by_number(db: &impl ConnectionTrait, out_trade_no: &str) -> Result<Option<Payment>, Error> {
    Entity::find().filter(Column::OutTradeNo.eq(out_trade_no)).one(db).await?.map(payment).transpose()
}

/// Finds a payment.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn find(db: &impl ConnectionTrait, id: Id<PaymentKind>) -> Result<Option<Payment>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).one(db).await?.map(payment).transpose()
}

/// Locks a payment.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn lock(tx: &Tx, id: Id<PaymentKind>) -> Result<Option<Payment>, Error> {
    Entity::find().filter(Column::Id.eq(id.uuid())).lock_exclusive().one(tx).await?.map(payment).transpose()
}

/// Locks an invoice's payments, by id, which is the order of making.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn lock_all(tx: &Tx, invoice_id: Id<Invoice>) -> Result<Vec<Payment>, Error> {
    let query = Entity::find().filter(Column::InvoiceId.eq(invoice_id.uuid())).order_by_asc(Column::Id);
    query.lock_exclusive().all(tx).await?.into_iter().map(payment).collect()
}

/// Finds the payments of invoices that happened, by id.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn paid_of(db: &impl ConnectionTrait, invoice_ids: &[Id<Invoice>]) -> Result<Vec<Payment>, Error> {
    let query = Entity::find()
        .filter(Column::InvoiceId.is_in(invoice_ids.iter().map(|id| id.uuid())))
        .filter(Column::State.is_in(["succeeded", "surplus"]))
        .order_by_asc(Column::Id);
    query.all(db).await?.into_iter().map(payment).collect()
}

/// Finds an invoice's open payment.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn open_of(db: &impl ConnectionTrait, invoice_id: Id<Invoice>) -> Result<Option<Payment>, Error> {
    let query =
        Entity::find().filter(Column::InvoiceId.eq(invoice_id.uuid())).filter(Column::State.is_in(OPEN));
    query.one(db).await?.map(payment).transpose()
}

/// Finds open payments whose time to be asked after has come, at most `limit`, the longest waiting first.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn due(db: &impl ConnectionTrait, now: Moment, limit: u64) -> Result<Vec<Payment>, Error> {
    let query =
        Entity::find().filter(Column::NextQueryAt.lte(now)).order_by_asc(Column::NextQueryAt).limit(limit);
    query.all(db).await?.into_iter().map(payment).collect()
}

fn row(payment: &Payment) -> ActiveModel {
    let (state, success, closed_at) = match &payment.state {
        State::Created => ("created", None, None),
        State::Prepay => ("prepay", None, None),
        State::Unknown => ("unknown", None, None),
        State::Succeeded(success) => ("succeeded", Some(success), None),
        State::Surplus(success) => ("surplus", Some(success), None),
        State::Closed { at } => ("closed", None, Some(*at)),
    };
    ActiveModel {
        id: Set(payment.id.uuid()),
        district_id: Set(payment.district_id.uuid()),
        invoice_id: Set(payment.invoice_id.uuid()),
        attempt: Set(code::count_column(payment.attempt)),
        out_trade_no: Set(payment.out_trade_no.clone()),
        payee_mchid: Set(payment.payee_mchid.clone()),
        amount_fen: Set(payment.amount.get()),
        order_sealed: Set(payment.order_sealed.clone()),
        openid_sealed: Set(payment.openid_sealed.clone()),
        expires_at: Set(payment.expires_at),
        state: Set(state.to_owned()),
        transaction_id: Set(success.map(|success| success.transaction_id.clone())),
        paid_at: Set(success.map(|success| success.at)),
        closed_at: Set(closed_at),
        created_at: Set(payment.created_at),
        next_query_at: Set(payment.next_query_at),
        query_count: Set(code::count_column(payment.query_count)),
        reserved_fen: Set(payment.reserved.get()),
        refunded_fen: Set(payment.refunded.get()),
        refund_count: Set(code::count_column(payment.refund_count)),
        refund_sent_at: Set(payment.refund_sent_at),
    }
}

fn payment(row: Model) -> Result<Payment, Error> {
    let id = row.id;
    let success = match (row.transaction_id, row.paid_at) {
        (Some(transaction_id), Some(at)) => Some(Success { transaction_id, at }),
        _ => None,
    };
    let state = match row.state.as_str() {
        "created" => State::Created,
        "prepay" => State::Prepay,
        "unknown" => State::Unknown,
        "succeeded" => State::Succeeded(code::given("payment", id, "transaction_id", success)?),
        "surplus" => State::Surplus(code::given("payment", id, "transaction_id", success)?),
        "closed" => State::Closed { at: code::given("payment", id, "closed_at", row.closed_at)? },
        other => return Err(Error::inconsistent("payment", id, format!("state is {other:?}"))),
    };
    Ok(Payment {
        id: Id::new(id),
        district_id: Id::new(row.district_id),
        invoice_id: Id::new(row.invoice_id),
        attempt: code::count("payment", id, "attempt", row.attempt)?,
        out_trade_no: row.out_trade_no,
        payee_mchid: row.payee_mchid,
        amount: Fen::new(row.amount_fen),
        order_sealed: row.order_sealed,
        openid_sealed: row.openid_sealed,
        expires_at: row.expires_at,
        state,
        created_at: row.created_at,
        next_query_at: row.next_query_at,
        query_count: code::count("payment", id, "query_count", row.query_count)?,
        reserved: Fen::new(row.reserved_fen),
        refunded: Fen::new(row.refunded_fen),
        refund_count: code::count("payment", id, "refund_count", row.refund_count)?,
        refund_sent_at: row.refund_sent_at,
    })
}
