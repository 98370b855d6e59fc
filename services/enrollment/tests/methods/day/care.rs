//! Who answers for a pupil, who takes the pupil home, and whom nobody has collected.

use chrono::TimeDelta;
use enrollment::job::alert::alert;
use proto::enrollment::v1::collector::{Kind, Relation, State};
use proto::enrollment::v1::decide_collector_request::Decision;
use proto::enrollment::v1::duty::Post;
use proto::enrollment::v1::pupil_moment::Kind as MomentKind;
use proto::enrollment::v1::{
    self as message, AddCollectorRequest, CheckOutRequest, CheckOutWay, Collector, DecideCollectorRequest,
    EndDutyRequest, HandOverRequest, ListCollectorsRequest, ListOpenPupilsRequest, ListPupilMomentsRequest,
    ListRoomsRequest, OpenRoomRequest,
};
use sea_orm::{ConnectionTrait as _, Statement};
use shared::caller::{Caller, Role};
use shared::random;
use shared::status::violations_of;
use shared::testing::told;
use shared::value::{Guardian, Id};

use super::stage::{DAY, Stage, Standing, staff, staff_at, staff_id};
use crate::support::{FREE, Family, Menu, guardian, on_each, reason};

/// How long the leader's patience lasts in these tests.
const GRACE: u32 = 180;

fn check_out(stage: &Stage, at: usize, way: CheckOutWay) -> CheckOutRequest {
    CheckOutRequest {
        request_id: stage.world.request_id(),
        pupil_id: stage.pupil(at),
        way: way.into(),
        ..Default::default()
    }
}

fn by_guardian(stage: &Stage, at: usize) -> CheckOutRequest {
    CheckOutRequest {
        guardian_id: stage.families[at].guardian_id.to_string(),
        ..check_out(stage, at, CheckOutWay::Guardian)
    }
}

async fn open(stage: &Stage, caller: &Caller) -> Vec<message::OpenPupil> {
    let request = ListOpenPupilsRequest { school_id: stage.school_id(), day: DAY.to_owned() };
    stage.world.day(caller).list_open_pupils(request).await.unwrap().into_inner().pupils
}

fn grandmother(stage: &Stage, at: usize, kind: Kind) -> AddCollectorRequest {
    AddCollectorRequest {
        request_id: stage.world.request_id(),
        pupil_id: stage.pupil(at),
        kind: kind.into(),
        name: "王奶奶".to_owned(),
        phone: "13800138000".to_owned(),
        relation: Relation::Grandparent.into(),
        day: if kind == Kind::OneTime { DAY.to_owned() } else { String::new() },
    }
}

fn alone(stage: &Stage, at: usize) -> AddCollectorRequest {
    AddCollectorRequest {
        request_id: stage.world.request_id(),
        pupil_id: stage.pupil(at),
        kind: Kind::Alone.into(),
        ..Default::default()
    }
}

async fn add(stage: &Stage, at: usize, request: AddCollectorRequest) -> Collector {
    stage.parent(at).add_collector(request).await.unwrap().into_inner().collector.unwrap()
}

/// The names of the events told of a pupil, in order.
async fn told_of(stage: &Stage, at: usize) -> Vec<String> {
    let pupil_id = stage.families[at].pupil_id.uuid();
    let all = told::<message::Event>(&stage.world.db).await;
    all.into_iter().filter(|(_, subject, _)| *subject == pupil_id).map(|(name, _, _)| name).collect()
}

/// A second guardian of the same pupil.
async fn other_parent(stage: &Stage, at: usize) -> Caller {
    let id: Id<Guardian> = random::id(stage.now());
    let bound = proto::identity::v1::GuardianBound { guardian_id: id.to_string(), pupil_id: stage.pupil(at) };
    stage.world.hear_identity(proto::identity::v1::event::Kind::GuardianBound(bound)).await;
    guardian(&Family { guardian_id: id, ..stage.families[at].clone() })
}

#[tokio::test]
async fn c47_a_pupil_not_checked_out_at_the_end_alerts_the_duty_leader() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 2).await;
        let leader = staff(&stage.world, Role::ClassTeacher);
        stage.name(Post::Leader, String::new(), &leader).await;
        stage.call_roll(&[Standing::Present, Standing::Present]).await;
        stage.teacher().check_out(by_guardian(&stage, 1)).await.unwrap();

        stage.at("2026-09-07T17:02:59+08:00");
        assert_eq!(alert(&stage.bench(), GRACE).await.unwrap(), 0, "a second of patience is left");
        let before = open(&stage, &leader).await;
        assert!(before[0].overdue && before[0].alert_time.is_none());
        stage.at("2026-09-07T17:03:00+08:00");
        alert(&stage.bench(), GRACE).await.unwrap();
        alert(&stage.bench(), GRACE).await.unwrap();

        let waiting = open(&stage, &leader).await;
        assert_eq!(waiting.len(), 1, "the one who was collected is not on the list");
        assert_eq!(waiting[0].pupil_name, "学生01");
        assert!(waiting[0].alert_time.is_some());
        let holder = waiting[0].holder.clone().unwrap();
        assert_eq!(
            (holder.post(), holder.place_name.as_str(), holder.staff_name.as_str()),
            (Post::Section, "围棋", "李老师")
        );
        assert_eq!(told_of(&stage, 0).await, ["pupil_checked_in", "pupil_overdue"], "told once");
        assert_eq!(told_of(&stage, 1).await, ["pupil_checked_in", "pupil_checked_out"]);
        let overdue = told::<message::Event>(&stage.world.db).await;
        let overdue = overdue.into_iter().find(|(name, _, _)| name == "pupil_overdue").unwrap();
        let Some(message::event::Kind::PupilOverdue(overdue)) = overdue.2.kind else { panic!("no kind") };
        assert_eq!(overdue.leader_staff_ids, [staff_id(&leader).to_string()]);
        // Collected at last: off the list.
        stage.world.day(&leader).check_out(by_guardian(&stage, 0)).await.unwrap();
        assert!(open(&stage, &leader).await.is_empty());
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn c47_c50_a_pupil_goes_from_one_responsible_adult_to_the_next_without_a_gap() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 2).await;
        let (guard, leader) = (staff(&stage.world, Role::Instructor), staff(&stage.world, Role::Instructor));
        let leading = stage.name(Post::Leader, String::new(), &leader).await;
        let room = OpenRoomRequest {
            request_id: stage.world.request_id(),
            school_id: stage.school_id(),
            name: "一号等候室".to_owned(),
            staff_id: staff_id(&guard).to_string(),
            staff_name: "赵师傅".to_owned(),
            first_day: DAY.to_owned(),
            last_day: DAY.to_owned(),
        };
        let room = stage.office().open_room(room).await.unwrap().into_inner().room.unwrap();
        let guarding = room.duties[0].clone();
        let hand = |pupils: &[usize], duty: &message::Duty| HandOverRequest {
            request_id: stage.world.request_id(),
            pupil_ids: pupils.iter().map(|at| stage.pupil(*at)).collect(),
            duty_id: duty.id.clone(),
        };

        let nobody = stage.teacher().hand_over(hand(&[0], &guarding)).await.unwrap_err();
        assert_eq!(reason(&nobody), "PUPIL_NOT_HELD", "the pupil has not come");
        let stranger = stage.staff(Role::Instructor).hand_over(hand(&[0], &guarding)).await.unwrap_err();
        assert_eq!(reason(&stranger), "PUPIL_NOT_FOUND");
        let nobody = stage.office().hand_over(hand(&[0], &guarding)).await.unwrap_err();
        assert_eq!(reason(&nobody), "PUPIL_NOT_HELD");
        stage.call_roll(&[Standing::Present, Standing::Late]).await;
        stage.world.clock.advance(TimeDelta::minutes(50));
        let answer = stage.teacher().hand_over(hand(&[0, 1], &guarding)).await.unwrap().into_inner();
        assert_eq!(answer.holder.unwrap().place_name, "一号等候室");
        let late = stage.teacher().hand_over(hand(&[0], &leading)).await.unwrap_err();
        assert_eq!(reason(&late), "PUPIL_NOT_HELD", "the teacher has handed the pupil on");
        stage.world.clock.advance(TimeDelta::minutes(1));
        stage.world.day(&guard).hand_over(hand(&[0], &leading)).await.unwrap();
        stage.world.day(&leader).hand_over(hand(&[0], &leading)).await.unwrap();
        stage.world.clock.advance(TimeDelta::minutes(1));
        stage.world.day(&leader).check_out(by_guardian(&stage, 0)).await.unwrap();

        let ask = ListRoomsRequest { school_id: stage.school_id(), day: DAY.to_owned() };
        let rooms = stage.world.day(&guard).list_rooms(ask).await.unwrap().into_inner().rooms;
        assert_eq!(rooms[0].duties[0].staff_name, "赵师傅");
        let names: Vec<_> = rooms[0].pupils.iter().map(|pupil| pupil.pupil_name.as_str()).collect();
        assert_eq!(names, ["学生02"]);
        // The room keeps somebody on duty as long as a pupil is in it.
        let end = || EndDutyRequest { request_id: stage.world.request_id(), duty_id: guarding.id.clone() };
        let refused = stage.office().end_duty(end()).await.unwrap_err();
        assert_eq!(reason(&refused), "ROOM_WITHOUT_DUTY");
        stage.world.day(&guard).check_out(by_guardian(&stage, 1)).await.unwrap();
        stage.office().end_duty(end()).await.unwrap();
        let refused = stage.office().hand_over(hand(&[1], &guarding)).await.unwrap_err();
        assert_eq!(reason(&refused), "DUTY_NOT_TODAY");

        let moments = ListPupilMomentsRequest { pupil_id: stage.pupil(0), ..Default::default() };
        let moments = stage.parent(0).list_pupil_moments(moments).await.unwrap().into_inner().moments;
        let kinds: Vec<_> = moments.iter().map(message::PupilMoment::kind).rev().collect();
        use MomentKind::{CheckedIn, CheckedOut, HandedOver, Marked};
        assert!([[Marked, CheckedIn], [CheckedIn, Marked]].contains(&[kinds[0], kinds[1]]), "{kinds:?}");
        assert_eq!(kinds[2..], [HandedOver, HandedOver, CheckedOut]);
        assert_eq!(moments[0].way(), CheckOutWay::Guardian);
        let other = ListPupilMomentsRequest { pupil_id: stage.pupil(0), ..Default::default() };
        let other = stage.parent(1).list_pupil_moments(other).await.unwrap_err();
        assert_eq!(reason(&other), "PUPIL_NOT_FOUND");
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn c48_a_check_out_is_seen_by_the_pupils_own_family_page_by_page() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 2).await;
        stage.call_roll(&[Standing::Present, Standing::Present]).await;
        stage.world.clock.advance(TimeDelta::minutes(30));
        stage.teacher().check_out(by_guardian(&stage, 0)).await.unwrap();

        let mut seen = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListPupilMomentsRequest { pupil_id: stage.pupil(0), page_size: 1, page_token };
            let page = stage.parent(0).list_pupil_moments(request).await.unwrap().into_inner();
            seen.extend(page.moments);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }

        assert_eq!(seen.len(), 3);
        assert_eq!(seen[0].kind(), MomentKind::CheckedOut, "latest first");
        assert!(seen.iter().all(|moment| moment.id != stage.pupil(1)));
        assert_eq!(told_of(&stage, 0).await, ["pupil_checked_in", "pupil_checked_out"]);
        let events = told::<message::Event>(&stage.world.db).await;
        let own = events.iter().filter(|(_, subject, _)| *subject == stage.families[0].pupil_id.uuid());
        assert!(
            own.map(|(_, _, event)| &event.pupil_id).all(|id| *id == stage.pupil(0)),
            "of no other child"
        );
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_pupil_is_given_to_whom_a_guardian_named_and_to_nobody_else() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 3).await;
        stage.call_roll(&[Standing::Present, Standing::Present, Standing::Present]).await;
        let standing = add(&stage, 0, grandmother(&stage, 0, Kind::Standing)).await;
        let with = |at: usize, collector: &Collector, code: &str| CheckOutRequest {
            collector_id: collector.id.clone(),
            code: code.to_owned(),
            ..check_out(&stage, at, CheckOutWay::Collector)
        };

        assert_eq!((standing.phone.as_str(), standing.code.as_str()), ("138****8000", ""));
        let other_child = stage.teacher().check_out(with(1, &standing, "")).await.unwrap_err();
        assert_eq!(reason(&other_child), "COLLECTOR_NOT_FOUND");
        let stranger = CheckOutRequest {
            guardian_id: stage.families[1].guardian_id.to_string(),
            ..check_out(&stage, 0, CheckOutWay::Guardian)
        };
        let stranger = stage.teacher().check_out(stranger).await.unwrap_err();
        assert_eq!(reason(&stranger), "GUARDIAN_NOT_FOUND");
        let alone_now =
            stage.teacher().check_out(check_out(&stage, 2, CheckOutWay::Alone)).await.unwrap_err();
        assert_eq!(reason(&alone_now), "ALONE_NOT_ALLOWED");
        let wordless =
            stage.teacher().check_out(check_out(&stage, 2, CheckOutWay::NotHere)).await.unwrap_err();
        assert_eq!(reason(&wordless), "REASON_REQUIRED");
        stage.teacher().check_out(with(0, &standing, "")).await.unwrap();
        let taken_twice = stage.office().check_out(by_guardian(&stage, 0)).await.unwrap_err();
        assert_eq!(reason(&taken_twice), "PUPIL_NOT_HELD");

        // Once, with a code, and only once.
        let request = grandmother(&stage, 1, Kind::OneTime);
        let once = add(&stage, 1, request.clone()).await;
        assert_eq!(once.code.len(), 6);
        assert_eq!(add(&stage, 1, request).await, once, "a repeat shows the same code");
        let wrong = if once.code == "000000" { "000001" } else { "000000" };
        let refused = stage.teacher().check_out(with(1, &once, wrong)).await.unwrap_err();
        assert_eq!(reason(&refused), "CODE_WRONG");
        let request = with(1, &once, &once.code);
        let first = stage.teacher().check_out(request.clone()).await.unwrap().into_inner();
        let again = stage.teacher().check_out(request).await.unwrap().into_inner();
        assert_eq!(first, again);
        let list = ListCollectorsRequest { pupil_id: stage.pupil(1) };
        let listed = stage.parent(1).list_collectors(list).await.unwrap().into_inner().collectors;
        assert_eq!(listed[0].state(), State::Used);

        // Alone, by standing consent, until it is taken back.
        let consent = add(&stage, 2, alone(&stage, 2)).await;
        let decide = |id: &str, decision: Decision| DecideCollectorRequest {
            request_id: stage.world.request_id(),
            collector_id: id.to_owned(),
            decision: decision.into(),
        };
        stage.parent(2).decide_collector(decide(&consent.id, Decision::Remove)).await.unwrap();
        let refused = stage.teacher().check_out(check_out(&stage, 2, CheckOutWay::Alone)).await.unwrap_err();
        assert_eq!(reason(&refused), "ALONE_NOT_ALLOWED");
        add(&stage, 2, alone(&stage, 2)).await;
        stage.teacher().check_out(check_out(&stage, 2, CheckOutWay::Alone)).await.unwrap();
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn five_wrong_codes_lock_a_one_time_leave_however_they_come() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        stage.call_roll(&[Standing::Present]).await;
        let once = add(&stage, 0, grandmother(&stage, 0, Kind::OneTime)).await;
        let wrong = if once.code == "000000" { "000001" } else { "000000" };
        let with = |code: &str| CheckOutRequest {
            collector_id: once.id.clone(),
            code: code.to_owned(),
            ..check_out(&stage, 0, CheckOutWay::Collector)
        };

        for _ in 0..5 {
            let refused = stage.teacher().check_out(with(wrong)).await.unwrap_err();
            assert_eq!(reason(&refused), "CODE_WRONG");
        }
        let refused = stage.teacher().check_out(with(&once.code)).await.unwrap_err();

        assert_eq!(reason(&refused), "CODE_LOCKED");
        stage.teacher().check_out(by_guardian(&stage, 0)).await.unwrap();
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn one_guardians_no_stands_against_another_ones_yes() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        stage.call_roll(&[Standing::Present]).await;
        let father = other_parent(&stage, 0).await;
        let named = add(&stage, 0, grandmother(&stage, 0, Kind::Standing)).await;
        let decide = |decision: Decision| DecideCollectorRequest {
            request_id: stage.world.request_id(),
            collector_id: named.id.clone(),
            decision: decision.into(),
        };

        let no = stage.world.day(&father).decide_collector(decide(Decision::Forbid)).await.unwrap();
        assert_eq!(no.into_inner().collector.unwrap().state(), State::Forbidden);
        for decision in [Decision::Allow, Decision::Remove] {
            let refused = stage.parent(0).decide_collector(decide(decision)).await.unwrap_err();
            assert_eq!(reason(&refused), "COLLECTOR_FORBIDDEN");
        }
        let anew = stage.parent(0).add_collector(grandmother(&stage, 0, Kind::OneTime)).await.unwrap_err();
        assert_eq!(reason(&anew), "COLLECTOR_FORBIDDEN", "the same number, named anew");
        let taken = CheckOutRequest {
            collector_id: named.id.clone(),
            ..check_out(&stage, 0, CheckOutWay::Collector)
        };
        let refused = stage.teacher().check_out(taken.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "COLLECTOR_FORBIDDEN");
        let list = || ListCollectorsRequest { pupil_id: stage.pupil(0) };
        let seen = stage.teacher().list_collectors(list()).await.unwrap().into_inner();
        assert_eq!(seen.collectors[0].state(), State::Forbidden, "the teacher is warned");
        assert_eq!(seen.guardian_ids.len(), 2);

        stage.world.day(&father).decide_collector(decide(Decision::Allow)).await.unwrap();
        let taken = CheckOutRequest { request_id: stage.world.request_id(), ..taken };
        stage.teacher().check_out(taken).await.unwrap();
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn numbers_are_sealed_masked_and_shown_in_full_only_to_those_who_may_have_to_call() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        stage.call_roll(&[Standing::Present]).await;
        add(&stage, 0, grandmother(&stage, 0, Kind::OneTime)).await;
        let list = || ListCollectorsRequest { pupil_id: stage.pupil(0) };

        let teacher = stage.teacher().list_collectors(list()).await.unwrap().into_inner().collectors;
        assert_eq!((teacher[0].phone.as_str(), teacher[0].code.as_str()), ("138****8000", ""));
        let class = stage.staff(Role::ClassTeacher).list_collectors(list()).await.unwrap().into_inner();
        assert_eq!(class.collectors[0].phone, "13800138000");
        assert_eq!(class.collectors[0].code, "", "the code is the family's to hand on");
        let father = other_parent(&stage, 0).await;
        let father = stage.world.day(&father).list_collectors(list()).await.unwrap().into_inner().collectors;
        assert_eq!((father[0].phone.as_str(), father[0].code.as_str()), ("138****8000", ""));
        let stranger = stage.staff(Role::Instructor).list_collectors(list()).await.unwrap_err();
        assert_eq!(reason(&stranger), "PUPIL_NOT_FOUND");
        let elsewhere = (0..4).map(|_| random::uuid(stage.now())).collect();
        let stranger = staff_at(&stage.world, Role::ClassTeacher, elsewhere);
        let stranger = stage.world.day(&stranger).list_collectors(list()).await.unwrap_err();
        assert_eq!(reason(&stranger), "PUPIL_NOT_FOUND");

        let db = stage.world.db.read();
        let shown = Statement::from_string(db.get_database_backend(), "select actor from day_audit");
        assert_eq!(
            db.query_all_raw(shown).await.unwrap().len(),
            1,
            "the full number left a trace, the others none"
        );
        let sealed =
            Statement::from_string(db.get_database_backend(), "select name, phone, code from collector");
        let row = db.query_one_raw(sealed).await.unwrap().unwrap();
        for column in ["name", "phone", "code"] {
            let bytes: Vec<u8> = row.try_get("", column).unwrap();
            assert!(!bytes.windows(6).any(|bytes| bytes == b"138001"), "{column}");
        }
        let kept = Statement::from_string(
            db.get_database_backend(),
            "select answer from request where answer is not null",
        );
        for row in db.query_all_raw(kept).await.unwrap() {
            let answer: Vec<u8> = row.try_get("", "answer").unwrap();
            let text = String::from_utf8_lossy(&answer);
            assert!(!text.contains("王奶奶") && !text.contains("8000"), "no kept answer names a person");
        }
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn of_two_who_collect_a_pupil_at_once_one_gets_the_pupil() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 8).await;
        stage.call_roll(&[Standing::Present; 8]).await;
        for at in 0..8 {
            let once = add(&stage, at, grandmother(&stage, at, Kind::OneTime)).await;
            let grandmother = CheckOutRequest {
                collector_id: once.id.clone(),
                code: once.code.clone(),
                ..check_out(&stage, at, CheckOutWay::Collector)
            };
            let mother = by_guardian(&stage, at);
            let (mut one, mut other) = (stage.teacher(), stage.office());

            let (one, other) = tokio::join!(one.check_out(grandmother), other.check_out(mother));

            let refused: Vec<_> = [one.err(), other.err()].into_iter().flatten().collect();
            assert_eq!(refused.len(), 1, "pupil {at}");
            assert_eq!(reason(&refused[0]), "PUPIL_NOT_HELD");
            assert_eq!(told_of(&stage, at).await, ["pupil_checked_in", "pupil_checked_out"]);
        }
        assert!(open(&stage, &staff(&stage.world, Role::Principal)).await.is_empty());
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_roll_that_comes_late_does_not_bring_a_collected_pupil_back() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        let offline = stage.mark(&stage.phone, 1, 0, Standing::Present);
        stage.world.clock.advance(TimeDelta::minutes(5));
        // Meanwhile another device is online.
        let phone = super::stage::Phone::new(&stage.world);
        let online = stage.batch(&phone, vec![stage.mark(&phone, 1, 0, Standing::Present)]);
        stage.office().record_roll(online).await.unwrap();
        stage.world.clock.advance(TimeDelta::minutes(20));
        stage.office().check_out(by_guardian(&stage, 0)).await.unwrap();
        stage.world.clock.advance(TimeDelta::minutes(20));

        stage.teacher().record_roll(stage.batch(&stage.phone, vec![offline])).await.unwrap();

        assert!(open(&stage, &staff(&stage.world, Role::Principal)).await.is_empty());
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_collector_is_described_whole_or_refused_with_every_field() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        let bad = AddCollectorRequest {
            name: " ".to_owned(),
            phone: "12345".to_owned(),
            relation: 0,
            day: "2026-09-06".to_owned(),
            ..grandmother(&stage, 0, Kind::OneTime)
        };
        let refused = stage.parent(0).add_collector(bad).await.unwrap_err();
        let fields: Vec<_> = violations_of(&refused).list().iter().map(|one| one.field.clone()).collect();
        assert_eq!(fields, ["name", "phone", "relation", "day"]);
        let named =
            AddCollectorRequest { kind: Kind::Alone.into(), ..grandmother(&stage, 0, Kind::Standing) };
        let refused = stage.parent(0).add_collector(named).await.unwrap_err();
        let fields: Vec<_> = violations_of(&refused).list().iter().map(|one| one.field.clone()).collect();
        assert_eq!(fields, ["name", "phone", "relation"]);
        let mixed = CheckOutRequest { code: "123456".to_owned(), ..by_guardian(&stage, 0) };
        let refused = stage.teacher().check_out(mixed).await.unwrap_err();
        assert_eq!(violations_of(&refused).list()[0].field, "code");
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_a_guardian_has_said_ends_with_their_being_one() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        stage.call_roll(&[Standing::Present]).await;
        other_parent(&stage, 0).await;
        let named = add(&stage, 0, grandmother(&stage, 0, Kind::Standing)).await;
        add(&stage, 0, alone(&stage, 0)).await;
        let withdrawn = proto::identity::v1::ConsentWithdrawn {
            guardian_id: stage.families[0].guardian_id.to_string(),
            pupil_id: stage.pupil(0),
        };
        stage.world.hear_identity(proto::identity::v1::event::Kind::ConsentWithdrawn(withdrawn)).await;

        let with = CheckOutRequest {
            collector_id: named.id.clone(),
            ..check_out(&stage, 0, CheckOutWay::Collector)
        };
        let table = [
            (with, "COLLECTOR_REMOVED"),
            (check_out(&stage, 0, CheckOutWay::Alone), "ALONE_NOT_ALLOWED"),
            (by_guardian(&stage, 0), "GUARDIAN_NOT_FOUND"),
        ];
        for (request, expected) in table {
            assert_eq!(reason(&stage.teacher().check_out(request).await.unwrap_err()), expected);
        }
        let list = ListCollectorsRequest { pupil_id: stage.pupil(0) };
        let shown = stage.teacher().list_collectors(list).await.unwrap().into_inner();
        assert!(shown.collectors.is_empty());
        assert_eq!(shown.guardian_ids.len(), 1, "the other parent");
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn c50_of_the_last_two_on_duty_in_a_room_one_stays_whoever_ends_at_once() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        let first = staff(&stage.world, Role::Instructor);
        let room = OpenRoomRequest {
            request_id: stage.world.request_id(),
            school_id: stage.school_id(),
            name: "等候室".to_owned(),
            staff_id: staff_id(&first).to_string(),
            staff_name: "赵师傅".to_owned(),
            first_day: DAY.to_owned(),
            last_day: DAY.to_owned(),
        };
        let room = stage.office().open_room(room).await.unwrap().into_inner().room.unwrap();
        let mut last = room.duties[0].clone();
        stage.call_roll(&[Standing::Present]).await;
        let request = HandOverRequest {
            request_id: stage.world.request_id(),
            pupil_ids: vec![stage.pupil(0)],
            duty_id: last.id.clone(),
        };
        stage.teacher().hand_over(request).await.unwrap();

        for round in 0..5 {
            let second =
                stage.name(Post::Room, room.id.clone(), &staff(&stage.world, Role::Instructor)).await;
            let end = |duty: &message::Duty| {
                let request =
                    EndDutyRequest { request_id: stage.world.request_id(), duty_id: duty.id.clone() };
                let mut office = stage.office();
                async move { office.end_duty(request).await }
            };

            let (one, other) = tokio::join!(end(&last), end(&second));

            let stays = match (one, other) {
                (Ok(_), Err(refused)) => {
                    assert_eq!(reason(&refused), "ROOM_WITHOUT_DUTY");
                    second
                }
                (Err(refused), Ok(_)) => {
                    assert_eq!(reason(&refused), "ROOM_WITHOUT_DUTY");
                    last
                }
                (one, other) => panic!("round {round}: {one:?} {other:?}"),
            };
            last = stays;
        }
        stage.end().await;
    })
    .await;
}
