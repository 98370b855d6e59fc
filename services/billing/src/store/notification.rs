//! The inbox: notifications of WeChat as they came, and what became of them.

use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use shared::db::Tx;
use shared::value::Moment;
use uuid::Uuid;

use super::Error;
use super::entity::notification::{ActiveModel, Column, Entity, Model};

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An order was paid.
    Payment,
    /// A refund came to an end.
    Refund,
    /// Something this platform does not use.
    Other,
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its id here.
    pub id: Uuid,
    /// The same for every delivery of the same fact.
    pub dedup_key: String,
    /// What it is about.
    pub kind: Kind,
    /// The order it is about; empty for [`Kind::Other`].
    pub out_trade_no: String,
    /// The bytes as they came, encrypted by WeChat.
    pub body: Vec<u8>,
    /// What it says, sealed.
    pub content_sealed: Vec<u8>,
    /// When it came.
    pub received_at: Moment,
}

/// Keeps a notification; one that is kept already changes nothing.
///
/// # Errors
/// When the database refuses.
pub async fn insert(tx: &Tx, notification: Notification) -> Result<(), Error> {
    let kind = match notification.kind {
        Kind::Payment => "payment",
        Kind::Refund => "refund",
        Kind::Other => "other",
    };
    let row = ActiveModel {
        id: Set(notification.id),
        dedup_key: Set(notification.dedup_key),
        kind: Set(kind.to_owned()),
        out_trade_no: Set(notification.out_trade_no),
        body: Set(notification.body),
        content_sealed: Set(notification.content_sealed),
        received_at: Set(notification.received_at),
        outcome: Set(None),
        worked_at: Set(None),
    };
    Entity::insert(row).on_conflict_do_nothing_on([Column::DedupKey]).exec_without_returning(tx).await?;
    Ok(())
}

/// Finds notifications that wait to be worked off, at most `limit`, the oldest first.
///
/// # Errors
/// When the database refuses, or a row is inconsistent.
pub async fn waiting(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Notification>, Error> {
    let query = Entity::find()
        .filter(Column::Outcome.is_null())
        .order_by_asc(Column::ReceivedAt)
        .order_by_asc(Column::Id);
    query.limit(limit).all(db).await?.into_iter().map(notification).collect()
}

/// Notes what became of a notification.
///
/// # Errors
/// When the database refuses.
pub async fn worked(tx: &Tx, id: Uuid, outcome: &str, now: Moment) -> Result<(), Error> {
    Entity::update_many()
        .set(ActiveModel {
            outcome: Set(Some(outcome.to_owned())),
            worked_at: Set(Some(now)),
            ..Default::default()
        })
        .filter(Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// How many notifications had which outcome; those that wait have an empty one.
///
/// # Errors
/// When the database refuses.
pub async fn outcomes(db: &impl ConnectionTrait) -> Result<Vec<(String, i64)>, Error> {
    let rows: Vec<(Option<String>, i64)> = Entity::find()
        .select_only()
        .column(Column::Outcome)
        .column_as(Column::Id.count(), "rows")
        .group_by(Column::Outcome)
        .order_by_asc(Column::Outcome)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(outcome, count)| (outcome.unwrap_or_default(), count)).collect())
}

fn notification(row: Model) -> Result<Notification, Error> {
    let kind = match row.kind.as_str() {
        "payment" => Kind::Payment,
        "refund" => Kind::Refund,
        "other" => Kind::Other,
        other => return Err(Error::inconsistent("notification", row.id, format!("kind is {other:?}"))),
    };
    Ok(Notification {
        id: row.id,
        dedup_key: row.dedup_key,
        kind,
        out_trade_no: row.out_trade_no,
        body: row.body,
        content_sealed: row.content_sealed,
        received_at: row.received_at,
    })
}
