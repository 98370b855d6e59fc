//! Sends refunds to WeChat at a pace, and asks after those that are under way.
//!
//! WeChat locks a merchant out that fails too often in a second; a paced queue keeps far below that even when everything fails.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::repeat;
use crate::store;
use crate::till::{Till, refund};

/// The most refunds looked at in one pass.
const BATCH: u64 = 50;

/// Sends and asks what is due, at most `per_second` calls in a second, until `stop`.
pub async fn run(till: Till, per_second: u32, stop: CancellationToken) {
    let pause = Duration::from_secs(1) / per_second.clamp(1, 100);
    repeat("refunds", &stop, || pass(&till, pause)).await;
}

/// Sends and asks what is due now, with a pause after each call; says whether there was anything.
///
/// # Errors
/// When the database refuses.
pub async fn pass(till: &Till, pause: Duration) -> Result<bool, Status> {
    let due = store::refund::due(till.db.read(), till.clock.now(), BATCH).await?;
    for refund in &due {
        if refund::attempt(till, refund.id).await? {
            tokio::time::sleep(pause).await;
        }
    }
    Ok(!due.is_empty())
}
