//! Supervision: the bureau's eye. Complaints and suggestions, from the complainant to the answer and its rating.
//!
//! | room | knows |
//! |---|---|
//! | [`domain`] | the rules: values in, values out |
//! | [`store`] | the rows |
//! | [`rpc`] | the methods of `kehou.supervision.v1.SupervisionService` |
//! | [`job`] | what runs without a caller: following the feeds of identity and enrollment |
//! | [`writing`] | writing down, sealed, what was done with tickets |
//! | [`config`] | settings |
//!
//! [`run`] serves it all: alone in a container (`main.rs`) or beside the other services in one process.

pub mod config;
pub mod domain;
pub mod job;
pub mod rpc;
pub mod store;
pub mod writing;

use std::sync::Arc;

use policy::Live;
use shared::caller::Verifier;
use shared::client::Link;
use shared::clock::SharedClock;
use shared::db::{self, Db};
use shared::feed::{Feed, FeedServer, Follower};
use shared::request;
use shared::seal::{BlindIndex, Sealer};
use shared::server::{self, Grpc, Ready};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

pub use config::Config;
pub use store::check::{Checked, check};
pub use store::migration::Migrator;

use crate::job::follow_enrollment::FollowEnrollment;
use crate::job::follow_identity::FollowIdentity;
use crate::rpc::Supervision;

/// The service's name, for others and in telemetry.
pub const NAME: &str = "supervision";

/// Who may follow supervision's feed.
const HEARERS: &[&str] = &["billing"];

/// Everything the service is given.
pub struct Parts {
    /// Its settings.
    pub config: Config,
    /// Its database, migrated by [`Migrator`].
    pub db: Db,
    /// What time it is.
    pub clock: SharedClock,
    /// Whom to believe.
    pub verifier: Arc<Verifier>,
    /// Every region's policy. Whoever opened it keeps it fresh.
    pub packs: Arc<Live>,
    /// The way to identity, whose feed is followed; in supervision's own name.
    pub identity: Link,
    /// The way to enrollment, whose feed is followed; in supervision's own name.
    pub enrollment: Link,
    /// Seals what people write.
    pub sealer: Arc<Sealer>,
    /// Makes receipt codes.
    pub index: Arc<BlindIndex>,
}

/// Serves until `stop`, drains, returns.
///
/// # Errors
/// When the database has another schema than [`Migrator`] makes, or a listener breaks.
pub async fn run(
    parts: Parts,
    grpc: TcpListener,
    admin: Option<TcpListener>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let Parts { config, db, clock, verifier, packs, identity, enrollment, sealer, index } = parts;
    db::check_schema::<Migrator>(&db).await?;

    // Whatever ends this function ends the jobs.
    let end = stop.child_token();
    let _end = end.clone().drop_guard();
    let feed = Feed::new(db.clone());
    let follower = Follower::new(NAME, "identity", identity, db.clone(), FollowIdentity);
    let progress = follower.progress();
    let tickets = FollowEnrollment { clock: clock.clone(), packs: packs.clone(), sealer: sealer.clone() };
    let tickets = Follower::new(NAME, "enrollment", enrollment, db.clone(), tickets);
    let tickets_progress = tickets.progress();
    let jobs = [
        tokio::spawn({
            let (feed, end) = (feed.clone(), end.clone());
            async move { feed.sequencer(end).await }
        }),
        tokio::spawn({
            let end = end.clone();
            // It has logged why it stopped, and `ready` says so from then on.
            async move { drop(follower.run(end).await) }
        }),
        tokio::spawn({
            let end = end.clone();
            async move { drop(tickets.run(end).await) }
        }),
        tokio::spawn(request::forget(db.clone(), clock.clone(), end.clone())),
    ];

    let probed = db.clone();
    let database = Ready::new(move || {
        let db = probed.clone();
        async move { db.ping().await.map_err(|error| error.to_string()) }
    });
    let following = Ready::new(move || {
        let followed = [("identity", progress.is_healthy()), ("enrollment", tickets_progress.is_healthy())];
        async move {
            match followed.iter().find(|(_, is_healthy)| !is_healthy) {
                None => Ok(()),
                Some((feed, _)) => Err(format!("{feed}'s feed cannot be followed")),
            }
        }
    });
    let mut routes = Routes::builder();
    routes.add_service(Supervision::new(db, clock, packs, sealer, index).into_service());
    routes.add_service(FeedServer::new(feed, HEARERS, stop.clone()).into_service());
    let served = server::serve(
        Grpc {
            name: NAME,
            listener: grpc,
            routes: routes.routes(),
            verifier,
            limits: config.limits,
            ready: Ready::all(vec![database, following]),
            admin,
        },
        stop,
    )
    .await;

    end.cancel();
    for job in jobs {
        // A job that panicked has said so; the others are still waited for.
        let _ = job.await;
    }
    Ok(served?)
}
