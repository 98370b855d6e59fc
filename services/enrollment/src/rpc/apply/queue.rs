//! The queue of applications, and the one task that serves it in groups.
//!
//! No timer: while one group commits, the next gathers. A group is whatever waits, in the order it came, up to the cap.

use std::sync::Arc;
use std::time::Duration;

use shared::db::{Backoff, Error};
use shared::status;
use shared::value::Violations;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tonic::Status;
use tracing::{Instrument as _, Span};

use super::Decide;
use super::Given;
use super::line::{Line, Place};
use super::metrics::METRICS;
use crate::config::Admission;
use crate::domain::basket::{Ask, Refusal};
use crate::rpc::error;

/// How often a group is tried again when another transaction, or a lost connection, was in the way.
const ATTEMPTS: u32 = 8;

/// The answer to come.
pub type Waiting = oneshot::Receiver<Result<Vec<Given>, Status>>;

/// Where applications wait for their group. Cheap to clone; when the last clone is gone, what waits is decided and the batcher ends.
#[derive(Clone, Debug)]
pub struct Queue {
    sender: mpsc::Sender<Item>,
    line: Arc<Line>,
}

#[derive(Debug)]
struct Item {
    ask: Ask,
    /// Where it came from.
    span: Span,
    answer: oneshot::Sender<Result<Vec<Given>, Status>>,
    arrived_at: Instant,
    /// When its caller stops waiting, where nobody drops `answer` then.
    ends_at: Option<Instant>,
    /// Given back with the answer.
    _place: Place,
}

impl Item {
    /// Whether somebody waits for the answer.
    fn is_wanted(&self, now: Instant) -> bool {
        !self.answer.is_closed() && self.ends_at.is_none_or(|ends_at| now < ends_at)
    }
}

impl Queue {
    /// Starts the batcher of this process: groups are decided by `desk`, [`Admission::lane_count`] at once.
    pub fn start<D: Decide>(desk: D, config: &Admission) -> (Self, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(config.queue_count.max(1));
        let line = Arc::new(Line::new(config));
        let group_count = config.group_count.clamp(1, 1_000);
        let (desk, receiver) = (Arc::new(desk), Arc::new(Mutex::new(receiver)));
        let lane = || run(desk.clone(), line.clone(), receiver.clone(), group_count);
        let lanes: Vec<_> = (0..config.lane_count.clamp(1, 64)).map(|_| tokio::spawn(lane())).collect();
        let batcher = tokio::spawn(async move {
            for lane in lanes {
                if let Err(error) = lane.await {
                    tracing::error!(%error, "a lane of the queue ended badly: {error}");
                }
            }
        });
        (Self { sender, line }, batcher)
    }

    /// Queues an application. `patience` is how long its caller waits, where nobody drops what this gives when that is over.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED `QUEUE_FULL` (waiting_count: how many wait already, all of them before this one) when too many wait,
    /// `TOO_MANY_WAITING` (limit_count) when too many of the guardian or the pupil do; both with when to come back.
    pub fn put(&self, ask: impl Into<Ask>, patience: Option<Duration>) -> Result<Waiting, Status> {
        let ask = ask.into();
        let Some(first) = ask.parts().first() else { return Err(status::invalid(&Violations::default())) };
        let (answer, waiting) = oneshot::channel();
        let waiting_count = self.sender.max_capacity() - self.sender.capacity();
        let place = self.line.enter(first.guardian_id, first.pupil_id, waiting_count)?;
        let arrived_at = Instant::now();
        let ends_at = patience.map(|patience| arrived_at + patience);
        let item = Item { ask, span: Span::current(), answer, arrived_at, ends_at, _place: place };
        self.sender.try_send(item).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                let waiting_count = self.sender.max_capacity();
                let wait = self.line.pace.retry_after(waiting_count);
                status::exhausted_with("QUEUE_FULL", wait, &[("waiting_count", waiting_count.to_string())])
            }
            mpsc::error::TrySendError::Closed(_) => status::unavailable("STOPPING"),
        })?;
        Ok(waiting)
    }
}

async fn run<D: Decide>(
    desk: Arc<D>,
    line: Arc<Line>,
    receiver: Arc<Mutex<mpsc::Receiver<Item>>>,
    group_count: usize,
) {
    let mut items = Vec::with_capacity(group_count);
    loop {
        let waiting_count = {
            let mut receiver = receiver.lock().await;
            if receiver.recv_many(&mut items, group_count).await == 0 {
                return;
            }
            receiver.len()
        };
        let began_at = Instant::now();
        let taken_count = items.len();
        // Whoever stopped waiting is left out now: from the read on, everybody is decided on.
        let (group, left): (Vec<_>, Vec<_>) = items.drain(..).partition(|item| item.is_wanted(began_at));
        let waits = group.iter().map(|item| began_at.duration_since(item.arrived_at));
        METRICS.begun(waits, waiting_count, left.len());
        for item in left {
            let _ = item.answer.send(Err(status::late()));
        }
        // In a task of its own: a panic costs this group its answers, and not everybody after it.
        let desk = desk.clone();
        let span = span(&group);
        let served = tokio::spawn(async move { serve(desk.as_ref(), group).await }.instrument(span));
        if let Err(error) = served.await {
            tracing::error!(%error, "a group of applications was not served: {error}");
        }
        let busy = began_at.elapsed();
        line.pace.served(taken_count, busy);
        METRICS.served(busy);
    }
}

/// The span of a group: in the trace of its first application, and linked to all the others'.
fn span(group: &[Item]) -> Span {
    let Some((first, others)) = group.split_first() else { return Span::none() };
    let span = tracing::info_span!(parent: &first.span, "admission_group", application_count = group.len());
    for other in others {
        span.follows_from(&other.span);
    }
    span
}

/// Serves a group; where the database refuses it for good, its halves, down to the one application that is the cause.
async fn serve(desk: &impl Decide, group: Vec<Item>) {
    let mut groups = vec![group];
    while let Some(mut group) = groups.pop() {
        if group.is_empty() {
            continue;
        }
        match try_group(desk, &group).await {
            Ok(answers) => {
                for (item, answer) in group.into_iter().zip(answers) {
                    // Nobody may be waiting any more: the seat is theirs all the same, and a repeat will find it.
                    let _ = item.answer.send(answer);
                }
            }
            Err(error) if group.len() > 1 && !error.is_retryable() => {
                tracing::warn!(%error, "a group of {} applications is halved: {error}", group.len());
                let later = group.split_off(group.len() / 2);
                groups.push(later);
                groups.push(group);
            }
            Err(error) => {
                let refusal = Status::from(error);
                for item in group {
                    let _ = item.answer.send(Err(refusal.clone()));
                }
            }
        }
    }
}

/// Decides a group, again while only circumstances are against it: it is repeatable as a whole, since every item carries its ids.
async fn try_group(desk: &impl Decide, group: &[Item]) -> Result<Vec<Result<Vec<Given>, Status>>, Error> {
    let asks: Vec<_> = group.iter().map(|item| &item.ask).collect();
    let mut backoff = Backoff::new(Duration::from_millis(2), Duration::from_millis(200));
    for _ in 1..ATTEMPTS {
        match desk.decide(&asks).await {
            // A unique key was taken meanwhile by another process: what is read now shows it.
            Err(error) if error.is_retryable() || is_taken(&error) => {
                tokio::time::sleep(backoff.next()).await
            }
            decided => return decided.map(|decided| answers(&asks, decided)),
        }
    }
    desk.decide(&asks).await.map(|decided| answers(&asks, decided))
}

fn is_taken(error: &Error) -> bool {
    error.violated().is_some_and(|constraint| constraint.ends_with("_key") || constraint.ends_with("_pkey"))
}

fn answers(asks: &[&Ask], decided: Vec<Result<Vec<Given>, Refusal>>) -> Vec<Result<Vec<Given>, Status>> {
    let refuse = |(ask, decided): (&&Ask, Result<_, _>)| decided.map_err(|refusal| error::ask(&refusal, ask));
    asks.iter().zip(decided).map(refuse).collect()
}
