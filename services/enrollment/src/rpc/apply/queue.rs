//! The queue of applications, and the one task that serves it in groups.
//!
//! No timer: while one group commits, the next gathers. A group is whatever waits, in the order it came, up to the cap.

use std::sync::Arc;
use std::time::Duration;

use shared::db::{Backoff, Error};
use shared::{random, status};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tonic::Status;
use tracing::{Instrument as _, Span};

use super::Given;
use super::group::Desk;
use crate::config::Admission;
use crate::domain::admission::Application;
use crate::rpc::error;

/// How often a group is tried again when another transaction, or a lost connection, was in the way.
const ATTEMPTS: u32 = 8;

/// The answer to come.
pub type Waiting = oneshot::Receiver<Result<Given, Status>>;

/// Where applications wait for their group. Cheap to clone; when the last clone is gone, what waits is decided and the batcher ends.
#[derive(Clone, Debug)]
pub struct Queue(mpsc::Sender<Item>);

#[derive(Debug)]
struct Item {
    application: Application,
    /// Where it came from.
    span: Span,
    answer: oneshot::Sender<Result<Given, Status>>,
}

impl Queue {
    /// Starts the batcher of this process.
    pub fn start(desk: Desk, config: &Admission) -> (Self, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(config.queue_count.max(1));
        let batcher = tokio::spawn(run(Arc::new(desk), receiver, config.group_count.clamp(1, 1_000)));
        (Self(sender), batcher)
    }

    /// Queues an application.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED `QUEUE_FULL` when too many wait.
    pub fn put(&self, application: Application) -> Result<Waiting, Status> {
        let (answer, waiting) = oneshot::channel();
        self.0.try_send(Item { application, span: Span::current(), answer }).map_err(
            |error| match error {
                mpsc::error::TrySendError::Full(_) => status::exhausted("QUEUE_FULL", retry_after()),
                mpsc::error::TrySendError::Closed(_) => status::unavailable("STOPPING"),
            },
        )?;
        Ok(waiting)
    }
}

/// Half a second to one and a half: those turned away together do not come back together.
fn retry_after() -> Duration {
    Duration::from_millis(500 + u64::from(u16::from_be_bytes(random::bytes()) % 1_000))
}

async fn run(desk: Arc<Desk>, mut receiver: mpsc::Receiver<Item>, group_count: usize) {
    let mut items = Vec::with_capacity(group_count);
    while receiver.recv_many(&mut items, group_count).await > 0 {
        // Whoever stopped waiting is left out now: from the read on, everybody is decided on.
        let group: Vec<_> = items.drain(..).filter(|item| !item.answer.is_closed()).collect();
        // In a task of its own: a panic costs this group its answers, and not everybody after it.
        let desk = desk.clone();
        let span = span(&group);
        let served = tokio::spawn(async move { serve(&desk, group).await }.instrument(span));
        if let Err(error) = served.await {
            tracing::error!(%error, "a group of applications was not served: {error}");
        }
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
async fn serve(desk: &Desk, group: Vec<Item>) {
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
async fn try_group(desk: &Desk, group: &[Item]) -> Result<Vec<Result<Given, Status>>, Error> {
    let applications: Vec<_> = group.iter().map(|item| &item.application).collect();
    let mut backoff = Backoff::new(Duration::from_millis(2), Duration::from_millis(200));
    for _ in 1..ATTEMPTS {
        match desk.decide(&applications).await {
            // A unique key was taken meanwhile by another process: what is read now shows it.
            Err(error) if error.is_retryable() || is_taken(&error) => {
                tokio::time::sleep(backoff.next()).await
            }
            decided => return decided.map(|decided| answers(&applications, decided)),
        }
    }
    desk.decide(&applications).await.map(|decided| answers(&applications, decided))
}

fn is_taken(error: &Error) -> bool {
    error.violated().is_some_and(|constraint| constraint.ends_with("_key") || constraint.ends_with("_pkey"))
}

fn answers(
    applications: &[&Application],
    decided: Vec<Result<Given, crate::domain::admission::Error>>,
) -> Vec<Result<Given, Status>> {
    let refuse = |(application, decided): (&&Application, Result<_, _>)| {
        decided.map_err(|refusal| error::admission(&refusal, application))
    };
    applications.iter().zip(decided).map(refuse).collect()
}
