//! Calling another service.
//!
//! A [`Link`] is what generated clients are made of: `BillingServiceClient::new(link.clone())`. Each call through it carries
//!
//! | what | which |
//! |---|---|
//! | `traceparent` | the current span's: one trace from the tap to the row |
//! | `grpc-timeout` | the caller's own wish, else 5 seconds; never more than what is left to the call being answered |
//! | `x-request-id` | that of the call being answered |
//! | `authorization` | the service's own token, made anew in time, or the one it forwards |
//!
//! A call that gets no answer in time gives DEADLINE_EXCEEDED. A stream has no deadline.

use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Request, Response};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tower::Service;
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::caller::Signer;
use crate::server::deadline::{self, CALL_ID, Current};
use crate::server::methods::Method;
use crate::{status, telemetry};

/// How long a call may take when nobody says.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// A peer that cannot be reached in this time is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection is asked this often whether its peer is still there, else a dead one is noticed only by calls that time out.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// And given up when the peer does not say so within this.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(3);

static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    telemetry::meter("kehou.rpc")
        .f64_histogram("rpc.client.duration")
        .with_unit("s")
        .with_description("From a call's sending to the beginning of its answer")
        .with_boundaries(telemetry::SECONDS.to_vec())
        .build()
});

/// A connection to `endpoint`, `http://billing:7003`: made at the first call, made again whenever it breaks.
///
/// # Errors
/// When the text is not a URL.
pub fn channel(endpoint: &str) -> Result<Channel, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(endpoint.to_owned())?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    Ok(endpoint.connect_lazy())
}

/// A way to another service, in somebody's name. Cheap to clone.
#[derive(Clone)]
pub struct Link {
    channel: Channel,
    name: Name,
    deadline: Duration,
}

/// In whose name calls are made.
#[derive(Clone)]
enum Name {
    Nobody,
    Service(Arc<Signer>),
    Caller(Arc<str>),
}

impl Link {
    /// Calls in nobody's name.
    #[must_use]
    pub const fn anonymous(channel: Channel) -> Self {
        Self { channel, name: Name::Nobody, deadline: DEFAULT_DEADLINE }
    }

    /// Calls in the service's own name.
    #[must_use]
    pub const fn service(channel: Channel, signer: Arc<Signer>) -> Self {
        Self { channel, name: Name::Service(signer), deadline: DEFAULT_DEADLINE }
    }

    /// The same way, in the name of whoever `token` speaks for.
    #[must_use]
    pub fn as_caller(&self, token: impl Into<Arc<str>>) -> Self {
        Self { name: Name::Caller(token.into()), ..self.clone() }
    }

    /// The same way, with another deadline for calls that do not bring their own.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// How long this call may take: what it says itself, else the link's, and never longer than the call it serves.
    fn patience(&self, headers: &HeaderMap, current: Option<&Current>) -> Duration {
        let wanted = deadline::read(headers).unwrap_or(self.deadline);
        let left = current
            .and_then(|current| current.ends_at)
            .map(|at| at.saturating_duration_since(Instant::now()));
        left.map_or(wanted, |left| wanted.min(left))
    }

    fn authorization(&self) -> Result<Option<HeaderValue>, Status> {
        let token = match &self.name {
            Name::Nobody => return Ok(None),
            Name::Service(signer) => signer.service_token().map_err(|error| status::internal(&error))?,
            Name::Caller(token) => token.clone(),
        };
        let mut value =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|error| status::internal(&error))?;
        // Keeps it out of debug output and of the header compression's memory.
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

impl Service<Request<Body>> for Link {
    type Response = Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response<Body>, Status>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Service::poll_ready(&mut self.channel, cx).map_err(|error| Status::from_error(error.into()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let began_at = Instant::now();
        let method = Method::of(request.uri().path());
        let span = tracing::info_span!(
            "call",
            otel.name = method.full_name,
            otel.kind = "client",
            otel.status_code = Empty,
            rpc.system = "grpc",
            rpc.service = method.service,
            rpc.method = method.name,
            rpc.grpc.status_code = Empty,
        );
        let authorization = match self.authorization() {
            Ok(authorization) => authorization,
            Err(status) => return Box::pin(async { Err(status) }),
        };
        let current = Current::get();
        let patience = method.is_unary().then(|| self.patience(request.headers(), current.as_ref()));
        let headers = request.headers_mut();
        if let Some(patience) = patience {
            deadline::write(headers, patience);
        }
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        if let Some(call_id) = current.and_then(|current| current.call_id) {
            headers.insert(CALL_ID, call_id);
        }
        telemetry::inject(&span, headers);

        // The channel that was found ready is the one to use; its clone waits for the next call.
        let clone = self.channel.clone();
        let mut ready = std::mem::replace(&mut self.channel, clone);
        let answer = Service::call(&mut ready, request);
        let recorded = span.clone();
        let work = async move {
            let answer = within(answer, patience.map(|patience| began_at + patience)).await;
            let code = match &answer {
                Ok(response) => status::code_in(response.headers()),
                Err(status) => status.code(),
            };
            recorded.record("rpc.grpc.status_code", i32::from(code));
            if status::http_code(code) >= 500 {
                recorded.record("otel.status_code", "ERROR");
            }
            let labels =
                [KeyValue::new("rpc", method.full_name), KeyValue::new("code", status::code_name(code))];
            DURATION.record(began_at.elapsed().as_secs_f64(), &labels);
            answer
        };
        Box::pin(work.instrument(span))
    }
}

/// Waits for the answer's head until `ends_at`.
async fn within(
    answer: impl Future<Output = Result<Response<Body>, tonic::transport::Error>>,
    ends_at: Option<Instant>,
) -> Result<Response<Body>, Status> {
    let answered = match ends_at {
        None => answer.await,
        Some(ends_at) => tokio::select! {
            // The transport keeps the same time, but not while it connects, and calls its end CANCELLED: ours is asked first.
            biased;
            () = tokio::time::sleep_until(ends_at) => return Err(status::late()),
            answered = answer => answered,
        },
    };
    let response = answered.map_err(|error| spoken_plainly(Status::from_error(error.into())))?;
    // A refusal may stand in the head already.
    match Status::from_header_map(response.headers()) {
        Some(refusal) if status::code_of(&refusal) != refusal.code() => Err(spoken_plainly(refusal)),
        _ => Ok(response),
    }
}

/// Reads the transport's own word for "too late" as ours.
fn spoken_plainly(status: Status) -> Status {
    if status::code_of(&status) == Code::DeadlineExceeded { status::late() } else { status }
}
