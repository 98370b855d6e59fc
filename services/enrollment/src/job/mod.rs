//! What runs without a caller.
//!
//! | file | does |
//! |---|---|
//! | [`expire`] | ends waits for a signature and reviews, and begins to give back holds, whose time is over |
//! | [`close`] | asks billing about seats being given back, and gives them back or confirms them |
//! | [`promote`] | gives seats that stayed free to those in line who could not sit before |
//! | [`change_seats`] | ends seats that were changed for others, on their day |
//! | [`lay_out`] | lays out the day's lessons |
//! | [`close_lists`] | closes the lists of drawn rounds |
//! | [`decide_ties`] | decides the ties of rounds for seats left over |
//! | [`close_registers`] | closes the day's registers |
//! | [`alert`] | alerts the leader to pupils nobody has collected |
//! | [`follow_identity`] | hears of pupils and consents |
//! | [`follow_catalog`] | hears of terms and sections |
//! | [`follow_billing`] | hears of settled invoices |
//!
//! Every replica runs all of them: each change locks what it changes and decides again, so two that find the same work do it once.

pub mod alert;
pub mod change_seats;
pub mod close;
pub mod close_lists;
pub mod close_registers;
pub mod decide_ties;
pub mod expire;
pub mod follow_billing;
pub mod follow_catalog;
pub mod follow_identity;
pub mod lay_out;
pub mod promote;

use std::sync::Arc;
use std::time::Duration;

use shared::clock::SharedClock;
use shared::db::Db;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::config::Jobs;
use crate::hint::Hints;

/// What every job is given.
#[derive(Clone)]
pub struct Bench {
    /// The service's database.
    pub db: Db,
    /// The time of day, where the database has none of its own: what is due is decided by it. How often a job looks goes by real time.
    pub clock: SharedClock,
    /// Which sections are known to be full.
    pub hints: Arc<Hints>,
    /// How the jobs work.
    pub config: Jobs,
}

impl Bench {
    /// Runs `work` again and again until `stop`: at once while it finds something (it gives how much), else after a rest.
    pub async fn repeat<W, F>(
        &self,
        name: &'static str,
        rest: Duration,
        stop: &CancellationToken,
        mut work: W,
    ) where
        W: FnMut() -> F,
        F: Future<Output = Result<u64, Status>>,
    {
        loop {
            let Some(done) = stop.run_until_cancelled(work()).await else {
                return;
            };
            match done {
                Ok(1..) => continue,
                Ok(0) => {}
                Err(status) => {
                    tracing::warn!(job = name, code = ?status.code(), "job {name} is tried again: {}", status.message());
                }
            }
            if stop.run_until_cancelled(tokio::time::sleep(rest)).await.is_none() {
                return;
            }
        }
    }

    /// How long a job rests that found nothing.
    #[must_use]
    pub fn rest(&self) -> Duration {
        Duration::from_millis(self.config.idle_ms.max(1))
    }
}

/// What became of a batch of which each part stands alone: one that cannot be done must not keep the others waiting.
#[derive(Debug, Default)]
pub struct Tally {
    done: u64,
    refusal: Option<Status>,
}

impl Tally {
    /// Notes what became of one part.
    pub fn note(&mut self, outcome: Result<(), Status>) {
        match outcome {
            Ok(()) => self.done += 1,
            Err(refusal) => {
                tracing::warn!(code = ?refusal.code(), "one of a batch was not done: {}", refusal.message());
                self.refusal = Some(refusal);
            }
        }
    }

    /// Gives how many were done.
    ///
    /// # Errors
    /// The last refusal, when none was.
    pub fn sum(self) -> Result<u64, Status> {
        match self.refusal {
            Some(refusal) if self.done == 0 => Err(refusal),
            Some(_) | None => Ok(self.done),
        }
    }
}
