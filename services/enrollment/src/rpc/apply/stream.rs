//! Many applications over one call, each with its tag and its own caller's token.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{BoxStream, FuturesUnordered};
use proto::enrollment::v1::apply_stream_response::Outcome;
use proto::enrollment::v1::{ApplyResponse, ApplyStreamRequest, ApplyStreamResponse, Refusal};
use shared::caller::{Caller, TokenError, Verifier};
use shared::value::Violations;
use shared::{status, telemetry};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};
use tracing::{Instrument as _, Span};

use super::{EnrollmentRpc, answer, put};

/// The services that may bring others' applications.
const BEARERS: &[&str] = &["gateway"];

/// How many answers may be ready and not yet sent.
const ANSWER_COUNT: usize = 1_024;

/// The answers of a stream.
pub type Answers = BoxStream<'static, Result<ApplyStreamResponse, Status>>;

/// Takes applications as they come and answers each when its group is committed.
///
/// Queued in the order they come; answered in any. Ends when the caller has sent the last and every answer is given.
pub fn apply_stream(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    mut requests: Streaming<ApplyStreamRequest>,
) -> Result<Answers, Status> {
    caller.service(BEARERS)?;
    let (sender, receiver) = mpsc::channel(ANSWER_COUNT);
    let rpc = rpc.clone();
    tokio::spawn(async move {
        let mut waiting = FuturesUnordered::new();
        let mut is_open = true;
        while is_open || !waiting.is_empty() {
            tokio::select! {
                request = requests.message(), if is_open => match request {
                    Ok(Some(request)) => {
                        let tag = request.tag;
                        let span = span(&request);
                        let queued = queue(&rpc, request).instrument(span.clone()).await;
                        let answered = async move {
                            let answered = match queued {
                                Ok(waiting) => answer(waiting).await,
                                Err(refusal) => Err(refusal),
                            };
                            respond(tag, answered)
                        };
                        waiting.push(answered.instrument(span));
                    }
                    // The caller has sent the last, or is gone: then nobody takes the answers, which ends this below.
                    Ok(None) | Err(_) => is_open = false,
                },
                Some(response) = waiting.next() => {
                    if sender.send(Ok(response)).await.is_err() {
                        // Whatever still waits in the queue is left out by its group.
                        return;
                    }
                }
            }
        }
    });
    let answers = futures::stream::unfold(receiver, |mut receiver| async move {
        let response = receiver.recv().await?;
        Some((response, receiver))
    });
    Ok(answers.boxed())
}

/// The span of one application, in the trace it came with: named as the call it stands for.
fn span(request: &ApplyStreamRequest) -> Span {
    let span = tracing::info_span!(
        "apply",
        otel.name = "kehou.enrollment.v1.EnrollmentService/Apply",
        otel.kind = "server",
        rpc.system = "grpc",
    );
    telemetry::continue_from(&span, &request.traceparent);
    span
}

/// Verifies the item's own caller and queues the application.
async fn queue(rpc: &EnrollmentRpc, request: ApplyStreamRequest) -> Result<super::Waiting, Status> {
    let caller = caller(&rpc.verifier, &request.caller_token).await?;
    let Some(application) = request.request else {
        let mut violations = Violations::default();
        violations.note("request", "is missing");
        return Err(status::invalid(&violations));
    };
    // The stream outlives every one it carries: each says itself how long it is wanted.
    let patience = (request.patience_ms > 0).then(|| Duration::from_millis(request.patience_ms.into()));
    put(rpc, &caller, &application, patience)
}

async fn caller(verifier: &Verifier, token: &str) -> Result<Caller, Status> {
    verifier.verify(token).await.map_err(|error| match error {
        TokenError::Expired { .. } => status::unauthenticated("TOKEN_EXPIRED"),
        TokenError::Invalid(_)
        | TokenError::Forbidden { .. }
        | TokenError::File { .. }
        | TokenError::Key { .. }
        | TokenError::Signing(_) => status::unauthenticated("TOKEN_INVALID"),
    })
}

fn respond(tag: u64, answered: Result<ApplyResponse, Status>) -> ApplyStreamResponse {
    let outcome = match answered {
        Ok(response) => Outcome::Response(response),
        Err(refusal) => Outcome::Refusal(Refusal {
            code: refusal.code().into(),
            status: refusal.details().to_vec(),
            message: refusal.message().to_owned(),
        }),
    };
    ApplyStreamResponse { tag, outcome: Some(outcome) }
}
