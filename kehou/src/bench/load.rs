//! Asking everything of a plan: so many at once, or so many a second; and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::Instant;
use uuid::Uuid;

/// How requests arrive.
#[derive(Clone, Copy, Debug)]
pub enum Arrival {
    /// So many wait at once; each answered makes room for the next.
    Waiting(usize),
    /// So many come every second, whether those before were answered or not.
    Rate(f64),
}

/// How many ask at the most where requests arrive at a rate: more would wait on this side, and their wait counts.
const OPEN_LOOP_MAX: usize = 2_048;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It got these enrollments.
    Admitted(Vec<Uuid>),
    /// It was refused with a reason a family can read.
    Refused(String),
    /// Something was read.
    Read,
    /// Nothing that explains itself.
    Unexplained(String),
}

/// One who asks, over and over.
pub trait Ask: Send {
    /// Asks for what the plan has at `index`.
    fn ask(&mut self, index: usize) -> impl Future<Output = Outcome> + Send;
}

/// An answer to a request.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The request's number in the plan.
    pub index: usize,
    /// When it was sent, counted from the round's beginning.
    pub sent_at: Duration,
    /// When its answer was there, counted the same.
    pub answered_at: Duration,
    /// How long it took: from its sending, or from when it was due.
    pub latency: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a round.
#[derive(Clone, Debug)]
pub struct Ran {
    /// From the first request to the last answer.
    pub took: Duration,
    /// Everything answered, in no order.
    pub answered: Vec<Answered>,
}

/// Asks for everything from 0 to `count`, by askers that `make` gives.
///
/// # Errors
/// When an asker cannot be made or fails.
pub async fn run<A, F, M>(count: usize, arrival: Arrival, make: M) -> anyhow::Result<Ran>
where
    A: Ask + 'static,
    F: Future<Output = anyhow::Result<A>>,
    M: Fn() -> F,
{
    let (asker_count, rate) = match arrival {
        Arrival::Waiting(waiting) => (waiting, None),
        Arrival::Rate(rate) => (OPEN_LOOP_MAX, Some(rate.max(0.001))),
    };
    let mut askers = Vec::new();
    for _ in 0..asker_count.clamp(1, count.max(1)) {
        askers.push(make().await?);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let began_at = Instant::now();
    let tasks = askers.into_iter().map(|mut asker| {
        let next = next.clone();
        tokio::spawn(async move {
            let mut answered = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return answered;
                }
                let asked_at = match rate {
                    // From when it was due, not from when somebody had time for it: waiting here is waiting.
                    Some(rate) => {
                        let due = began_at + due_after(index, rate);
                        tokio::time::sleep_until(due).await;
                        due
                    }
                    None => Instant::now(),
                };
                let sent_at = began_at.elapsed();
                let outcome = asker.ask(index).await;
                let (answered_at, latency) = (began_at.elapsed(), asked_at.elapsed());
                answered.push(Answered { index, sent_at, answered_at, latency, outcome });
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut answered = Vec::with_capacity(count);
    for task in tasks {
        answered.extend(task.await.context("an asker broke down")?);
    }
    Ok(Ran { took: began_at.elapsed(), answered })
}

#[expect(clippy::cast_precision_loss, reason = "there are far fewer requests than 2^52")]
fn due_after(index: usize, rate: f64) -> Duration {
    Duration::from_secs_f64(index as f64 / rate)
}

/// The duration below which `share` (0 to 1) of the sorted ones are; 1 gives the longest, and none of none.
#[must_use]
pub fn at_share(sorted: &[Duration], share: f64) -> Duration {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a small count"
    )]
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or_default()
}

impl Ran {
    /// Requests answered per second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer requests than 2^52")]
    pub fn per_second(&self) -> f64 {
        self.answered.len() as f64 / self.took.as_secs_f64().max(1e-9)
    }

    /// The latency below which `share` (0 to 1) of the answers came; 1 gives the longest.
    #[must_use]
    pub fn latency(&self, share: f64) -> Duration {
        let mut latencies: Vec<_> = self.answered.iter().map(|answered| answered.latency).collect();
        latencies.sort_unstable();
        at_share(&latencies, share)
    }

    /// How often each outcome came: `admitted`, `read`, or the refusal's reason.
    #[must_use]
    pub fn outcomes(&self) -> BTreeMap<String, usize> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for answered in &self.answered {
            let name = match &answered.outcome {
                Outcome::Admitted(_) => "admitted".to_owned(),
                Outcome::Read => "read".to_owned(),
                Outcome::Refused(reason) => reason.clone(),
                Outcome::Unexplained(what) => format!("unexplained: {what}"),
            };
            *counts.entry(name).or_default() += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Echo;

    impl Ask for Echo {
        async fn ask(&mut self, index: usize) -> Outcome {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if index.is_multiple_of(3) { Outcome::Refused("SECTION_FULL".to_owned()) } else { Outcome::Read }
        }
    }

    #[tokio::test]
    async fn everything_is_asked_once_and_so_many_wait_at_once() {
        let ran = run(30, Arrival::Waiting(5), || async { Ok(Echo) }).await.unwrap();

        let mut asked: Vec<_> = ran.answered.iter().map(|answered| answered.index).collect();
        asked.sort_unstable();
        assert_eq!(asked, (0..30).collect::<Vec<_>>());
        assert_eq!(
            ran.outcomes(),
            BTreeMap::from([("SECTION_FULL".to_owned(), 10), ("read".to_owned(), 20)])
        );
        // six turns of ten milliseconds
        assert!(ran.took >= Duration::from_millis(60), "{:?}", ran.took);
        assert!(ran.latency(0.5) >= Duration::from_millis(10));
    }

    #[tokio::test]
    async fn at_a_rate_requests_come_when_they_are_due() {
        let ran = run(100, Arrival::Rate(1_000.0), || async { Ok(Echo) }).await.unwrap();

        // The last is due after 99 ms and takes 10.
        assert!(ran.took >= Duration::from_millis(109), "{:?}", ran.took);
    }
}
