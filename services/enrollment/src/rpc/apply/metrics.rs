//! What the queue shows of itself: how large groups are, how many wait, how long.

use std::sync::LazyLock;
use std::time::Duration;

use opentelemetry::metrics::{Counter, Gauge, Histogram};
use shared::telemetry;

/// The numbers of this process's queue.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// See [`METRICS`].
pub struct Metrics {
    group_size: Histogram<u64>,
    group_seconds: Histogram<f64>,
    wait_seconds: Histogram<f64>,
    waiting: Gauge<u64>,
    left: Counter<u64>,
    known_full: Counter<u64>,
}

impl Metrics {
    fn new() -> Self {
        let meter = telemetry::meter("kehou.admission");
        Self {
            group_size: meter
                .u64_histogram("admission.group.size")
                .with_description("Applications decided in one transaction")
                .with_boundaries(vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0])
                .build(),
            group_seconds: meter
                .f64_histogram("admission.group.duration")
                .with_unit("s")
                .with_description("From a group's beginning to its last answer")
                .with_boundaries(telemetry::SECONDS.to_vec())
                .build(),
            wait_seconds: meter
                .f64_histogram("admission.wait.duration")
                .with_unit("s")
                .with_description("From an application's arrival to the beginning of its group")
                .with_boundaries(telemetry::SECONDS.to_vec())
                .build(),
            waiting: meter
                .u64_gauge("admission.queue.length")
                .with_description("Applications that wait, when a group has been taken from them")
                .build(),
            left: meter
                .u64_counter("admission.left")
                .with_description("Applications whose callers had gone before their group began")
                .build(),
            known_full: meter
                .u64_counter("admission.known_full")
                .with_description(
                    "Applications refused for a section known to be full, without asking the database",
                )
                .build(),
        }
    }

    /// A group begins: how large it is, how long each of it has waited, how many still wait, how many had left.
    pub fn begun(&self, waits: impl ExactSizeIterator<Item = Duration>, waiting: usize, left: usize) {
        self.group_size.record(number(waits.len()), &[]);
        for wait in waits {
            self.wait_seconds.record(wait.as_secs_f64(), &[]);
        }
        self.waiting.record(number(waiting), &[]);
        if left > 0 {
            self.left.add(number(left), &[]);
        }
    }

    /// A group has its answers.
    pub fn served(&self, busy: Duration) {
        self.group_seconds.record(busy.as_secs_f64(), &[]);
    }

    /// An application was refused for a section known to be full.
    pub fn known_full(&self) {
        self.known_full.add(1, &[]);
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
