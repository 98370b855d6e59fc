//! What a rush must not change: the opening moment, the order, everybody's share of the queue, and who gets an answer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use enrollment::config::Admission;
use enrollment::domain::admission::{Application, Error};
use enrollment::domain::basket::{Ask, Refusal};
use enrollment::domain::round;
use enrollment::hint::Hints;
use enrollment::rpc::apply::{Decide, Desk, Given, Queue};
use proto::enrollment::v1::{self as message, ApplyStreamRequest, OpenRoundRequest};
use shared::clock::{Clock as _, SharedClock, SystemClock};
use shared::db::Kind;
use shared::random;
use shared::status::{facts_of, retry_after_of};
use shared::testing::WrongClock;
use shared::value::{Guardian, Id, Moment, Section};
use tonic::Code;

use crate::support::{FREE, Family, Menu, World, eventually, on_each, reason, time};

/// A desk on the world's database that goes by `clock`.
fn desk(world: &World, clock: SharedClock) -> Desk {
    Desk { db: (**world.db).clone(), clock, packs: world.packs.clone(), hints: Arc::new(Hints::default()) }
}

fn application(world: &World, family: &Family, section_id: Id<Section>) -> Application {
    Application {
        enrollment_id: random::id(world.now()),
        request_id: random::uuid(world.now()),
        guardian_id: family.guardian_id,
        district_id: Id::new(world.school.path[0]),
        pupil_id: family.pupil_id,
        section_id,
        join_waitlist: false,
    }
}

/// A section in a round from one moment to another.
async fn open(world: &World, open_at: Moment, close_at: Moment) -> Id<Section> {
    let term_id = world.term(FREE).await;
    let section_id = world.section(term_id, Menu::default()).await;
    let request = OpenRoundRequest {
        request_id: world.request_id(),
        term_id: term_id.to_string(),
        mode: message::round::Mode::FirstCome.into(),
        open_time: Some(prost_types::Timestamp {
            nanos: i32::try_from(open_at.timestamp_subsec_nanos()).unwrap(),
            ..time(open_at)
        }),
        close_time: Some(time(close_at)),
        review_seconds: 0,
        payment_seconds: 0,
        ..OpenRoundRequest::default()
    };
    world.staff(shared::caller::Role::Principal).open_round(request).await.unwrap();
    section_id
}

#[tokio::test]
async fn a_millisecond_before_the_opening_is_before_the_opening() {
    on_each(|world| async move {
        let opening = world.now() + TimeDelta::hours(1);
        let section_id = open(&world, opening, opening + TimeDelta::hours(1)).await;
        let family = world.family().await;

        world.clock.set(opening - TimeDelta::milliseconds(1));
        let early = world.try_apply(&family, section_id, false).await.unwrap_err();
        world.clock.set(opening);
        let on_time = world.try_apply(&family, section_id, false).await;

        assert_eq!(reason(&early), "ROUND_NOT_OPEN");
        assert!(on_time.is_ok(), "{on_time:?}");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_replica_whose_clock_is_two_hours_off_opens_and_closes_with_the_database() {
    let world = World::start(Kind::Postgres).await;
    let now = SystemClock.now();
    world.clock.set(now);
    let minutes = TimeDelta::minutes;
    let coming = open(&world, now + minutes(60), now + minutes(180)).await;
    let running = open(&world, now - minutes(10), now + minutes(60)).await;
    let families = world.families(2).await;

    for (family, wrong_by) in families.iter().zip([120, -120]) {
        let desk = desk(&world, Arc::new(WrongClock(minutes(wrong_by))));
        // fast, it would open what is to come and close what runs; slow, it would not have opened either
        let early = desk.decide(&[&application(&world, family, coming).into()]).await.unwrap().remove(0);
        let on_time = desk.decide(&[&application(&world, family, running).into()]).await.unwrap().remove(0);

        assert!(
            matches!(early, Err(Refusal::One(Error::Round(round::Error::NotOpen { open_at: Some(_) })))),
            "{wrong_by}: {early:?}"
        );
        assert!(on_time.is_ok(), "{wrong_by}: {on_time:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_section_known_to_be_full_is_forgotten_when_its_round_ends_whatever_a_wrong_clock_says() {
    let world = World::start(Kind::Postgres).await;
    let now = SystemClock.now();
    world.clock.set(now);
    let section_id = open(&world, now - TimeDelta::hours(1), now + TimeDelta::milliseconds(1_300)).await;
    let families = world.families(32).await;
    let desk = desk(&world, Arc::new(WrongClock(TimeDelta::hours(-2))));
    let wishes: Vec<_> =
        families.iter().take(31).map(|family| Ask::One(application(&world, family, section_id))).collect();
    // the close time has whole seconds
    let close_at = Moment::from_timestamp((now + TimeDelta::milliseconds(1_300)).timestamp(), 0).unwrap();

    let decided = desk.decide(&wishes.iter().collect::<Vec<_>>()).await.unwrap();
    assert!(matches!(decided.last(), Some(Err(Refusal::One(Error::Full { .. } | Error::Round(_))))));
    let left = (close_at - SystemClock.now()).to_std().unwrap_or_default();
    tokio::time::sleep(left + Duration::from_millis(50)).await;

    let late = application(&world, &families[31], section_id);
    let school_id = Some(Id::new(world.school.id()));
    assert!(desk.hints.refusal(&late, school_id).is_none(), "believed after the round");
    let decided = desk.decide(&[&late.into()]).await.unwrap().remove(0);
    assert!(matches!(decided, Err(Refusal::One(Error::Round(round::Error::Closed { .. })))), "{decided:?}");
    world.end().await;
}

#[tokio::test]
async fn a_guardian_with_fifty_sessions_has_no_more_places_in_the_queue_than_one_with_one() {
    let world = World::start(Kind::Sqlite).await;
    let (_, section_id) = world.open(FREE, Menu { capacity_count: 100, ..Menu::default() }).await;
    let families = world.families(61).await;
    let config = Admission { guardian_waiting_count: 3, pupil_waiting_count: 2, ..Admission::default() };
    let (queue, batcher) = Queue::start(desk(&world, world.clock.shared()), &config);
    // Nothing can be written while this is open: everybody waits.
    let blocking = world.db.begin().await.unwrap();
    let greedy: Id<Guardian> = random::id(world.now());
    let put = |family: &Family, guardian_id| {
        queue.put(Application { guardian_id, ..application(&world, family, section_id) }, None)
    };

    let of_one: Vec<_> = families[..50].iter().map(|family| put(family, greedy)).collect();
    let of_others: Vec<_> = families[50..60].iter().map(|family| put(family, family.guardian_id)).collect();
    let of_one_pupil: Vec<_> = (0..5).map(|_| put(&families[60], random::id(world.now()))).collect();

    assert!(of_others.iter().all(Result::is_ok));
    for (all, limit) in [(&of_one, 3), (&of_one_pupil, 2)] {
        assert_eq!(all.iter().filter(|put| put.is_ok()).count(), limit);
        let refusal = all.last().unwrap().as_ref().unwrap_err();
        assert_eq!((refusal.code(), reason(refusal).as_str()), (Code::ResourceExhausted, "TOO_MANY_WAITING"));
        assert_eq!(facts_of(refusal)["limit_count"], limit.to_string());
        assert!(retry_after_of(refusal).is_some());
    }

    // when all have been served, there is room again
    blocking.rollback().await.unwrap();
    for waiting in of_one.into_iter().chain(of_others).flatten() {
        waiting.await.unwrap().unwrap();
    }
    put(&families[40], greedy).unwrap().await.unwrap().unwrap();
    drop(queue);
    batcher.await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_full_queue_says_how_many_wait_and_how_long_they_need() {
    let world = World::start(Kind::Sqlite).await;
    let (_, section_id) = world.open(FREE, Menu { capacity_count: 100, ..Menu::default() }).await;
    let families = world.families(5).await;
    let config = Admission { queue_count: 3, ..Admission::default() };
    let (queue, batcher) = Queue::start(desk(&world, world.clock.shared()), &config);
    let put = |index: usize| queue.put(application(&world, &families[index], section_id), None);
    // one has been served, slowly: a second and more for one application
    let blocking = world.db.begin().await.unwrap();
    let began_at = Instant::now();
    let first = put(0).unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    blocking.rollback().await.unwrap();
    first.await.unwrap().unwrap();
    let slowest = began_at.elapsed();

    let blocking = world.db.begin().await.unwrap();
    let taken = put(1).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let waiting = [put(2), put(3), put(4)];
    let refusal = put(0).unwrap_err();

    assert_eq!(reason(&refusal), "QUEUE_FULL");
    assert_eq!(facts_of(&refusal)["waiting_count"], "3");
    let wait = retry_after_of(&refusal).unwrap();
    // three at more than a second each, and up to half as long again
    let most = (slowest * 9 / 2).min(Duration::from_secs(45)) + Duration::from_millis(1);
    assert!(wait >= Duration::from_millis(3_300) && wait <= most, "{wait:?}, {most:?} at most");
    blocking.rollback().await.unwrap();
    for waiting in waiting.into_iter().map(Result::unwrap).chain([taken]) {
        waiting.await.unwrap().unwrap();
    }
    drop(queue);
    batcher.await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn whoever_stopped_waiting_before_the_group_began_gets_nothing_by_call_or_by_stream() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let packs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies"));
        let packs = Arc::new(policy::Live::open(packs).unwrap());
        let world = World::start_serving(kind, packs, Counted::start).await;
        let begun_before = GROUPS_BEGUN.load(Ordering::SeqCst);
        let (term_id, section_id) = world.open(FREE, Menu { capacity_count: 100, ..Menu::default() }).await;
        let families = world.families(4).await;
        let blocking = block(&world, section_id).await;
        // the first group has begun, and waits
        let first = spawn_apply(&world, &families[0], section_id);
        eventually("the first group to begin", async || {
            (GROUPS_BEGUN.load(Ordering::SeqCst) > begun_before).then_some(())
        })
        .await;

        let mut hasty = tonic::Request::new(world.application(&families[1], section_id, false));
        hasty.set_timeout(Duration::from_millis(200));
        let hasty = world.guardian(&families[1]).apply(hasty).await.unwrap_err();
        let item = |family: &Family, patience_ms: u32| ApplyStreamRequest {
            tag: patience_ms.into(),
            caller_token: world.token(family),
            request: Some(world.application(family, section_id, false)),
            patience_ms,
            ..Default::default()
        };
        // What is read last is refused at once: the others are in the queue by then.
        let nothing = ApplyStreamRequest { request: None, ..item(&families[3], 7) };
        let items = futures::stream::iter([item(&families[2], 100), item(&families[3], 60_000), nothing]);
        let mut answers = world.service("gateway").apply_stream(items).await.unwrap().into_inner();
        assert_eq!(answers.message().await.unwrap().unwrap().tag, 7);
        tokio::time::sleep(Duration::from_millis(500)).await;
        blocking.rollback().await.unwrap();

        first.await.unwrap().unwrap();
        assert_eq!(shared::status::code_of(&hasty), Code::DeadlineExceeded);
        let mut outcomes = std::collections::BTreeMap::new();
        while let Some(answer) = answers.message().await.unwrap() {
            outcomes.insert(answer.tag, answer.outcome.unwrap());
        }
        use message::apply_stream_response::Outcome;
        assert!(matches!(&outcomes[&60_000], Outcome::Response(_)), "{outcomes:?}");
        let Outcome::Refusal(refusal) = &outcomes[&100] else { panic!("{outcomes:?}") };
        assert_eq!(Code::from_i32(refusal.code), Code::DeadlineExceeded);
        let mut anyone = world.anyone();
        let seats = anyone.list_seats(message::ListSeatsRequest { term_id: term_id.to_string() });
        assert_eq!(seats.await.unwrap().into_inner().seats[0].taken_count, 2);
        world.end().await;
    }
}

/// How many groups desks of [`Counted`] have begun.
static GROUPS_BEGUN: AtomicUsize = AtomicUsize::new(0);

/// A desk that tells when a group begins.
struct Counted(Desk);

impl Counted {
    fn start(desk: Desk, config: &Admission) -> (Queue, tokio::task::JoinHandle<()>) {
        Queue::start(Self(desk), config)
    }
}

impl Decide for Counted {
    async fn decide(&self, group: &[&Ask]) -> Result<Vec<Result<Vec<Given>, Refusal>>, shared::db::Error> {
        GROUPS_BEGUN.fetch_add(1, Ordering::SeqCst);
        self.0.decide(group).await
    }
}

#[tokio::test]
async fn an_outcome_nobody_waited_for_is_found_by_sending_the_request_again() {
    on_each(|world| async move {
        let (_, section_id) = world.open(FREE, Menu::default()).await;
        let family = world.family().await;
        let application = world.application(&family, section_id, false);
        let blocking = block(&world, section_id).await;

        // the caller gives up when the group has begun: nobody can know what became of it
        let mut hasty = tonic::Request::new(application.clone());
        hasty.set_timeout(Duration::from_millis(300));
        let unknown = world.guardian(&family).apply(hasty).await.unwrap_err();
        blocking.rollback().await.unwrap();
        let again = world.guardian(&family).apply(application.clone()).await.unwrap().into_inner();
        let once_more = world.guardian(&family).apply(application).await.unwrap().into_inner();

        assert_eq!(shared::status::code_of(&unknown), Code::DeadlineExceeded);
        let again = again.enrollment.unwrap();
        assert_eq!(once_more.enrollment.unwrap().id, again.id);
        assert_eq!(world.told(&again.id).await.len(), 1);
        world.end().await;
    })
    .await;
}

/// Keeps every group from being decided until it is dropped: locks the section, or on SQLite the database.
async fn block(world: &World, section_id: Id<Section>) -> shared::db::Tx {
    let tx = world.db.begin().await.unwrap();
    enrollment::store::section::lock(&tx, [section_id]).await.unwrap();
    tx
}

fn spawn_apply(
    world: &World,
    family: &Family,
    section_id: Id<Section>,
) -> tokio::task::JoinHandle<Result<(), tonic::Status>> {
    let (mut client, application) = (world.guardian(family), world.application(family, section_id, false));
    tokio::spawn(async move { client.apply(application).await.map(|_| ()) })
}
