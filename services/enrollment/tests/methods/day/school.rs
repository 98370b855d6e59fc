//! Questions of single pupils, insurance, and identity devices.

use chrono::TimeDelta;
use proto::enrollment::v1::aside_mark::Reason;
use proto::enrollment::v1::collector::Kind as CollectorKind;
use proto::enrollment::v1::lesson::Warning;
use proto::enrollment::v1::mark::Source;
use proto::enrollment::v1::record_device_events_request::DeviceEvent;
use proto::enrollment::v1::record_device_events_request::device_event::Direction;
use proto::enrollment::v1::record_device_events_response::outcome::Kind;
use proto::enrollment::v1::{
    self as message, AddCollectorRequest, AddDeviceRequest, CloseQuestionRequest, LinkPersonRequest,
    ListAsideMarksRequest, ListCoversRequest, ListDevicesRequest, ListMarksRequest, ListOpenPupilsRequest,
    ListPupilQuestionsRequest, ListQuestionsRequest, OpenQuestionRequest, RecordCoverRequest,
    RecordDeviceEventsRequest, RecordDeviceEventsResponse, RevokeDeviceRequest,
};
use sea_orm::{ConnectionTrait as _, Statement};
use shared::caller::Role;
use shared::random;
use shared::status::violations_of;
use tonic::{Code, Status};

use super::stage::{DAY, Stage, Standing, staff_at};
use crate::support::{FREE, Menu, on_each, reason, time};

fn question(stage: &Stage, at: usize) -> OpenQuestionRequest {
    OpenQuestionRequest {
        request_id: stage.world.request_id(),
        pupil_id: stage.pupil(at),
        subject: "数学".to_owned(),
        topic: "通分与约分".to_owned(),
    }
}

#[tokio::test]
async fn c52_a_question_closed_on_its_day_counts_and_one_left_open_is_reported_not_rejected() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 3).await;
        let close = |id: &str| CloseQuestionRequest {
            request_id: stage.world.request_id(),
            question_id: id.to_owned(),
            outcome: "已会".to_owned(),
        };
        let mut ids = Vec::new();
        for at in 0..3 {
            let opened = stage.teacher().open_question(question(&stage, at)).await.unwrap().into_inner();
            ids.push(opened.question.unwrap().id);
            stage.world.clock.advance(TimeDelta::seconds(1));
        }

        let same = stage.teacher().close_question(close(&ids[0])).await.unwrap().into_inner();
        assert!(same.question.unwrap().same_day);
        stage.at("2026-09-08T16:00:00+08:00");
        let later = stage.teacher().close_question(close(&ids[1])).await.unwrap().into_inner();
        assert!(!later.question.clone().unwrap().same_day);
        let again = stage.office().close_question(close(&ids[1])).await.unwrap().into_inner();
        assert_eq!(again, later, "closed once");

        let ask = |open_only: bool| ListQuestionsRequest {
            school_id: stage.school_id(),
            first_day: DAY.to_owned(),
            last_day: DAY.to_owned(),
            open_only,
            page_size: 2,
            page_token: String::new(),
        };
        let page = stage.office().list_questions(ask(false)).await.unwrap().into_inner();
        let report = page.report.unwrap();
        assert_eq!(
            (report.opened_count, report.same_day_count, report.later_count, report.open_count),
            (3, 1, 1, 1)
        );
        assert_eq!(
            page.questions.iter().map(|one| one.id.clone()).collect::<Vec<_>>(),
            [ids[2].clone(), ids[1].clone()]
        );
        let rest = ListQuestionsRequest { page_token: page.next_page_token, ..ask(false) };
        let rest = stage.office().list_questions(rest).await.unwrap().into_inner();
        assert_eq!(rest.questions.len(), 1);
        let open = stage.staff(Role::ClassTeacher).list_questions(ask(true)).await.unwrap().into_inner();
        assert_eq!(open.questions.iter().map(|one| one.id.clone()).collect::<Vec<_>>(), [ids[2].clone()]);
        let other = [stage.world.school.path.as_slice(), &[random::uuid(stage.now())]].concat();
        let other = staff_at(&stage.world, Role::ClassTeacher, other);
        let other = stage.world.day(&other).list_questions(ask(false)).await.unwrap().into_inner();
        assert!(other.questions.is_empty(), "another class's");
        assert_eq!(other.report.unwrap().opened_count, 0);

        let own = ListPupilQuestionsRequest { pupil_id: stage.pupil(1), ..Default::default() };
        let own = stage.parent(1).list_pupil_questions(own).await.unwrap().into_inner().questions;
        assert_eq!((own.len(), own[0].outcome.as_str()), (1, "已会"));
        let other = ListPupilQuestionsRequest { pupil_id: stage.pupil(0), ..Default::default() };
        let other = stage.parent(1).list_pupil_questions(other).await.unwrap_err();
        assert_eq!(reason(&other), "PUPIL_NOT_FOUND");
        let stranger = stage.staff(Role::Instructor).open_question(question(&stage, 0)).await.unwrap_err();
        assert_eq!(reason(&stranger), "PUPIL_NOT_FOUND");
        let stranger = stage.staff(Role::Instructor).close_question(close(&ids[2])).await.unwrap_err();
        assert_eq!(reason(&stranger), "QUESTION_NOT_FOUND");
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn c53_a_lesson_outside_every_cover_carries_a_warning() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        let cover = |first: &str, last: &str| RecordCoverRequest {
            request_id: stage.world.request_id(),
            school_id: stage.school_id(),
            kind: message::cover::Kind::SchoolLiability.into(),
            insurer: "人保财险".to_owned(),
            policy_number: "PZ-2026-1".to_owned(),
            first_day: first.to_owned(),
            last_day: last.to_owned(),
        };
        let warned = async || {
            let lesson = stage.lessons(&mut stage.office()).await.unwrap().remove(0);
            lesson.warnings.contains(&Warning::NotInsured.into())
        };

        assert!(warned().await, "nothing is recorded");
        stage.office().record_cover(cover("2026-08-01", "2026-09-06")).await.unwrap();
        assert!(warned().await, "the day before");
        stage.staff(Role::SchoolFinance).record_cover(cover("2026-09-07", "2026-09-07")).await.unwrap();
        assert!(!warned().await);
        let answer = stage.call_roll(&[Standing::Present]).await;
        assert!(!answer.lesson.unwrap().warnings.contains(&Warning::NotInsured.into()));

        let ask = || ListCoversRequest { school_id: stage.school_id() };
        let covers = stage.teacher().list_covers(ask()).await.unwrap().into_inner().covers;
        assert_eq!(
            covers.iter().map(|one| one.first_day.as_str()).collect::<Vec<_>>(),
            ["2026-09-07", "2026-08-01"]
        );
        let backwards = stage.office().record_cover(cover("2026-09-07", "2026-09-06")).await.unwrap_err();
        assert_eq!(violations_of(&backwards).list()[0].field, "last_day");
        let denied = stage.teacher().record_cover(cover(DAY, DAY)).await.unwrap_err();
        assert_eq!(reason(&denied), "ROLE_NOT_ALLOWED");
        stage.end().await;
    })
    .await;
}

/// A gate of the school, with its key.
struct Gate {
    key: String,
    id: String,
}

async fn gate(stage: &Stage) -> Gate {
    let request = AddDeviceRequest {
        request_id: stage.world.request_id(),
        school_id: stage.school_id(),
        name: "东门".to_owned(),
    };
    let first = stage.office().add_device(request.clone()).await;
    // Another member of the office is another caller: the same request id is theirs alone.
    let added = first.unwrap().into_inner();
    assert_eq!(added.key.len(), 43);
    Gate { key: added.key, id: added.device.unwrap().id }
}

async fn link(stage: &Stage, token: &str, at: usize) {
    let request = LinkPersonRequest {
        request_id: stage.world.request_id(),
        school_id: stage.school_id(),
        person_token: token.to_owned(),
        pupil_id: stage.pupil(at),
    };
    stage.office().link_person(request).await.unwrap();
}

fn seen(stage: &Stage, id: &str, token: &str, direction: Direction) -> DeviceEvent {
    DeviceEvent {
        id: id.to_owned(),
        person_token: token.to_owned(),
        direction: direction.into(),
        sequence: 0,
        event_time: Some(time(stage.now())),
    }
}

async fn send(
    stage: &Stage,
    key: &str,
    events: Vec<DeviceEvent>,
) -> Result<RecordDeviceEventsResponse, Status> {
    let request =
        RecordDeviceEventsRequest { device_key: key.to_owned(), send_time: Some(time(stage.now())), events };
    let mut device = stage.world.day_anyone();
    device.record_device_events(request).await.map(tonic::Response::into_inner)
}

async fn open(stage: &Stage) -> Vec<message::OpenPupil> {
    let request = ListOpenPupilsRequest { school_id: stage.school_id(), day: DAY.to_owned() };
    stage.office().list_open_pupils(request).await.unwrap().into_inner().pupils
}

#[tokio::test]
async fn c49_a_device_event_is_the_same_attendance_record_as_a_mark_by_hand() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 2).await;
        let gate = gate(&stage).await;
        link(&stage, "face-7", 0).await;
        let event = seen(&stage, "e-1", "face-7", Direction::In);

        let first = send(&stage, &gate.key, vec![event.clone()]).await.unwrap();
        let again = send(&stage, &gate.key, vec![event]).await.unwrap();

        assert_eq!(first.outcomes[0].kind(), Kind::Recorded);
        assert_eq!(again.outcomes[0].kind(), Kind::RecordedBefore, "exactly once");
        assert_eq!(stage.standings().await, [Standing::Present, Standing::Unspecified]);
        let ask = ListMarksRequest {
            section_id: stage.section_id.to_string(),
            day: DAY.to_owned(),
            slot_id: stage.slot_id.to_string(),
            pupil_id: stage.pupil(0),
        };
        let marks = stage.office().list_marks(ask).await.unwrap().into_inner().marks;
        assert_eq!((marks.len(), marks[0].source(), marks[0].counts), (1, Source::Device, true));
        assert_eq!(marks[0].recorder, format!("device:{}", gate.id));
        // Nobody has taken the pupil in yet, and that shows.
        assert_eq!(open(&stage).await[0].holder.clone().unwrap().staff_id, "");
        stage.world.clock.advance(TimeDelta::minutes(2));
        stage.call_roll(&[Standing::Late]).await;
        assert_eq!(stage.standings().await[0], Standing::Late, "the teacher saw it later");
        assert_ne!(open(&stage).await[0].holder.clone().unwrap().staff_id, "");
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_unknown_person_is_kept_for_a_person_and_not_guessed() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 2).await;
        let gate = gate(&stage).await;
        link(&stage, "face-7", 0).await;

        let unknown =
            send(&stage, &gate.key, vec![seen(&stage, "e-1", "face-8", Direction::In)]).await.unwrap();
        stage.world.clock.advance(TimeDelta::hours(2));
        let late = send(&stage, &gate.key, vec![seen(&stage, "e-2", "face-7", Direction::In)]).await.unwrap();

        assert_eq!(unknown.outcomes[0].reason(), Reason::PersonUnknown);
        assert_eq!(late.outcomes[0].reason(), Reason::NoLesson);
        assert_eq!(stage.standings().await, [Standing::Unspecified, Standing::Unspecified]);
        let ask = ListAsideMarksRequest { school_id: stage.school_id(), ..Default::default() };
        let waiting = stage.office().list_aside_marks(ask).await.unwrap().into_inner().marks;
        assert_eq!(waiting.len(), 2);
        assert_eq!((waiting[0].pupil_id.as_str(), waiting[1].pupil_id.clone()), ("", stage.pupil(0)));
        // A person settles it: it was the second pupil, in this lesson.
        let settle = message::SettleAsideMarkRequest {
            request_id: stage.world.request_id(),
            aside_mark_id: waiting[0].id.clone(),
            taken_up: true,
            pupil_id: stage.pupil(1),
            section_id: stage.section_id.to_string(),
            slot_id: stage.slot_id.to_string(),
            reason: "值班老师认出".to_owned(),
        };
        stage.office().settle_aside_mark(settle).await.unwrap();
        assert_eq!(stage.standings().await, [Standing::Unspecified, Standing::Present]);
        let db = stage.world.db.read();
        let kept = Statement::from_string(db.get_database_backend(), "select token_digest from person_link");
        let kept: Vec<u8> =
            db.query_one_raw(kept).await.unwrap().unwrap().try_get("", "token_digest").unwrap();
        assert!(!kept.windows(4).any(|bytes| bytes == b"face"));
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_gate_lets_nobody_go_whom_nobody_took_but_those_who_may_go_alone() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 2).await;
        let gate = gate(&stage).await;
        link(&stage, "face-0", 0).await;
        link(&stage, "face-1", 1).await;
        stage.call_roll(&[Standing::Present, Standing::Present]).await;
        let consent = AddCollectorRequest {
            request_id: stage.world.request_id(),
            pupil_id: stage.pupil(1),
            kind: CollectorKind::Alone.into(),
            ..Default::default()
        };
        stage.parent(1).add_collector(consent).await.unwrap();
        stage.world.clock.advance(TimeDelta::minutes(50));

        let events = vec![
            seen(&stage, "e-1", "face-0", Direction::Out),
            seen(&stage, "e-2", "face-1", Direction::Out),
        ];
        let answer = send(&stage, &gate.key, events).await.unwrap();

        assert_eq!(answer.outcomes[0].reason(), Reason::WentWithoutAdult);
        assert_eq!(answer.outcomes[1].kind(), Kind::Recorded);
        let open = open(&stage).await;
        assert_eq!(open.iter().map(|one| one.pupil_id.clone()).collect::<Vec<_>>(), [stage.pupil(0)]);
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_is_shown_once_kept_as_a_digest_and_worth_nothing_once_revoked() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 1).await;
        let office = super::stage::staff(&stage.world, Role::TeachingOffice);
        let request = AddDeviceRequest {
            request_id: stage.world.request_id(),
            school_id: stage.school_id(),
            name: "东门".to_owned(),
        };
        let first = stage.world.day(&office).add_device(request.clone()).await.unwrap().into_inner();
        let again = stage.world.day(&office).add_device(request).await.unwrap().into_inner();
        assert_eq!(first.device, again.device);
        assert_eq!(again.key, "");
        let db = stage.world.db.read();
        for sql in [
            "select key_digest as bytes from device",
            "select answer as bytes from request where answer is not null",
        ] {
            for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap()
            {
                let bytes: Vec<u8> = row.try_get("", "bytes").unwrap();
                assert!(!String::from_utf8_lossy(&bytes).contains(&first.key), "{sql}");
            }
        }

        let event = || vec![seen(&stage, "e-1", "face", Direction::In)];
        let wrong = send(&stage, "another key", event()).await.unwrap_err();
        assert_eq!((wrong.code(), reason(&wrong).as_str()), (Code::Unauthenticated, "DEVICE_KEY_INVALID"));
        send(&stage, &first.key, event()).await.unwrap();
        let revoke = || RevokeDeviceRequest {
            request_id: stage.world.request_id(),
            device_id: first.device.clone().unwrap().id,
        };
        let revoked = stage.office().revoke_device(revoke()).await.unwrap().into_inner();
        let again = stage.office().revoke_device(revoke()).await.unwrap().into_inner();
        assert_eq!(revoked, again);
        let wrong = send(&stage, &first.key, event()).await.unwrap_err();
        assert_eq!(reason(&wrong), "DEVICE_KEY_INVALID");
        let ask = ListDevicesRequest { school_id: stage.school_id() };
        let devices = stage.office().list_devices(ask).await.unwrap().into_inner().devices;
        assert!(devices[0].revoke_time.is_some());
        let bad =
            RecordDeviceEventsRequest { device_key: String::new(), send_time: None, events: Vec::new() };
        let bad = stage.world.day_anyone().record_device_events(bad).await.unwrap_err();
        let fields: Vec<_> = violations_of(&bad).list().iter().map(|one| one.field.clone()).collect();
        assert_eq!(fields, ["device_key", "send_time", "events"]);
        stage.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_same_event_sent_by_two_connections_at_once_is_recorded_once() {
    on_each(|world| async move {
        let stage = Stage::set(world, FREE, Menu::default(), 6).await;
        let gate = gate(&stage).await;
        for at in 0..6 {
            link(&stage, &format!("face-{at}"), at).await;
            let event = || vec![seen(&stage, &format!("e-{at}"), &format!("face-{at}"), Direction::In)];

            let (one, other) =
                tokio::join!(send(&stage, &gate.key, event()), send(&stage, &gate.key, event()));

            let mut kinds = [one.unwrap().outcomes[0].kind(), other.unwrap().outcomes[0].kind()];
            kinds.sort_unstable();
            assert_eq!(kinds, [Kind::Recorded, Kind::RecordedBefore], "pupil {at}");
        }
        let lesson = stage.lessons(&mut stage.office()).await.unwrap().remove(0);
        assert_eq!(lesson.tally.unwrap().present_count, 6);
        stage.end().await;
    })
    .await;
}
