//! What every request passes: trace, request id, limits, time-out, security headers; and where refusals get their words.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{Extensions, HeaderName, HeaderValue, Method, StatusCode, header};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;
use shared::telemetry;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use tracing::field::Empty;
use uuid::Uuid;

use crate::Edge;
use crate::config::Limits;
use crate::linger::lingering;
use crate::problem::Refusal;
use crate::sentence::Language;
use crate::{read, session};

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
const SECURITY: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// What a browser may do with an answer of the API: nothing.
const API_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// What a browser may do with the reference page: everything it needs comes from here. Its library writes styles into
/// elements, hence `unsafe-inline` for these.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Where the reference page is.
pub(crate) const PAGE_PATH: &str = "/docs";

/// Where WeChat notifies of payments. It is proven by signature, and a rush comes from few addresses.
pub(crate) const NOTIFY_PATH: &str = "/v1/wechat/notify";

/// How long an address that came with too many unknown sessions is not believed another one.
const SHUT: Duration = Duration::from_secs(10);

/// How often those who have been quiet are forgotten.
const FORGET_INTERVAL: Duration = Duration::from_secs(60);

/// Who has asked how often.
pub(crate) struct Door {
    requests: DefaultKeyedRateLimiter<Key>,
    sign_ins: DefaultKeyedRateLimiter<Key>,
    /// Addresses that came with too many unknown sessions.
    shut: moka::future::Cache<Key, ()>,
    in_flight: Semaphore,
    timeout: Duration,
    upload_timeout: Duration,
    trusted_proxies: Vec<IpAddr>,
}

/// Who is counted: the hash of an address or of a session token, so that no token lies about in memory twice.
type Key = [u8; 16];

/// The address a request comes from, as it is counted.
#[derive(Clone, Copy)]
struct Origin(Key);

impl Door {
    pub(crate) fn new(limits: &Limits) -> Self {
        let quota = |per_second: u32, burst: u32| {
            let at_least_one = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
            Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst))
        };
        Self {
            requests: RateLimiter::keyed(quota(limits.requests_per_second, limits.request_burst)),
            sign_ins: RateLimiter::keyed(quota(limits.sign_ins_per_second, limits.sign_in_burst)),
            shut: moka::future::Cache::builder().max_capacity(100_000).time_to_live(SHUT).build(),
            in_flight: Semaphore::new(limits.in_flight.min(Semaphore::MAX_PERMITS)),
            timeout: Duration::from_secs(limits.timeout_seconds),
            upload_timeout: Duration::from_secs(limits.upload_timeout_seconds),
            trusted_proxies: limits.trusted_proxies.clone(),
        }
    }

    /// Counts a request of whoever sent it: sign-ins by address, others by session, or by address without one.
    fn admit(&self, request: &Request, origin: Origin) -> Result<(), Refusal> {
        let path = request.uri().path();
        if path == NOTIFY_PATH {
            return Ok(());
        }
        let (limiter, key) = if path.starts_with("/v1/sessions") {
            (&self.sign_ins, origin.0)
        } else {
            let token = session::bearer(request.headers());
            (&self.requests, token.map_or(origin.0, |token| key_of(token.as_bytes())))
        };
        limiter.check_key(&key).map_err(|wait| {
            let wait = wait.wait_time_from(DefaultClock::default().now());
            Refusal::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS").retry_after(wait)
        })
    }

    /// Lets a session that is not known here be asked after, unless its address came with too many that nobody knows: a
    /// new token with every request would else never be counted.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS`.
    pub(crate) async fn let_stranger_in(&self, extensions: &Extensions) -> Result<(), Refusal> {
        match extensions.get::<Origin>() {
            Some(origin) if self.shut.contains_key(&origin.0) => {
                Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS").retry_after(SHUT))
            }
            _ => Ok(()),
        }
    }

    /// Counts an unknown session against the address it came from, as a sign-in that failed.
    async fn count_stranger(&self, origin: Origin) {
        if self.sign_ins.check_key(&origin.0).is_err() {
            self.shut.insert(origin.0, ()).await;
        }
    }

    /// Where a request comes from: the last hop that is not a trusted proxy.
    fn origin(&self, request: &Request) -> Origin {
        let last =
            request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
        let is_trusted = |address: &IpAddr| self.trusted_proxies.contains(address);
        let origin = match last {
            Some(proxy) if is_trusted(&proxy) => {
                let forwarded = request.headers().get_all("x-forwarded-for");
                let hops: Vec<IpAddr> = forwarded
                    .iter()
                    .filter_map(|value| value.to_str().ok())
                    .flat_map(|value| value.split(','))
                    .filter_map(|hop| hop.trim().parse().ok())
                    .collect();
                hops.into_iter().rev().find(|hop| !is_trusted(hop)).unwrap_or(proxy)
            }
            Some(address) => address,
            None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        Origin(match origin.to_canonical() {
            IpAddr::V4(address) => key_of(&address.octets()),
            // A subscriber is given a whole /64 and may use any address of it.
            IpAddr::V6(address) => key_of(&address.octets()[..8]),
        })
    }
}

/// Forgets callers who have not been here for a while, so that memory does not grow with every visitor; ends with `end`.
pub(crate) async fn forget_the_quiet(edge: Edge, end: CancellationToken) {
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(FORGET_INTERVAL) => {}
        }
        for limiter in [&edge.door.requests, &edge.door.sign_ins] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

fn key_of(bytes: &[u8]) -> Key {
    let mut key = [0; 16];
    key.copy_from_slice(&digest(&SHA256, bytes).as_ref()[..16]);
    key
}

/// The outermost layer of every route.
pub(crate) async fn pass(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let began_at = Instant::now();
    let method = known_method(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("-", MatchedPath::as_str);
    // Shared by span and metric.
    let name: Arc<str> = format!("{method} {route}").into();
    let language = Language::asked(request.headers());
    let request_id = request_id(&request);
    let policy = if request.uri().path().starts_with(PAGE_PATH) { PAGE_POLICY } else { API_POLICY };
    let token = session::bearer(request.headers()).map(str::to_owned);
    let origin = edge.door.origin(&request);
    request.extensions_mut().insert(origin);
    let request = lingering(request);
    let span = tracing::info_span!(
        "request",
        otel.name = &*name,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        request.id = request_id,
    );
    if let Some(parent) = request.headers().get("traceparent").and_then(|value| value.to_str().ok()) {
        telemetry::continue_from(&span, parent);
    }
    let trace_id = span.in_scope(telemetry::trace_id);
    let recorded = span.clone();
    async move {
        let mut response = match edge.door.admit(&request, origin) {
            Ok(()) => answer(&edge, request, next).await,
            Err(refusal) => refusal.into_response(),
        };
        if let Some(refusal) = refusal_in(&mut response) {
            learn(&edge, &refusal, token.as_deref(), origin).await;
            response = refusal.render(language, trace_id.clone(), Some(request_id.clone()));
        }
        let code = response.status().as_u16();
        recorded.record("http.response.status_code", code);
        if code >= 500 {
            recorded.record("otel.status_code", "ERROR");
        }
        let labels = [KeyValue::new("route", name), KeyValue::new("status", i64::from(code))];
        DURATION.record(began_at.elapsed().as_secs_f64(), &labels);
        dress(&mut response, &request_id, trace_id, policy);
        response
    }
    .instrument(span)
    .await
}

/// Runs the route: within the bound on work at once, within the time-out, and never taking the connection down.
async fn answer(edge: &Edge, request: Request, next: Next) -> Response {
    let Ok(_place) = edge.door.in_flight.try_acquire() else {
        return Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED").into_response();
    };
    let patience = if read::is_media_type(request.headers(), "multipart/form-data") {
        edge.door.upload_timeout
    } else {
        edge.door.timeout
    };
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(patience, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            let said = panic
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("without words");
            tracing::error!(panic = said, "a handler panicked: {said}");
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL").into_response()
        }
        Err(_) => Refusal::new(StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED").into_response(),
    }
}

/// The refusal an answer stands for: one of ours, or a bare error of a layer that knows no problem documents.
fn refusal_in(response: &mut Response) -> Option<Refusal> {
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        return Some(refusal);
    }
    let code = response.status();
    let is_error = code.is_client_error() || code.is_server_error();
    let speaks = read::is_media_type(response.headers(), "application/json");
    (is_error && !speaks).then(|| Refusal::bare(code))
}

/// Draws the consequences of a refusal for those who come next.
async fn learn(edge: &Edge, refusal: &Refusal, token: Option<&str>, origin: Origin) {
    let Some(token) = token else { return };
    match refusal.reason() {
        "SESSION_ENDED" => edge.door.count_stranger(origin).await,
        // What a service does not believe any more must not be sent to it again.
        "TOKEN_EXPIRED" | "TOKEN_INVALID" => edge.sessions.forget(token).await,
        _ => {}
    }
}

/// The method, as spans and metrics show it: a stranger's own words must not fill the metrics with labels.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

/// The id the caller gave the request, if it is a UUID; else one of ours.
fn request_id(request: &Request) -> String {
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let given = given.and_then(|text| text.parse::<Uuid>().ok());
    given.unwrap_or_else(|| uuid::Builder::from_random_bytes(shared::random::bytes()).into_uuid()).to_string()
}

/// Puts on what every answer carries.
fn dress(response: &mut Response, request_id: &str, trace_id: Option<String>, policy: HeaderValue) {
    let headers = response.headers_mut();
    headers.extend(SECURITY);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, value);
    }
    if let Some(value) = trace_id.and_then(|id| HeaderValue::try_from(id).ok()) {
        headers.insert(TRACE_ID, value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use shared::caller::{Signer, keys};
    use shared::clock::SystemClock;
    use tower::ServiceExt as _;

    use super::*;

    fn edge(limits: Limits) -> Edge {
        let folder = tempfile::tempdir().unwrap();
        let clock = SystemClock::shared();
        let key = keys::generate(folder.path(), "gateway").unwrap();
        let parts = crate::Parts {
            config: crate::Config { limits, ..crate::Config::default() },
            clock: clock.clone(),
            signer: Arc::new(Signer::load("gateway", &key, clock).unwrap()),
        };
        Edge::open(&parts, &CancellationToken::new()).unwrap()
    }

    async fn asked(router: &Router, from: &str, forwarded: &str, path: &str) -> Response {
        let address: SocketAddr = from.parse().unwrap();
        let request = http::Request::get(path)
            .header("x-forwarded-for", forwarded)
            .extension(ConnectInfo(address))
            .body(Body::empty())
            .unwrap();
        router.clone().oneshot(request).await.unwrap()
    }

    fn router(edge: &Edge) -> Router {
        #[expect(clippy::panic, reason = "what is tested is what becomes of it")]
        async fn panicking() -> &'static str {
            panic!("boom")
        }
        Router::new()
            .route("/panic", get(panicking))
            .route("/fine", get(|| async { "fine" }))
            .route("/bare", get(|| async { StatusCode::IM_A_TEAPOT }))
            .layer(from_fn_with_state(edge.clone(), pass))
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_document_and_the_next_request_is_served() {
        let router = router(&edge(Limits::default()));

        let response = asked(&router, "192.0.2.1:1", "", "/panic").await;

        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[header::X_FRAME_OPTIONS], "DENY");
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains("\"INTERNAL\"") && !body.contains("boom"), "{body}");
        assert_eq!(asked(&router, "192.0.2.1:1", "", "/fine").await.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn a_bare_error_of_a_layer_below_is_a_problem_document_too() {
        let router = router(&edge(Limits::default()));

        let response = asked(&router, "192.0.2.1:1", "", "/bare").await;

        assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    }

    #[tokio::test]
    async fn what_a_trusted_proxy_says_counts_and_what_anyone_else_says_does_not() {
        let limits = Limits {
            requests_per_second: 1,
            request_burst: 1,
            trusted_proxies: vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()],
            ..Limits::default()
        };
        for (from, forwarded, next_forwarded, is_same) in [
            // behind both proxies: the hop before them; what the caller itself wrote in front is not believed
            ("10.0.0.1:1", "1.1.1.1, 192.0.2.1, 10.0.0.2", "2.2.2.2, 192.0.2.1, 10.0.0.2", true),
            ("10.0.0.1:1", "192.0.2.1, 10.0.0.2", "192.0.2.2, 10.0.0.2", false),
            // not behind a trusted proxy: the connection's own address
            ("192.0.2.9:1", "1.1.1.1", "2.2.2.2", true),
            // two addresses of one subscriber, and of two
            ("10.0.0.1:1", "2001:db8:1:1::1", "2001:db8:1:1::2", true),
            ("10.0.0.1:1", "2001:db8:1:1::1", "2001:db8:1:2::1", false),
        ] {
            let router = router(&edge(limits.clone()));
            assert_eq!(asked(&router, from, forwarded, "/fine").await.status(), 200);
            let second = asked(&router, from, next_forwarded, "/fine").await.status();
            assert_eq!(second, if is_same { 429 } else { 200 }, "{forwarded} and {next_forwarded}");
        }
    }

    #[tokio::test]
    async fn a_caller_s_own_methods_are_no_labels() {
        assert_eq!(known_method(&Method::from_bytes(b"X1").unwrap()), "_OTHER");
    }
}
