//! `SubmitTicket`.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures::future::join_all;
use proto::identity::v1::Stage;
use proto::supervision::v1::ticket::{Kind, State, Subject};
use proto::supervision::v1::{GetTicketRequest, SubmitTicketRequest};
use shared::caller::Role;
use shared::status::{facts_of, violations_of};
use shared::testing::moment;
use tonic::Code;
use uuid::Uuid;

use crate::support::{CALENDAR, SILENT, TEXT, WORKING, World, at, done, on_each, reason, state};

#[tokio::test]
async fn c81_a_complaint_is_taken_from_anybody_and_numbered() {
    on_each(|world| async move {
        let answer = world.nobody().submit_ticket(world.submission()).await.unwrap().into_inner();

        let ticket = answer.ticket.unwrap();
        assert_eq!(ticket.number, "20261123-000001");
        assert_eq!(ticket.path, world.school.path().iter().map(Uuid::to_string).collect::<Vec<_>>());
        assert_eq!((ticket.kind(), ticket.subject()), (Kind::Complaint, Subject::ForcedParticipation));
        assert_eq!(state(&ticket), State::Submitted);
        assert_eq!(ticket.text, TEXT);
        assert!(ticket.anonymous && !ticket.late);
        assert_eq!(done(&ticket), [("submitted", "complainant")]);
        assert_eq!(at(ticket.create_time), Some(world.now()));
        assert_eq!(answer.receipt_code.len(), 14);
        assert_eq!(world.ticket(&ticket.number).await, ticket);
        assert!(world.told().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_guardians_complaint_is_linked_to_them_unless_they_wish_otherwise() {
    on_each(|world| async move {
        let guardian = world.uuid();

        let linked = world.guardian(guardian).submit_ticket(world.submission()).await.unwrap().into_inner();
        let request = SubmitTicketRequest { anonymous: true, ..world.submission() };
        let hidden = world.guardian(guardian).submit_ticket(request).await.unwrap().into_inner();

        assert!(linked.receipt_code.is_empty() && !linked.ticket.as_ref().unwrap().anonymous);
        assert!(!hidden.receipt_code.is_empty() && hidden.ticket.as_ref().unwrap().anonymous);
        let asked =
            |number: &str| GetTicketRequest { number: number.to_owned(), receipt_code: String::new() };
        let number = linked.ticket.unwrap().number;
        assert!(world.guardian(guardian).get_ticket(asked(&number)).await.is_ok());
        let number = hidden.ticket.unwrap().number;
        let seen = world.guardian(guardian).get_ticket(asked(&number)).await;
        assert_eq!(reason(seen), "TICKET_NOT_FOUND", "no link is kept");
    })
    .await;
}

#[tokio::test]
async fn c81_a_complaint_goes_to_the_section_of_the_schools_stage() {
    on_each(|world| async move {
        let districts = [("zhejiang_jinhua", "jinhua_demo"), CALENDAR, WORKING];
        for ruled in districts {
            for (stage, section) in [(Stage::Primary, "primary_early_years"), (Stage::Junior, "secondary")] {
                let school = world.found_school(stage, ruled).await;
                let request = SubmitTicketRequest { school_id: school.id.to_string(), ..world.submission() };

                let answer = world.nobody().submit_ticket(request).await.unwrap().into_inner();

                assert_eq!(answer.ticket.unwrap().section, section, "{ruled:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn c81_the_time_to_accept_runs_as_the_district_says() {
    on_each(|world| async move {
        let expected = [
            (CALENDAR, Some("2026-11-24T09:00:00+08:00")),
            // Three hours until noon, three and a half in the afternoon, the rest on Tuesday.
            (WORKING, Some("2026-11-24T10:00:00+08:00")),
            (SILENT, None),
            (("unknown_pack", ""), None),
        ];
        for (ruled, due) in expected {
            let school = world.found_school(Stage::Primary, ruled).await;
            let request = SubmitTicketRequest { school_id: school.id.to_string(), ..world.submission() };

            let ticket = world.nobody().submit_ticket(request).await.unwrap().into_inner().ticket.unwrap();

            assert_eq!(at(ticket.accept_due_time), due.map(moment), "{ruled:?}");
            assert_eq!(ticket.section.is_empty(), due.is_none(), "{ruled:?}");
            assert_eq!(ticket.reply_due_time, None);
        }
    })
    .await;
}

#[tokio::test]
async fn malformed_fields_are_all_named() {
    on_each(|world| async move {
        let request = SubmitTicketRequest {
            request_id: "x".to_owned(),
            school_id: String::new(),
            kind: 0,
            subject: 99,
            text: "短 ".to_owned(),
            anonymous: false,
            contact: "1".repeat(65),
        };

        let refusal = world.nobody().submit_ticket(request).await.unwrap_err();

        assert_eq!(refusal.code(), Code::InvalidArgument);
        let violations = violations_of(&refusal);
        let fields: Vec<_> = violations.list().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["request_id", "school_id", "kind", "subject", "text", "contact"]);
    })
    .await;
}

#[tokio::test]
async fn a_school_nobody_told_of_is_not_found() {
    on_each(|world| async move {
        let request = SubmitTicketRequest { school_id: world.uuid().to_string(), ..world.submission() };

        let refusal = world.nobody().submit_ticket(request).await.unwrap_err();

        assert_eq!(refusal.code(), Code::NotFound);
        assert_eq!(reason::<()>(Err(refusal)), "SCHOOL_NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_with_the_same_receipt() {
    on_each(|world| async move {
        let request = SubmitTicketRequest { contact: "13800001234".to_owned(), ..world.submission() };
        let first = world.nobody().submit_ticket(request.clone()).await.unwrap().into_inner();
        let ticket = first.ticket.clone().unwrap();
        world.operator().accept_ticket(world.acceptance(&ticket)).await.unwrap();
        world.clock.advance(TimeDelta::minutes(1));

        let again = world.nobody().submit_ticket(request.clone()).await.unwrap().into_inner();

        assert_eq!(again, first);
        let other =
            SubmitTicketRequest { text: "另外一件完全不同的事情。".to_owned(), ..request };
        assert_eq!(reason(world.nobody().submit_ticket(other).await), "REQUEST_ID_REUSED");
    })
    .await;
}

#[tokio::test]
async fn a_guardian_submits_ten_a_day_and_begins_anew_at_midnight_in_china() {
    on_each(|world| async move {
        let guardian = world.uuid();
        world.clock.set(moment("2026-11-23T23:59:00+08:00"));
        for _ in 0..10 {
            world.guardian(guardian).submit_ticket(world.submission()).await.unwrap();
        }

        let refusal = world.guardian(guardian).submit_ticket(world.submission()).await.unwrap_err();

        assert_eq!(refusal.code(), Code::FailedPrecondition);
        assert_eq!(facts_of(&refusal).get("limit_count").map(String::as_str), Some("10"));
        assert_eq!(reason::<()>(Err(refusal)), "TICKET_TOO_MANY");
        assert!(world.guardian(world.uuid()).submit_ticket(world.submission()).await.is_ok(), "others may");
        assert!(world.nobody().submit_ticket(world.submission()).await.is_ok(), "nobody is not counted");

        world.clock.set(moment("2026-11-24T00:00:00+08:00"));
        let answer = world.guardian(guardian).submit_ticket(world.submission()).await.unwrap().into_inner();
        assert_eq!(answer.ticket.unwrap().number, "20261124-000001", "numbers begin anew as well");
    })
    .await;
}

#[tokio::test]
async fn twenty_at_once_get_twenty_numbers_in_a_row() {
    on_each(|world| async move {
        for round in 0..5 {
            let calls = (0..20).map(|_| {
                let (mut client, request) = (world.nobody(), world.submission());
                async move { client.submit_ticket(request).await.unwrap().into_inner().ticket.unwrap().number }
            });

            let numbers: BTreeSet<String> = join_all(calls).await.into_iter().collect();

            let expected = (1..=20).map(|place| format!("20261123-{:06}", round * 20 + place));
            assert_eq!(numbers, expected.collect());
        }
    })
    .await;
}

#[tokio::test]
async fn of_fifteen_at_once_by_one_guardian_ten_are_taken() {
    on_each(|world| async move {
        for _ in 0..5 {
            let guardian = world.uuid();
            let calls = (0..15).map(|_| {
                let (mut client, request) = (world.guardian(guardian), world.submission());
                async move { client.submit_ticket(request).await }
            });

            let answers = join_all(calls).await;

            let (taken, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
            assert_eq!((taken.len(), refused.len()), (10, 5));
            assert!(refused.into_iter().all(|answer| reason(answer) == "TICKET_TOO_MANY"));
        }
    })
    .await;
}

#[tokio::test]
async fn one_request_sent_eight_times_at_once_is_one_ticket() {
    on_each(|world| async move {
        for round in 1..=5 {
            let request = world.submission();
            let calls = (0..8).map(|_| {
                let (mut client, request) = (world.nobody(), request.clone());
                async move { client.submit_ticket(request).await.unwrap().into_inner() }
            });

            let answers = join_all(calls).await;

            assert!(answers.iter().all(|answer| *answer == answers[0]));
            assert_eq!(answers[0].ticket.as_ref().unwrap().number, format!("20261123-{round:06}"));
        }
    })
    .await;
}

#[tokio::test]
async fn staff_may_submit_and_are_not_named() {
    on_each(|world| async move {
        let answer = by_operator(&world).await;

        assert!(answer.ticket.as_ref().unwrap().anonymous);
        assert!(!answer.receipt_code.is_empty());
    })
    .await;
}

async fn by_operator(world: &World) -> proto::supervision::v1::SubmitTicketResponse {
    let mut operator = world.staff(Role::HotlineOperator, &[world.school.district_id]);
    operator.submit_ticket(world.submission()).await.unwrap().into_inner()
}
