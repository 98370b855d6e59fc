//! Who is who: the tree of organisations, pupils, guardians, staff; sign-in and consent.
//!
//! | module | knows |
//! |---|---|
//! | [`domain`] | the rules |
//! | [`store`] | rows, with personal fields sealed |
//! | [`rpc`] | `kehou.identity.v1.IdentityService` |
//! | [`job`] | what runs without a caller |
//! | [`secret`] | passwords, one-time codes, tokens |
//! | [`event`] | what others are told |
//! | [`mod@bootstrap`] | the first platform operator |
//! | [`config`] | the settings |

pub mod bootstrap;
pub mod config;
pub mod domain;
pub mod event;
pub mod job;
pub mod rpc;
pub mod secret;
pub mod store;

use std::sync::Arc;

use policy::Live;
use proto::identity::v1::identity_service_server::IdentityServiceServer;
use proto::identity::v1::message_service_server::MessageServiceServer;
use shared::caller::{Signer, Verifier};
use shared::client::Link;
use shared::clock::SharedClock;
use shared::db::{self, Db};
use shared::feed::{Feed, FeedServer, Follower};
use shared::seal::{BlindIndex, Sealer};
use shared::server::{self, Grpc, Ready};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use wechat::mini::MiniProgram;

pub use bootstrap::bootstrap;
pub use config::Config;
pub use store::check::{Checked, check};
pub use store::migration::Migrator;

/// The service's name: as issuer of tokens, in settings, metrics and logs. It must be [`shared::caller::token::IDENTITY`].
pub const NAME: &str = shared::caller::token::IDENTITY;

/// Who may follow the feed.
const HEARERS: &[&str] = &["catalog", "enrollment", "billing", "supervision"];

/// Everything the service is given.
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// The database, migrated by [`Migrator`].
    pub db: Db,
    /// The time.
    pub clock: SharedClock,
    /// Whom to believe.
    pub verifier: Arc<Verifier>,
    /// Signs the tokens that speak for people: its issuer is [`NAME`].
    pub signer: Arc<Signer>,
    /// Seals personal fields.
    pub sealer: Arc<Sealer>,
    /// Finds sealed fields.
    pub blind_index: Arc<BlindIndex>,
    /// The mini-program that guardians sign in with.
    pub wechat: MiniProgram,
    /// Every region's policy. Whoever opened it keeps it fresh.
    pub packs: Arc<Live>,
    /// The way to enrollment, in the service's own name.
    pub enrollment: Link,
}

/// Serves until `stop`, drains, returns.
///
/// # Errors
/// When the database is not on this program's schema, or the listeners fail.
pub async fn run(
    parts: Parts,
    grpc: TcpListener,
    admin: Option<TcpListener>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let Parts { config, db, clock, verifier, signer, sealer, blind_index, wechat, packs, enrollment } = parts;
    db::check_schema::<Migrator>(&db).await?;
    let feed = Feed::new(db.clone());
    let limits = config.limits;
    let message_bytes = limits.message_bytes;
    let vault = store::vault::Vault::new(sealer, blind_index);
    let messages = rpc::message_service::MessageServer {
        db: db.clone(),
        clock: clock.clone(),
        vault: vault.clone(),
        messages: config.messages.clone(),
    };
    let sender = job::send_messages::Sender {
        db: db.clone(),
        clock: clock.clone(),
        vault: vault.clone(),
        wechat: wechat.clone(),
        messages: config.messages.clone(),
    };
    let hearing =
        job::follow_enrollment::FollowEnrollment { clock: clock.clone(), messages: config.messages };
    let identity = rpc::IdentityServer::new(rpc::Given {
        sessions: config.sessions,
        db: db.clone(),
        clock: clock.clone(),
        vault,
        hasher: secret::Hasher::new()?,
        signer,
        wechat,
        packs,
    });

    // Whatever ends the server ends the jobs.
    let jobs_stop = stop.child_token();
    let numbering = {
        let (feed, stop) = (feed.clone(), jobs_stop.clone());
        tokio::spawn(async move { feed.sequencer(stop).await })
    };
    let purging = tokio::spawn(job::purge::run(db.clone(), clock, jobs_stop.clone()));
    let sending = tokio::spawn(job::send_messages::run(sender, jobs_stop.clone()));
    let follower = Follower::new(NAME, "enrollment", enrollment, db.clone(), hearing);
    let ended = jobs_stop.clone();
    // A consumer that stops has said why.
    let following = tokio::spawn(async move { drop(follower.run(ended).await) });

    let identity = IdentityServiceServer::new(identity)
        .max_decoding_message_size(message_bytes)
        .max_encoding_message_size(usize::MAX);
    let tail = FeedServer::new(feed, HEARERS, stop.clone()).into_service();
    let probed = db.clone();
    let ready = Ready::new(move || {
        let db = probed.clone();
        async move { db.ping().await.map_err(|error| error.to_string()) }
    });
    let routes = Routes::new(identity).add_service(MessageServiceServer::new(messages)).add_service(tail);
    let served =
        server::serve(Grpc { name: NAME, listener: grpc, routes, verifier, limits, ready, admin }, stop)
            .await;

    jobs_stop.cancel();
    let (numbered, purged, sent, followed) = tokio::join!(numbering, purging, sending, following);
    served?;
    numbered?;
    purged?;
    sent?;
    followed?;
    Ok(())
}
