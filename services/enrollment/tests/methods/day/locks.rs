//! What the locks of the school day are for: several who say something of one pupil, leave, collector or device at the same moment get
//! what they could have got one after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use proto::enrollment::v1::collector::{Kind, Relation, State};
use proto::enrollment::v1::decide_collector_request::Decision;
use proto::enrollment::v1::duty::Post;
use proto::enrollment::v1::{
    AddCollectorRequest, AddDeviceRequest, AskExtendedCareRequest, CancelExtendedCareRequest,
    CancelLeaveRequest, CheckOutRequest, CheckOutWay, Collector, DecideCollectorRequest, HandOverRequest,
    ListCollectorsRequest, ListExtendedCareRequest, ListOpenPupilsRequest, ReportLeaveRequest,
    RevokeDeviceRequest,
};
use sea_orm::{ConnectionTrait as _, Statement};
use shared::caller::{Caller, Role};
use shared::random;
use shared::testing::FixedClock;
use shared::value::{Guardian, Id};

use super::stage::{DAY, Stage, Standing, staff};
use crate::support::{FREE, Family, Menu, guardian, on_each, reason};

/// How often each race is run: one that passes once proves nothing.
const ROUNDS: usize = 8;

/// How many say the same at once.
const AT_ONCE: usize = 6;

/// Lets the clock go on while others work, so that whoever decides a second time decides another time. Stops when it is dropped.
struct Ticking(Arc<AtomicBool>);

impl Ticking {
    fn start(clock: &FixedClock) -> Self {
        let (clock, is_over) = (clock.clone(), Arc::new(AtomicBool::new(false)));
        let ticking = Self(is_over.clone());
        tokio::spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                clock.advance(TimeDelta::milliseconds(1));
                tokio::time::sleep(Duration::from_micros(100)).await;
            }
        });
        ticking
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The pupil's guardian, and another one of the same pupil.
async fn parents(stage: &Stage, at: usize) -> [Caller; 2] {
    let other: Id<Guardian> = random::id(stage.now());
    let bound =
        proto::identity::v1::GuardianBound { guardian_id: other.to_string(), pupil_id: stage.pupil(at) };
    stage.world.hear_identity(proto::identity::v1::event::Kind::GuardianBound(bound)).await;
    let family = stage.families[at].clone();
    [guardian(&family), guardian(&Family { guardian_id: other, ..family })]
}

async fn count(stage: &Stage, sql: &'static str) -> i64 {
    let db = stage.world.db.read();
    let rows = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await;
    rows.unwrap().unwrap().try_get("", "number").unwrap()
}

fn leave(stage: &Stage, at: usize) -> ReportLeaveRequest {
    ReportLeaveRequest {
        request_id: stage.world.request_id(),
        pupil_id: stage.pupil(at),
        day: DAY.to_owned(),
        section_id: String::new(),
    }
}

fn check_out(stage: &Stage, at: usize, way: CheckOutWay) -> CheckOutRequest {
    CheckOutRequest {
        request_id: stage.world.request_id(),
        pupil_id: stage.pupil(at),
        way: way.into(),
        ..Default::default()
    }
}

/// A grandmother who takes the pupil once, with a code.
async fn once(stage: &Stage, at: usize) -> Collector {
    let request = AddCollectorRequest {
        request_id: stage.world.request_id(),
        pupil_id: stage.pupil(at),
        kind: Kind::OneTime.into(),
        name: "王奶奶".to_owned(),
        phone: format!("138001380{at:02}"),
        relation: Relation::Grandparent.into(),
        day: DAY.to_owned(),
    };
    stage.parent(at).add_collector(request).await.unwrap().into_inner().collector.unwrap()
}

fn with(stage: &Stage, at: usize, collector: &Collector, code: &str) -> CheckOutRequest {
    CheckOutRequest {
        collector_id: collector.id.clone(),
        code: code.to_owned(),
        ..check_out(stage, at, CheckOutWay::Collector)
    }
}

fn decide(stage: &Stage, collector: &Collector, decision: Decision) -> DecideCollectorRequest {
    DecideCollectorRequest {
        request_id: stage.world.request_id(),
        collector_id: collector.id.clone(),
        decision: decision.into(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leave_both_guardians_report_at_once_is_one_leave() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), ROUNDS).await;
        stage.at("2026-09-07T15:00:00+08:00");
        for at in 0..ROUNDS {
            let parents = parents(&stage, at).await;
            let reporting = (0..AT_ONCE).map(|number| {
                let (mut parent, request) = (stage.world.day(&parents[number % 2]), leave(&stage, at));
                async move { parent.report_leave(request).await.unwrap().into_inner().leave.unwrap() }
            });

            let reported = join_all(reporting).await;

            assert!(reported.iter().all(|one| *one == reported[0]), "{reported:#?}");
        }
        let standing = "select count(*) as number from leave where cancelled_at is null";
        assert_eq!(count(&stage, standing).await, i64::try_from(ROUNDS).unwrap());
        stage.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leave_taken_back_by_several_at_once_was_taken_back_at_one_moment() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), ROUNDS).await;
        stage.at("2026-09-07T15:00:00+08:00");
        let _ticking = Ticking::start(&stage.world.clock);
        for at in 0..ROUNDS {
            let parents = parents(&stage, at).await;
            let mut parent = stage.world.day(&parents[0]);
            let reported = parent.report_leave(leave(&stage, at)).await.unwrap().into_inner().leave.unwrap();
            let cancelling = (0..AT_ONCE).map(|number| {
                let request = CancelLeaveRequest {
                    request_id: stage.world.request_id(),
                    leave_id: reported.id.clone(),
                };
                let mut parent = stage.world.day(&parents[number % 2]);
                async move { parent.cancel_leave(request).await.unwrap().into_inner().leave.unwrap() }
            });

            let cancelled = join_all(cancelling).await;

            assert!(cancelled.iter().all(|one| *one == cancelled[0]), "{cancelled:#?}");
        }
        stage.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_revoked_by_several_at_once_was_revoked_at_one_moment() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        let _ticking = Ticking::start(&stage.world.clock);
        for _ in 0..ROUNDS {
            let request = AddDeviceRequest {
                request_id: stage.world.request_id(),
                school_id: stage.school_id(),
                name: "东门".to_owned(),
            };
            let device = stage.office().add_device(request).await.unwrap().into_inner().device.unwrap();
            let revoking = (0..AT_ONCE).map(|_| {
                let request = RevokeDeviceRequest {
                    request_id: stage.world.request_id(),
                    device_id: device.id.clone(),
                };
                let mut office = stage.office();
                async move { office.revoke_device(request).await.unwrap().into_inner().device.unwrap() }
            });

            let revoked = join_all(revoking).await;

            assert!(revoked.iter().all(|one| *one == revoked[0]), "{revoked:#?}");
        }
        stage.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_forbidden_while_they_take_the_pupil_is_forbidden_afterwards_whoever_was_first() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), ROUNDS).await;
        stage.call_roll(&[Standing::Present; ROUNDS]).await;
        for at in 0..ROUNDS {
            let father = parents(&stage, at).await[1].clone();
            let once = once(&stage, at).await;
            let (mut teacher, mut father) = (stage.teacher(), stage.world.day(&father));

            let (taken, forbidden) = tokio::join!(
                teacher.check_out(with(&stage, at, &once, &once.code)),
                father.decide_collector(decide(&stage, &once, Decision::Forbid))
            );

            let forbidden = forbidden.unwrap().into_inner().collector.unwrap();
            assert_eq!(forbidden.state(), State::Forbidden);
            if let Err(refusal) = &taken {
                assert_eq!(reason(refusal), "COLLECTOR_FORBIDDEN");
            }
            let list = ListCollectorsRequest { pupil_id: stage.pupil(at) };
            let listed = stage.parent(at).list_collectors(list).await.unwrap().into_inner().collectors;
            assert_eq!(listed[0].state(), State::Forbidden, "taken: {}", taken.is_ok());
        }
        stage.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_said_while_the_other_guardian_takes_the_naming_back_stands() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), ROUNDS).await;
        for at in 0..ROUNDS {
            let parents = parents(&stage, at).await;
            let once = once(&stage, at).await;
            let [mut mother, mut father] = parents.each_ref().map(|parent| stage.world.day(parent));

            let (removed, forbidden) = tokio::join!(
                mother.decide_collector(decide(&stage, &once, Decision::Remove)),
                father.decide_collector(decide(&stage, &once, Decision::Forbid))
            );

            assert_eq!(forbidden.unwrap().into_inner().collector.unwrap().state(), State::Forbidden);
            if let Err(refusal) = &removed {
                assert_eq!(reason(refusal), "COLLECTOR_FORBIDDEN");
            }
            let list = ListCollectorsRequest { pupil_id: stage.pupil(at) };
            let listed = stage.parent(at).list_collectors(list).await.unwrap().into_inner().collectors;
            assert_eq!(listed[0].state(), State::Forbidden, "taken back: {}", removed.is_ok());
        }
        stage.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pupil_handed_on_while_somebody_collects_them_is_collected_or_in_the_next_hands() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), ROUNDS).await;
        let leader = staff(&stage.world, Role::Instructor);
        let leading = stage.name(Post::Leader, String::new(), &leader).await;
        stage.call_roll(&[Standing::Present; ROUNDS]).await;
        for at in 0..ROUNDS {
            let hand = HandOverRequest {
                request_id: stage.world.request_id(),
                pupil_ids: vec![stage.pupil(at)],
                duty_id: leading.id.clone(),
            };
            let collected = CheckOutRequest {
                guardian_id: stage.families[at].guardian_id.to_string(),
                ..check_out(&stage, at, CheckOutWay::Guardian)
            };
            let (mut one, mut other) = (stage.teacher(), stage.teacher());

            let (handed, collected) = tokio::join!(one.hand_over(hand), other.check_out(collected));

            let refusals: Vec<_> =
                [handed.err(), collected.as_ref().err().cloned()].into_iter().flatten().collect();
            assert_eq!(refusals.len(), 1, "the teacher gave the pupil to two, or to nobody");
            assert_eq!(reason(&refusals[0]), "PUPIL_NOT_HELD");
            let ask = ListOpenPupilsRequest { school_id: stage.school_id(), day: DAY.to_owned() };
            let open = stage.office().list_open_pupils(ask).await.unwrap().into_inner().pupils;
            let is_here = open.iter().any(|one| one.pupil_id == stage.pupil(at));
            assert_eq!(is_here, collected.is_err());
        }
        stage.end().await;
    })
    .await;
}

fn care(stage: &Stage, at: usize, until: &str) -> AskExtendedCareRequest {
    AskExtendedCareRequest {
        request_id: stage.world.request_id(),
        pupil_id: stage.pupil(at),
        day: DAY.to_owned(),
        until: until.to_owned(),
    }
}

/// How long pupils stay, by pupil.
async fn stays(stage: &Stage, at: usize) -> Vec<String> {
    let ask = ListExtendedCareRequest { school_id: stage.school_id(), day: DAY.to_owned() };
    let cares = stage.office().list_extended_care(ask).await.unwrap().into_inner().extended_cares;
    cares.into_iter().filter(|care| care.pupil_id == stage.pupil(at)).map(|care| care.until).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_ends_of_extended_care_asked_for_at_once_one_holds_and_the_pupil_is_due_then() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), ROUNDS).await;
        stage.call_roll(&[Standing::Present; ROUNDS]).await;
        for at in 0..ROUNDS {
            let parents = parents(&stage, at).await;
            let asking = (0..AT_ONCE).map(|number| {
                let request = care(&stage, at, &format!("18:{:02}", 10 + number));
                let mut parent = stage.world.day(&parents[number % 2]);
                async move { parent.ask_extended_care(request).await.map(|_| ()) }
            });

            let asked = join_all(asking).await;

            let refused: Vec<_> = asked.iter().filter_map(|one| one.as_ref().err()).collect();
            assert!(refused.is_empty(), "each is answered as if alone: {refused:?}");
            let stays = stays(&stage, at).await;
            assert_eq!(stays.len(), 1, "{stays:?}");
            let ask = ListOpenPupilsRequest { school_id: stage.school_id(), day: DAY.to_owned() };
            let open = stage.office().list_open_pupils(ask).await.unwrap().into_inner().pupils;
            let due = open.iter().find(|one| one.pupil_id == stage.pupil(at)).unwrap().due_time.unwrap();
            let due = chrono::DateTime::from_timestamp(due.seconds, 0).unwrap();
            let minute = enrollment::domain::day::local::minute(due);
            assert_eq!(format!("{:02}:{:02}", minute / 60, minute % 60), stays[0]);
        }
        stage.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn extended_care_taken_back_by_several_at_once_was_taken_back_at_one_moment() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), ROUNDS).await;
        let _ticking = Ticking::start(&stage.world.clock);
        for at in 0..ROUNDS {
            let parents = parents(&stage, at).await;
            let mut parent = stage.world.day(&parents[0]);
            let asked = parent.ask_extended_care(care(&stage, at, "18:30")).await.unwrap().into_inner();
            let id = asked.extended_care.unwrap().id;
            let cancelling = (0..AT_ONCE).map(|number| {
                let request = CancelExtendedCareRequest {
                    request_id: stage.world.request_id(),
                    extended_care_id: id.clone(),
                };
                let mut parent = stage.world.day(&parents[number % 2]);
                async move {
                    parent.cancel_extended_care(request).await.unwrap().into_inner().extended_care.unwrap()
                }
            });

            let cancelled = join_all(cancelling).await;

            assert!(cancelled.iter().all(|one| *one == cancelled[0]), "{cancelled:#?}");
            assert!(stays(&stage, at).await.is_empty());
        }
        stage.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_wrong_codes_are_all_that_is_tried_however_many_come_at_once() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), ROUNDS).await;
        stage.call_roll(&[Standing::Present; ROUNDS]).await;
        for at in 0..ROUNDS {
            let once = once(&stage, at).await;
            let trying = (0..12).filter(|code| format!("{code:06}") != once.code).map(|code| {
                let (mut teacher, request) =
                    (stage.teacher(), with(&stage, at, &once, &format!("{code:06}")));
                async move { reason(&teacher.check_out(request).await.unwrap_err()) }
            });

            let refused = join_all(trying).await;

            let tried = refused.iter().filter(|reason| *reason == "CODE_WRONG").count();
            let locked = refused.iter().filter(|reason| *reason == "CODE_LOCKED").count();
            assert_eq!(tried + locked, refused.len(), "{refused:?}");
            assert_eq!(tried, 5, "each that is tried is a chance to guess");
            let right = stage.teacher().check_out(with(&stage, at, &once, &once.code)).await.unwrap_err();
            assert_eq!(reason(&right), "CODE_LOCKED");
        }
        stage.end().await;
    })
    .await;
}
