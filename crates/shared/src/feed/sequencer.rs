//! Numbering what is committed.

use std::time::Duration;

use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{ActiveModelTrait as _, ActiveValue::Set, IntoActiveModel as _};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, Statement,
};
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio_util::sync::CancellationToken;

use super::Feed;
use super::entity::{event, sequence};
use crate::db::{Backoff, Db, Error, Kind};

/// How long an event may wait for a position when every hint is lost.
const POLL: Duration = Duration::from_millis(500);

/// How soon to look again while another replica numbers: it may have looked just before our commit.
const BUSY: Duration = Duration::from_millis(10);

/// The most rows numbered in one transaction.
const BATCH: u64 = 1_000;

/// What one pass found.
enum Pass {
    /// So many rows were numbered; there may be more.
    Numbered(u64),
    /// Nothing waits.
    Idle,
    /// Another replica is at it.
    Busy,
}

/// Numbers until `stop`, and listens to the sequencers of other replicas.
pub async fn run(feed: &Feed, stop: CancellationToken) {
    tokio::join!(number_until(feed, &stop), listen_until(feed, &stop));
}

/// Numbers all that waits; gives how many events that were.
pub async fn number_all(feed: &Feed) -> Result<u64, Error> {
    let mut count = 0;
    loop {
        match number(feed).await? {
            Pass::Numbered(numbered) => count += numbered,
            Pass::Idle => return Ok(count),
            Pass::Busy => tokio::time::sleep(BUSY).await,
        }
    }
}

async fn number_until(feed: &Feed, stop: &CancellationToken) {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
    while !stop.is_cancelled() {
        let pause = match number(feed).await {
            Ok(Pass::Numbered(_)) => {
                backoff.reset();
                continue;
            }
            Ok(Pass::Idle) => POLL,
            Ok(Pass::Busy) => BUSY,
            Err(error) => {
                if !error.is_retryable() {
                    tracing::warn!(%error, "events could not be numbered: {error}");
                }
                backoff.next()
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = feed.db.told() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn number(feed: &Feed) -> Result<Pass, Error> {
    if !is_waiting(&feed.db).await? {
        return Ok(Pass::Idle);
    }
    let tx = feed.db.begin().await?;
    let Some(row) = sequence::Entity::find_by_id(1)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .one(&tx)
        .await?
    else {
        // SQLite has no lock to skip: there the row is missing.
        return match tx.kind() {
            Kind::Postgres => Ok(Pass::Busy),
            Kind::Sqlite => Err(Error::inconsistent("feed_sequence", 1, "missing")),
        };
    };
    // A statement of its own, after the lock: it sees everything the last holder has numbered.
    let statement = Statement::from_sql_and_values(
        tx.get_database_backend(),
        "update event set position = waiting.position from (\
             select seq, $1 + row_number() over (order by seq) as position \
             from event where position is null order by seq limit $2\
         ) as waiting where event.seq = waiting.seq",
        [row.last_position.into(), i64::try_from(BATCH).unwrap_or(i64::MAX).into()],
    );
    let count = tx.execute_raw(statement).await?.rows_affected();
    if count == 0 {
        return Ok(Pass::Idle);
    }
    let last_position = row.last_position + i64::try_from(count).unwrap_or(0);
    let mut row = row.into_active_model();
    row.last_position = Set(last_position);
    row.update(&tx).await?;
    if feed.db.postgres().is_some() {
        // Heard by the other replicas, after the commit.
        let notify = "select pg_notify($1, $2)";
        let values = [channel(&feed.db).into(), last_position.to_string().into()];
        tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), notify, values)).await?;
    }
    tx.commit().await?;
    feed.reached(last_position);
    Ok(Pass::Numbered(count))
}

/// Looks without a lock whether a committed event has no position.
async fn is_waiting(db: &Db) -> Result<bool, Error> {
    let waiting: Option<i64> = event::Entity::find()
        .select_only()
        .column(event::Column::Seq)
        .filter(event::Column::Position.is_null())
        .limit(1)
        .into_tuple()
        .one(db.read())
        .await?;
    Ok(waiting.is_some())
}

/// Hears on PostgreSQL what other replicas have numbered. On SQLite there are none.
async fn listen_until(feed: &Feed, stop: &CancellationToken) {
    let Some(pool) = feed.db.postgres() else { return };
    // A pool of its own: a listener holds its connection for life, and the other pool could not be closed.
    let options = pool.connect_options();
    let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let pool = pool.connect_lazy_with((*options).clone());
    let listen = async {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        loop {
            if let Err(error) = listen(feed, &pool, &mut backoff).await {
                // Readers poll: what is lost is only speed.
                tracing::debug!(%error, "listening to other replicas was interrupted: {error}");
            }
            tokio::time::sleep(backoff.next()).await;
        }
    };
    stop.run_until_cancelled(listen).await;
    pool.close().await;
}

async fn listen(feed: &Feed, pool: &sqlx::PgPool, backoff: &mut Backoff) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(&channel(&feed.db)).await?;
    backoff.reset();
    loop {
        let notification = listener.recv().await?;
        if let Ok(position) = notification.payload().parse() {
            feed.reached(position);
        }
    }
}

/// The channel on which replicas of one service hear each other: services may share a database, each with its
/// own schema.
fn channel(db: &Db) -> String {
    format!("kehou_feed_{}", db.schema().unwrap_or("public"))
}
