//! Forgets what has had its time.
//!
//! | what | after | looked for |
//! |---|---|---|
//! | first credentials and sign-in answers, sealed | their minutes | every 5 seconds |
//! | sessions that have ended | their end | every 5 seconds |
//! | failures that no longer count | a day | every 5 seconds |
//! | answers to request ids | 30 days | every 5 seconds |

use std::time::Duration;

use chrono::TimeDelta;
use shared::clock::{Clock, SharedClock};
use shared::db::{Db, Error};
use shared::request;
use tokio_util::sync::CancellationToken;

use crate::store;

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(5);

/// Longer than any failure counts.
const FAILURES_KEPT: TimeDelta = TimeDelta::days(1);

/// Purges until `stop`.
pub async fn run(db: Db, clock: SharedClock, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        if let Err(error) = once(&db, clock.as_ref()).await {
            tracing::warn!(%error, "purging failed and will be tried again: {error}");
        }
    }
}

/// Purges once; gives how many rows went.
///
/// # Errors
/// When the database refuses.
pub async fn once(db: &Db, clock: &dyn Clock) -> Result<u64, Error> {
    let now = clock.now();
    let tx = db.begin().await?;
    let mut purged = store::brief_answer::purge(&tx, now).await?;
    purged += store::session::purge(&tx, now).await?;
    purged += store::attempt::purge(&tx, now - FAILURES_KEPT).await?;
    tx.commit().await?;
    purged += request::purge(db, now).await?;
    Ok(purged)
}
