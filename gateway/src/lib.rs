//! The edge: HTTP and JSON for the mini-program and the consoles, gRPC behind it. It holds no rules.
//!
//! | file | knows |
//! |---|---|
//! | [`config`] | settings, each with unit and default |
//! | `session` | session tokens and the caller tokens they become |
//! | [`read`](mod@read) | bodies, queries, idempotency keys, files; errors that name the field |
//! | [`problem`], [`sentence`] | refusals as problem documents, and their words for people |
//! | [`admissions`] | the stream that carries applications for seats |
//! | [`menu`] | snapshots with an ETag |
//! | `door` | trace, request id, limits, time-out, security headers: what every request passes |
//! | `linger` | bodies nobody reads, so that the answer still arrives |
//! | `routes` | one file an area: read, call one method, render |

pub mod admissions;
pub mod config;
pub mod convert;
mod door;
mod linger;
pub mod menu;
pub mod problem;
pub mod read;
mod routes;
pub mod sentence;
mod session;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use shared::caller::Signer;
use shared::client::{self, Link};
use shared::clock::SharedClock;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use utoipa::openapi::OpenApi;

pub use config::Config;

use admissions::Admissions;
use config::Limits;
use menu::Snapshots;
use session::Sessions;

/// What a handler can reach.
#[derive(Clone)]
pub struct Edge(Arc<Reach>);

/// See [`Edge`].
pub struct Reach {
    pub(crate) limits: Limits,
    /// In the gateway's own name, or as the base for a caller's.
    pub(crate) links: Links,
    /// In nobody's name.
    pub(crate) public: Links,
    pub(crate) sessions: Sessions,
    pub(crate) admissions: Admissions,
    pub(crate) menus: Snapshots,
    pub(crate) door: door::Door,
}

impl std::ops::Deref for Edge {
    type Target = Reach;
    fn deref(&self) -> &Reach {
        &self.0
    }
}

/// The ways to the five services.
#[derive(Clone)]
pub struct Links {
    pub(crate) identity: Link,
    pub(crate) catalog: Link,
    pub(crate) enrollment: Link,
    pub(crate) billing: Link,
    pub(crate) supervision: Link,
}

/// Everything the gateway is given.
pub struct Parts {
    /// Its settings.
    pub config: Config,
    /// The time.
    pub clock: SharedClock,
    /// Signs the gateway's own tokens (issuer `gateway`).
    pub signer: Arc<Signer>,
}

impl Edge {
    /// Makes the ways to the services; nothing is connected before it is needed. What runs beside the requests ends with
    /// `end`.
    fn open(parts: &Parts, end: &CancellationToken) -> anyhow::Result<Self> {
        let services = &parts.config.services;
        let endpoints = [
            &services.identity,
            &services.catalog,
            &services.enrollment,
            &services.billing,
            &services.supervision,
        ];
        let channels = endpoints.map(|endpoint| client::channel(endpoint));
        let [identity, catalog, enrollment, billing, supervision] = channels;
        let channels = [identity?, catalog?, enrollment?, billing?, supervision?];
        let links = |make: &dyn Fn(Channel) -> Link| {
            let [identity, catalog, enrollment, billing, supervision] = channels.clone().map(make);
            Links { identity, catalog, enrollment, billing, supervision }
        };
        let own = links(&|channel| Link::service(channel, parts.signer.clone()));
        let limits = parts.config.limits.clone();
        let edge = Self(Arc::new(Reach {
            sessions: Sessions::new(own.identity.clone(), parts.clock.clone()),
            admissions: Admissions::start(own.enrollment.clone(), &limits, end.clone()),
            menus: Snapshots::default(),
            public: links(&|channel| Link::anonymous(channel)),
            door: door::Door::new(&limits),
            links: own,
            limits,
        }));
        tokio::spawn(door::forget_the_quiet(edge.clone(), end.clone()));
        Ok(edge)
    }
}

/// Serves until `stop`, lets requests under way end for at most [`Limits::drain_seconds`](config::Limits), returns.
///
/// # Errors
/// When an endpoint in the settings is no URL, or the listener breaks.
pub async fn run(
    parts: Parts,
    listener: TcpListener,
    admin: Option<TcpListener>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    // What requests under way need lives until they have ended, not only until `stop`.
    let end = CancellationToken::new();
    let _end = end.clone().drop_guard();
    let edge = Edge::open(&parts, &end)?;
    let drain = Duration::from_secs(edge.limits.drain_seconds);
    let admin = admin.map(|listener| {
        tokio::spawn(shared::server::admin::serve(
            listener,
            shared::server::Ready::always(),
            stop.clone(),
            end.clone(),
        ))
    });
    let address = listener.local_addr()?;
    tracing::info!(%address, "the gateway listens on {address}");
    let service = routes::all(edge).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let drained = async {
        stop.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        served = serving.into_future() => served?,
        () = drained => tracing::warn!("the gateway stops with requests under way"),
    }
    end.cancel();
    if let Some(admin) = admin {
        admin.await??;
    }
    Ok(())
}

/// The description of the whole API (OpenAPI 3.1), as it is served at `/openapi.json`.
#[must_use]
pub fn openapi() -> OpenApi {
    routes::described()
}
