//! Works off WeChat's notifications.

use shared::{db, status};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::repeat;
use crate::notice::{Notice, context};
use crate::store;
use crate::store::notification::Notification;
use crate::till::{Till, refund, settle};

/// The most notifications looked at in one pass.
const BATCH: u64 = 50;

/// Works off what waits, until `stop`.
pub async fn run(till: Till, stop: CancellationToken) {
    repeat("inbox", &stop, || pass(&till)).await;
}

/// Works off what waits now; says whether there was anything.
///
/// # Errors
/// When the database refuses; what was not worked off waits on.
pub async fn pass(till: &Till) -> Result<bool, Status> {
    let waiting = store::notification::waiting(till.db.read(), BATCH).await?;
    let mut failed = None;
    for notification in &waiting {
        // One that cannot be worked off must not hold up the others.
        if let Err(refusal) = db::retry(|| work(till, notification)).await {
            tracing::error!(notification.id = %notification.id, "a notification could not be worked off: {}", refusal.message());
            failed = Some(refusal);
        }
    }
    match failed {
        Some(refusal) => Err(refusal),
        None => Ok(!waiting.is_empty()),
    }
}

async fn work(till: &Till, notification: &Notification) -> Result<(), Status> {
    let text = till.sealer.open(&context(notification.id), &notification.content_sealed);
    let notice = Notice::from_text(&text.map_err(|error| status::internal(&error))?)?;
    let tx = till.db.begin().await?;
    let outcome = match notice {
        Notice::Payment(paid) => settle::settle_in(till, &tx, &paid).await?.as_str(),
        Notice::Refund(notice) => refund::notified_in(till, &tx, &notice).await?,
        Notice::Other => "ignored",
    };
    store::notification::worked(&tx, notification.id, outcome, till.clock.now()).await?;
    Ok(tx.commit().await?)
}
