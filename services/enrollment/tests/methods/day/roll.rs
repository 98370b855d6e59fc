//! Calling the roll: who may, what becomes of each mark, closing, corrections, leave.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proto::enrollment::v1::aside_mark::Reason;
use proto::enrollment::v1::record_roll_response::outcome::Kind;
use proto::enrollment::v1::{
    self as message, CancelLeaveRequest, ListAsideMarksRequest, ListMarksRequest, ReportLeaveRequest,
    SettleAsideMarkRequest,
};
use shared::caller::Role;
use shared::random;
use shared::status::violations_of;
use shared::testing::moment;
use tonic::Code;

use super::stage::{DAY, LESSON, Phone, Stage, Standing, staff_at};
use crate::support::{FREE, Menu, on_each, reason};

#[tokio::test]
async fn the_roll_is_called_and_read_back_with_names_and_sums() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 5).await;

        let answer = stage
            .call_roll(&[Standing::Present, Standing::Absent, Standing::Late, Standing::LeftEarly])
            .await;

        assert!(answer.outcomes.iter().all(|outcome| outcome.kind() == Kind::Kept && outcome.counts));
        let register = stage.teacher().get_roll(stage.roll()).await.unwrap().into_inner();
        let lesson = register.lesson.unwrap();
        assert_eq!(answer.lesson.unwrap(), lesson);
        assert_eq!(lesson.section_title, "围棋");
        assert!(!lesson.closed);
        let tally = lesson.tally.unwrap();
        assert_eq!(
            (tally.expected_count, tally.present_count, tally.absent_count, tally.late_count),
            (5, 1, 1, 1)
        );
        assert_eq!((tally.left_early_count, tally.leave_count, tally.unmarked_count), (1, 0, 1));
        let names: Vec<_> = register.lines.iter().map(|line| line.pupil_name.as_str()).collect();
        assert_eq!(names, ["学生01", "学生02", "学生03", "学生04", "学生05"]);
        assert_eq!(register.lines[2].state(), Standing::Late);
        assert!(register.lines.iter().all(|line| !line.disputed && line.grade == 3));
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_roll_is_called_by_those_named_by_the_office_and_by_class_teachers_for_their_own() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 2).await;
        let batch =
            |at: usize| stage.batch(&stage.phone, vec![stage.mark(&stage.phone, 1, at, Standing::Present)]);

        for role in [Role::TeachingOffice, Role::Principal, Role::ClassTeacher] {
            let answer = stage.staff(role).record_roll(batch(0)).await.unwrap().into_inner();
            assert_eq!(answer.outcomes[0].kind(), Kind::Kept, "{role}");
        }
        // Not named for this section.
        let other = stage.staff(Role::Instructor).record_roll(batch(0)).await.unwrap_err();
        assert_eq!(reason(&other), "SECTION_NOT_FOUND");
        let elsewhere = (0..3).map(|_| random::uuid(stage.now())).collect();
        let elsewhere = staff_at(&stage.world, Role::Principal, elsewhere);
        let other = stage.world.day(&elsewhere).record_roll(batch(0)).await.unwrap_err();
        assert_eq!(reason(&other), "SECTION_NOT_FOUND");
        // Another class: the pupil is on no part of the register this teacher sees.
        let class = [stage.world.school.path.as_slice(), &[random::uuid(stage.now())]].concat();
        let other_class = staff_at(&stage.world, Role::ClassTeacher, class);
        let answer = stage.world.day(&other_class).record_roll(batch(1)).await.unwrap().into_inner();
        assert_eq!(answer.outcomes[0].reason(), Reason::NotOnRegister);
        assert!(
            stage.world.day(&other_class).get_roll(stage.roll()).await.unwrap().into_inner().lines.is_empty()
        );
        for role in [Role::Provider, Role::SchoolFinance, Role::MoralEducation, Role::BureauOfficer] {
            let denied = stage.staff(role).record_roll(batch(0)).await.unwrap_err();
            assert_eq!(reason(&denied), "ROLE_NOT_ALLOWED", "{role}");
        }
        let denied = stage.parent(0).record_roll(batch(0)).await.unwrap_err();
        assert_eq!(reason(&denied), "ROLE_NOT_ALLOWED");
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_batch_sent_again_is_kept_once_and_a_mark_in_two_batches_too() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 2).await;
        let mark = stage.mark(&stage.phone, 1, 0, Standing::Present);
        let batch = stage.batch(&stage.phone, vec![mark.clone()]);

        let first = stage.teacher().record_roll(batch.clone()).await.unwrap().into_inner();
        let again = stage.teacher().record_roll(batch.clone()).await.unwrap().into_inner();
        stage.world.clock.advance(TimeDelta::minutes(3));
        let in_another = stage.batch(&stage.phone, vec![mark.clone()]);
        let in_another = stage.teacher().record_roll(in_another).await.unwrap().into_inner();
        let other_content = message::RecordRollRequest { marks: vec![], ..batch };
        let other_content = message::RecordRollRequest {
            marks: vec![stage.mark(&stage.phone, 2, 1, Standing::Late)],
            ..other_content
        };
        let reused = stage.teacher().record_roll(other_content).await.unwrap_err();

        assert_eq!(first, again);
        assert_eq!(in_another.outcomes[0].kind(), Kind::KeptBefore);
        assert!(in_another.outcomes[0].counts);
        assert_eq!((reused.code(), reason(&reused).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_mark_that_cannot_be_written_waits_for_a_person_who_settles_it() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 2).await;
        let guest = stage.world.family().await;
        let stranger = message::record_roll_request::NewMark {
            pupil_id: guest.pupil_id.to_string(),
            ..stage.mark(&stage.phone, 1, 0, Standing::Present)
        };
        let known = stage.mark(&stage.phone, 2, 0, Standing::Present);
        let batch = stage.batch(&stage.phone, vec![stranger.clone(), known.clone()]);
        let answer = stage.teacher().record_roll(batch).await.unwrap().into_inner();
        let reused = message::record_roll_request::NewMark { state: Standing::Absent.into(), ..known };
        stage.world.clock.advance(TimeDelta::seconds(1));
        let batch = stage.batch(&stage.phone, vec![reused, stranger]);
        let more = stage.teacher().record_roll(batch).await.unwrap().into_inner();

        assert_eq!(
            (answer.outcomes[0].kind(), answer.outcomes[0].reason()),
            (Kind::SetAside, Reason::NotOnRegister)
        );
        assert_eq!(answer.outcomes[0].pupil_id, guest.pupil_id.to_string());
        assert_eq!(answer.outcomes[1].kind(), Kind::Kept);
        assert_eq!(more.outcomes[0].reason(), Reason::IdReused);
        let ask = || ListAsideMarksRequest { school_id: stage.school_id(), ..Default::default() };
        let waiting = stage.office().list_aside_marks(ask()).await.unwrap().into_inner().marks;
        let reasons: Vec<_> = waiting.iter().map(message::AsideMark::reason).collect();
        assert_eq!(reasons, [Reason::NotOnRegister, Reason::IdReused], "sent twice, set aside once");

        let settle = |at: usize, taken_up: bool, reason: &str| SettleAsideMarkRequest {
            request_id: stage.world.request_id(),
            aside_mark_id: waiting[at].id.clone(),
            taken_up,
            reason: reason.to_owned(),
            ..Default::default()
        };
        let wordless = stage.office().settle_aside_mark(settle(0, true, " ")).await.unwrap_err();
        assert_eq!(reason(&wordless), "REASON_REQUIRED");
        let up = stage.office().settle_aside_mark(settle(0, true, "试听")).await.unwrap().into_inner();
        assert_eq!(up.mark.unwrap().state(), message::aside_mark::State::TakenUp);
        let down = stage.office().settle_aside_mark(settle(0, false, "误点")).await.unwrap_err();
        assert_eq!(reason(&down), "ASIDE_MARK_SETTLED");
        stage.office().settle_aside_mark(settle(1, false, "误点")).await.unwrap();
        stage.office().settle_aside_mark(settle(1, false, "误点")).await.unwrap();
        assert!(stage.office().list_aside_marks(ask()).await.unwrap().into_inner().marks.is_empty());
        let register = stage.register().await;
        assert_eq!(register.lines.len(), 3, "the guest is on the register now");
        let denied = stage.teacher().list_aside_marks(ask()).await.unwrap_err();
        assert_eq!(reason(&denied), "ROLE_NOT_ALLOWED");
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn two_devices_with_clocks_that_are_off_give_one_register_whoever_comes_first() {
    for first_device_first in [true, false] {
        on_each(|world| async move {
            let stage = Stage::set(world, FREE, Menu::default(), 3).await;
            let slow = Phone { ahead: TimeDelta::hours(-30), ..Phone::new(&stage.world) };
            let fast = Phone { ahead: TimeDelta::hours(5), ..Phone::new(&stage.world) };
            // Offline: the slow one at 16:10 and 16:12, the fast one at 16:11.
            let one = stage.mark(&slow, 1, 0, Standing::Absent);
            stage.world.clock.advance(TimeDelta::minutes(1));
            let two = stage.mark(&fast, 1, 0, Standing::Late);
            let other = stage.mark(&fast, 2, 1, Standing::Present);
            stage.world.clock.advance(TimeDelta::minutes(1));
            let three = stage.mark(&slow, 2, 1, Standing::LeftEarly);
            stage.at("2026-09-07T18:30:00+08:00");
            let mut batches = vec![(slow, vec![one, three]), (fast, vec![two, other])];
            if !first_device_first {
                batches.reverse();
            }
            for (phone, marks) in batches {
                stage.teacher().record_roll(stage.batch(&phone, marks)).await.unwrap();
            }

            assert_eq!(
                stage.standings().await,
                [Standing::Late, Standing::LeftEarly, Standing::Unspecified],
                "first device first: {first_device_first}"
            );
            let register = stage.register().await;
            let disputed: BTreeSet<_> = register
                .lines
                .iter()
                .filter(|line| line.disputed)
                .map(|line| line.pupil_id.clone())
                .collect();
            assert_eq!(disputed, BTreeSet::from([stage.pupil(0), stage.pupil(1)]));
            let ask = ListMarksRequest {
                section_id: stage.section_id.to_string(),
                day: DAY.to_owned(),
                slot_id: stage.slot_id.to_string(),
                pupil_id: stage.pupil(0),
            };
            let marks = stage.office().list_marks(ask).await.unwrap().into_inner().marks;
            let said: Vec<_> = marks.iter().map(|mark| (mark.state(), mark.counts)).collect();
            assert_eq!(said, [(Standing::Late, true), (Standing::Absent, false)], "superseded, and kept");
            stage.end().await;
        })
        .await;
    }
}

#[tokio::test]
async fn two_devices_at_once_lose_no_mark() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 8).await;
        for round in 0..6_i64 {
            let phones = [Phone::new(&stage.world), Phone::new(&stage.world)];
            let batches = phones.map(|phone| {
                let marks = (0..8).map(|at| {
                    stage.mark(&phone, round * 10 + 1 + i64::try_from(at).unwrap(), at, Standing::Present)
                });
                stage.batch(&phone, marks.collect())
            });
            let [one, other] = batches.map(|batch| {
                let mut teacher = stage.teacher();
                async move { teacher.record_roll(batch).await }
            });
            let (one, other) = tokio::join!(one, other);

            for answer in [one.unwrap().into_inner(), other.unwrap().into_inner()] {
                assert!(answer.outcomes.iter().all(|outcome| outcome.kind() == Kind::Kept));
            }
            let lessons = stage.lessons(&mut stage.office()).await.unwrap();
            assert_eq!(lessons.len(), 1, "laid out once");
            assert_eq!(lessons[0].tally.unwrap().present_count, 8);
            let register = stage.register().await;
            let ask = ListMarksRequest {
                section_id: stage.section_id.to_string(),
                day: DAY.to_owned(),
                slot_id: stage.slot_id.to_string(),
                pupil_id: register.lines[0].pupil_id.clone(),
            };
            let marks = stage.office().list_marks(ask).await.unwrap().into_inner().marks;
            assert_eq!(marks.len(), usize::try_from((round + 1) * 2).unwrap());
        }
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn c46_sjz_register_of_a_day_closes_on_it_and_the_month_is_the_sum_of_days() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 3).await;
        stage.lay_out().await;
        stage.lay_out().await;
        stage.call_roll(&[Standing::Present, Standing::Absent]).await;
        let late_mark = stage.mark(&stage.phone, 9, 2, Standing::Present);

        stage.at("2026-09-07T22:59:59+08:00");
        stage.close().await;
        assert!(!stage.register().await.lesson.unwrap().closed, "a second before");
        stage.at("2026-09-07T23:00:00+08:00");
        stage.close().await;
        stage.close().await;

        let lesson = stage.register().await.lesson.unwrap();
        assert!(lesson.closed);
        assert_eq!(lesson.close_time.unwrap().seconds, moment("2026-09-07T23:00:00+08:00").timestamp());
        let told: Vec<_> = shared::testing::told::<message::Event>(&stage.world.db)
            .await
            .into_iter()
            .filter(|(name, _, _)| name == "register_closed")
            .collect();
        assert_eq!(told.len(), 1, "closed once, told once");
        let Some(message::event::Kind::RegisterClosed(closed)) = &told[0].2.kind else { panic!("{told:?}") };
        assert_eq!((closed.day.as_str(), closed.tally), (DAY, lesson.tally));
        assert!(told[0].2.pupil_id.is_empty() && told[0].2.enrollment_id.is_empty());

        // What a device had offline comes too late for the register, and is not lost.
        let batch = stage.batch(&stage.phone, vec![late_mark]);
        let answer = stage.teacher().record_roll(batch).await.unwrap().into_inner();
        assert_eq!(answer.outcomes[0].reason(), Reason::RegisterClosed);
        // From then on only the office changes it, with a reason, and what was said before is kept.
        let denied = stage.teacher().correct_mark(stage.correction(1, Standing::Late, "来了")).await;
        assert_eq!(reason(&denied.unwrap_err()), "ROLE_NOT_ALLOWED");
        let wordless = stage.office().correct_mark(stage.correction(1, Standing::Late, "")).await;
        assert_eq!(reason(&wordless.unwrap_err()), "REASON_REQUIRED");
        stage.at("2026-09-09T10:00:00+08:00");
        let correction = stage.correction(1, Standing::Late, "家长来电，孩子迟到");
        let first = stage.staff(Role::Principal);
        let corrected = { first }.correct_mark(correction).await.unwrap().into_inner();
        assert_eq!(corrected.mark.unwrap().reason, "家长来电，孩子迟到");
        assert_eq!(corrected.lesson.unwrap().tally.unwrap().late_count, 1);
        assert_eq!(stage.standings().await, [Standing::Present, Standing::Late, Standing::Unspecified]);
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_closed_register_keeps_its_pupils_when_they_leave_the_section() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 2).await;
        stage.call_roll(&[Standing::Present]).await;
        stage.at("2026-09-07T23:30:00+08:00");
        stage.close().await;

        stage.at("2026-09-08T09:00:00+08:00");
        let own = message::ListPupilEnrollmentsRequest { pupil_id: stage.pupil(1), ..Default::default() };
        let mut parent = stage.world.guardian(&stage.families[1]);
        let seat = parent.list_pupil_enrollments(own).await.unwrap().into_inner().enrollments.remove(0);
        let withdraw =
            message::WithdrawRequest { request_id: stage.world.request_id(), enrollment_id: seat.id };
        parent.withdraw(withdraw).await.unwrap();

        let register = stage.register().await;
        assert_eq!(register.lines.len(), 2);
        assert_eq!(register.lesson.unwrap().tally.unwrap().unmarked_count, 1);
        let roster = stage.roll();
        let next_week = message::GetRollRequest { day: "2026-09-14".to_owned(), ..roster };
        let next_week = stage.office().get_roll(next_week).await.unwrap().into_inner();
        assert_eq!(next_week.lines.len(), 1);
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_guardian_excuses_a_child_beforehand_and_the_roll_shows_it() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 2).await;
        let leave = |at: usize, day: &str| ReportLeaveRequest {
            request_id: stage.world.request_id(),
            pupil_id: stage.pupil(at),
            day: day.to_owned(),
            section_id: String::new(),
        };

        let late = stage.parent(0).report_leave(leave(0, DAY)).await.unwrap_err();
        assert_eq!(reason(&late), "LEAVE_TOO_LATE");
        let none = stage.parent(0).report_leave(leave(0, "2026-09-08")).await.unwrap_err();
        assert_eq!(reason(&none), "NO_LESSON");
        stage.at("2026-09-07T15:59:00+08:00");
        let own = stage.parent(0).report_leave(leave(0, DAY)).await.unwrap().into_inner().leave.unwrap();
        let again = stage.parent(0).report_leave(leave(0, DAY)).await.unwrap().into_inner().leave.unwrap();
        assert_eq!(own, again, "one leave");
        let other = stage.parent(0).report_leave(leave(1, DAY)).await.unwrap_err();
        assert_eq!(reason(&other), "PUPIL_NOT_FOUND");
        let cancel =
            |id: &str| CancelLeaveRequest { request_id: stage.world.request_id(), leave_id: id.to_owned() };
        let other = stage.parent(1).cancel_leave(cancel(&own.id)).await.unwrap_err();
        assert_eq!(reason(&other), "LEAVE_NOT_FOUND");

        assert_eq!(stage.standings().await, [Standing::Leave, Standing::Unspecified]);
        stage.at(LESSON);
        let cancelled = stage.parent(0).cancel_leave(cancel(&own.id)).await.unwrap().into_inner();
        assert!(cancelled.leave.unwrap().cancel_time.is_some());
        assert_eq!(stage.standings().await[0], Standing::Leave, "the lesson had begun");
        stage.call_roll(&[Standing::Late]).await;
        assert_eq!(stage.standings().await[0], Standing::Late, "came after all");
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_lesson_that_is_not_given_or_not_begun_is_not_marked() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        let mark = stage.mark(&stage.phone, 1, 0, Standing::Present);
        let on = |day: &str, slot_id: String| message::RecordRollRequest {
            day: day.to_owned(),
            slot_id,
            ..stage.batch(&stage.phone, vec![mark.clone()])
        };
        let slot = stage.slot_id.to_string();
        let table = [
            (on("2026-09-08", slot.clone()), "NO_LESSON"),
            (on("2026-08-31", slot.clone()), "NO_LESSON"),
            (on(DAY, random::uuid(stage.now()).to_string()), "NO_LESSON"),
            (on("2026-09-14", slot), "LESSON_TO_COME"),
        ];
        for (batch, expected) in table {
            let refused = stage.office().record_roll(batch).await.unwrap_err();
            assert_eq!(reason(&refused), expected);
        }
        let bad = message::RecordRollRequest {
            day: "2026-9-7".to_owned(),
            device_id: "phone".to_owned(),
            send_time: None,
            marks: vec![
                message::record_roll_request::NewMark { sequence: 0, state: 4, ..mark.clone() },
                mark.clone(),
            ],
            ..stage.batch(&stage.phone, Vec::new())
        };
        let refused = stage.teacher().record_roll(bad).await.unwrap_err();
        let fields: Vec<_> = violations_of(&refused).list().iter().map(|one| one.field.clone()).collect();
        assert_eq!(
            fields,
            ["day", "device_id", "send_time", "marks[0].state", "marks[0].sequence", "marks[1].id"]
        );
        let far = message::GetRollRequest { day: "+262142-12-31".to_owned(), ..stage.roll() };
        let refused = stage.teacher().get_roll(far).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        stage.end().await;
    })
    .await;
}
