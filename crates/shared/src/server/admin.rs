//! What the scheduler and the monitoring ask, over plain HTTP on a listener of its own:
//!
//! | path | answers |
//! |---|---|
//! | `/livez` | 200 as long as the process turns; never asks anyone else |
//! | `/readyz` | 200 when calls may come; 503 with why not |
//! | `/metrics` | every number of the process, in Prometheus' text format |

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use futures::future::BoxFuture;
use http::{StatusCode, header};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::telemetry;

/// A probe that takes longer has failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Says whether a service can do its work now; if not, why, in words for operators.
#[derive(Clone)]
pub struct Ready(Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>);

impl Ready {
    /// Asks `probe` each time; it should ask for what the service cannot do without, such as its database.
    pub fn new<F, W>(probe: F) -> Self
    where
        F: Fn() -> W + Send + Sync + 'static,
        W: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(probe())))
    }

    /// Ready from the start to the end.
    #[must_use]
    pub fn always() -> Self {
        Self::new(|| async { Ok(()) })
    }

    /// Ready when all are; the first that is not says why.
    #[must_use]
    pub fn all(probes: Vec<Self>) -> Self {
        Self::new(move || {
            let probes = probes.clone();
            async move {
                for probe in probes {
                    probe.ask().await?;
                }
                Ok(())
            }
        })
    }

    /// Asks, for at most 2 seconds.
    ///
    /// # Errors
    /// Why not.
    pub async fn ask(&self) -> Result<(), String> {
        match tokio::time::timeout(PROBE_TIMEOUT, (self.0)()).await {
            Ok(answer) => answer,
            Err(_) => Err("the probe gave no answer in 2 seconds".to_owned()),
        }
    }
}

#[derive(Clone)]
struct Admin {
    ready: Ready,
    stop: CancellationToken,
}

/// Serves until `end`; not ready any more from `stop` on.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(
    listener: TcpListener,
    ready: Ready,
    stop: CancellationToken,
    end: CancellationToken,
) -> std::io::Result<()> {
    let router = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Admin { ready, stop });
    axum::serve(listener, router).with_graceful_shutdown(end.cancelled_owned()).await
}

async fn readyz(State(admin): State<Admin>) -> (StatusCode, String) {
    if admin.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    match admin.ready.ask().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn metrics() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], telemetry::metrics_text())
}
