//! The enrollment service: rounds, choices, seats, the line, approval and release.
//!
//! | module | knows |
//! |---|---|
//! | [`config`] | the settings |
//! | [`domain`] | the rules |
//! | [`store`] | the rows |
//! | [`change`] | what every change of an enrollment has in common: locks, rows, counters, events, the next in line |
//! | [`event`] | domain events as messages of the feed |
//! | [`lists`] | what every closing of a drawn round's lists has in common |
//! | [`joining`] | what becomes of a section published while seats are being drawn |
//! | [`announce`] | notices to the families about rounds |
//! | [`custody`] | what every change of who answers for a pupil has in common |
//! | [`register`] | registers as they stand, made from the marks |
//! | [`hint`] | which sections are known to be full |
//! | [`rpc`] | messages in, messages out |
//! | [`job`] | what runs without a caller |
//!
//! [`run`] serves; [`check`] looks whether what is stored keeps its promises.

pub mod announce;
pub mod change;
pub mod config;
pub mod custody;
pub mod domain;
pub mod event;
pub mod hint;
pub mod job;
pub mod joining;
pub mod lists;
pub mod register;
pub mod rpc;
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use policy::Live;
use proto::billing::v1::billing_service_client::BillingServiceClient;
use proto::enrollment::v1::agreement_service_server::AgreementServiceServer;
use proto::enrollment::v1::day_service_server::DayServiceServer;
use proto::enrollment::v1::enrollment_service_server::EnrollmentServiceServer;
use proto::enrollment::v1::notice_service_server::NoticeServiceServer;
use proto::enrollment::v1::priority_service_server::PriorityServiceServer;
use proto::enrollment::v1::round_service_server::RoundServiceServer;
use proto::enrollment::v1::survey_service_server::SurveyServiceServer;
use proto::enrollment::v1::trial_service_server::TrialServiceServer;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use shared::caller::Verifier;
use shared::client::Link;
use shared::clock::SharedClock;
use shared::db::Db;
use shared::feed::{Feed, FeedServer, Follower};
use shared::request;
use shared::seal::Sealer;
use shared::server::{self, Grpc, Ready};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

pub use config::Config;
pub use store::check::check;
pub use store::migration::Migrator;

/// The service's name: in tokens, metrics and feeds.
pub const NAME: &str = "enrollment";

/// The services that hear what this one tells.
const HEARERS: &[&str] = &["identity", "billing", "supervision"];

/// How long a job rests between looks for seats that stayed free: a rare thing, and each look costs locks.
const PROMOTE_REST: Duration = Duration::from_secs(1);

/// How long the job rests between looks for pupils nobody has collected.
const ALERT_REST: Duration = Duration::from_secs(1);

/// How long the job rests between looks at what is to be laid out: a section is published minutes before it meets at the earliest.
const LAY_OUT_REST: Duration = Duration::from_secs(60);

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
    /// Seals personal fields.
    pub sealer: Arc<Sealer>,
    /// The way to identity, in the service's own name.
    pub identity: Link,
    /// The way to the catalog, in the service's own name.
    pub catalog: Link,
    /// The way to billing, in the service's own name.
    pub billing: Link,
}

/// Starts the queue of applications before a desk.
pub type StartQueue = fn(rpc::apply::Desk, &config::Admission) -> (rpc::apply::Queue, JoinHandle<()>);

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
    run_with(parts, grpc, admin, stop, rpc::apply::Queue::start).await
}

/// As [`run`], with another queue: for measuring one way of deciding against another behind the same doors.
///
/// # Errors
/// When the server cannot serve.
pub async fn run_with(
    parts: Parts,
    grpc: TcpListener,
    admin: Option<TcpListener>,
    stop: CancellationToken,
    start_queue: StartQueue,
) -> anyhow::Result<()> {
    let hints = Arc::new(hint::Hints::default());
    let desk = rpc::apply::Desk {
        db: parts.db.clone(),
        clock: parts.clock.clone(),
        packs: parts.packs.clone(),
        hints: hints.clone(),
    };
    let close_minute = parts.config.day.close_minute()?;
    let (queue, batcher) = start_queue(desk, &parts.config.admission);
    let feed = Feed::new(parts.db.clone());
    let jobs = start_jobs(&parts, &feed, &hints, close_minute, &stop);

    let day = rpc::day::DayRpc {
        db: parts.db.clone(),
        clock: parts.clock.clone(),
        packs: parts.packs.clone(),
        vault: store::vault::Vault::new(parts.sealer.clone()),
        identity: IdentityServiceClient::new(parts.identity.clone()),
        close_minute,
    };
    let round = rpc::round::RoundRpc {
        db: parts.db.clone(),
        clock: parts.clock.clone(),
        packs: parts.packs.clone(),
        vault: store::vault::Vault::new(parts.sealer.clone()),
        hints: hints.clone(),
    };
    let priority = rpc::priority::PriorityRpc {
        db: parts.db.clone(),
        clock: parts.clock.clone(),
        packs: parts.packs.clone(),
        vault: store::vault::Vault::new(parts.sealer.clone()),
        identity: IdentityServiceClient::new(parts.identity.clone()),
    };
    let notice = rpc::notice::NoticeRpc {
        db: parts.db.clone(),
        clock: parts.clock.clone(),
        packs: parts.packs.clone(),
        identity: IdentityServiceClient::new(parts.identity.clone()),
    };
    let survey = rpc::survey::SurveyRpc {
        db: parts.db.clone(),
        clock: parts.clock.clone(),
        packs: parts.packs.clone(),
        vault: store::vault::Vault::new(parts.sealer.clone()),
        identity: IdentityServiceClient::new(parts.identity.clone()),
    };
    let service = rpc::EnrollmentRpc {
        db: parts.db.clone(),
        clock: parts.clock,
        packs: parts.packs,
        verifier: parts.verifier.clone(),
        billing: BillingServiceClient::new(parts.billing),
        identity: IdentityServiceClient::new(parts.identity),
        hints,
        queue,
    };
    let db = parts.db;
    let ready = Ready::new(move || {
        let db = db.clone();
        async move { db.ping().await.map_err(|error| error.to_string()) }
    });
    let routes = Routes::new(EnrollmentServiceServer::new(service.clone()))
        .add_service(TrialServiceServer::new(rpc::trial::TrialRpc(service.clone())))
        .add_service(AgreementServiceServer::new(service))
        .add_service(DayServiceServer::new(day))
        .add_service(RoundServiceServer::new(round))
        .add_service(PriorityServiceServer::new(priority))
        .add_service(NoticeServiceServer::new(notice))
        .add_service(SurveyServiceServer::new(survey))
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
    // The queue went with the server: what still waited has been decided.
    if let Err(error) = batcher.await {
        tracing::error!(%error, "the batcher ended badly: {error}");
    }
    Ok(served?)
}

fn start_jobs(
    parts: &Parts,
    feed: &Feed,
    hints: &Arc<hint::Hints>,
    close_minute: i32,
    stop: &CancellationToken,
) -> TaskTracker {
    let bench = job::Bench {
        db: parts.db.clone(),
        clock: parts.clock.clone(),
        hints: hints.clone(),
        config: parts.config.jobs.clone(),
    };
    let jobs = TaskTracker::new();
    let sequencer = (feed.clone(), stop.clone());
    jobs.spawn(async move { sequencer.0.sequencer(sequencer.1).await });

    let (expire, ending) = (bench.clone(), stop.clone());
    jobs.spawn(async move {
        expire.repeat("expire", expire.rest(), &ending, || job::expire::expire(&expire)).await;
    });
    let (close, ending, billing) =
        (bench.clone(), stop.clone(), BillingServiceClient::new(parts.billing.clone()));
    jobs.spawn(async move {
        close.repeat("close", close.rest(), &ending, || job::close::close(&close, &billing)).await;
    });
    let (lay_out, ending) = (bench.clone(), stop.clone());
    jobs.spawn(async move {
        lay_out
            .repeat("lay_out", LAY_OUT_REST, &ending, || job::lay_out::lay_out(&lay_out, close_minute))
            .await;
    });
    let (registers, ending) = (bench.clone(), stop.clone());
    jobs.spawn(async move {
        let close = || job::close_registers::close_registers(&registers);
        registers.repeat("close_registers", registers.rest(), &ending, close).await;
    });
    let (lists, ending, vault) =
        (bench.clone(), stop.clone(), store::vault::Vault::new(parts.sealer.clone()));
    jobs.spawn(async move {
        let close = || job::close_lists::close_lists(&lists, &vault);
        lists.repeat("close_lists", lists.rest(), &ending, close).await;
    });
    let (ties, ending, packs) = (bench.clone(), stop.clone(), parts.packs.clone());
    let vault = store::vault::Vault::new(parts.sealer.clone());
    jobs.spawn(async move {
        let decide = || job::decide_ties::decide_ties(&ties, &vault, &packs);
        ties.repeat("decide_ties", ties.rest(), &ending, decide).await;
    });
    let (alert, ending, grace) = (bench.clone(), stop.clone(), parts.config.day.alert_after_seconds);
    jobs.spawn(async move {
        alert.repeat("alert", ALERT_REST, &ending, || job::alert::alert(&alert, grace)).await;
    });
    let (changes, ending) = (bench.clone(), stop.clone());
    jobs.spawn(async move {
        let end = || job::change_seats::change_seats(&changes);
        changes.repeat("change_seats", changes.rest(), &ending, end).await;
    });
    let (promote, ending) = (bench, stop.clone());
    jobs.spawn(async move {
        promote.repeat("promote", PROMOTE_REST, &ending, || job::promote::promote(&promote)).await;
    });

    let clock = || parts.clock.clone();
    let db = || parts.db.clone();
    jobs.spawn(request::forget(db(), clock(), stop.clone()));
    let identity = job::follow_identity::FollowIdentity { clock: clock() };
    let identity = Follower::new(NAME, "identity", parts.identity.clone(), db(), identity);
    jobs.spawn(identity.run(stop.clone()));
    let catalog = job::follow_catalog::FollowCatalog { clock: clock(), packs: parts.packs.clone() };
    let catalog = Follower::new(NAME, "catalog", parts.catalog.clone(), db(), catalog);
    jobs.spawn(catalog.run(stop.clone()));
    let billing = job::follow_billing::FollowBilling { clock: clock() };
    let billing = Follower::new(NAME, "billing", parts.billing.clone(), db(), billing);
    jobs.spawn(billing.run(stop.clone()));
    jobs.close();
    jobs
}
