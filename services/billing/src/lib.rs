//! The billing service: fee standards, quotes, invoices, WeChat payments, refunds, waivers and the ledger.
//!
//! | module | knows |
//! |---|---|
//! | [`config`] | the settings |
//! | [`anchor`] | the file outside the database with the heads of the ledger's chains |
//! | [`domain`] | the rules |
//! | [`store`] | the rows |
//! | [`till`] | the steps that methods and jobs share |
//! | [`merchant`] | who takes the money at WeChat |
//! | [`notice`] | what a notification says, as it is kept |
//! | [`export`] | tables people take home |
//! | [`event`] | domain events as messages of the feed |
//! | [`rpc`] | messages in, messages out |
//! | [`job`] | what runs without a caller |
//!
//! [`run`] serves; [`check`] looks whether what is stored keeps its promises.

pub mod anchor;
pub mod config;
pub mod domain;
pub mod event;
pub mod export;
pub mod job;
pub mod merchant;
pub mod notice;
pub mod rpc;
pub mod store;
pub mod till;

use std::sync::Arc;

use policy::Live;
use proto::billing::v1::billing_service_server::BillingServiceServer;
use proto::billing::v1::fund_service_server::FundServiceServer;
use proto::billing::v1::ledger_service_server::LedgerServiceServer;
use proto::billing::v1::price_service_server::PriceServiceServer;
use proto::billing::v1::reconciliation_service_server::ReconciliationServiceServer;
use shared::caller::Verifier;
use shared::client::Link;
use shared::clock::SharedClock;
use shared::db::Db;
use shared::feed::{Feed, FeedServer, Follower};
use shared::request;
use shared::seal::Sealer;
use shared::server::{self, Grpc, Ready};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

pub use config::Config;
pub use merchant::Merchants;
pub use store::check::{Checked, check};
pub use store::migration::Migrator;
pub use store::verify::{Verified, check_chain, export_line, verify, verify_all};
pub use till::Till;

/// The service's name: in tokens, metrics and feeds.
pub const NAME: &str = "billing";

/// The services that hear what this one tells.
const HEARERS: &[&str] = &["enrollment", "supervision"];

/// Everything the service is given.
pub struct Parts {
    /// Its settings.
    pub config: Config,
    /// Its database, migrated.
    pub db: Db,
    /// The time of day.
    pub clock: SharedClock,
    /// Whom to believe.
    pub verifier: Arc<Verifier>,
    /// Every region's policy. Whoever opened it keeps it fresh.
    pub packs: Arc<Live>,
    /// Seals documents, orders and payers.
    pub sealer: Arc<Sealer>,
    /// Who takes the money at WeChat.
    pub merchants: Merchants,
    /// Where WeChat sends notifications: absolute, without query.
    pub notify_url: String,
    /// The way to identity, in the service's own name.
    pub identity: Link,
    /// The way to the catalog, in the service's own name.
    pub catalog: Link,
    /// The way to enrollment, in the service's own name.
    pub enrollment: Link,
}

/// Serves until `stop`, drains, and gives back when the last job has ended.
///
/// # Errors
/// When the server cannot serve.
pub async fn run(
    parts: Parts,
    grpc: TcpListener,
    admin: Option<TcpListener>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let till = Till {
        db: parts.db.clone(),
        clock: parts.clock.clone(),
        packs: parts.packs.clone(),
        sealer: parts.sealer.clone(),
        merchants: parts.merchants.clone(),
        notify_url: parts.notify_url.as_str().into(),
        window: parts.config.window(),
    };
    let feed = Feed::new(parts.db.clone());
    let jobs = start_jobs(&parts, &till, &feed, &stop);

    let db = parts.db.clone();
    let ready = Ready::new(move || {
        let db = db.clone();
        async move { db.ping().await.map_err(|error| error.to_string()) }
    });
    let reconciliation = ReconciliationServiceServer::new(rpc::Reconciliation { till: till.clone() });
    let ledger = LedgerServiceServer::new(rpc::Ledger {
        till: till.clone(),
        anchor_file: parts.config.anchoring().file,
    });
    let prices = PriceServiceServer::new(rpc::Prices { till: till.clone() });
    let funds = FundServiceServer::new(rpc::fund::FundRpc(till.clone()));
    let service = BillingServiceServer::new(rpc::Billing { till, identity: parts.identity })
        .max_decoding_message_size(config::MESSAGE_BYTES)
        .max_encoding_message_size(config::MESSAGE_BYTES);
    let routes = Routes::new(service)
        .add_service(reconciliation)
        .add_service(ledger)
        .add_service(prices)
        .add_service(funds)
        .add_service(FeedServer::new(feed, HEARERS, stop.clone()).into_service());
    let served = server::serve(
        Grpc {
            name: NAME,
            listener: grpc,
            routes,
            verifier: parts.verifier,
            limits: parts.config.limits,
            ready,
            admin,
        },
        stop.clone(),
    )
    .await;

    // Whatever ended the server ends the jobs too.
    stop.cancel();
    jobs.wait().await;
    Ok(served?)
}

fn start_jobs(parts: &Parts, till: &Till, feed: &Feed, stop: &CancellationToken) -> TaskTracker {
    let jobs = TaskTracker::new();
    let sequencer = (feed.clone(), stop.clone());
    jobs.spawn(async move { sequencer.0.sequencer(sequencer.1).await });
    jobs.spawn(job::inbox::run(till.clone(), stop.clone()));
    jobs.spawn(job::orders::run(till.clone(), stop.clone()));
    jobs.spawn(job::refunds::run(till.clone(), parts.config.refunds_per_second, stop.clone()));
    jobs.spawn(job::bills::run(till.clone(), parts.config.bills_ready_hour, stop.clone()));
    let (clock, anchoring) = (parts.clock.clone(), parts.config.anchoring());
    jobs.spawn(job::seal::run(parts.db.clone(), clock, anchoring, stop.clone()));
    jobs.spawn(job::waivers::run(till.clone(), stop.clone()));
    jobs.spawn(request::forget(parts.db.clone(), parts.clock.clone(), stop.clone()));

    let db = || parts.db.clone();
    let identity = Follower::new(NAME, "identity", parts.identity.clone(), db(), job::identity::Identity);
    jobs.spawn(identity.run(stop.clone()));
    let catalog = Follower::new(NAME, "catalog", parts.catalog.clone(), db(), job::catalog::Catalog);
    jobs.spawn(catalog.run(stop.clone()));
    let enrollment = job::enrollment::Enrollment { till: till.clone() };
    let enrollment = Follower::new(NAME, "enrollment", parts.enrollment.clone(), db(), enrollment);
    jobs.spawn(enrollment.run(stop.clone()));
    jobs.close();
    jobs
}
