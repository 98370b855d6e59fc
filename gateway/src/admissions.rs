//! Applications for seats, handed to enrollment over one long-lived stream.
//!
//! A unary call costs more than the whole durable admission; a tagged message on an open stream costs a tenth. One task
//! owns the stream: it sends what comes, matches answers by tag, and opens the stream anew when it breaks. What was under
//! way when it broke is answered UNAVAILABLE: the caller sends it again with the same idempotency key, and nothing is
//! done twice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proto::enrollment::v1::apply_stream_response::Outcome;
use proto::enrollment::v1::enrollment_service_client::EnrollmentServiceClient;
use proto::enrollment::v1::{ApplyRequest, ApplyResponse, ApplyStreamRequest, ApplyStreamResponse, Refusal};
use shared::client::Link;
use shared::{db, status};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming};

/// How many applications may wait for the stream; beyond that the door says so.
const WAITING_MAX: usize = 8192;

/// How long an application may wait for its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way in for applications. Cheap to clone.
#[derive(Clone)]
pub struct Admissions(mpsc::Sender<Waiting>);

/// An application and whoever waits for its answer.
struct Waiting {
    caller_token: Arc<str>,
    request: ApplyRequest,
    answer: oneshot::Sender<Result<ApplyResponse, Status>>,
}

impl Admissions {
    /// Starts the task that owns the stream to `enrollment`; it ends with `stop`.
    #[must_use]
    pub fn start(enrollment: Link, stop: CancellationToken) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = serve(enrollment, receiver) => {}
            }
        });
        Self(sender)
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
        self.0
            .try_send(Waiting {
                caller_token,
                request,
                answer,
            })
            .map_err(|_| status::exhausted("QUEUE_FULL", Duration::from_secs(1)))?;
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(status::unavailable("SERVICE_UNAVAILABLE")),
            Err(_) => Err(status::late()),
        }
    }
}

/// Keeps a stream open for as long as there are callers.
async fn serve(enrollment: Link, mut waiting: mpsc::Receiver<Waiting>) {
    let mut backoff = db::Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
    // The stream is opened by the first application, so that a peer that is not up yet is asked only when needed.
    while let Some(first) = waiting.recv().await {
        let (sender, receiver) = mpsc::channel(1024);
        let mut client = EnrollmentServiceClient::new(enrollment.clone());
        let opened = client.apply_stream(ReceiverStream::new(receiver));
        // The peer answers the call's head at once or when the first message is there: send it meanwhile.
        let mut desk = Desk {
            next_tag: 0,
            open: HashMap::new(),
            sender,
        };
        desk.hand_in(first).await;
        match opened.await {
            Ok(answers) => {
                backoff.reset();
                desk.work(&mut waiting, answers.into_inner()).await;
            }
            Err(refusal) => {
                tracing::warn!(error = %refusal.message(), "the admission stream could not be opened: {}", refusal.message());
                desk.give_up();
                tokio::time::sleep(backoff.next()).await;
            }
        }
    }
}

/// One open stream and what is under way on it.
struct Desk {
    next_tag: u64,
    open: HashMap<u64, oneshot::Sender<Result<ApplyResponse, Status>>>,
    sender: mpsc::Sender<ApplyStreamRequest>,
}

impl Desk {
    /// Sends an application on its way; says whether the stream still takes any.
    async fn hand_in(&mut self, waiting: Waiting) -> bool {
        // Nobody waits for it any more: then nothing should be done either.
        if waiting.answer.is_closed() {
            return true;
        }
        self.next_tag += 1;
        let message = ApplyStreamRequest {
            tag: self.next_tag,
            caller_token: waiting.caller_token.to_string(),
            request: Some(waiting.request),
        };
        self.open.insert(self.next_tag, waiting.answer);
        self.sender.send(message).await.is_ok()
    }

    /// Sends and matches until the stream breaks.
    async fn work(
        &mut self,
        waiting: &mut mpsc::Receiver<Waiting>,
        mut answers: Streaming<ApplyStreamResponse>,
    ) {
        loop {
            tokio::select! {
                next = waiting.recv() => {
                    let Some(next) = next else { break };
                    if !self.hand_in(next).await {
                        break;
                    }
                }
                answer = answers.message() => match answer {
                    Ok(Some(answer)) => self.answer(answer),
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(error = %error.message(), "the admission stream broke: {}", error.message());
                        break;
                    }
                },
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
            None => Err(status::unavailable("SERVICE_UNAVAILABLE")),
        };
        // A caller who has gone away needs no answer.
        let _ = waiting.send(outcome);
    }

    /// Tells everyone under way to send again.
    fn give_up(&mut self) {
        for (_, waiting) in self.open.drain() {
            let _ = waiting.send(Err(status::unavailable("SERVICE_UNAVAILABLE")));
        }
    }
}

/// The status a refusal stands for.
fn spoken(refusal: Refusal) -> Status {
    Status::with_details(
        Code::from_i32(refusal.code),
        refusal.message,
        refusal.status.into(),
    )
}
