//! What every request passes: trace, request id, limits, time-out, security headers; and where refusals get their words.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{HeaderName, HeaderValue, StatusCode, header};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;
use shared::telemetry;
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use tracing::field::Empty;
use uuid::Uuid;

use crate::Edge;
use crate::config::Limits;
use crate::problem::Refusal;
use crate::sentence::Language;

static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    telemetry::meter("kehou.http")
        .f64_histogram("http.server.request.duration")
        .with_unit("s")
        .with_description("From a request's arrival to the head of its answer")
        .with_boundaries(telemetry::SECONDS.to_vec())
        .build()
});

/// The header that names a request, ours or the caller's.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header that names the trace.
const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// Headers every answer carries. There is nothing to frame, sniff or run here.
const SECURITY: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::STRICT_TRANSPORT_SECURITY,
        "max-age=31536000; includeSubDomains",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// The policy for pages: only the reference page has any, with everything from here.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
                              img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

/// Who has asked how often.
pub(crate) struct Door {
    requests: DefaultKeyedRateLimiter<[u8; 16]>,
    sign_ins: DefaultKeyedRateLimiter<[u8; 16]>,
    in_flight: Semaphore,
    timeout: Duration,
    trusted_proxies: Vec<IpAddr>,
}

impl Door {
    pub(crate) fn new(limits: &Limits) -> Self {
        let quota = |per_second: u32, burst: u32| {
            let at_least_one = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
            Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst))
        };
        Self {
            requests: RateLimiter::keyed(quota(limits.requests_per_second, limits.request_burst)),
            sign_ins: RateLimiter::keyed(quota(limits.sign_ins_per_second, limits.sign_in_burst)),
            in_flight: Semaphore::new(limits.in_flight),
            timeout: Duration::from_secs(limits.timeout_seconds),
            trusted_proxies: limits.trusted_proxies.clone(),
        }
    }

    /// Forgets callers who have not been here for a while, so that memory does not grow with every visitor.
    fn tidy(&self) {
        if self.requests.len() > 100_000 {
            self.requests.retain_recent();
            self.sign_ins.retain_recent();
        }
    }

    /// Counts a request of whoever sent it.
    fn admit(&self, request: &Request) -> Result<(), Refusal> {
        self.tidy();
        let address = self.address(request);
        let signs_in = request.uri().path().starts_with("/v1/sessions");
        let (limiter, key) = if signs_in {
            (&self.sign_ins, key_of(&address.octets_text()))
        } else {
            let token = request
                .headers()
                .get(header::AUTHORIZATION)
                .map(HeaderValue::as_bytes);
            (
                &self.requests,
                token.map_or_else(|| key_of(&address.octets_text()), key_of_bytes),
            )
        };
        limiter.check_key(&key).map_err(|wait| {
            let wait = wait.wait_time_from(DefaultClock::default().now());
            Refusal::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS").retry_after(wait)
        })
    }

    /// Where a request comes from: the last hop, or what a trusted proxy says was before it.
    fn address(&self, request: &Request) -> Address {
        let last = request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0.ip());
        let forwarded = || {
            let value = request.headers().get("x-forwarded-for")?.to_str().ok()?;
            value.rsplit(',').next()?.trim().parse().ok()
        };
        match last {
            Some(proxy) if self.trusted_proxies.contains(&proxy) => Address(forwarded().or(last)),
            other => Address(other),
        }
    }
}

/// Where a request comes from, if it is known.
struct Address(Option<IpAddr>);

impl Address {
    fn octets_text(&self) -> String {
        self.0.map(|address| address.to_string()).unwrap_or_default()
    }
}

fn key_of(text: &str) -> [u8; 16] {
    key_of_bytes(text.as_bytes())
}

/// A limiter keeps hashes, so that no token lies about in memory twice.
fn key_of_bytes(bytes: &[u8]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&digest(&SHA256, bytes).as_ref()[..16]);
    out
}

/// The outermost layer of every route.
pub(crate) async fn pass(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let began_at = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "-".to_owned(), |path| path.as_str().to_owned());
    let language = Language::asked(request.headers());
    let request_id = request_id(&request);
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = %method,
        http.route = route,
        http.response.status_code = Empty,
        request.id = request_id,
    );
    if let Some(parent) = request
        .headers()
        .get("traceparent")
        .and_then(|value| value.to_str().ok())
    {
        telemetry::continue_from(&span, parent);
    }
    let recorded = span.clone();
    async move {
        let mut response = match edge.door.admit(&request) {
            Ok(()) => answer(&edge, request, next).await,
            Err(refusal) => refusal.into_response(),
        };
        if let Some(refusal) = response.extensions().get::<Refusal>() {
            response = refusal.render(language, Some(request_id.clone()));
        }
        let code = response.status().as_u16();
        recorded.record("http.response.status_code", code);
        if code >= 500 {
            recorded.record("otel.status_code", "ERROR");
        }
        let labels = [
            KeyValue::new("route", format!("{method} {route}")),
            KeyValue::new("status", i64::from(code)),
        ];
        DURATION.record(began_at.elapsed().as_secs_f64(), &labels);
        dress(&mut response, &request_id);
        response
    }
    .instrument(span)
    .await
}

/// Runs the route: within the bound on work at once, within the time-out, and never taking the connection down.
async fn answer(edge: &Edge, request: Request, next: Next) -> Response {
    let Ok(_place) = edge.door.in_flight.try_acquire() else {
        return Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED")
            .retry_after(Duration::from_secs(1))
            .into_response();
    };
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(edge.door.timeout, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("a handler panicked");
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL").into_response()
        }
        Err(_) => Refusal::new(StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED").into_response(),
    }
}

/// The id the caller gave the request, if it is a UUID; else one of ours.
fn request_id(request: &Request) -> String {
    let given = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let given = given.and_then(|text| text.parse::<Uuid>().ok());
    given
        .unwrap_or_else(|| Uuid::from_bytes(shared::random::bytes()))
        .to_string()
}

/// Puts on what every answer carries.
fn dress(response: &mut Response, request_id: &str) {
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_POLICY),
    );
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, value);
    }
    if let Some(value) = telemetry::trace_id().and_then(|id| HeaderValue::try_from(id).ok()) {
        headers.insert(TRACE_ID, value);
    }
}
