//! Gives entries of the ledger their place in the chain, and writes its heads down outside the database.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use shared::clock::SharedClock;
use shared::db::{Db, Error};
use shared::telemetry;
use shared::value::Moment;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::anchor;
use crate::store::chain;

/// How often the job looks for entries.
const LOOK: Duration = Duration::from_millis(500);

/// Where and how often heads are written down.
#[derive(Clone, Debug)]
pub struct Anchoring {
    /// The file; none for the log alone.
    pub file: Option<PathBuf>,
    /// The least time between two lines of a district.
    pub every: TimeDelta,
}

/// Seals and anchors until `stop`.
pub async fn run(db: Db, clock: SharedClock, anchoring: Anchoring, stop: CancellationToken) {
    let tail = telemetry::meter("billing")
        .u64_gauge("billing.ledger.unsealed_entries")
        .with_description("Entries of the ledger that are not in its chain yet")
        .build();
    let mut anchored: HashMap<Uuid, (i64, Moment)> = HashMap::new();
    while !stop.is_cancelled() {
        if let Ok(count) = chain::unsealed_count(db.read(), None).await {
            tail.record(count, &[]);
        }
        if let Err(error) = pass(&db, clock.now(), &anchoring, &mut anchored).await {
            tracing::warn!(%error, "the ledger could not be sealed and is tried again: {error}");
        }
        if stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            return;
        }
    }
}

/// Seals what waits, then writes down the heads that moved.
async fn pass(
    db: &Db,
    now: Moment,
    anchoring: &Anchoring,
    anchored: &mut HashMap<Uuid, (i64, Moment)>,
) -> Result<(), Error> {
    chain::seal_all(db).await?;
    let mut heads = chain::heads(db.read()).await?;
    heads.retain(|head| match anchored.get(&head.district_id) {
        None => head.position > 0,
        Some((position, at)) => head.position > *position && now - *at >= anchoring.every,
    });
    if heads.is_empty() {
        return Ok(());
    }
    if let Some(file) = anchoring.file.as_deref() {
        write(file, &heads, now).await;
    }
    for head in heads {
        tracing::info!(
            district.id = %head.district_id, position = head.position, hash = %head.hash,
            "the ledger of a district has {} entries, the last with hash {}", head.position, head.hash
        );
        anchored.insert(head.district_id, (head.position, now));
    }
    Ok(())
}

/// A file that cannot be written is told of; the log line stands in for it.
async fn write(file: &Path, heads: &[crate::domain::chain::Anchor], now: Moment) {
    if let Err(error) = anchor::write(file, heads, now).await {
        tracing::error!(alarm = true, %error, file = %file.display(), "the ledger's anchor cannot be written: {error}");
    }
}
