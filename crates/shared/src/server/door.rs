//! What every call passes on its way to its method, in order:
//!
//! | step | refused with |
//! |---|---|
//! | a span, child of the caller's | |
//! | a place among the calls in flight | RESOURCE_EXHAUSTED `OVERLOADED`, with when to come back |
//! | who calls | UNAUTHENTICATED `TOKEN_EXPIRED`, `TOKEN_INVALID` |
//! | the size of the request | INVALID_ARGUMENT `MESSAGE_TOO_LARGE` |
//! | the method, within its deadline | DEADLINE_EXCEEDED `DEADLINE_EXCEEDED` |
//! | a panic in it | INTERNAL |
//!
//! Health and reflection pass without place and token: they must answer when nothing else does. A stream has no deadline and gives its
//! place back when its method has begun to answer; when the server stops it ends, see [`super::streams`].

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt as _;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Limited};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, UpDownCounter};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::deadline::{self, Current};
use super::methods::Method;
use super::{Limits, streams};
use crate::caller::{Caller, TokenError, Verifier};
use crate::{random, status, telemetry};

/// When a caller that was turned away may come back.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The answer leaves this long before the caller stops waiting, so that it arrives.
const ANSWER_MARGIN: Duration = Duration::from_millis(5);

/// What the calls of one server pass through.
pub(super) struct Door {
    service: &'static str,
    limits: Limits,
    verifier: Arc<Verifier>,
    places: Semaphore,
    stop: CancellationToken,
    duration: Histogram<f64>,
    in_flight: UpDownCounter<i64>,
    shed: Counter<u64>,
}

impl Door {
    pub fn new(
        service: &'static str,
        limits: Limits,
        verifier: Arc<Verifier>,
        stop: CancellationToken,
    ) -> Self {
        let meter = telemetry::meter("kehou.rpc");
        Self {
            service,
            limits,
            verifier,
            places: Semaphore::new(limits.concurrent_call_count.min(Semaphore::MAX_PERMITS)),
            stop,
            duration: meter
                .f64_histogram("rpc.server.duration")
                .with_unit("s")
                .with_description("From a call's arrival to the beginning of its answer")
                .with_boundaries(telemetry::SECONDS.to_vec())
                .build(),
            in_flight: meter
                .i64_up_down_counter("rpc.server.in_flight")
                .with_description("Calls being answered, streams among them")
                .build(),
            shed: meter
                .u64_counter("rpc.server.shed")
                .with_description("Calls turned away for want of a place")
                .build(),
        }
    }

    /// Answers one call, in a span of its own.
    pub async fn answer(State(door): State<Arc<Self>>, request: Request, next: Next) -> Response {
        let method = Method::of(request.uri().path());
        let call_id = call_id(request.headers());
        let span = tracing::info_span!(
            "rpc",
            otel.name = method.full_name,
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system = "grpc",
            rpc.service = method.service,
            rpc.method = method.name,
            rpc.grpc.status_code = Empty,
            caller.kind = Empty,
            call.id = call_id.to_str().unwrap_or_default(),
        );
        telemetry::extract(&span, request.headers());

        let began_at = Instant::now();
        let labels = [KeyValue::new("service", door.service), KeyValue::new("rpc", method.full_name)];
        door.in_flight.add(1, &labels);
        let gone = Gone { in_flight: door.in_flight.clone(), labels: labels.clone() };
        let answered = door.pass(method, call_id, request, next).instrument(span.clone()).await;
        let response = answered.unwrap_or_else(|status| status.into_http());

        let code = status::code_in(response.headers());
        span.record("rpc.grpc.status_code", i32::from(code));
        if status::http_code(code) >= 500 {
            span.record("otel.status_code", "ERROR");
        }
        let [service, rpc] = labels;
        let labels = [service, rpc, KeyValue::new("code", status::code_name(code))];
        door.duration.record(began_at.elapsed().as_secs_f64(), &labels);
        streams::guard(response, (gone, span))
    }

    async fn pass(
        &self,
        method: Method,
        call_id: HeaderValue,
        mut request: Request,
        next: Next,
    ) -> Result<Response, Status> {
        let arrived_at = Instant::now();
        let _place = self.place(method)?;
        if !method.is_plumbing() {
            let caller = self.caller(request.headers()).await?;
            Span::current().record("caller.kind", caller.kind());
            request.extensions_mut().insert(caller);
        }
        let ends_at = method.is_unary().then(|| arrived_at + self.patience(request.headers()));
        let request = self.bounded(method, request);

        let current = Current { call_id: Some(call_id), ends_at };
        let work = AssertUnwindSafe(current.scope(next.run(request))).catch_unwind();
        let ended = match ends_at {
            Some(ends_at) => tokio::time::timeout_at(ends_at, work).await.map_err(|_| status::late())?,
            None => work.await,
        };
        let response = ended.map_err(|panic| panicked(method, panic.as_ref()))?;
        Ok(if method.streams_out && !method.streams_in {
            streams::cut(response, &self.stop)
        } else {
            response
        })
    }

    /// Finds a place among the calls in flight; plumbing needs none.
    fn place(&self, method: Method) -> Result<Option<tokio::sync::SemaphorePermit<'_>>, Status> {
        if method.is_plumbing() {
            return Ok(None);
        }
        self.places.try_acquire().map(Some).map_err(|_| {
            self.shed.add(1, &[KeyValue::new("service", self.service)]);
            status::exhausted("OVERLOADED", RETRY_AFTER)
        })
    }

    /// Who calls: whoever the token speaks for, nobody without one.
    async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Status> {
        let Some(value) = headers.get(AUTHORIZATION) else {
            return Ok(Caller::Anonymous);
        };
        let token = value.to_str().ok().and_then(|text| text.split_once(' '));
        let Some((_, token)) = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
            return Err(status::unauthenticated("TOKEN_INVALID"));
        };
        self.verifier.verify(token.trim()).await.map_err(|error| match error {
            TokenError::Expired { .. } => status::unauthenticated("TOKEN_EXPIRED"),
            error => {
                tracing::warn!(%error, "a token was refused: {error}");
                status::unauthenticated("TOKEN_INVALID")
            }
        })
    }

    /// How long the caller waits, within our limits, less the time the answer needs to travel.
    fn patience(&self, headers: &HeaderMap) -> Duration {
        let longest = Duration::from_secs(self.limits.max_deadline_seconds);
        match deadline::read(headers) {
            Some(patience) => patience.min(longest).saturating_sub(ANSWER_MARGIN),
            None => Duration::from_secs(self.limits.default_deadline_seconds).min(longest),
        }
    }

    /// Bounds the request: one message by its size, a stream by the server's life.
    fn bounded(&self, method: Method, request: Request) -> Request {
        if method.streams_in {
            return request.map(|body| streams::until_stopped(body, &self.stop));
        }
        let limit = self.limits.message_bytes;
        request.map(|body| Body::new(Limited::new(body, limit).map_err(move |error| too_large(error, limit))))
    }
}

/// Counts a call until its answer has left whole.
struct Gone {
    in_flight: UpDownCounter<i64>,
    labels: [KeyValue; 2],
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.in_flight.add(-1, &self.labels);
    }
}

/// The id the caller gave, if it is one that may stand in a log; else a new one.
fn call_id(headers: &HeaderMap) -> HeaderValue {
    let is_plain = |value: &&HeaderValue| {
        (1..=64).contains(&value.len())
            && value.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    let given = headers.get(deadline::CALL_ID).filter(is_plain).cloned();
    given.unwrap_or_else(|| {
        let id = u128::from_be_bytes(random::bytes());
        HeaderValue::try_from(format!("{id:032x}")).unwrap_or(HeaderValue::from_static("unknown"))
    })
}

fn too_large(error: tonic::codegen::StdError, limit: usize) -> tonic::codegen::StdError {
    if error.is::<http_body_util::LengthLimitError>() { Box::new(status::too_large(limit)) } else { error }
}

fn panicked(method: Method, panic: &(dyn Any + Send)) -> Status {
    let said =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let said = said.unwrap_or("without words");
    tracing::error!(panic = said, "{} panicked: {said}", method.full_name);
    Status::internal("INTERNAL")
}
