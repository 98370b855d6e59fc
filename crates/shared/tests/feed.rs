//! Events from one service to another: all of them, once, in order, whatever crashes. On both databases.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use proto::feed::v1::TailRequest;
use proto::feed::v1::feed_service_client::FeedServiceClient;
use sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::prelude::{MigrationTrait, MigratorTrait, Table};
use shared::caller::Caller;
use shared::db::{Db, Error, Kind, Tx, column, migration};
use shared::feed::{self, Consumer, Feed, FeedServer, FollowError, Follower, NewEvent, State, Told};
use shared::testing::TestDb;
use shared::value::Id;
use shared::{random, status, testing};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Status};
use uuid::Uuid;

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = migration::shared();
        migrations.push(
            migration::named("m20260902_000001_heard")
                // The telling service's state: how many events a subject has told.
                .table(Table::create().table("subject").col(column::key("id")).col(column::number("told")))
                // The hearing service's state: what it has heard. No key, so that a second time would show.
                .table(
                    Table::create()
                        .table("heard")
                        .col(column::number("position"))
                        .col(column::id("subject_id"))
                        .col(column::number("number")),
                )
                .boxed(),
        );
        migrations
    }
}

const HEARERS: &[&str] = &["billing"];

/// The event is a number within its subject; any message with one does.
type Payload = TailRequest;

fn payload(number: i64) -> Payload {
    Payload { consumer: String::new(), after_position: number }
}

async fn execute(on: &impl ConnectionTrait, sql: &str, values: Vec<sea_orm::Value>) -> Result<u64, Error> {
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    Ok(on.execute_raw(statement).await?.rows_affected())
}

async fn tell(tx: &Tx, subject_id: Uuid, number: i64) {
    let event = NewEvent {
        district_id: Id::new(Uuid::nil()),
        subject_id,
        name: "number_told",
        payload: &payload(number),
        happened_at: testing::moment("2026-09-01T12:00:00+08:00"),
    };
    feed::append(tx, event).await.unwrap();
}

async fn tell_alone(db: &Db, number: i64) {
    let tx = db.begin().await.unwrap();
    tell(&tx, Uuid::nil(), number).await;
    tx.commit().await.unwrap();
}

/// A service's changing method: locks the subject, counts, tells. A third of them roll back.
async fn count_up(db: &Db, subject_id: Uuid, give_up: bool) -> Result<(), Error> {
    let tx = db.begin().await?;
    execute(&tx, "update subject set told = told + 1 where id = $1", vec![subject_id.into()]).await?;
    let select = Statement::from_sql_and_values(
        tx.get_database_backend(),
        "select told from subject where id = $1",
        [subject_id.into()],
    );
    let number: i64 = tx.query_one_raw(select).await?.unwrap().try_get_by_index(0)?;
    tell(&tx, subject_id, number).await;
    let pause = u64::from(random::bytes::<1>()[0]) * 10;
    tokio::time::sleep(Duration::from_micros(pause)).await;
    if give_up {
        return Ok(());
    }
    tx.commit().await
}

/// Writes down what it hears.
struct Listener {
    /// Refuses once per event with a passing refusal.
    is_shaky: bool,
    /// Cannot understand the event with this number, while it is not 0.
    poison: Arc<AtomicI64>,
    attempts: AtomicU32,
}

impl Listener {
    fn new() -> Self {
        Self { is_shaky: false, poison: Arc::new(AtomicI64::new(0)), attempts: AtomicU32::new(0) }
    }
}

#[async_trait]
impl Consumer for Listener {
    type Event = Payload;

    async fn apply(&self, tx: &Tx, told: &Told, event: Payload) -> Result<(), Status> {
        let number = event.after_position;
        let values = vec![told.position.into(), told.subject_id.into(), number.into()];
        execute(tx, "insert into heard (position, subject_id, number) values ($1, $2, $3)", values).await?;
        if number == self.poison.load(Ordering::SeqCst) {
            return Err(Status::internal("not understood"));
        }
        if number == -1 {
            panic!("a bug in the consumer");
        }
        if self.is_shaky && self.attempts.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
            return Err(status::unavailable("DATABASE_UNAVAILABLE"));
        }
        Ok(())
    }
}

/// What was heard, by position: position, subject, number.
async fn heard(db: &Db) -> Vec<(i64, Uuid, i64)> {
    let select = "select position, subject_id, number from heard order by position";
    let statement = Statement::from_string(db.read().get_database_backend(), select);
    let rows = db.read().query_all_raw(statement).await.unwrap();
    let read = |row: &sea_orm::QueryResult| {
        (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap(), row.try_get_by_index(2).unwrap())
    };
    rows.iter().map(read).collect()
}

/// Fails unless every position from 1 to `count` was heard once, and each subject's numbers in order without
/// gaps.
fn assert_all_once_in_order(heard: &[(i64, Uuid, i64)], count: usize) {
    let positions: Vec<_> = heard.iter().map(|(position, ..)| *position).collect();
    let expected: Vec<_> = (1..).take(count).collect();
    assert_eq!(positions, expected, "every position once");
    let mut last: HashMap<Uuid, i64> = HashMap::new();
    for (position, subject, number) in heard {
        let last = last.entry(*subject).or_default();
        assert_eq!(*number, *last + 1, "position {position} of subject {subject}");
        *last = *number;
    }
}

/// A telling service, served on loopback to callers who say they are `caller`.
struct Teller {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    _guard: DropGuard,
}

async fn serve(db: Db, caller: Caller) -> Teller {
    serve_at(SocketAddr::from(([127, 0, 0, 1], 0)), db, caller).await
}

async fn serve_at(address: SocketAddr, db: Db, caller: Caller) -> Teller {
    let stop = CancellationToken::new();
    let feed = Feed::new(db);
    let service = FeedServer::new(feed.clone(), HEARERS, stop.clone()).into_service();
    let service =
        tonic::service::interceptor::InterceptedService::new(service, move |mut request: Request<()>| {
            request.extensions_mut().insert(caller.clone());
            Ok(request)
        });
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = Server::builder()
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());
    let sequencer_stop = stop.clone();
    let serving = tokio::spawn(async move {
        let (served, ()) = tokio::join!(server, feed.sequencer(sequencer_stop));
        served.unwrap();
    });
    Teller { address, stop: stop.clone(), serving, _guard: stop.drop_guard() }
}

fn billing() -> Caller {
    Caller::Service("billing".to_owned())
}

impl Teller {
    fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy()
    }

    fn follower(&self, db: &TestDb, listener: Listener) -> Follower<Channel, Listener> {
        Follower::new("billing", "numbers", self.channel(), Db::clone(db), listener)
    }
}

#[tokio::test]
async fn a_reader_of_ids_skips_what_a_reader_of_positions_hears() {
    // Two open transactions need an engine with two writers.
    let db = testing::database::<Migrator>(Kind::Postgres).await;
    let feed = Feed::new(Db::clone(&db));
    let (early, late) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let ids_after = async |seq: i64| -> Vec<i64> {
        let select = "select seq from event where seq > $1 order by seq";
        let statement =
            Statement::from_sql_and_values(db.read().get_database_backend(), select, [seq.into()]);
        let rows = db.read().query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    };

    let first = db.begin().await.unwrap();
    tell(&first, early, 1).await;
    let second = db.begin().await.unwrap();
    tell(&second, late, 1).await;
    second.commit().await.unwrap();
    feed.number().await.unwrap();
    let naive_before = ids_after(0).await;
    let ours_before = feed.after(0, 10).await.unwrap();

    first.commit().await.unwrap();
    feed.number().await.unwrap();
    let naive_after = ids_after(*naive_before.last().unwrap()).await;
    let ours_after = feed.after(ours_before.last().unwrap().position, 10).await.unwrap();

    assert_eq!(
        (naive_before.len(), naive_after.len()),
        (1, 0),
        "by id, the first transaction's event is never seen"
    );
    let subjects = |events: &[proto::feed::v1::Event]| -> Vec<String> {
        events.iter().map(|event| event.subject_id.clone()).collect()
    };
    assert_eq!(subjects(&ours_before), [late.to_string()]);
    assert_eq!(subjects(&ours_after), [early.to_string()]);
    assert_eq!(ours_after[0].position, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_that_number_at_once_do_not_disturb_each_other() {
    for db in testing::each_database::<Migrator>().await {
        let replicas =
            [Feed::new(db.reopen().await), Feed::new(db.reopen().await), Feed::new(db.reopen().await)];
        let done = CancellationToken::new();
        let numbering = replicas.map(|feed| {
            let done = done.clone();
            tokio::spawn(async move {
                let mut count = 0;
                while !done.is_cancelled() {
                    // Also an error would show that the lock does not hold: the unique index would have had to.
                    count += feed.number().await.unwrap();
                }
                count + feed.number().await.unwrap()
            })
        });

        for number in 1..=60 {
            tell_alone(&db, number).await;
        }
        done.cancel();

        let mut count = 0;
        for numbered in numbering {
            count += numbered.await.unwrap();
        }
        assert_eq!(count, 60);
        let events = Feed::new(Db::clone(&db)).after(0, 100).await.unwrap();
        assert!(events.iter().map(|event| event.position).eq(1..=60));
    }
}

#[tokio::test]
async fn an_event_of_a_change_that_rolled_back_is_never_heard() {
    for db in testing::each_database::<Migrator>().await {
        let feed = Feed::new(Db::clone(&db));
        let tx = db.begin().await.unwrap();
        tell(&tx, Uuid::nil(), 1).await;
        drop(tx);
        tell_alone(&db, 2).await;

        assert_eq!(feed.number().await.unwrap(), 1);

        let events = feed.after(0, 10).await.unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].position, 1);
        assert_eq!(events[0].name, "number_told");
    }
}

#[tokio::test]
async fn many_events_of_one_change_keep_their_order() {
    for db in testing::each_database::<Migrator>().await {
        let feed = Feed::new(Db::clone(&db));
        let payloads: Vec<_> = (1..=2_345).map(payload).collect();
        let events: Vec<_> = payloads
            .iter()
            .map(|payload| NewEvent {
                district_id: Id::new(Uuid::nil()),
                subject_id: Uuid::nil(),
                name: "number_told",
                payload,
                happened_at: testing::moment("2026-09-01T12:00:00+08:00"),
            })
            .collect();
        let tx = db.begin().await.unwrap();
        feed::append_all(&tx, &events).await.unwrap();
        tx.commit().await.unwrap();

        assert_eq!(feed.number().await.unwrap(), 2_345);

        let told = testing::told::<Payload>(&db).await;
        assert!(told.iter().zip(1..).all(|((_, _, event), number)| event.after_position == number));
        let positions: Vec<_> =
            feed.after(0, 10_000).await.unwrap().iter().map(|event| event.position).collect();
        assert_eq!(positions, (1..=2_345).collect::<Vec<_>>());
        assert_eq!(feed.last_position().await.unwrap(), 2_345);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_told_by_many_is_heard_once_in_order_though_the_hearer_keeps_crashing() {
    const WRITERS: usize = 8;
    const CHANGES: usize = 12;
    let mut crashes = 0;
    for repeat in 0..3 {
        for (ours, theirs) in testing::each_database::<Migrator>()
            .await
            .into_iter()
            .zip(testing::each_database::<Migrator>().await)
        {
            let subjects: Vec<_> = (1..=3).map(Uuid::from_u128).collect();
            for subject in &subjects {
                let tx = theirs.begin().await.unwrap();
                execute(&tx, "insert into subject (id, told) values ($1, 0)", vec![(*subject).into()])
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
            }
            // Two replicas tell, and both number.
            let replicas =
                [serve(Db::clone(&theirs), billing()).await, serve(theirs.reopen().await, billing()).await];

            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let (db, subjects) = (Db::clone(&theirs), subjects.clone());
                    tokio::spawn(async move {
                        for change in 0..CHANGES {
                            let subject = subjects[(writer + change) % subjects.len()];
                            count_up(&db, subject, change % 3 == 2).await.unwrap();
                        }
                    })
                })
                .collect();
            // One replica hears and is killed at any moment: before a commit, after it, or in the middle of
            // one.
            let total = i64::try_from(WRITERS * CHANGES * 2 / 3).unwrap();
            let mut kills = 0;
            loop {
                let follower = replicas[kills % 2]
                    .follower(&ours, Listener { is_shaky: repeat == 1, ..Listener::new() });
                let mut progress = follower.progress();
                let run = tokio::spawn(follower.run(CancellationToken::new()));
                // Longer and longer, so that also a busy machine comes to the end.
                let spared = u64::try_from(kills / 4).unwrap();
                let life = Duration::from_millis(10 + u64::from(random::bytes::<1>()[0]) / 2 + spared);
                let finished =
                    tokio::time::timeout(life, progress.wait_for(|standing| standing.applied == total)).await;
                run.abort();
                let _ = run.await;
                if finished.is_ok() {
                    break;
                }
                kills += 1;
                assert!(kills < 2_000, "stuck at {:?}", progress.standing());
            }
            crashes += kills;
            for writer in writers {
                writer.await.unwrap();
            }

            assert_all_once_in_order(&heard(&ours).await, usize::try_from(total).unwrap());
            assert_eq!(Feed::new(Db::clone(&theirs)).last_position().await.unwrap(), total);
        }
    }
    assert!(crashes >= 10, "only {crashes} crashes: the test shows little");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_replicas_that_hear_the_same_feed_apply_each_event_once() {
    for (ours, theirs) in
        testing::each_database::<Migrator>().await.into_iter().zip(testing::each_database::<Migrator>().await)
    {
        for number in 1..=40 {
            tell_alone(&theirs, number).await;
        }
        let teller = serve(Db::clone(&theirs), billing()).await;
        let stop = CancellationToken::new();

        let followers = [teller.follower(&ours, Listener::new()), teller.follower(&ours, Listener::new())];
        let mut progresses = followers.each_ref().map(Follower::progress);
        let runs = followers.map(|follower| tokio::spawn(follower.run(stop.clone())));
        for progress in &mut progresses {
            progress.wait_for(|standing| standing.applied == 40).await;
        }
        stop.cancel();
        for run in runs {
            run.await.unwrap().unwrap();
        }

        assert_all_once_in_order(&heard(&ours).await, 40);
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_applied_stops_its_consumer_there_and_a_restart_goes_on() {
    for (ours, theirs) in
        testing::each_database::<Migrator>().await.into_iter().zip(testing::each_database::<Migrator>().await)
    {
        for number in 1..=5 {
            tell_alone(&theirs, number).await;
        }
        let teller = serve(Db::clone(&theirs), billing()).await;
        let listener = Listener::new();
        listener.poison.store(3, Ordering::SeqCst);

        let follower = teller.follower(&ours, listener);
        let progress = follower.progress();
        let error = follower.run(CancellationToken::new()).await.unwrap_err();

        assert!(matches!(error, FollowError::Poison { position: 3, .. }), "{error}");
        assert!(!progress.is_healthy());
        assert_eq!((progress.standing().applied, progress.standing().lag()), (2, 3));
        assert_all_once_in_order(&heard(&ours).await, 2);

        let stop = CancellationToken::new();
        let follower = teller.follower(&ours, Listener::new());
        let mut progress = follower.progress();
        let run = tokio::spawn(follower.run(stop.clone()));
        assert_eq!(progress.wait_for(|standing| standing.applied == 5).await.lag(), 0);
        stop.cancel();
        run.await.unwrap().unwrap();
        assert_all_once_in_order(&heard(&ours).await, 5);
    }
}

#[tokio::test]
async fn a_panic_in_a_consumer_stops_it_loudly_and_leaves_nothing_applied() {
    for (ours, theirs) in
        testing::each_database::<Migrator>().await.into_iter().zip(testing::each_database::<Migrator>().await)
    {
        tell_alone(&theirs, -1).await;
        let teller = serve(Db::clone(&theirs), billing()).await;

        let follower = teller.follower(&ours, Listener::new());
        let progress = follower.progress();
        let error = follower.run(CancellationToken::new()).await.unwrap_err();

        assert!(
            matches!(&error, FollowError::Poison { position: 1, why, .. } if why.contains("a bug")),
            "{error}"
        );
        assert_eq!(progress.standing().state, State::Stopped);
        assert!(heard(&ours).await.is_empty());
    }
}

#[tokio::test]
async fn a_hearer_goes_on_when_the_teller_comes_back() {
    for (ours, theirs) in
        testing::each_database::<Migrator>().await.into_iter().zip(testing::each_database::<Migrator>().await)
    {
        let teller = serve(Db::clone(&theirs), billing()).await;
        let address = teller.address;
        let follower = teller.follower(&ours, Listener::new());
        let mut progress = follower.progress();
        let stop = CancellationToken::new();
        let run = tokio::spawn(follower.run(stop.clone()));
        tell_alone(&theirs, 1).await;
        progress.wait_for(|standing| standing.applied == 1).await;

        teller.stop.cancel();
        teller.serving.await.unwrap();
        progress.wait_for(|standing| standing.state == State::Connecting).await;
        tell_alone(&theirs, 2).await;
        let _teller = serve_at(address, Db::clone(&theirs), billing()).await;

        progress.wait_for(|standing| standing.applied == 2).await;
        assert_all_once_in_order(&heard(&ours).await, 2);
        stop.cancel();
        run.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn only_the_services_named_may_hear() {
    let db = testing::database::<Migrator>(Kind::Sqlite).await;
    let table = [
        (Caller::Anonymous, Code::Unauthenticated, "TOKEN_MISSING"),
        (Caller::Service("gateway".to_owned()), Code::PermissionDenied, "SERVICE_ONLY"),
    ];
    for (caller, code, reason) in table {
        let teller = serve(Db::clone(&db), caller).await;
        let request = TailRequest { consumer: "billing".to_owned(), after_position: 0 };

        let refusal = FeedServiceClient::new(teller.channel()).tail(request).await.unwrap_err();

        assert_eq!((refusal.code(), status::reason_of(&refusal).as_deref()), (code, Some(reason)));
    }
}

#[tokio::test]
async fn a_request_with_broken_fields_is_told_all_of_them() {
    let db = testing::database::<Migrator>(Kind::Sqlite).await;
    let teller = serve(Db::clone(&db), billing()).await;
    let request = TailRequest { consumer: String::new(), after_position: -1 };

    let refusal = FeedServiceClient::new(teller.channel()).tail(request).await.unwrap_err();

    let fields: Vec<_> =
        status::violations_of(&refusal).list().iter().map(|violation| violation.field.clone()).collect();
    assert_eq!(fields, ["consumer", "after_position"]);
}

#[tokio::test]
async fn a_cursor_beyond_the_feed_stops_the_consumer() {
    for (ours, theirs) in
        testing::each_database::<Migrator>().await.into_iter().zip(testing::each_database::<Migrator>().await)
    {
        // The teller's database was set back to a backup from before event 7.
        let tx = ours.begin().await.unwrap();
        let cursor = "insert into feed_cursor (consumer, feed, position) values ('billing', 'numbers', 7)";
        execute(&tx, cursor, Vec::new()).await.unwrap();
        tx.commit().await.unwrap();
        let teller = serve(Db::clone(&theirs), billing()).await;

        let error = teller.follower(&ours, Listener::new()).run(CancellationToken::new()).await.unwrap_err();

        assert!(matches!(error, FollowError::Lost { position: 7, .. }), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_stops_ends_its_open_calls() {
    for db in testing::each_database::<Migrator>().await {
        let teller = serve(Db::clone(&db), billing()).await;
        let request = TailRequest { consumer: "billing".to_owned(), after_position: 0 };
        let mut events = FeedServiceClient::new(teller.channel()).tail(request).await.unwrap().into_inner();

        teller.stop.cancel();

        let ended = tokio::time::timeout(Duration::from_secs(60), events.message()).await.unwrap();
        assert!(matches!(ended, Ok(None) | Err(_)));
        tokio::time::timeout(Duration::from_secs(60), teller.serving).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_commit_wakes_the_whole_way() {
    for (ours, theirs) in
        testing::each_database::<Migrator>().await.into_iter().zip(testing::each_database::<Migrator>().await)
    {
        let teller = serve(Db::clone(&theirs), billing()).await;
        // On PostgreSQL it is told in another process than it is served from.
        let elsewhere = match theirs.kind() {
            Kind::Postgres => Some(serve(theirs.reopen().await, billing()).await),
            Kind::Sqlite => None,
        };
        let follower = elsewhere.as_ref().unwrap_or(&teller).follower(&ours, Listener::new());
        let mut progress = follower.progress();
        let stop = CancellationToken::new();
        let run = tokio::spawn(follower.run(stop.clone()));
        progress.wait_for(|standing| standing.state == State::Following).await;

        // The sequencer polls every 500 ms and a waiting call every second: ten in a row within three seconds cannot be luck. A
        // machine that is busy with something else is given more than one chance to be that quick.
        let mut took = Vec::new();
        while took.len() < 8 && took.last().is_none_or(|last| *last >= Duration::from_secs(3)) {
            let began = std::time::Instant::now();
            for _ in 0..10 {
                let number = progress.standing().applied + 1;
                tell_alone(&theirs, number).await;
                progress.wait_for(|standing| standing.applied == number).await;
            }
            took.push(began.elapsed());
        }
        assert!(took.last().is_some_and(|last| *last < Duration::from_secs(3)), "{took:?}");
        stop.cancel();
        run.await.unwrap().unwrap();
    }
}
