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
//! | `routes` | one file an area: read, call one method, render |

pub mod admissions;
pub mod config;
pub mod convert;
mod door;
pub mod menu;
pub mod problem;
pub mod read;
mod routes;
pub mod sentence;
mod session;

use std::sync::Arc;

use shared::caller::Signer;
use shared::client::{self, Link};
use shared::clock::SharedClock;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
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

/// Serves until `stop`, lets requests under way end, returns.
///
/// # Errors
/// When an endpoint in the settings is no URL, or the listener breaks.
pub async fn run(
    parts: Parts,
    listener: TcpListener,
    admin: Option<TcpListener>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let services = &parts.config.services;
    let endpoints = [
        &services.identity,
        &services.catalog,
        &services.enrollment,
        &services.billing,
        &services.supervision,
    ];
    let mut channels = Vec::new();
    for endpoint in endpoints {
        channels.push(client::channel(endpoint)?);
    }
    let links = |make: &dyn Fn(usize) -> Link| Links {
        identity: make(0),
        catalog: make(1),
        enrollment: make(2),
        billing: make(3),
        supervision: make(4),
    };
    let own = links(&|at| Link::service(channels[at].clone(), parts.signer.clone()));
    let edge = Edge(Arc::new(Reach {
        limits: parts.config.limits.clone(),
        sessions: Sessions::new(own.identity.clone(), parts.clock.clone()),
        admissions: Admissions::start(own.enrollment.clone(), stop.clone()),
        menus: Snapshots::default(),
        public: links(&|at| Link::anonymous(channels[at].clone())),
        door: door::Door::new(&parts.config.limits),
        links: own,
    }));

    let end = CancellationToken::new();
    let _end = end.clone().drop_guard();
    let ready = shared::server::Ready::always();
    let admin = admin.map(|listener| {
        tokio::spawn(shared::server::admin::serve(
            listener,
            ready,
            stop.clone(),
            end.clone(),
        ))
    });
    tracing::info!(address = %listener.local_addr()?, "the gateway listens on {}", listener.local_addr()?);
    let (router, _) = routes::all(edge);
    axum::serve(
        listener,
        router.into_make_service_with_connect_info::<std::net::SocketAddr>(),
    )
    .with_graceful_shutdown(stop.cancelled_owned())
    .await?;
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
