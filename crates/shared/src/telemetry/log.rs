//! The shape of a log line.

use std::fmt;

use opentelemetry::trace::TraceContextExt as _;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::{Format, Json, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::{LogFormat, TelemetryConfig};

/// A layer that writes to standard error: standard output belongs to what a command answers.
pub(super) fn layer<S>(config: &TelemetryConfig) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match config.log {
        LogFormat::Pretty => layer.with_target(false).boxed(),
        LogFormat::Json => layer.json().event_format(Line::new(&config.service)).boxed(),
    }
}

/// One JSON object a line: `service`, `trace_id` and `span_id` when there is a trace, then the time, level, target, the event's
/// fields and, under `spans`, the fields of the spans around it.
struct Line {
    /// Already in JSON.
    service: String,
    rest: Format<Json>,
}

impl Line {
    fn new(service: &str) -> Self {
        let service = serde_json::Value::from(service).to_string();
        let rest = Format::default().json().flatten_event(true).with_current_span(false).with_span_list(true);
        Self { service, rest }
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    Format<Json>: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut object = String::with_capacity(512);
        self.rest.format_event(ctx, Writer::new(&mut object), event)?;

        write!(writer, "{{\"service\":{},", self.service)?;
        let context = opentelemetry::Context::current();
        let span = context.span().span_context().clone();
        if span.is_valid() {
            write!(writer, "\"trace_id\":\"{}\",\"span_id\":\"{}\",", span.trace_id(), span.span_id())?;
        }
        writer.write_str(object.strip_prefix('{').unwrap_or(&object))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_one_object_with_its_trace_and_the_fields_around_it() {
        let page = Page::default();
        let written = page.clone();
        let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).build();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(move || page.clone())
            .json()
            .event_format(Line::new("a\"b"));
        let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let mut trace_id = None;

        tracing::subscriber::with_default(Registry::default().with(traces).with(lines), || {
            let span = tracing::info_span!("rpc", call.id = "tap-1");
            let _entered = span.enter();
            trace_id = crate::telemetry::trace_id();
            tracing::info!(seat.count = 28, "the section is full");
        });

        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["service"], "a\"b");
        assert_eq!(line["message"], "the section is full");
        assert_eq!(line["seat.count"], 28);
        assert_eq!(line["spans"][0]["call.id"], "tap-1");
        assert_eq!(line["trace_id"].as_str(), trace_id.as_deref());
        assert_eq!(trace_id.map(|id| id.len()), Some(32));
    }
}
