//! Serving gRPC: one function for every service.
//!
//! | file | knows |
//! |---|---|
//! | this one | starting, being asked how one is, stopping |
//! | `door` | what every call passes before its method |
//! | `deadline` | how long a call may take |
//! | `methods` | every method there is, and how it streams |
//! | `streams` | how streams end when the server does |
//! | [`admin`] | liveness, readiness, metrics over HTTP |

pub mod admin;
pub(crate) mod deadline;
mod door;
pub(crate) mod methods;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

pub use admin::Ready;

use crate::caller::Verifier;
use door::Door;

/// How often the health that gRPC clients see is brought up to date.
const HEALTH_INTERVAL: Duration = Duration::from_secs(2);

/// A connection that is silent this long is asked whether it is still there.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// And closed when it does not say so within this.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a server takes on, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Unary calls answered at once; one more is turned away. Default 1024.
    pub concurrent_call_count: usize,
    /// A call whose caller gives no deadline gets this one, in seconds. Default 10.
    pub default_deadline_seconds: u64,
    /// A longer deadline is cut to this, in seconds. Default 60.
    pub max_deadline_seconds: u64,
    /// The largest request of a call that is not a stream, in bytes. Default 4 MiB, which is also where the generated servers stop
    /// reading one message unless told otherwise.
    pub message_bytes: usize,
    /// How long calls in flight may take to end once the server stops, in seconds. Default 20.
    pub drain_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrent_call_count: 1024,
            default_deadline_seconds: 10,
            max_deadline_seconds: 60,
            message_bytes: 4 * 1024 * 1024,
            drain_seconds: 20,
        }
    }
}

/// A gRPC server about to serve.
pub struct Grpc {
    /// The service's name, in metrics and for whoever asks after its health: `billing`.
    pub name: &'static str,
    /// Where calls come in.
    pub listener: TcpListener,
    /// The generated servers. Health and reflection are added here.
    pub routes: Routes,
    /// Whom to believe.
    pub verifier: Arc<Verifier>,
    /// What to take on.
    pub limits: Limits,
    /// Whether the service can do its work.
    pub ready: Ready,
    /// Where the scheduler and the monitoring ask; none when another server of the process answers for all.
    pub admin: Option<TcpListener>,
}

/// A server could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// gRPC's side.
    #[error("serving gRPC failed")]
    Grpc(#[from] tonic::transport::Error),
    /// The contracts compiled in cannot be read.
    #[error("the contracts cannot be reflected")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The HTTP side.
    #[error("serving the admin listener failed")]
    Admin(#[from] std::io::Error),
}

/// Serves until `stop`, then lets calls in flight end, for at most [`Limits::drain_seconds`].
///
/// On `stop`: not serving any more, for whoever asks; no new connection; streams end as `streams` says; calls in flight end. Gives
/// back when the last has, or when the time is over (then whatever is left is cut off with the process).
///
/// # Errors
/// [`ServeError`].
pub async fn serve(grpc: Grpc, stop: CancellationToken) -> Result<(), ServeError> {
    let Grpc { name, listener, routes, verifier, limits, ready, admin } = grpc;
    // Whatever ends this function ends the tasks it began.
    let end = CancellationToken::new();
    let _end = end.clone().drop_guard();

    let (health, health_server) = tonic_health::server::health_reporter();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let door = Arc::new(Door::new(name, limits, verifier, stop.clone()));
    let router = routes.add_service(health_server).add_service(reflection).into_axum_router();
    let router = router.layer(axum::middleware::from_fn_with_state(door, Door::answer));

    tell_health(&health, name, ready.ask().await.is_ok()).await;
    tokio::spawn(follow_health(health.clone(), name, ready.clone(), stop.clone()));
    let admin = admin.map(|listener| tokio::spawn(admin::serve(listener, ready, stop.clone(), end.clone())));

    tracing::info!(service.name = name, "{name} serves");
    // A small answer must not wait for a full packet.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let serving = Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
        .add_routes(Routes::from(router))
        .serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());
    let drained = async {
        stop.cancelled().await;
        tokio::time::sleep(Duration::from_secs(limits.drain_seconds)).await;
    };
    tokio::select! {
        served = serving => served?,
        () = drained => tracing::warn!(service.name = name, "{name} stops with calls in flight"),
    }
    tracing::info!(service.name = name, "{name} has stopped");

    end.cancel();
    if let Some(admin) = admin {
        // A panic in it is no reason to fail the stop.
        admin.await.unwrap_or(Ok(()))?;
    }
    Ok(())
}

/// Keeps the health of gRPC as the probe says, until `stop`; then says that it is over.
async fn follow_health(health: HealthReporter, name: &'static str, ready: Ready, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(HEALTH_INTERVAL) => tell_health(&health, name, ready.ask().await.is_ok()).await,
        }
    }
    tell_health(&health, name, false).await;
}

/// The health of the process as a whole has the empty name.
async fn tell_health(health: &HealthReporter, name: &str, is_ready: bool) {
    let status = if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing };
    health.set_service_status("", status).await;
    health.set_service_status(name, status).await;
}

/// Waits until the process is asked to stop: interrupt, or terminate as the scheduler sends it.
///
/// # Errors
/// When the operating system does not let us listen.
pub async fn stop_asked() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        asked = tokio::signal::ctrl_c() => asked,
    }
}
