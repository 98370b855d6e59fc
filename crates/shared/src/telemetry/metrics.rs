//! The one registry of a process: whatever runs in it shows its numbers in one place.

use std::sync::LazyLock;

use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

/// The boundaries of every histogram of seconds, from a millisecond to the longest deadline.
pub const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

struct Metrics {
    registry: Registry,
    provider: SdkMeterProvider,
}

impl Metrics {
    fn new() -> Self {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .without_target_info()
            .build();
        let provider = match exporter {
            Ok(exporter) => SdkMeterProvider::builder().with_reader(exporter).build(),
            Err(error) => {
                // Numbers are not worth refusing to start for.
                tracing::error!(%error, "metrics cannot be shown");
                SdkMeterProvider::builder().build()
            }
        };
        opentelemetry::global::set_meter_provider(provider.clone());
        Self { registry, provider }
    }
}

/// Makes the registry, and its meters those of the whole process.
pub(super) fn start() {
    LazyLock::force(&METRICS);
}

/// Makes instruments that `/metrics` shows, whether telemetry was switched on or not.
///
/// Names are dotted, the unit apart (`rpc.server.duration`, `s`); a histogram of seconds has the boundaries [`SECONDS`]. Labels have few
/// values: a method, a reason; never an id.
#[must_use]
pub fn meter(name: &'static str) -> Meter {
    METRICS.provider.meter(name)
}

/// Every number of the process, in Prometheus' text format (version 0.0.4).
#[must_use]
pub fn metrics_text() -> String {
    TextEncoder::new().encode_to_string(&METRICS.registry.gather()).unwrap_or_else(|error| {
        tracing::error!(%error, "metrics cannot be shown");
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_of_seconds_tells_milliseconds_apart() {
        let histogram = meter("test")
            .f64_histogram("test.duration")
            .with_unit("s")
            .with_boundaries(SECONDS.to_vec())
            .build();

        histogram.record(0.003, &[]);

        let text = metrics_text();
        assert!(text.contains("test_duration_seconds_bucket{le=\"0.0025\"} 0"), "{text}");
        assert!(text.contains("test_duration_seconds_bucket{le=\"0.005\"} 1"), "{text}");
    }
}
