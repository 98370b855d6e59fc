//! Trying again.

use std::time::Duration;

use tonic::Status;

use crate::{random, status};

/// Runs `method` again while it gives way to another transaction, up to five times in all.
///
/// `method` makes a fresh future each time; it is the whole of a change from `begin` to `commit`, so that
/// what is tried again is decided again. Only refusals that the database made for a conflict are tried again
/// ([`status::is_conflict`]); every other answer, and the last, is the caller's.
///
/// # Errors
/// What `method` refuses with.
pub async fn retry<T, F, M>(mut method: M) -> Result<T, Status>
where
    M: FnMut() -> F + Send,
    F: Future<Output = Result<T, Status>> + Send,
{
    const ATTEMPTS: u32 = 5;
    let mut backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(200));
    for _ in 1..ATTEMPTS {
        match method().await {
            Err(refusal) if refusal.metadata().contains_key(status::RETRY_KEY) => {
                tokio::time::sleep(backoff.next()).await;
            }
            answer => return answer,
        }
    }
    method().await
}

/// Growing waits: each up to twice the last, a random half of it, so that those who met once do not meet
/// again.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    wait: Duration,
}

impl Backoff {
    /// Waits that start at `first` and never pass `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, wait: first }
    }

    /// The next wait: between half of what is due and all of it.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "not a sequence to be walked: it has no end and is reset"
    )]
    pub fn next(&mut self) -> Duration {
        let due = self.wait;
        self.wait = (due * 2).min(self.longest);
        let half = due / 2;
        let nanoseconds = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_nanos(u64::from_be_bytes(random::bytes()) % nanoseconds)
    }

    /// Starts over: what was tried has worked.
    pub const fn reset(&mut self) {
        self.wait = self.first;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use sea_orm::{DbErr, RuntimeErr};

    use super::*;

    fn conflict() -> Status {
        let mut status = status::aborted("DATABASE_CONFLICT");
        status.metadata_mut().insert(status::RETRY_KEY, tonic::metadata::MetadataValue::from_static("db"));
        status
    }

    #[tokio::test]
    async fn a_conflict_is_tried_again_until_it_passes() {
        let attempts = AtomicU32::new(0);

        let answer = retry(|| async {
            if attempts.fetch_add(1, Ordering::SeqCst) < 4 { Err(conflict()) } else { Ok(7) }
        });

        assert_eq!(answer.await.unwrap(), 7);
        assert_eq!(attempts.load(Ordering::SeqCst), 5);
    }

    #[tokio::test]
    async fn the_fifth_conflict_is_the_answer() {
        let attempts = AtomicU32::new(0);

        let answer: Result<(), _> = retry(|| async {
            attempts.fetch_add(1, Ordering::SeqCst);
            Err(conflict())
        })
        .await;

        assert_eq!(answer.unwrap_err().code(), tonic::Code::Aborted);
        assert_eq!(attempts.load(Ordering::SeqCst), 5);
    }

    #[tokio::test]
    async fn a_refusal_by_a_rule_is_not_tried_again() {
        let attempts = AtomicU32::new(0);

        let answer: Result<(), _> = retry(|| async {
            attempts.fetch_add(1, Ordering::SeqCst);
            Err(status::aborted("VERSION_DIFFERS"))
        })
        .await;

        assert!(answer.is_err());
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn waits_double_up_to_the_longest_and_start_over() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
        for due in [100, 200, 350, 350] {
            let wait = backoff.next();
            assert!(
                wait >= Duration::from_millis(due / 2) && wait <= Duration::from_millis(due),
                "{wait:?} of {due}"
            );
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(100));
    }

    #[test]
    fn an_error_of_seaorm_itself_is_no_conflict() {
        assert!(!crate::db::Error::from(DbErr::Query(RuntimeErr::Internal("x".to_owned()))).is_retryable());
    }
}
