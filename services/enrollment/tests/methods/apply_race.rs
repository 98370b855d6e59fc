//! Many at once: nothing is given twice, whoever decides, whatever the database refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use enrollment::config::Admission;
use enrollment::domain::admission::Application;
use enrollment::hint::Hints;
use enrollment::rpc::apply::{Desk, Queue};
use proto::enrollment::v1::apply_stream_response::Outcome;
use proto::enrollment::v1::enrollment::State;
use proto::enrollment::v1::enrollment_service_client::EnrollmentServiceClient;
use proto::enrollment::v1::{ApplyStreamRequest, Enrollment};
use sea_orm::{ConnectionTrait as _, Statement};
use shared::client::Link;
use shared::db::Kind;
use shared::random;
use shared::value::{Id, Section};

use crate::support::{CHARGED, FREE, Family, Menu, World, on_each, reason};

/// How often each race is run: one that passes once proves nothing.
const ROUNDS: usize = 3;

/// Sends items over one stream; gives what each got, in the order of the items.
async fn stream(
    mut gateway: EnrollmentServiceClient<Link>,
    items: Vec<ApplyStreamRequest>,
) -> Vec<Result<Enrollment, String>> {
    let tags: Vec<_> = items.iter().map(|item| item.tag).collect();
    let mut answers = gateway.apply_stream(futures::stream::iter(items)).await.unwrap().into_inner();
    let mut given = BTreeMap::new();
    while let Some(answer) = answers.message().await.unwrap() {
        let outcome = match answer.outcome.unwrap() {
            Outcome::Response(response) => Ok(response.enrollment.unwrap()),
            Outcome::Refusal(refusal) => Err(reason(&tonic::Status::with_details(
                refusal.code.into(),
                refusal.message,
                refusal.status.into(),
            ))),
        };
        assert!(given.insert(answer.tag, outcome).is_none(), "one answer a tag");
    }
    tags.into_iter().map(|tag| given.remove(&tag).expect("an answer for every tag")).collect()
}

/// The gateways of a race: two processes on PostgreSQL, two streams to one process on SQLite, which has one writer.
async fn gateways(world: &World) -> [EnrollmentServiceClient<Link>; 2] {
    match world.db.kind() {
        Kind::Sqlite => [world.service("gateway"), world.service("gateway")],
        Kind::Postgres => [world.service("gateway"), world.replica().await],
    }
}

async fn deadlocks(world: &World) -> i64 {
    if world.db.kind() == Kind::Sqlite {
        return 0;
    }
    // Counted with some delay by the server.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let sql = "select deadlocks from pg_stat_database where datname = current_database()";
    let read = world.db.read();
    let row =
        read.query_one_raw(Statement::from_string(read.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get("", "deadlocks").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_hundred_pupils_who_send_twice_get_thirty_seats_and_a_line_without_gaps() {
    on_each(|world| async move {
        let gateways = gateways(&world).await;
        let families = world.families(400).await;
        for round in 0..ROUNDS {
            let menu = Menu { weekday: i32::try_from(round).unwrap() + 1, ..Menu::default() };
            let (_, section_id) = world.open(CHARGED, menu).await;
            let items: Vec<_> = families
                .iter()
                .zip(1..)
                .map(|(family, tag)| ApplyStreamRequest {
                    tag,
                    caller_token: world.token(family),
                    request: Some(world.application(family, section_id, true)),
                    ..Default::default()
                })
                .collect();

            // The second sends begin with other pupils, so that two groups meet at the section alone.
            let mut rotated = items.clone();
            rotated.rotate_left(200);
            let began_at = Instant::now();
            let [one, other] = gateways.clone();
            let (one, mut other) = tokio::join!(stream(one, items), stream(other, rotated));
            other.rotate_right(200);
            println!("{}: 800 applications in {:?}", world.db.kind(), began_at.elapsed());

            let mut held = 0;
            let mut positions = BTreeSet::new();
            for (one, other) in one.iter().zip(&other) {
                let (one, other) = (one.as_ref().unwrap(), other.as_ref().unwrap());
                assert_eq!(one.id, other.id, "both sends have one enrollment");
                match one.state() {
                    State::Held => held += 1,
                    State::Waitlisted => assert!(positions.insert(one.waitlist_position)),
                    state => panic!("{state:?}"),
                }
            }
            assert_eq!(held, 30);
            assert_eq!(positions, (1..=370).collect());
        }
        assert_eq!(deadlocks(&world).await, 0);
        world.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c41_pupils_who_want_everything_at_once_get_one_seat_a_time_and_processes_do_not_lock_each_other_out()
{
    on_each(|world| async move {
        let gateways = gateways(&world).await;
        let families = world.families(60).await;
        for _ in 0..ROUNDS {
            let term_id = world.term(FREE).await;
            let mut sections: Vec<Id<Section>> = Vec::new();
            for number in 0..12 {
                let (start_time, end_time) =
                    [("16:00", "17:00"), ("16:30", "17:30"), ("17:30", "18:00")][number % 3];
                let weekday = i32::try_from(number / 3).unwrap() + 1;
                let menu = Menu { capacity_count: 20, weekday, start_time, end_time, ..Menu::default() };
                sections.push(world.section(term_id, menu).await);
            }
            world.open_round(term_id).await;
            // Each process gets every wish, in opposite orders: locks taken as they come would meet head on.
            let wishes = |families: Vec<Family>, sections: Vec<Id<Section>>| {
                let mut items = Vec::new();
                for family in &families {
                    let token = world.token(family);
                    for section_id in &sections {
                        items.push(ApplyStreamRequest {
                            tag: u64::try_from(items.len()).unwrap(),
                            caller_token: token.clone(),
                            request: Some(world.application(family, *section_id, false)),
                            ..Default::default()
                        });
                    }
                }
                items
            };
            let forward = wishes(families.clone(), sections.clone());
            let backward =
                wishes(families.iter().rev().cloned().collect(), sections.iter().rev().copied().collect());

            let [one, other] = gateways.clone();
            let began_at = Instant::now();
            let (one, other) = tokio::join!(stream(one, forward), stream(other, backward));
            println!("{}: 1440 applications in {:?}", world.db.kind(), began_at.elapsed());

            let mut seats: BTreeMap<(String, String), usize> = BTreeMap::new();
            for outcome in one.into_iter().chain(other) {
                match outcome {
                    Ok(enrollment) => {
                        *seats.entry((enrollment.pupil_id, enrollment.section_id)).or_default() += 1
                    }
                    Err(reason) => {
                        assert!(
                            ["SECTION_FULL", "SLOT_TAKEN", "ALREADY_ENROLLED"].contains(&reason.as_str()),
                            "{reason}"
                        );
                    }
                }
            }
            assert!(seats.values().all(|count| *count == 1));
            assert!(seats.len() >= 160, "what nobody was refused for is full: {}", seats.len());
        }
        assert_eq!(deadlocks(&world).await, 0);
        world.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c41_a_pupil_who_asks_two_processes_for_one_hour_gets_it_once() {
    on_each(|world| async move {
        let gateways = gateways(&world).await;
        let families = world.families(100).await;
        for _ in 0..ROUNDS {
            let term_id = world.term(FREE).await;
            // Different slots that overlap: no unique key stands between the two.
            let early = world.section(term_id, Menu { capacity_count: 100, ..Menu::default() }).await;
            let late =
                Menu { capacity_count: 100, start_time: "16:30", end_time: "17:30", ..Menu::default() };
            let late = world.section(term_id, late).await;
            world.open_round(term_id).await;
            let wish = |section_id| {
                let wishes = families.iter().zip(1..).map(|(family, tag)| ApplyStreamRequest {
                    tag,
                    caller_token: world.token(family),
                    request: Some(world.application(family, section_id, false)),
                    ..Default::default()
                });
                wishes.collect::<Vec<_>>()
            };

            let [one, other] = gateways.clone();
            let (one, other) = tokio::join!(stream(one, wish(early)), stream(other, wish(late)));

            for (one, other) in one.iter().zip(&other) {
                let refusal = match (one, other) {
                    (Ok(_), Err(refusal)) | (Err(refusal), Ok(_)) => refusal,
                    both => panic!("one seat for one hour: {both:?}"),
                };
                assert_eq!(refusal, "SLOT_TAKEN");
            }
        }
        assert_eq!(deadlocks(&world).await, 0);
        world.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_application_that_the_database_refuses_does_not_fail_its_group() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu::default()).await;
        let families = world.families(20).await;
        let poison = families[13].pupil_id.uuid();
        let statement = match world.db.kind() {
            Kind::Sqlite => format!(
                "create trigger poison before insert on enrollment when new.pupil_id = x'{}' \
                 begin select raise(abort, 'poison'); end",
                poison.simple()
            ),
            Kind::Postgres => {
                format!("alter table enrollment add constraint poison check (pupil_id <> '{poison}')")
            }
        };
        let tx = world.db.begin().await.unwrap();
        tx.execute_unprepared(&statement).await.unwrap();
        tx.commit().await.unwrap();
        let items = families.iter().zip(1..).map(|(family, tag)| ApplyStreamRequest {
            tag,
            caller_token: world.token(family),
            request: Some(world.application(family, section_id, false)),
            ..Default::default()
        });

        let given = stream(world.service("gateway"), items.collect()).await;

        for (index, outcome) in given.iter().enumerate() {
            assert_eq!(outcome.is_ok(), index != 13, "{index}: {outcome:?}");
        }
        world.end().await;
    })
    .await;
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

#[tokio::test]
async fn a_full_queue_says_when_to_come_back_and_whoever_left_it_gets_nothing() {
    let world = World::start(Kind::Sqlite).await;
    let (_, section_id) = world.open(CHARGED, Menu::default()).await;
    let families = world.families(6).await;
    let desk = Desk {
        db: (**world.db).clone(),
        clock: world.clock.shared(),
        packs: world.packs.clone(),
        hints: Arc::new(Hints::default()),
    };
    let (queue, batcher) = Queue::start(desk, &Admission { queue_count: 3, ..Admission::default() });
    let put = |index: usize| queue.put(application(&world, &families[index], section_id), None);
    // Nothing can be written while this is open: the first group waits, and behind it the queue fills.
    let blocking = world.db.begin().await.unwrap();
    let first = put(0).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let second = put(1).unwrap();
    let left = put(2).unwrap();
    let third = put(3).unwrap();

    let refusal = put(4).unwrap_err();
    drop(left);
    blocking.rollback().await.unwrap();

    assert_eq!((refusal.code(), reason(&refusal).as_str()), (tonic::Code::ResourceExhausted, "QUEUE_FULL"));
    let wait = shared::status::retry_after_of(&refusal).unwrap();
    assert!(wait >= Duration::from_millis(500) && wait < Duration::from_millis(1_500), "{wait:?}");
    for waiting in [first, second, third] {
        waiting.await.unwrap().unwrap();
    }
    drop(queue);
    batcher.await.unwrap();
    let told = shared::testing::told::<proto::enrollment::v1::Event>(&world.db).await;
    let pupils: Vec<_> = told.into_iter().map(|(_, _, event)| event.pupil_id).collect();
    assert_eq!(pupils.len(), 3);
    assert!(!pupils.contains(&families[2].pupil_id.to_string()));
    world.end().await;
}
