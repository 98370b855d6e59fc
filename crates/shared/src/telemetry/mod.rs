//! What operators see: logs, traces and metrics.
//!
//! | file | knows |
//! |---|---|
//! | this one | switching all of it on, once per process |
//! | `log` | the shape of a log line |
//! | `metrics` | the registry that `/metrics` shows |
//! | `trace` | which trace this is, and how it travels to others |
//!
//! Logs and traces are filtered apart: silencing a log never cuts a trace. No token, phone number, name or body is ever put
//! into any of them; fields are ids and counts.

mod log;
mod metrics;
mod trace;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use serde::{Deserialize, Serialize};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry};

pub use metrics::{SECONDS, meter, metrics_text};
pub use trace::{continue_from, trace_id, traceparent};
pub(crate) use trace::{extract, inject};

/// Spans that are worth exporting. The transport's own are left out: they say nothing ours do not, and the exporter would
/// trace itself.
const EXPORTED: &str = "info,h2=off,hyper=off,hyper_util=off,tonic=off,tower=off,reqwest=off,opentelemetry=off,\
                        opentelemetry_sdk=off,opentelemetry_otlp=off";

/// With nowhere to send them only the calls' own spans are made, so that logs and answers still carry a trace id.
const UNEXPORTED: &str = "off,shared=info,gateway=info";

/// How long the last spans may take to leave when the process ends.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How logs look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    #[default]
    Json,
    /// Lines for people.
    Pretty,
}

/// Telemetry's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// The process's name in logs and traces: `billing`. Default `kehou`.
    pub service: String,
    /// Where traces go: the URL of an OTLP/gRPC collector, `http://collector:4317`. Default none: traces go nowhere.
    pub otlp_endpoint: Option<String>,
    /// The share of traces begun here that is exported, 0 to 1. A trace begun elsewhere follows its beginner. Default 1.
    pub trace_ratio: f64,
    /// How logs look. Default `json`.
    pub log: LogFormat,
    /// Which logs are written, in `tracing`'s directives: `info,billing=debug`. Default `info`, the database library from `warn`.
    pub filter: String,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            service: "kehou".to_owned(),
            otlp_endpoint: None,
            trace_ratio: 1.0,
            log: LogFormat::Json,
            filter: "info,sqlx=warn,sea_orm=warn,sea_orm_migration=warn,h2=warn,hyper=warn,tonic=warn"
                .to_owned(),
        }
    }
}

/// Telemetry could not be switched on.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `filter` cannot be read.
    #[error("the log filter cannot be read")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// `otlp_endpoint` cannot be used.
    #[error("traces cannot be exported")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// Switched-on telemetry. Keep it until the process ends, then [`Guard::shutdown`].
#[must_use = "the last spans are lost unless it is shut down"]
#[derive(Debug, Default)]
pub struct Guard(Option<SdkTracerProvider>);

impl Guard {
    /// Sends what has not been sent yet, for at most 5 seconds.
    pub async fn shutdown(self) {
        let Some(provider) = self.0 else { return };
        // It blocks the thread while the exporter, on this runtime, sends.
        let ended =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(SHUTDOWN_TIMEOUT)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the last spans could not be exported");
        }
    }
}

/// Switches telemetry on for this process. A second call changes nothing and gives an empty guard.
///
/// With an `otlp_endpoint` it must be called inside the tokio runtime.
///
/// # Errors
/// [`TelemetryError`]; nothing is switched on then.
pub fn init(config: &TelemetryConfig) -> Result<Guard, TelemetryError> {
    static DONE: AtomicBool = AtomicBool::new(false);

    let filter = EnvFilter::try_new(&config.filter)?;
    let exported = EnvFilter::try_new(if config.otlp_endpoint.is_some() { EXPORTED } else { UNEXPORTED })?;
    let provider = provider(config)?;
    if DONE.swap(true, Ordering::SeqCst) {
        return Ok(Guard::default());
    }
    metrics::start();
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    opentelemetry::global::set_tracer_provider(provider.clone());
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("kehou")).with_location(false);
    let traces = traces.with_threads(false).with_filter(exported);
    let begun = Registry::default().with(traces).with(log::layer(config).with_filter(filter)).try_init();
    // Whoever set a subscriber before us keeps it.
    if begun.is_err() {
        return Ok(Guard::default());
    }
    Ok(Guard(Some(provider)))
}

fn provider(config: &TelemetryConfig) -> Result<SdkTracerProvider, TelemetryError> {
    let resource = Resource::builder().with_service_name(config.service.clone()).build();
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = &config.otlp_endpoint else {
        return Ok(builder.with_sampler(Sampler::AlwaysOff).build());
    };
    let exporter =
        opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_ratio)));
    Ok(builder.with_sampler(sampler).with_batch_exporter(exporter).build())
}
