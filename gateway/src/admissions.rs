//! Applications for seats, handed to enrollment over one long-lived stream.
//!
//! A unary call costs more than the whole durable admission; a tagged message on an open stream costs a tenth. One task
//! owns the stream: it sends what comes, matches answers by tag, and opens the stream anew when it breaks. What was under
//! way when it broke is answered UNAVAILABLE: the caller sends it again with the same idempotency key, and nothing is
//! done twice.
//!
//! Answers are read whatever happens to sending: a peer that waits for its answers to be taken before it reads on would
//! else wait for us while we wait for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proto::enrollment::v1::apply_stream_response::Outcome;
use proto::enrollment::v1::enrollment_service_client::EnrollmentServiceClient;
use proto::enrollment::v1::{ApplyRequest, ApplyResponse, ApplyStreamRequest, ApplyStreamResponse, Refusal};
use shared::client::Link;
use shared::pace::Pace;
use shared::{db, status, telemetry};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming};

use crate::config::Limits;

/// How long the stream may take to open.
const OPENING: Duration = Duration::from_secs(5);

/// How many applications may be handed to the transport before it has sent them.
const HANDED_MAX: usize = 64;

/// How often applications whose callers have gone are forgotten.
const FORGET_INTERVAL: Duration = Duration::from_secs(10);

/// How long answers are counted for one measurement of how fast they come.
const MEASURED: Duration = Duration::from_millis(100);

/// The way in for applications. Cheap to clone.
#[derive(Clone)]
pub struct Admissions {
    sender: mpsc::Sender<Waiting>,
    pace: Arc<Pace>,
    /// How long an application may wait for its answer.
    patience: Duration,
}

/// An application and whoever waits for its answer.
struct Waiting {
    caller_token: Arc<str>,
    request: ApplyRequest,
    /// The trace it is part of: the stream belongs to none.
    traceparent: String,
    answer: Answer,
    /// When its caller stops waiting.
    ends_at: Instant,
}

type Answer = oneshot::Sender<Result<ApplyResponse, Status>>;

impl Admissions {
    /// Starts the task that owns the stream to `enrollment`; it ends with `end`. At most `waiting_applications` wait for the
    /// stream, and each at most `application_seconds` for its answer.
    #[must_use]
    pub fn start(enrollment: Link, limits: &Limits, end: CancellationToken) -> Self {
        let (sender, receiver) = mpsc::channel(limits.waiting_applications.max(1));
        let patience = Duration::from_secs(limits.application_seconds);
        let pace = Arc::new(Pace::default());
        let measured = pace.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = end.cancelled() => {}
                () = serve(enrollment, receiver, &measured) => {}
            }
        });
        Self { sender, pace, patience }
    }

    /// Applies for a seat in a caller's name.
    ///
    /// # Errors
    /// What enrollment refuses; RESOURCE_EXHAUSTED `QUEUE_FULL` when too many wait here; UNAVAILABLE when the stream broke;
    /// DEADLINE_EXCEEDED when no answer came in time.
    pub async fn apply(
        &self,
        caller_token: Arc<str>,
        request: ApplyRequest,
    ) -> Result<ApplyResponse, Status> {
        let (answer, answered) = oneshot::channel();
        let traceparent = telemetry::traceparent();
        let ends_at = Instant::now() + self.patience;
        let waiting = Waiting { caller_token, request, traceparent, answer, ends_at };
        self.sender.try_send(waiting).map_err(|error| match error {
            TrySendError::Full(_) => self.full(),
            TrySendError::Closed(_) => broken(),
        })?;
        match tokio::time::timeout(self.patience, answered).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(broken()),
            Err(_) => Err(status::late()),
        }
    }

    /// Too many wait here: as many as may, all of them before the caller.
    fn full(&self) -> Status {
        let waiting_count = self.sender.max_capacity();
        let facts = [("waiting_count", waiting_count.to_string())];
        status::exhausted_with("QUEUE_FULL", self.pace.retry_after(waiting_count), &facts)
    }
}

/// Whole milliseconds, at least one: none would mean no end.
fn milliseconds_until(moment: Instant) -> u32 {
    let left = moment.saturating_duration_since(Instant::now());
    u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1)
}

fn broken() -> Status {
    status::unavailable("SERVICE_UNAVAILABLE")
}

/// Keeps a stream open for as long as there are callers.
async fn serve(enrollment: Link, mut waiting: mpsc::Receiver<Waiting>, pace: &Pace) {
    let mut backoff = db::Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
    // The stream is opened by the first application, so that a peer that is not up yet is asked only when needed.
    while let Some(first) = waiting.recv().await {
        let (sender, receiver) = mpsc::channel(HANDED_MAX);
        let mut desk = Desk::default();
        // The peer may answer the call's head only when the first message is there: it is sent meanwhile.
        if let Ok(place) = sender.try_reserve() {
            desk.hand_in(first, place);
        }
        let mut client = EnrollmentServiceClient::new(enrollment.clone());
        let opening = client.apply_stream(ReceiverStream::new(receiver));
        let refusal = match tokio::time::timeout(OPENING, opening).await {
            Ok(Ok(answers)) => {
                backoff.reset();
                desk.work(&sender, &mut waiting, answers.into_inner(), pace).await;
                continue;
            }
            Ok(Err(refusal)) => refusal,
            Err(_) => status::late(),
        };
        tracing::warn!(error = %refusal.message(), "the admission stream could not be opened: {}", refusal.message());
        desk.give_up();
        // Whoever came meanwhile would only wait for the next failure.
        while let Ok(next) = waiting.try_recv() {
            let _ = next.answer.send(Err(broken()));
        }
        tokio::time::sleep(backoff.next()).await;
    }
}

/// What is under way on one open stream.
#[derive(Default)]
struct Desk {
    last_tag: u64,
    open: HashMap<u64, Answer>,
}

impl Desk {
    /// Sends an application on its way.
    fn hand_in(&mut self, waiting: Waiting, place: mpsc::Permit<'_, ApplyStreamRequest>) {
        // Nobody waits for it any more: then nothing should be done either.
        if waiting.answer.is_closed() {
            return;
        }
        self.last_tag += 1;
        self.open.insert(self.last_tag, waiting.answer);
        place.send(ApplyStreamRequest {
            tag: self.last_tag,
            caller_token: waiting.caller_token.to_string(),
            request: Some(waiting.request),
            traceparent: waiting.traceparent,
            // Enrollment has no other way to learn that nobody waits any more: the stream lives on.
            patience_ms: milliseconds_until(waiting.ends_at),
        });
    }

    /// Sends and matches until the stream breaks.
    async fn work(
        &mut self,
        sender: &mpsc::Sender<ApplyStreamRequest>,
        waiting: &mut mpsc::Receiver<Waiting>,
        mut answers: Streaming<ApplyStreamResponse>,
        pace: &Pace,
    ) {
        let (mut counted, mut since) = (0, Instant::now());
        let mut forget = tokio::time::interval(FORGET_INTERVAL);
        let mut takes_more = true;
        loop {
            // Room on the stream first, then the next to use it: neither is lost when an answer comes in between.
            let next = async {
                let place = sender.reserve().await.ok()?;
                waiting.recv().await.map(|next| (next, place))
            };
            tokio::select! {
                next = next, if takes_more => match next {
                    Some((next, place)) => self.hand_in(next, place),
                    None => takes_more = false,
                },
                answer = answers.message() => match answer {
                    Ok(Some(answer)) => {
                        self.answer(answer);
                        counted += 1;
                        if since.elapsed() >= MEASURED {
                            pace.served(counted, since.elapsed());
                            (counted, since) = (0, Instant::now());
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(error = %error.message(), "the admission stream broke: {}", error.message());
                        break;
                    }
                },
                _ = forget.tick() => self.open.retain(|_, answer| !answer.is_closed()),
            }
        }
        self.give_up();
    }

    fn answer(&mut self, answer: ApplyStreamResponse) {
        let Some(waiting) = self.open.remove(&answer.tag) else {
            return;
        };
        let outcome = match answer.outcome {
            Some(Outcome::Response(response)) => Ok(response),
            Some(Outcome::Refusal(refusal)) => Err(spoken(refusal)),
            None => Err(broken()),
        };
        // A caller who has gone away needs no answer.
        let _ = waiting.send(outcome);
    }

    /// Tells everyone under way to send again.
    fn give_up(&mut self) {
        for (_, waiting) in self.open.drain() {
            let _ = waiting.send(Err(broken()));
        }
    }
}

/// The status a refusal stands for. OK is none.
fn spoken(refusal: Refusal) -> Status {
    let code = match Code::from_i32(refusal.code) {
        Code::Ok => Code::Unknown,
        code => code,
    };
    Status::with_details(code, refusal.message, refusal.status.into())
}
