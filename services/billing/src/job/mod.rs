//! What runs without a caller. Jobs look every [`POLL`] of real time and decide by the clock they are given.
//!
//! | file | does |
//! |---|---|
//! | [`identity`], [`catalog`], [`enrollment`] | follow the feeds of these services |
//! | [`bills`] | fetches and compares WeChat's bills of the days before |
//! | [`inbox`] | works off WeChat's notifications |
//! | [`orders`] | asks WeChat after open orders, closes those nobody may pay any more |
//! | [`refunds`] | sends refunds at a pace, asks after them |
//! | [`seal`] | gives entries of the ledger their place in the chain, and writes its heads down outside |
//! | [`waivers`] | applies granted waivers to invoices whose order had to be closed first |

pub mod bills;
pub mod catalog;
pub mod enrollment;
pub mod identity;
pub mod inbox;
pub mod orders;
pub mod refunds;
pub mod seal;
pub mod waivers;

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::Status;

/// How often an idle job looks.
pub const POLL: Duration = Duration::from_millis(150);

/// Runs `pass` until `stop`: again at once while it finds work, after [`POLL`] when it finds none, later when it fails.
pub(crate) async fn repeat<F>(
    name: &'static str,
    stop: &CancellationToken,
    mut pass: impl FnMut() -> F + Send,
) where
    F: Future<Output = Result<bool, Status>> + Send,
{
    let mut backoff = shared::db::Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
    while !stop.is_cancelled() {
        let pause = match pass().await {
            Ok(true) => {
                backoff.reset();
                continue;
            }
            Ok(false) => {
                backoff.reset();
                POLL
            }
            Err(status) => {
                tracing::warn!(job = name, code = ?status.code(), "job {name} failed and goes on: {}", status.message());
                backoff.next()
            }
        };
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}
