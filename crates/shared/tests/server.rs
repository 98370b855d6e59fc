//! What a call meets on its way through a server, over real connections.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use futures::{Stream, StreamExt as _};
use http_body_util::BodyExt as _;
use proto::feed::v1::feed_service_client::FeedServiceClient;
use proto::feed::v1::feed_service_server::{FeedService, FeedServiceServer};
use proto::feed::v1::{TailRequest, TailResponse};
use shared::caller::{Caller, Guardian, Signer, Verifier, keys};
use shared::client::{self, Link};
use shared::clock::SystemClock;
use shared::server::{self, Grpc, Limits, Ready, ServeError};
use shared::status::{self, reason_of, retry_after_of};
use shared::value::Id;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tower::{Service as _, ServiceExt as _};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The deadline of a link nobody has told another.
const LINK_DEADLINE: Duration = Duration::from_secs(5);

/// What the methods of the test share.
#[derive(Default)]
struct Methods {
    /// Calls that have reached `Wait`.
    waiting: AtomicUsize,
    /// Calls that were dropped before they ended.
    dropped: AtomicUsize,
    /// A permit lets one `Wait` end.
    gate: Option<Semaphore>,
    /// Where `Onward` goes.
    onward: Option<Link>,
}

impl Methods {
    fn gated() -> Self {
        Self { gate: Some(Semaphore::new(0)), ..Self::default() }
    }

    async fn until_waiting(&self, count: usize) {
        while self.waiting.load(Ordering::SeqCst) < count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn open(&self, count: usize) {
        self.gate.as_ref().unwrap().add_permits(count);
    }
}

struct OnDrop<'a>(&'a AtomicUsize, bool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        if self.1 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn answer(status: Status) -> Response {
    status.into_http()
}

/// Waits for the gate.
async fn wait(State(methods): State<Arc<Methods>>) -> Response {
    methods.waiting.fetch_add(1, Ordering::SeqCst);
    let mut guard = OnDrop(&methods.dropped, true);
    methods.gate.as_ref().unwrap().acquire().await.unwrap().forget();
    guard.1 = false;
    answer(Status::ok(""))
}

async fn panic() -> Response {
    panic!("at the disco")
}

/// Says who called, as a refusal's message.
async fn who(request: Request) -> Response {
    let request = tonic::Request::from_http(request);
    answer(Status::failed_precondition(shared::caller::of(&request).key()))
}

/// Says the request's deadline and id, as a refusal's message.
async fn echo(request: Request) -> Response {
    let header =
        |name: &str| request.headers().get(name).map_or("none", |value| value.to_str().unwrap()).to_owned();
    answer(Status::failed_precondition(format!("{} {}", header("grpc-timeout"), header("x-request-id"))))
}

/// Asks the next server's `Echo` and passes its answer on.
async fn onward(State(methods): State<Arc<Methods>>) -> Response {
    answer(call(methods.onward.as_ref().unwrap(), "Echo", &[]).await.unwrap_err())
}

/// Reads the whole request.
async fn read(request: Request) -> Response {
    let read = request.into_body().collect().await;
    answer(read.map_or_else(|error| Status::from_error(error.into()), |_| Status::ok("")))
}

struct Feed;

#[tonic::async_trait]
impl FeedService for Feed {
    type TailStream = Pin<Box<dyn Stream<Item = Result<TailResponse, Status>> + Send>>;

    /// One event's worth, then silence, as a feed without news.
    async fn tail(
        &self,
        _: tonic::Request<TailRequest>,
    ) -> Result<tonic::Response<Self::TailStream>, Status> {
        let first = futures::stream::iter([Ok(TailResponse { events: vec![], last_position: 7 })]);
        Ok(tonic::Response::new(first.chain(futures::stream::pending()).boxed()))
    }
}

/// A server that serves, and what it takes to reach and stop it.
struct Running {
    address: SocketAddr,
    admin: SocketAddr,
    stop: CancellationToken,
    served: JoinHandle<Result<(), ServeError>>,
    methods: Arc<Methods>,
    folder: tempfile::TempDir,
}

impl Running {
    async fn start(limits: Limits, methods: Methods) -> Self {
        let folder = tempfile::tempdir().unwrap();
        keys::generate(folder.path(), "identity").unwrap();
        keys::generate(folder.path(), "gateway").unwrap();
        let verifier = Arc::new(Verifier::load(folder.path(), SystemClock::shared()).unwrap());
        let methods = Arc::new(methods);
        let router = Router::new()
            .route("/test.Probe/Wait", post(wait))
            .route("/test.Probe/Panic", post(panic))
            .route("/test.Probe/Who", post(who))
            .route("/test.Probe/Echo", post(echo))
            .route("/test.Probe/Onward", post(onward))
            .route("/test.Probe/Read", post(read))
            .with_state(methods.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, admin) = (listener.local_addr().unwrap(), admin_listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let grpc = Grpc {
            name: "probe",
            listener,
            routes: Routes::new(FeedServiceServer::new(Feed)).into_axum_router().merge(router).into(),
            verifier,
            limits,
            ready: Ready::always(),
            admin: Some(admin_listener),
        };
        let served = tokio::spawn(server::serve(grpc, stop.clone()));
        Self { address, admin, stop, served, methods, folder }
    }

    fn channel(&self) -> tonic::transport::Channel {
        client::channel(&format!("http://{}", self.address)).unwrap()
    }

    fn link(&self) -> Link {
        Link::anonymous(self.channel())
    }

    fn signer(&self, issuer: &str) -> Signer {
        signer(self.folder.path(), issuer)
    }

    async fn http(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.admin).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        (text[9..12].parse().unwrap(), text)
    }
}

fn signer(folder: &Path, issuer: &str) -> Signer {
    Signer::load(issuer, &folder.join(format!("{issuer}.key.pem")), SystemClock::shared()).unwrap()
}

/// Calls a method with an empty message and extra headers.
async fn call(link: &Link, method: &str, headers: &[(&str, &str)]) -> Result<(), Status> {
    send(link, method, headers, Body::empty()).await
}

async fn send(link: &Link, method: &str, headers: &[(&str, &str)], body: Body) -> Result<(), Status> {
    let mut request = http::Request::post(format!("http://probe/test.Probe/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut link = link.clone();
    let response = link.ready().await?.call(request.body(body).unwrap()).await?;
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() != Code::Ok => Err(status),
        _ => Ok(()),
    }
}

/// The same without a [`Link`], so that nothing but the server looks at the time.
async fn call_barely(running: &Running, method: &str) -> Result<(), Status> {
    let request = http::Request::post(format!("http://probe/test.Probe/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::empty())
        .unwrap();
    let mut channel = running.channel();
    let call = channel.ready().await.unwrap().call(request);
    let answered = tokio::time::timeout(PATIENCE, call).await.unwrap();
    let response = answered.map_err(|error| Status::from_error(error.into()))?;
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() != Code::Ok => Err(status),
        _ => Ok(()),
    }
}

/// The deadline of a server nobody has told another.
fn usual_deadline() -> Duration {
    Duration::from_secs(Limits::default().default_deadline_seconds)
}

#[tokio::test]
async fn the_server_ends_a_call_at_its_default_deadline() {
    let limits = Limits { default_deadline_seconds: 1, ..Limits::default() };
    let running = Running::start(limits, Methods::gated()).await;
    let began_at = Instant::now();

    let status = call_barely(&running, "Wait").await.unwrap_err();

    assert_eq!(
        (status.code(), reason_of(&status).as_deref()),
        (Code::DeadlineExceeded, Some("DEADLINE_EXCEEDED"))
    );
    assert!(
        began_at.elapsed() >= Duration::from_millis(990) && began_at.elapsed() < usual_deadline(),
        "{:?}",
        began_at.elapsed()
    );
    assert_eq!(running.methods.dropped.load(Ordering::SeqCst), 1, "the method's work was dropped");
}

#[tokio::test]
async fn a_callers_deadline_is_kept_by_the_server_and_cut_to_its_longest() {
    let limits = Limits { max_deadline_seconds: 1, ..Limits::default() };
    let running = Running::start(limits, Methods::gated()).await;

    for patience in ["100m", "8H"] {
        let began_at = Instant::now();
        let link = running.link();
        let headers = [("grpc-timeout", patience)];
        let ended = tokio::time::timeout(PATIENCE, call(&link, "Wait", &headers)).await;
        let status = ended.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{patience}");
        // Far less than the 8 hours, and than the longest there is by default.
        assert!(began_at.elapsed() < Duration::from_secs(30), "{patience} took {:?}", began_at.elapsed());
    }
}

#[tokio::test]
async fn a_peer_that_never_answers_costs_a_link_its_deadline_and_no_more() {
    // Takes connections and says nothing, as a peer that hangs.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let channel = client::channel(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let link = Link::anonymous(channel).with_deadline(Duration::from_millis(200));
    let began_at = Instant::now();

    let status = call(&link, "Wait", &[]).await.unwrap_err();

    assert_eq!(
        (status.code(), reason_of(&status).as_deref()),
        (Code::DeadlineExceeded, Some("DEADLINE_EXCEEDED"))
    );
    assert!(began_at.elapsed() < LINK_DEADLINE, "{:?}", began_at.elapsed());
}

#[tokio::test]
async fn a_peer_that_cannot_be_reached_costs_a_link_its_deadline_and_no_more() {
    // A listener whose queue is full lets no connection come about, as a network that swallows packets.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(connected) =
        tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
    {
        queue.push(connected.unwrap());
    }
    let channel = client::channel(&format!("http://{address}")).unwrap();
    let link = Link::anonymous(channel).with_deadline(Duration::from_millis(200));
    let began_at = Instant::now();

    let status = call(&link, "Wait", &[]).await.unwrap_err();

    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    assert!(began_at.elapsed() < LINK_DEADLINE, "{:?}", began_at.elapsed());
}

#[tokio::test]
async fn a_peer_that_is_down_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);

    let status = call(&Link::anonymous(client::channel(&format!("http://{address}")).unwrap()), "Wait", &[])
        .await
        .unwrap_err();

    assert_eq!(status.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_call_made_by_a_call_has_what_is_left_of_its_time_and_its_id() {
    let last = Running::start(Limits::default(), Methods::default()).await;
    let methods = Methods { onward: Some(last.link()), ..Methods::default() };
    let first = Running::start(Limits::default(), methods).await;

    let headers = [("grpc-timeout", "4500m"), ("x-request-id", "tap-1")];
    let told = call(&first.link(), "Onward", &headers).await.unwrap_err();

    let (timeout, id) = told.message().split_once(' ').unwrap();
    let milliseconds: u64 = timeout.strip_suffix('m').unwrap().parse().unwrap();
    assert!((1..4_500).contains(&milliseconds), "{milliseconds} of 4500, not the 5000 of a link");
    assert_eq!(id, "tap-1");
}

#[tokio::test]
async fn a_panic_is_answered_internal_and_harms_no_other_call() {
    let running = Running::start(Limits::default(), Methods::default()).await;
    let link = running.link();

    let status = call(&link, "Panic", &[]).await.unwrap_err();

    assert_eq!((status.code(), status.message()), (Code::Internal, "INTERNAL"));
    assert_eq!(call(&link, "Who", &[]).await.unwrap_err().message(), "anonymous");
}

#[tokio::test]
async fn one_call_too_many_is_turned_away_at_once_and_told_when_to_come_back() {
    let limits = Limits { concurrent_call_count: 2, ..Limits::default() };
    let running = Running::start(limits, Methods::gated()).await;
    let link = running.link();
    let pair: Vec<_> = (0..2)
        .map(|_| {
            let link = link.clone();
            tokio::spawn(async move { call(&link, "Wait", &[]).await })
        })
        .collect();
    running.methods.until_waiting(2).await;
    let began_at = Instant::now();

    let status = call(&link, "Wait", &[]).await.unwrap_err();

    assert_eq!((status.code(), reason_of(&status).as_deref()), (Code::ResourceExhausted, Some("OVERLOADED")));
    assert_eq!(retry_after_of(&status), Some(Duration::from_secs(1)));
    assert!(began_at.elapsed() < LINK_DEADLINE, "not by timing out");
    assert_eq!(running.methods.waiting.load(Ordering::SeqCst), 2, "it never reached the method");
    // Whoever asks after the server's health is not turned away.
    let health =
        HealthClient::new(link.clone()).check(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(health.status(), ServingStatus::Serving);
    // And the places come back.
    running.methods.open(3);
    for waiting in pair {
        waiting.await.unwrap().unwrap();
    }
    call(&link, "Wait", &[]).await.unwrap();
    let (_, metrics) = running.http("/metrics").await;
    assert!(metrics.contains("rpc_server_shed_total{service=\"probe\"} 1"), "{metrics}");
    assert!(metrics.contains("rpc_server_duration_seconds_bucket"), "{metrics}");
}

#[tokio::test]
async fn a_call_in_flight_ends_while_the_server_stops() {
    for _ in 0..5 {
        let running = Running::start(Limits::default(), Methods::gated()).await;
        let link = running.link();
        let in_flight = tokio::spawn(async move { call(&link, "Wait", &[]).await });
        running.methods.until_waiting(1).await;
        assert_eq!(running.http("/readyz").await.0, 200);

        running.stop.cancel();

        let until = Instant::now() + PATIENCE;
        while running.http("/readyz").await.0 != 503 || TcpStream::connect(running.address).await.is_ok() {
            assert!(Instant::now() < until, "it says that it is not ready, and nobody new comes in");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(running.http("/livez").await.0, 200);
        assert!(!in_flight.is_finished());
        running.methods.open(1);
        in_flight.await.unwrap().unwrap();
        tokio::time::timeout(PATIENCE, running.served).await.unwrap().unwrap().unwrap();
        assert_eq!(running.methods.dropped.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn a_call_that_does_not_end_holds_the_stop_no_longer_than_the_drain() {
    let limits = Limits { drain_seconds: 1, ..Limits::default() };
    let running = Running::start(limits, Methods::gated()).await;
    let link = running.link();
    let _in_flight = tokio::spawn(async move { call(&link, "Wait", &[]).await });
    running.methods.until_waiting(1).await;
    let began_at = Instant::now();

    running.stop.cancel();
    running.served.await.unwrap().unwrap();

    assert!(
        (Duration::from_secs(1)..Duration::from_secs(Limits::default().drain_seconds))
            .contains(&began_at.elapsed()),
        "{:?}",
        began_at.elapsed()
    );
}

#[tokio::test]
async fn a_feed_is_told_that_the_server_stops_and_does_not_hold_it() {
    let running =
        Running::start(Limits { default_deadline_seconds: 1, ..Limits::default() }, Methods::default()).await;
    let mut feed = FeedServiceClient::new(running.link().with_deadline(Duration::from_secs(2)));
    let mut events = feed.tail(TailRequest::default()).await.unwrap().into_inner();
    assert_eq!(events.message().await.unwrap().unwrap().last_position, 7);
    // Neither the link's deadline nor the server's ends a stream.
    assert!(tokio::time::timeout(Duration::from_millis(2_500), events.message()).await.is_err());

    running.stop.cancel();

    let farewell = tokio::time::timeout(PATIENCE, events.message()).await;
    let status = farewell.unwrap().unwrap_err();
    assert_eq!((status.code(), reason_of(&status).as_deref()), (Code::Unavailable, Some("STOPPING")));
    tokio::time::timeout(PATIENCE, running.served).await.unwrap().unwrap().unwrap();
}

fn list_services() -> ServerReflectionRequest {
    let ask = MessageRequest::ListServices(String::new());
    ServerReflectionRequest { message_request: Some(ask), ..Default::default() }
}

#[tokio::test]
async fn a_refusal_ends_its_stream_with_its_head() {
    let running = Running::start(Limits::default(), Methods::default()).await;

    for method in ["Who", "Panic", "Nothing"] {
        let request = http::Request::post(format!("http://probe/test.Probe/{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Body::empty())
            .unwrap();
        let response = running.channel().ready().await.unwrap().call(request).await.unwrap();

        assert!(response.headers().contains_key("grpc-status"), "{method}");
        assert!(response.body().is_end_stream(), "{method}: clients wait for trailers after an open head");
    }
}

#[tokio::test]
async fn a_stream_both_ways_answers_what_it_has_read_and_ends_when_the_server_stops() {
    let running = Running::start(Limits::default(), Methods::default()).await;
    let asks = futures::stream::iter([list_services()]).chain(futures::stream::pending());
    let mut client = ServerReflectionClient::new(running.link());
    let mut answers = client.server_reflection_info(asks).await.unwrap().into_inner();
    assert!(answers.message().await.unwrap().is_some());
    let more = tokio::time::timeout(Duration::from_millis(100), answers.message()).await;
    assert!(more.is_err(), "the stream stays open as long as the server runs");

    running.stop.cancel();

    let end = tokio::time::timeout(PATIENCE, answers.message()).await.unwrap();
    assert!(end.unwrap().is_none(), "it ends as if the caller had ended it");
    tokio::time::timeout(PATIENCE, running.served).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_stranger_finds_the_contracts_and_the_health() {
    let running = Running::start(Limits::default(), Methods::default()).await;

    let mut answers = ServerReflectionClient::new(running.link())
        .server_reflection_info(futures::stream::iter([list_services()]))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("a list of services") };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();

    assert!(names.contains(&"kehou.feed.v1.FeedService".to_owned()), "{names:?}");
    assert!(names.contains(&"grpc.health.v1.Health".to_owned()), "{names:?}");
    for service in ["", "probe"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let health = HealthClient::new(running.link()).check(request).await.unwrap().into_inner();
        assert_eq!(health.status(), ServingStatus::Serving);
    }
}

#[tokio::test]
async fn the_method_knows_who_calls() {
    let running = Running::start(Limits::default(), Methods::default()).await;
    let guardian = Caller::Guardian(Guardian { id: Id::new(uuid::Uuid::from_u128(1)), pupils: vec![] });
    let token = running.signer("identity").token(&guardian, Duration::from_secs(60)).unwrap();
    let link = Link::service(running.channel(), Arc::new(running.signer("gateway")));

    assert_eq!(call(&running.link(), "Who", &[]).await.unwrap_err().message(), "anonymous");
    assert_eq!(call(&link, "Who", &[]).await.unwrap_err().message(), "service:gateway");
    assert_eq!(call(&link.as_caller(token), "Who", &[]).await.unwrap_err().message(), guardian.key());
}

#[tokio::test]
async fn a_bad_token_is_not_taken_for_none() {
    let running = Running::start(Limits::default(), Methods::default()).await;
    let link = running.link();
    let refused = async |value: &str| {
        let status = call(&link, "Who", &[("authorization", value)]).await.unwrap_err();
        (status.code(), reason_of(&status).unwrap_or_default())
    };

    for value in ["Bearer x.y.z", "Basic eDp5", "Bearer", "x.y.z"] {
        assert_eq!(refused(value).await, (Code::Unauthenticated, "TOKEN_INVALID".to_owned()), "{value}");
    }
    let stale = expired_token(&running);
    assert_eq!(
        refused(&format!("Bearer {stale}")).await,
        (Code::Unauthenticated, "TOKEN_EXPIRED".to_owned())
    );
}

/// A gateway's token that ended an hour ago.
fn expired_token(running: &Running) -> String {
    struct Past;
    impl shared::clock::Clock for Past {
        fn now(&self) -> shared::value::Moment {
            SystemClock.now() - chrono::TimeDelta::hours(2)
        }
    }
    let path = running.folder.path().join("gateway.key.pem");
    let signer = Signer::load("gateway", &path, Arc::new(Past)).unwrap();
    signer.token(&Caller::Service("gateway".to_owned()), Duration::from_secs(3600)).unwrap()
}

#[tokio::test]
async fn a_message_larger_than_the_limit_is_refused() {
    let running =
        Running::start(Limits { message_bytes: 1000, ..Limits::default() }, Methods::default()).await;
    let link = running.link();
    let sized = |bytes: usize| Body::new(http_body_util::Full::new(bytes::Bytes::from(vec![0; bytes])));

    send(&link, "Read", &[], sized(1000)).await.unwrap();
    let status = send(&link, "Read", &[], sized(1001)).await.unwrap_err();

    assert_eq!(
        (status.code(), reason_of(&status).as_deref()),
        (Code::InvalidArgument, Some("MESSAGE_TOO_LARGE"))
    );
    assert_eq!(status::facts_of(&status)["limit_bytes"], "1000");
}

#[tokio::test]
async fn readiness_says_what_is_missing() {
    let down = Ready::new(|| async { Err("the database is away".to_owned()) });
    let hangs = Ready::new(std::future::pending::<Result<(), String>>);

    assert_eq!(Ready::all(vec![Ready::always(), down]).ask().await, Err("the database is away".to_owned()));
    assert!(hangs.ask().await.is_err());
}
