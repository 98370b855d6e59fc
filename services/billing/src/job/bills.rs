//! Fetches and compares WeChat's bills, day after day, once WeChat has made them.

use std::time::Duration;

use chrono::TimeDelta;
use opentelemetry::metrics::Gauge;
use shared::telemetry;
use shared::value::Moment;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::store;
use crate::till::Till;
use crate::till::reconcile::{next_day, reconcile};

/// How often the job looks whether a day is due.
const LOOK: Duration = Duration::from_secs(1);

/// How long a bill that could not be had is left alone. Source: WeChat Pay, a bill in the making is asked for again in half an hour.
const PATIENCE: TimeDelta = TimeDelta::minutes(30);

/// Compares what is due, until `stop`; bills of a day are there from `ready_hour` of the next.
pub async fn run(till: Till, ready_hour: u32, stop: CancellationToken) {
    let waiting = telemetry::meter("billing")
        .u64_gauge("billing.reconciliation.waiting_cases")
        .with_description("Differences between bills and books that wait for a person")
        .build();
    let mut not_before: Option<Moment> = None;
    while !stop.is_cancelled() {
        let now = till.clock.now();
        if not_before.is_none_or(|at| at <= now) {
            not_before = match pass(&till, ready_hour).await {
                Ok(()) => None,
                Err(status) => {
                    tracing::warn!(code = ?status.code(), "bills could not be compared and are tried again: {}", status.message());
                    Some(now + PATIENCE)
                }
            };
        }
        show(&till, &waiting).await;
        if stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            return;
        }
    }
}

/// Compares every day that is due now.
///
/// # Errors
/// As [`reconcile`]: the days after one that cannot be had wait for it.
pub async fn pass(till: &Till, ready_hour: u32) -> Result<(), Status> {
    for pay in till.merchants.all() {
        let payee_mchid = pay.merchant().payee_mchid();
        while let Some(day) = next_day(till, payee_mchid, ready_hour, till.clock.now()).await? {
            reconcile(till, pay, day).await?;
        }
    }
    Ok(())
}

async fn show(till: &Till, waiting: &Gauge<u64>) {
    if let Ok(count) = store::case::waiting_count(till.db.read(), None, None).await {
        waiting.record(count, &[]);
    }
}
