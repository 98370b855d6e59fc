//! Which trace this is, and how it travels: W3C trace context, in headers and in the feed.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The header of W3C trace context that names trace, span and whether it is sampled.
const TRACEPARENT: &str = "traceparent";

/// Used as it is, not through the global one: a process that forgot to set that would lose traces without a word.
static PROPAGATOR: LazyLock<TraceContextPropagator> = LazyLock::new(TraceContextPropagator::new);

/// The id of the current trace, 32 hexadecimal digits; none outside of any, or when telemetry is off.
#[must_use]
pub fn trace_id() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.trace_id().to_string())
}

/// The current span as a `traceparent`, for whoever continues this trace later; empty outside of any.
#[must_use]
pub fn traceparent() -> String {
    let mut text = Traceparent(String::new());
    PROPAGATOR.inject_context(&Span::current().context(), &mut text);
    text.0
}

/// Makes `span`, which nobody has entered yet, part of the trace that `traceparent` names. An empty or broken text changes nothing.
pub fn continue_from(span: &Span, traceparent: &str) {
    // Where nobody listens to the span there is no trace to continue.
    if traceparent.is_empty() || span.is_disabled() {
        return;
    }
    adopt(span, PROPAGATOR.extract_with_context(&Context::new(), &Traceparent(traceparent)));
}

/// Makes `span`, which nobody has entered yet, part of the caller's trace.
pub(crate) fn extract(span: &Span, headers: &HeaderMap) {
    adopt(span, PROPAGATOR.extract_with_context(&Context::new(), &Headers(headers)));
}

/// Tells the callee which trace and span this is.
pub(crate) fn inject(span: &Span, headers: &mut HeaderMap) {
    PROPAGATOR.inject_context(&span.context(), &mut HeadersMut(headers));
}

fn adopt(span: &Span, parent: Context) {
    if parent.span().span_context().is_valid() {
        // Fails only where no trace layer listens; then there is no trace to lose.
        let _ = span.set_parent(parent);
    }
}

/// A `traceparent` by itself.
struct Traceparent<T>(T);

impl Extractor for Traceparent<&str> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

impl Injector for Traceparent<String> {
    fn set(&mut self, key: &str, value: String) {
        if key == TRACEPARENT {
            self.0 = value;
        }
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(key), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(key, value);
        }
    }
}
