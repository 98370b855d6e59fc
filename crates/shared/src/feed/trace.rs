//! The trace an event belongs to, as W3C `traceparent` text.

use std::collections::HashMap;

use opentelemetry::global;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

const TRACEPARENT: &str = "traceparent";

/// The trace of the current span; empty when nothing is traced.
pub fn current() -> String {
    let mut carrier = HashMap::new();
    let context = Span::current().context();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut carrier));
    carrier.remove(TRACEPARENT).unwrap_or_default()
}

/// Makes `span` a part of the trace. To be called before it is entered.
pub fn join(span: &Span, traceparent: &str) {
    if traceparent.is_empty() {
        return;
    }
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    let context = global::get_text_map_propagator(|propagator| propagator.extract(&carrier));
    // Without a tracing layer there is nothing to join.
    if span.set_parent(context).is_err() {
        tracing::trace!("no tracing layer");
    }
}
