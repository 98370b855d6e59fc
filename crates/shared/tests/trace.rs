//! One trace from the caller to the row, as a collector receives it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection};
use shared::caller::Verifier;
use shared::client::{self, Link};
use shared::clock::SystemClock;
use shared::server::{self, Grpc, Limits, Ready};
use shared::telemetry::{self, TelemetryConfig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tower::{Service as _, ServiceExt as _};
use tracing::Instrument as _;

/// A collector that keeps what it gets.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
        let spans = request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.0.lock().unwrap().extend(spans.flat_map(|scope| scope.spans));
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Reads a row, and says the trace id it sees.
async fn row(State(db): State<DatabaseConnection>) -> Response {
    db.execute_unprepared("select 1").await.unwrap();
    Status::failed_precondition(telemetry::trace_id().unwrap()).into_http()
}

/// Calls `Row` and gives back the trace id that the method saw.
async fn call_row(mut link: Link) -> String {
    let request = http::Request::post("http://probe/test.Probe/Row")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::empty())
        .unwrap();
    let response = link.ready().await.unwrap().call(request).await.unwrap();
    Status::from_header_map(response.headers()).unwrap().message().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_reaches_from_the_tap_to_the_row() {
    // given a collector, and a service whose method reads a row
    let collector = Collector::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = TelemetryConfig {
        service: "probe".to_owned(),
        otlp_endpoint: Some(format!("http://{}", listener.local_addr().unwrap())),
        // What is not logged is traced all the same.
        filter: "error".to_owned(),
        ..TelemetryConfig::default()
    };
    let collecting =
        tonic::transport::Server::builder().add_service(TraceServiceServer::new(collector.clone()));
    tokio::spawn(collecting.serve_with_incoming(TcpIncoming::from(listener)));
    let guard = telemetry::init(&config).unwrap();
    telemetry::init(&config).unwrap().shutdown().await;

    let db = Database::connect("sqlite::memory:").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let link =
        Link::anonymous(client::channel(&format!("http://{}", listener.local_addr().unwrap())).unwrap());
    let router = Router::new().route("/test.Probe/Row", post(row)).with_state(db);
    let grpc = Grpc {
        name: "probe",
        listener,
        routes: Routes::from(router),
        verifier: Arc::new(Verifier::load(folder.path(), SystemClock::shared()).unwrap()),
        limits: Limits::default(),
        ready: Ready::always(),
        admin: None,
    };
    let stop = CancellationToken::new();
    let served = tokio::spawn(server::serve(grpc, stop.clone()));

    // when a tap, itself part of a trace begun elsewhere, calls it
    let tap = tracing::info_span!("tap");
    telemetry::continue_from(&tap, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let inside = async {
        assert!(telemetry::traceparent().starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
        call_row(link.clone()).await
    };
    let seen = inside.instrument(tap).await;
    let other = call_row(link).await;

    stop.cancel();
    tokio::time::timeout(Duration::from_secs(60), served).await.unwrap().unwrap().unwrap();
    guard.shutdown().await;

    // then every span of it has that trace, each the child of the one before
    assert_eq!(seen, "0af7651916cd43dd8448eb211c80319c");
    assert_ne!(other, seen, "a call outside of any trace begins its own");
    let spans = collector.0.lock().unwrap().clone();
    let trace: Vec<_> = spans.iter().filter(|span| hex(&span.trace_id) == seen).collect();
    let named = |name: &str| {
        let found: Vec<_> = trace.iter().filter(|span| span.name == name).collect();
        assert!(
            !found.is_empty(),
            "no {name} in {:?}",
            spans.iter().map(|span| &span.name).collect::<Vec<_>>()
        );
        found
    };
    let tap = named("tap")[0];
    assert_eq!(hex(&tap.parent_span_id), "b7ad6b7169203331");
    let rpc = named("unknown");
    let client = rpc.iter().find(|span| span.parent_span_id == tap.span_id).unwrap();
    let server = rpc.iter().find(|span| span.parent_span_id == client.span_id).unwrap();
    let statement = trace.iter().find(|span| span.name.starts_with("sea_orm.")).unwrap();
    assert_eq!(statement.parent_span_id, server.span_id);
    assert_eq!((client.kind, server.kind), (3, 2), "client, server");
    assert!(
        spans.iter().all(|span| !span.name.contains("TraceService")),
        "the exporter does not trace itself"
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
