//! Events between services: told in the transaction that makes them true, heard exactly once, in order.
//!
//! | file | knows |
//! |---|---|
//! | here | telling: a row of `event` beside the change |
//! | `sequencer` | numbering what is committed |
//! | `server` | offering it to other services |
//! | `follower` | following another service's feed: [`Consumer`], [`Follower`] |
//!
//! A row's `seq` is given when it is inserted, so it becomes visible out of order: whoever reads "all after
//! the last seq I saw" skips the row of a transaction that began earlier and committed later. So nobody reads
//! by `seq`. The sequencer numbers the *committed* rows, one batch at a time under the lock of
//! `feed_sequence`; readers follow those positions. They have no gaps, become visible in order, and are never
//! given twice. Events of one subject keep their order, because changes of one subject wait for each other's
//! row lock before they insert.
//!
//! The numbering transaction commits synchronously. A change that was committed without waiting for the disk
//! is on the disk before anyone can read its event.

mod entity;
mod follower;
mod sequencer;
mod server;
mod trace;

use std::sync::Arc;

use prost::Message;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Statement,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use follower::{Consumer, FollowError, Follower, Progress, Standing, State, Told};
pub use server::FeedServer;

use crate::db::{Db, Error, Kind, Tx};
use crate::random;
use crate::value::{District, Id, Moment};

/// Something that became true, for others to hear.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent<'a, M> {
    /// The district it happened in.
    pub district_id: Id<District>,
    /// What it is about. Events with the same subject are heard in the order they are told, if the
    /// transactions that tell them lock the subject first.
    pub subject_id: Uuid,
    /// The event's name within the service, `seat_held`: for logs and traces.
    pub name: &'static str,
    /// The service's `Event` message. No personal data beyond ids.
    pub payload: &'a M,
    /// When it happened.
    pub happened_at: Moment,
}

/// Tells an event. It is heard if and only if `tx` commits; the commit wakes the sequencer.
///
/// The trace of the current span goes with it, so that what it causes elsewhere is in the same trace.
///
/// # Errors
/// When the database refuses.
pub async fn append<M: Message>(tx: &Tx, event: NewEvent<'_, M>) -> Result<(), DbErr> {
    append_all(tx, std::slice::from_ref(&event)).await
}

/// Tells events, in the order given. As [`append`], with fewer statements.
///
/// # Errors
/// When the database refuses.
pub async fn append_all<M: Message>(tx: &Tx, events: &[NewEvent<'_, M>]) -> Result<(), DbErr> {
    // Eight values a row: far below SQLite's limit on bound values.
    const ROWS: usize = 500;
    let traceparent = trace::current();
    if tx.kind() == Kind::Postgres {
        return append_as_set(tx, events, traceparent).await;
    }
    for events in events.chunks(ROWS) {
        let rows = events.iter().map(|event| entity::event::ActiveModel {
            seq: NotSet,
            id: Set(random::uuid(event.happened_at)),
            district_id: Set(event.district_id.uuid()),
            subject_id: Set(event.subject_id),
            name: Set(event.name.to_owned()),
            payload: Set(event.payload.encode_to_vec()),
            created_at: Set(event.happened_at),
            traceparent: Set(traceparent.clone()),
            position: Set(None),
        });
        entity::event::Entity::insert_many(rows).exec_without_returning(tx).await?;
        tx.note_told();
    }
    Ok(())
}

/// A service's own feed. Cheap to clone; all clones share their wake-ups.
#[derive(Clone, Debug)]
pub struct Feed {
    db: Db,
    /// The last position known here: moved by this process's sequencer and by what it hears of others'.
    last: Arc<watch::Sender<i64>>,
}

/// All events in one statement that stays the same however many there are: PostgreSQL parses and plans it once for a connection's
/// life, and has no placeholders to count.
async fn append_as_set<M: Message>(
    tx: &Tx,
    events: &[NewEvent<'_, M>],
    traceparent: String,
) -> Result<(), DbErr> {
    if events.is_empty() {
        return Ok(());
    }
    let list = |value: &dyn Fn(&NewEvent<'_, M>) -> String| {
        events.iter().map(value).collect::<Vec<_>>().join(",").into()
    };
    let values = [
        list(&|event| random::uuid(event.happened_at).simple().to_string()),
        list(&|event| event.district_id.uuid().simple().to_string()),
        list(&|event| event.subject_id.simple().to_string()),
        list(&|event| event.name.to_owned()),
        list(&|event| hexadecimal(&event.payload.encode_to_vec())),
        list(&|event| event.happened_at.to_rfc3339()),
        traceparent.into(),
    ];
    tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), APPEND_AS_SET, values)).await?;
    tx.note_told();
    Ok(())
}

/// Inserts events in the order given: `$1` to `$6` are lists, `$7` is the same for all. `seq` is given row by row.
const APPEND_AS_SET: &str = "\
    insert into event (id, district_id, subject_id, name, payload, created_at, traceparent) \
    select e.id, e.district_id, e.subject_id, e.name, decode(substr(e.payload, 2), 'hex'), e.created_at, $7 \
    from unnest(cast(string_to_array($1, ',') as uuid[]), cast(string_to_array($2, ',') as uuid[]), \
    cast(string_to_array($3, ',') as uuid[]), string_to_array($4, ','), string_to_array($5, ','), \
    cast(string_to_array($6, ',') as timestamptz[])) with ordinality \
    as e (id, district_id, subject_id, name, payload, created_at, number) order by e.number";

/// `x` and two digits a byte: never empty, which would be no element of a list.
fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut text = String::with_capacity(1 + 2 * bytes.len());
    text.push('x');
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    text
}

impl Feed {
    /// The feed in `db`.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, last: Arc::new(watch::Sender::new(0)) }
    }

    /// The job that numbers committed events, until `stop`. Every replica of a service runs it; one at a time
    /// works.
    pub async fn sequencer(&self, stop: CancellationToken) {
        sequencer::run(self, stop).await;
    }

    /// Numbers the committed events that have no position yet, until there is none; gives how many.
    ///
    /// The job does this by itself; tests call it to have it done now.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn number(&self) -> Result<u64, Error> {
        sequencer::number_all(self).await
    }

    /// The events after a position, at most `limit`, in order.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn after(&self, position: i64, limit: u64) -> Result<Vec<proto::feed::v1::Event>, Error> {
        let rows = entity::event::Entity::find()
            .filter(entity::event::Column::Position.gt(position))
            .order_by_asc(entity::event::Column::Position)
            .limit(limit)
            .all(self.db.read())
            .await?;
        rows.into_iter().map(entity::event::Model::into_message).collect()
    }

    /// The last position given out; 0 before the first.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn last_position(&self) -> Result<i64, Error> {
        let row = entity::sequence::Entity::find_by_id(1).one(self.db.read()).await?;
        Ok(row.ok_or_else(|| Error::inconsistent("feed_sequence", 1, "missing"))?.last_position)
    }

    /// Lets those who wait know that positions up to `position` exist.
    fn reached(&self, position: i64) {
        self.last.send_if_modified(|last| {
            let is_news = position > *last;
            *last = position.max(*last);
            is_news
        });
    }
}
