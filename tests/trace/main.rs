//! One trace from the tap to the row: the id on the answer is the id on the spans of the edge, the service and the statement.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kehou::person::{Answer, text};
use kehou_tests::{Kind, World};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;
use shared::telemetry::{self, TelemetryConfig};
use tokio::net::TcpListener;
use tonic::Status;
use tonic::transport::server::TcpIncoming;

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

impl Collector {
    /// The names of the spans of a trace, once there are as many as are `wanted`.
    async fn names(&self, trace_id: &str, wanted: &[&str]) -> Vec<String> {
        let mut names = Vec::new();
        for _ in 0..1_200 {
            names = {
                let spans = self.0.lock().unwrap();
                spans
                    .iter()
                    .filter(|span| hex(&span.trace_id) == trace_id)
                    .map(|span| span.name.clone())
                    .collect()
            };
            if wanted.iter().all(|wanted| names.iter().any(|name: &String| name.contains(wanted))) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        names
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The trace the answer names.
fn trace_of(answer: &Answer) -> String {
    answer.headers.get("x-trace-id").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_names_the_trace_in_which_edge_service_and_database_worked() {
    let collector = Collector::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = TelemetryConfig {
        service: "kehou".to_owned(),
        otlp_endpoint: Some(format!("http://{}", listener.local_addr().unwrap())),
        filter: "error".to_owned(),
        ..TelemetryConfig::default()
    };
    let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(collector.clone()));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let guard = telemetry::init(&config).unwrap();

    for kind in [Kind::Sqlite, Kind::Postgres] {
        let world = World::start(kind).await.unwrap();
        let parent = world.parent("jinhua", "JH20260001").await.unwrap();
        let section_id = text(&world.section("jinhua", "衍纸").await.unwrap(), "id");

        // An application goes with others through one stream and one transaction, and still is one trace.
        let applied = parent.apply(&section_id, false).await.unwrap();
        let id = text(&applied.body["enrollment"], "id");
        let read = parent.person.get(&format!("/v1/enrollments/{id}")).await.unwrap();
        let evidence = json!({ "pupil_id": parent.pupil_id, "section_ids": [section_id] });
        let quote = parent.person.post("/v1/quotes", &evidence).await.unwrap();

        for (answer, wanted) in [
            (&read, ["GET /v1/enrollments/{enrollment_id}", "EnrollmentService/GetEnrollment", "sea_orm"]),
            (&quote, ["POST /v1/quotes", "BillingService/GetQuote", "sea_orm"]),
            (&applied, ["POST /v1/enrollments", "EnrollmentService/Apply", "sea_orm"]),
        ] {
            assert_eq!(answer.status, 200, "{answer}");
            let trace_id = trace_of(answer);
            assert_eq!(trace_id.len(), 32, "no trace on the answer");
            let names = collector.names(&trace_id, &wanted).await;
            for wanted in wanted {
                assert!(names.iter().any(|name| name.contains(wanted)), "{kind}: no {wanted} in {names:?}");
            }
        }
        world.end().await.unwrap();
    }
    guard.shutdown().await;
}
