//! Apply: what an application gets, and why it is refused.

use chrono::TimeDelta;
use proto::enrollment::v1::apply_stream_response::Outcome;
use proto::enrollment::v1::enrollment::State;
use proto::enrollment::v1::event::Kind;
use proto::enrollment::v1::{ApplyRequest, ApplyStreamRequest};
use tonic::Code;

use crate::support::{CHARGED, FREE, Menu, REVIEWED, fact, on_each, reason};

#[tokio::test]
async fn a_free_seat_is_held_where_parents_pay_and_told_with_its_end() {
    on_each(|world| async move {
        let (term_id, section_id) = world.open(CHARGED, Menu::default()).await;
        let family = world.family().await;

        let response = world.try_apply(&family, section_id, false).await.unwrap();

        let enrollment = response.enrollment.unwrap();
        let seats = response.seats.unwrap();
        assert_eq!(enrollment.state(), State::Held);
        assert_eq!(enrollment.section_title, "围棋");
        let ends_at = (world.now() + TimeDelta::minutes(30)).timestamp();
        assert_eq!(enrollment.hold_expire_time.unwrap().seconds, ends_at);
        assert!(enrollment.pupil_path.is_empty(), "not for guardians");
        assert_eq!((seats.capacity_count, seats.taken_count, seats.waitlisted_count), (30, 1, 0));
        assert_eq!(world.told(&enrollment.id).await, ["seat_held"]);
        let Kind::SeatHeld(held) = world.last_told(&enrollment.id).await else { panic!() };
        assert_eq!(held.hold_expire_time.unwrap().seconds, ends_at);
        assert!(!held.from_waitlist);
        assert_eq!(world.get(&enrollment.id).await.term_id, term_id.to_string());
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c59_a_seat_is_confirmed_at_once_where_the_service_is_free() {
    on_each(|world| async move {
        let (_, section_id) = world.open(FREE, Menu::default()).await;
        let enrollment = world.apply(&world.family().await, section_id).await;

        assert_eq!(enrollment.state(), State::Confirmed);
        assert_eq!(enrollment.hold_expire_time, None);
        assert_eq!(world.told(&enrollment.id).await, ["seat_confirmed"]);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c36_a_seat_waits_for_review_where_the_policy_names_steps() {
    on_each(|world| async move {
        let (_, section_id) = world.open(REVIEWED, Menu::default()).await;
        let enrollment = world.apply(&world.family().await, section_id).await;

        assert_eq!(enrollment.state(), State::InReview);
        let steps: Vec<_> =
            enrollment.steps.iter().map(|step| (step.key.as_str(), step.approve_time.is_some())).collect();
        let expected = [
            ("parent_apply", true),
            ("class_pre_review", false),
            ("school_approve", false),
            ("unified_arrange", false),
        ];
        assert_eq!(steps, expected);
        assert_eq!(world.told(&enrollment.id).await, ["review_begun"]);
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_full_section_refuses_with_its_numbers_or_gives_a_place_in_line() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(4).await;
        world.apply(&families[0], section_id).await;

        // Twice: the second refusal comes from memory and must read the same.
        for _ in 0..2 {
            let refusal = world.try_apply(&families[1], section_id, false).await.unwrap_err();
            assert_eq!(
                (refusal.code(), reason(&refusal).as_str()),
                (Code::FailedPrecondition, "SECTION_FULL")
            );
            assert_eq!(fact(&refusal, "capacity_count"), "1");
            assert_eq!(fact(&refusal, "taken_count"), "1");
            assert_eq!(fact(&refusal, "waitlisted_count"), "0");
        }
        for (index, position) in [(2, 1), (3, 2)] {
            let waiting = world.apply(&families[index], section_id).await;
            assert_eq!((waiting.state(), waiting.waitlist_position), (State::Waitlisted, position));
            assert_eq!(world.get(&waiting.id).await.waitlist_position, position);
            assert_eq!(world.told(&waiting.id).await, ["waitlisted"]);
        }
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c40_basic_care_takes_the_thirty_first_child() {
    on_each(|world| async move {
        let menu = Menu { capacity_count: 30, basic_care: true, ..Menu::default() };
        let (term_id, section_id) = world.open(FREE, menu).await;
        for family in world.families(31).await {
            let enrollment = world.try_apply(&family, section_id, false).await.unwrap().enrollment.unwrap();
            assert_eq!(enrollment.state(), State::Confirmed);
        }
        let request = proto::enrollment::v1::ListSeatsRequest { term_id: term_id.to_string() };
        let seats = world.anyone().list_seats(request).await.unwrap().into_inner().seats;
        assert_eq!((seats[0].capacity_count, seats[0].taken_count, seats[0].waitlisted_count), (30, 31, 0));
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeat_gets_the_same_enrollment_even_when_the_section_is_full_or_the_seat_given_back() {
    on_each(|world| async move {
        let (_, section_id) = world.open(FREE, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(2).await;
        let application = world.application(&families[0], section_id, false);
        let mut guardian = world.guardian(&families[0]);
        let first = guardian.apply(application.clone()).await.unwrap().into_inner().enrollment.unwrap();
        for _ in 0..2 {
            // The second of these has made the section known to be full.
            let again = guardian.apply(application.clone()).await.unwrap().into_inner().enrollment.unwrap();
            assert_eq!(again, first);
            world.try_apply(&families[1], section_id, false).await.unwrap_err();
        }

        let withdraw = proto::enrollment::v1::WithdrawRequest {
            request_id: world.request_id(),
            enrollment_id: first.id.clone(),
        };
        guardian.withdraw(withdraw).await.unwrap();
        world.try_apply(&families[1], section_id, false).await.unwrap();
        world.try_apply(&world.family().await, section_id, false).await.unwrap_err();
        let again = guardian.apply(application.clone()).await.unwrap().into_inner().enrollment.unwrap();
        assert_eq!((again.id, again.state), (first.id.clone(), State::Released.into()));
        assert_eq!(world.told(&first.id).await, ["seat_confirmed", "seat_released"]);

        let other = ApplyRequest { join_waitlist: true, ..application };
        let refusal = guardian.apply(other).await.unwrap_err();
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c34_c41_every_refusal_has_its_reason_and_facts_and_leaves_no_trace() {
    on_each(|world| async move {
        let (term_id, section_id) = world.open(CHARGED, Menu::default()).await;
        let overlapping =
            world.section(term_id, Menu { start_time: "16:30", end_time: "17:30", ..Menu::default() }).await;
        let elder = world.section(term_id, Menu { weekday: 2, grades: vec![7, 8], ..Menu::default() }).await;
        let cancelled = world.section(term_id, Menu { weekday: 3, ..Menu::default() }).await;
        world.cancel(cancelled).await;
        let unopened = world.section(world.term(CHARGED).await, Menu { weekday: 4, ..Menu::default() }).await;
        let silent_term = world.term("common").await;
        let silent = world.section(silent_term, Menu { weekday: 5, ..Menu::default() }).await;
        let family = world.family().await;
        let held = world.apply(&family, section_id).await;

        let refused = async |section_id| {
            let refusal = world.try_apply(&family, section_id, true).await.unwrap_err();
            (reason(&refusal), refusal)
        };
        let (word, refusal) = refused(section_id).await;
        assert_eq!((word.as_str(), fact(&refusal, "enrollment_id")), ("ALREADY_ENROLLED", held.id.clone()));
        let (word, refusal) = refused(overlapping).await;
        assert_eq!((word.as_str(), fact(&refusal, "enrollment_id")), ("SLOT_TAKEN", held.id.clone()));
        let facts = ["section_title", "weekday", "start_time"].map(|name| fact(&refusal, name));
        assert_eq!(facts, ["围棋", "1", "16:00"]);
        let (word, refusal) = refused(elder).await;
        assert_eq!((word.as_str(), fact(&refusal, "grades").as_str()), ("GRADE_NOT_ADMITTED", "7,8"));
        assert_eq!(refused(cancelled).await.0, "SECTION_NOT_PUBLISHED");
        assert_eq!(refused(unopened).await.0, "ROUND_NOT_OPEN");
        // No round can be opened here by the front door: nobody knows whether parents pay.
        assert_eq!(refused(silent).await.0, "ROUND_NOT_OPEN");
        let (word, refusal) = refused(shared::random::id(world.now())).await;
        assert_eq!((word.as_str(), refusal.code()), ("SECTION_NOT_FOUND", Code::NotFound));

        let stranger =
            world.guardian(&world.family().await).apply(world.application(&family, section_id, true)).await;
        assert_eq!(reason(&stranger.unwrap_err()), "PUPIL_NOT_FOUND");
        let staff = world.staff(shared::caller::Role::Principal);
        let staff = { staff }.apply(world.application(&family, section_id, true)).await.unwrap_err();
        assert_eq!((reason(&staff).as_str(), staff.code()), ("GUARDIAN_ONLY", Code::PermissionDenied));
        let nobody = world.anyone().apply(world.application(&family, section_id, true)).await.unwrap_err();
        assert_eq!(nobody.code(), Code::Unauthenticated);
        let empty = world.guardian(&family).apply(ApplyRequest::default()).await.unwrap_err();
        assert_eq!(shared::status::violations_of(&empty).list().len(), 3);

        world.clock.advance(TimeDelta::days(2));
        let (word, refusal) = refused(elder).await;
        assert_eq!(word, "ROUND_CLOSED");
        assert_eq!(fact(&refusal, "close_time"), "2026-09-03T04:00:00Z");
        let all = shared::testing::told::<proto::enrollment::v1::Event>(&world.db).await;
        assert!(all.iter().all(|(_, subject, _)| subject.to_string() == held.id));
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_pupil_of_another_school_is_refused() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu::default()).await;
        let family = world.family().await;
        let at = world.now();
        let path =
            [world.school.path[0], world.school.path[1], shared::random::uuid(at), shared::random::uuid(at)];
        let moved = proto::identity::v1::PupilMoved {
            pupil_id: family.pupil_id.to_string(),
            path: crate::support::texts(&path),
            stage: 1,
            grade: 3,
        };
        world.hear_identity(proto::identity::v1::event::Kind::PupilMoved(moved)).await;

        let refusal = world.try_apply(&family, section_id, true).await.unwrap_err();

        assert_eq!(reason(&refusal), "NOT_OF_THIS_SCHOOL");
        world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_stream_answers_each_item_by_its_tag_and_its_own_caller() {
    on_each(|world| async move {
        let (_, section_id) = world.open(CHARGED, Menu { capacity_count: 1, ..Menu::default() }).await;
        let families = world.families(3).await;
        let item = |tag, token, application| ApplyStreamRequest {
            tag,
            caller_token: token,
            request: Some(application),
            ..Default::default()
        };
        let items = vec![
            item(7, world.token(&families[0]), world.application(&families[0], section_id, false)),
            item(8, world.token(&families[1]), world.application(&families[1], section_id, false)),
            // Another family's pupil, a broken token, no application at all.
            item(9, world.token(&families[0]), world.application(&families[2], section_id, true)),
            item(10, "x".to_owned(), world.application(&families[2], section_id, true)),
            ApplyStreamRequest {
                tag: 11,
                caller_token: world.token(&families[2]),
                request: None,
                ..Default::default()
            },
        ];

        let mut gateway = world.service("gateway");
        let mut answers =
            gateway.apply_stream(futures::stream::iter(items.clone())).await.unwrap().into_inner();
        let mut given = std::collections::BTreeMap::new();
        while let Some(answer) = answers.message().await.unwrap() {
            let word = match answer.outcome.unwrap() {
                Outcome::Response(response) => response.enrollment.unwrap().state().as_str_name().to_owned(),
                Outcome::Refusal(refusal) => {
                    let status = tonic::Status::with_details(
                        refusal.code.into(),
                        refusal.message,
                        refusal.status.into(),
                    );
                    reason(&status)
                }
            };
            assert!(given.insert(answer.tag, word).is_none());
        }

        let given: Vec<_> = given.into_iter().collect();
        let expected = [
            (7, "STATE_HELD"),
            (8, "SECTION_FULL"),
            (9, "PUPIL_NOT_FOUND"),
            (10, "TOKEN_INVALID"),
            (11, "INVALID_FIELDS"),
        ];
        assert_eq!(given, expected.map(|(tag, word)| (tag, word.to_owned())));
        let refusal =
            world.guardian(&families[0]).apply_stream(futures::stream::iter(items)).await.unwrap_err();
        assert_eq!(reason(&refusal), "SERVICE_ONLY");
        world.end().await;
    })
    .await;
}
