//! Forgets request ids that are too old to come again.

use std::time::Duration;

use shared::clock::SharedClock;
use shared::db::Db;
use shared::request;
use tokio_util::sync::CancellationToken;

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Forgets until `stop`.
pub async fn run(db: Db, clock: SharedClock, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
        match request::purge(&db, clock.now()).await {
            Ok(count) => tracing::debug!(count, "{count} old request ids were forgotten"),
            Err(error) => tracing::warn!(%error, "old request ids could not be forgotten: {error}"),
        }
    }
}
