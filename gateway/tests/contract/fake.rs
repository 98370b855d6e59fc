//! Services that answer what a test tells them, and a gateway in front of them.
//!
//! All five services are one server: a call's path says which method of which is meant. Messages pass as bytes, so a test
//! names only the methods it needs; each other answers UNIMPLEMENTED.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Buf as _, BufMut as _};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use gateway::config::{Limits, Services};
use gateway::{Config, Parts};
use http::HeaderMap;
use prost::Message;
use proto::identity::v1::{ExchangeSessionRequest, ExchangeSessionResponse};
use shared::caller::{Signer, keys};
use shared::clock::{Clock as _, SystemClock};
use shared::telemetry::{self, TelemetryConfig};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Status, Streaming};

/// The largest message a fake takes or gives.
const MESSAGE_BYTES: usize = 64 << 20;

/// A call as a service received it.
#[derive(Clone, Debug)]
pub struct Call {
    /// `kehou.catalog.v1.CatalogService/OpenTerm`.
    pub method: String,
    pub headers: HeaderMap,
    pub message: Vec<u8>,
}

impl Call {
    pub fn read<M: Message + Default>(&self) -> M {
        M::decode(self.message.as_slice()).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default())
    }
}

type Answered = BoxFuture<'static, Result<Vec<u8>, Status>>;
type Streamed = BoxStream<'static, Result<Vec<u8>, Status>>;

#[derive(Clone)]
enum Method {
    Unary(Arc<dyn Fn(Call) -> Answered + Send + Sync>),
    Stream(Arc<dyn Fn(Streaming<Vec<u8>>) -> Streamed + Send + Sync>),
    Silent,
}

#[derive(Default)]
struct Desk {
    methods: Mutex<HashMap<String, Method>>,
    calls: Mutex<Vec<Call>>,
}

/// The five services.
pub struct Fake {
    desk: Arc<Desk>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Fake {
    /// Starts services that know every session: its caller token is `caller of <session token>`.
    pub fn start() -> Self {
        let mut fake =
            Self { desk: Arc::default(), address: SocketAddr::from(([127, 0, 0, 1], 0)), runtime: None };
        fake.on_call("identity", "ExchangeSession", |call| async move {
            let request: ExchangeSessionRequest = call.read();
            Ok(exchanged(&request.session_token, Duration::from_secs(3600)))
        });
        fake.restart();
        fake
    }

    /// Ends every connection at once, as a crash does.
    pub fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Starts again at the same address.
    pub fn restart(&mut self) {
        self.kill();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let wanted = self.address;
        let desk = self.desk.clone();
        let (sender, bound) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            let listener = loop {
                match TcpListener::bind(wanted).await {
                    Ok(listener) => break listener,
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            };
            sender.send(listener.local_addr().unwrap()).unwrap();
            let router = axum::Router::new().fallback(move |request| answer(desk.clone(), request));
            tonic::transport::Server::builder()
                .add_routes(tonic::service::Routes::from(router))
                .serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener))
                .await
                .unwrap();
        });
        self.address = bound.recv().unwrap();
        self.runtime = Some(runtime);
    }

    /// Answers a method with a message.
    pub fn on<M: Message>(&self, service: &str, method: &str, answer: M) {
        let bytes = answer.encode_to_vec();
        self.on_call(service, method, move |_| {
            let bytes = bytes.clone();
            async move { Ok(Raw(bytes)) }
        });
    }

    /// Refuses a method.
    pub fn refuse(&self, service: &str, method: &str, refusal: Status) {
        self.on_call(service, method, move |_| {
            let refusal = refusal.clone();
            async move { Err::<Raw, _>(refusal) }
        });
    }

    /// Answers a method as `answer` says.
    pub fn on_call<F, W, M>(&self, service: &str, method: &str, answer: F)
    where
        F: Fn(Call) -> W + Send + Sync + 'static,
        W: Future<Output = Result<M, Status>> + Send + 'static,
        M: Into<Raw>,
    {
        let answer = move |call| -> Answered {
            let work = answer(call);
            Box::pin(async move { work.await.map(|message| message.into().0) })
        };
        self.set(service, method, Method::Unary(Arc::new(answer)));
    }

    /// Answers a method that streams both ways.
    pub fn on_stream<F>(&self, service: &str, method: &str, answer: F)
    where
        F: Fn(Streaming<Vec<u8>>) -> Streamed + Send + Sync + 'static,
    {
        self.set(service, method, Method::Stream(Arc::new(answer)));
    }

    /// Never answers a method, not even that it has begun.
    pub fn ignore(&self, service: &str, method: &str) {
        self.set(service, method, Method::Silent);
    }

    fn set(&self, service: &str, method: &str, how: Method) {
        let name = full_name(service, method);
        self.desk.methods.lock().unwrap().insert(name, how);
    }

    /// The calls of a method so far.
    pub fn calls(&self, service: &str, method: &str) -> Vec<Call> {
        let name = full_name(service, method);
        let calls = self.desk.calls.lock().unwrap();
        calls.iter().filter(|call| call.method == name).cloned().collect()
    }

    /// Takes the calls so far, exchanges of sessions left out.
    pub fn take_calls(&self) -> Vec<Call> {
        let calls = std::mem::take(&mut *self.desk.calls.lock().unwrap());
        calls.into_iter().filter(|call| !call.method.ends_with("/ExchangeSession")).collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The bytes of a message.
pub struct Raw(pub Vec<u8>);

impl<M: Message> From<M> for Raw {
    fn from(message: M) -> Self {
        Self(message.encode_to_vec())
    }
}

/// What identity gives for a session.
pub fn exchanged(session_token: &str, lifetime: Duration) -> ExchangeSessionResponse {
    let ends_at = SystemClock.now() + lifetime;
    ExchangeSessionResponse {
        caller_token: format!("caller of {session_token}"),
        expire_time: Some(gateway::convert::timestamp(ends_at)),
    }
}

/// The full name of a method of `service`, as tests abbreviate it.
pub fn full_name(service: &str, method: &str) -> String {
    let (first, rest) = service.split_at(1);
    // Enrollment has more services than one.
    let package = match service {
        "agreement" | "day" | "notice" | "priority" | "round" | "survey" | "trial" => "enrollment",
        "message" => "identity",
        "fund" | "ledger" | "price" | "reconciliation" => "billing",
        other => other,
    };
    format!("kehou.{package}.v1.{}{rest}Service/{method}", first.to_uppercase())
}

async fn answer(desk: Arc<Desk>, request: axum::extract::Request) -> http::Response<tonic::body::Body> {
    let name = request.uri().path().trim_start_matches('/').to_owned();
    let method = desk.methods.lock().unwrap().get(&name).cloned();
    let headers = request.headers().clone();
    let request = request.map(tonic::body::Body::new);
    let mut server = tonic::server::Grpc::new(Bytes).max_decoding_message_size(MESSAGE_BYTES);
    match method {
        None => Status::unimplemented(format!("no test told {name} what to say")).into_http(),
        Some(Method::Silent) => {
            let call = Call { method: name, headers, message: Vec::new() };
            desk.calls.lock().unwrap().push(call);
            std::future::pending().await
        }
        Some(Method::Unary(answer)) => {
            let service = tower::service_fn(move |request: tonic::Request<Vec<u8>>| {
                let call =
                    Call { method: name.clone(), headers: headers.clone(), message: request.into_inner() };
                desk.calls.lock().unwrap().push(call.clone());
                let answered = answer(call);
                async move { answered.await.map(tonic::Response::new) }
            });
            server.unary(service, request).await
        }
        Some(Method::Stream(answer)) => {
            let service = tower::service_fn(move |request: tonic::Request<Streaming<Vec<u8>>>| {
                let answers = answer(request.into_inner());
                async move { Ok::<_, Status>(tonic::Response::new(answers)) }
            });
            server.streaming(service, request).await
        }
    }
}

/// Messages as they are.
#[derive(Clone, Copy)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut message = vec![0; from.remaining()];
        from.copy_to_slice(&mut message);
        Ok(Some(message))
    }
}

/// A gateway on a port of its own, and a caller.
pub struct Gateway {
    pub address: SocketAddr,
    pub http: reqwest::Client,
    pub stop: CancellationToken,
    pub ended: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Gateway {
    pub async fn start(fake: &Fake) -> Self {
        Self::with(fake, Limits::default()).await
    }

    pub async fn with(fake: &Fake, limits: Limits) -> Self {
        let quiet = TelemetryConfig { filter: "off".to_owned(), ..TelemetryConfig::default() };
        let _ = telemetry::init(&quiet).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let clock = SystemClock::shared();
        let key = keys::generate(folder.path(), "gateway").unwrap();
        let service = format!("http://{}", fake.address);
        let config = Config {
            services: Services {
                identity: service.clone(),
                catalog: service.clone(),
                enrollment: service.clone(),
                billing: service.clone(),
                supervision: service,
            },
            limits,
            ..Config::default()
        };
        let parts = Parts {
            config,
            clock: clock.clone(),
            signer: Arc::new(Signer::load("gateway", &key, clock).unwrap()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let ended = tokio::spawn(gateway::run(parts, listener, None, stop.clone()));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { address, http, stop, ended }
    }

    /// A request by someone signed in, with an idempotency key.
    pub fn ask(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.plain(method, path).bearer_auth("session").header("idempotency-key", KEY)
    }

    /// A request by nobody.
    pub fn plain(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        self.http.request(method, format!("http://{}{path}", self.address))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The idempotency key of writes.
pub const KEY: &str = "018f0000-0000-7000-8000-00000000beef";

/// Some id.
pub const ID: &str = "018f0000-0000-7000-8000-000000000001";
