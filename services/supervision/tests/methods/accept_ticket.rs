//! `AcceptTicket`.

use chrono::TimeDelta;
use futures::future::join_all;
use proto::identity::v1::Stage;
use proto::supervision::v1::SubmitTicketRequest;
use proto::supervision::v1::ticket::State;
use shared::caller::Role;
use shared::testing::moment;

use crate::support::{CALENDAR, SILENT, WORKING, at, done, on_each, reason, state};

#[tokio::test]
async fn an_accepted_ticket_has_its_time_to_be_answered() {
    on_each(|world| async move {
        let (ticket, _) = world.submitted().await;
        world.clock.advance(TimeDelta::hours(1));

        let accepted = world.operator().accept_ticket(world.acceptance(&ticket)).await.unwrap();

        let accepted = accepted.into_inner().ticket.unwrap();
        assert_eq!(state(&accepted), State::Accepted);
        assert_eq!(at(accepted.reply_due_time), Some(world.now() + TimeDelta::hours(120)));
        assert_eq!(done(&accepted), [("submitted", "complainant"), ("accepted", "hotline_operator")]);
        assert_eq!(world.ticket(&ticket.number).await, accepted);
        assert!(world.told().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn c81_the_time_to_answer_runs_as_the_district_says() {
    on_each(|world| async move {
        let expected = [
            (CALENDAR, Some("2026-11-28T09:00:00+08:00")),
            // Six and a half hours on Monday, seven on each day until Friday, the last five and a half after the weekend.
            (WORKING, Some("2026-11-30T16:00:00+08:00")),
            (SILENT, None),
        ];
        for (ruled, due) in expected {
            let school = world.found_school(Stage::Junior, ruled).await;
            let request = SubmitTicketRequest { school_id: school.id.to_string(), ..world.submission() };
            let ticket = world.nobody().submit_ticket(request).await.unwrap().into_inner().ticket.unwrap();
            let mut officer = world.staff(Role::BureauOfficer, &[school.district_id]);

            let accepted = officer.accept_ticket(world.acceptance(&ticket)).await.unwrap();

            let accepted = accepted.into_inner().ticket.unwrap();
            assert_eq!(at(accepted.reply_due_time), due.map(moment), "{ruled:?}");
            assert_eq!(done(&accepted)[1], ("accepted", "bureau_officer"));
        }
    })
    .await;
}

#[tokio::test]
async fn at_its_limit_a_ticket_is_late_and_stays_so() {
    on_each(|world| async move {
        let (in_time, _) = world.submitted().await;
        let (late, _) = world.submitted().await;
        let limit = at(in_time.accept_due_time).unwrap();

        world.clock.set(limit - TimeDelta::microseconds(1));
        assert!(!world.ticket(&in_time.number).await.late);
        let accepted = world.operator().accept_ticket(world.acceptance(&in_time)).await.unwrap();
        assert!(!accepted.into_inner().ticket.unwrap().late);

        world.clock.set(limit);
        assert!(world.ticket(&late.number).await.late, "at the limit it has passed");
        let accepted = world.operator().accept_ticket(world.acceptance(&late)).await.unwrap();
        assert!(accepted.into_inner().ticket.unwrap().late, "accepted late is late for ever");
        assert!(!world.ticket(&in_time.number).await.late);
    })
    .await;
}

#[tokio::test]
async fn accepting_again_changes_nothing() {
    on_each(|world| async move {
        let (ticket, _) = world.submitted().await;
        let request = world.acceptance(&ticket);
        let mut operator = world.operator();
        let first = operator.accept_ticket(request.clone()).await.unwrap().into_inner();
        world.clock.advance(TimeDelta::minutes(1));

        let repeated = operator.accept_ticket(request.clone()).await.unwrap().into_inner();
        let again = world.operator().accept_ticket(world.acceptance(&ticket)).await.unwrap().into_inner();

        assert_eq!(repeated, first);
        assert_eq!(again, first, "the limit still runs from the first time");
        let (other, _) = world.submitted().await;
        let reused = proto::supervision::v1::AcceptTicketRequest { ticket_id: other.id, ..request };
        assert_eq!(reason(operator.accept_ticket(reused).await), "REQUEST_ID_REUSED");
    })
    .await;
}

#[tokio::test]
async fn two_of_the_bureau_accept_at_once_and_it_is_accepted_once() {
    on_each(|world| async move {
        for _ in 0..10 {
            let (ticket, _) = world.submitted().await;
            let calls = (0..6).map(|turn| {
                let role = if turn % 2 == 0 { Role::HotlineOperator } else { Role::BureauOfficer };
                let mut client = world.staff(role, &[world.school.district_id]);
                let request = world.acceptance(&ticket);
                async move { client.accept_ticket(request).await.unwrap().into_inner().ticket.unwrap() }
            });

            let answers = join_all(calls).await;

            assert!(answers.iter().all(|answer| *answer == answers[0]));
            assert_eq!(answers[0].entries.len(), 2);
        }
    })
    .await;
}

#[tokio::test]
async fn a_bureau_of_another_district_does_not_know_the_ticket() {
    on_each(|world| async move {
        let (ticket, _) = world.submitted().await;
        let other = world.found_school(Stage::Primary, CALENDAR).await;

        let mut stranger = world.staff(Role::HotlineOperator, &[other.district_id]);

        assert_eq!(reason(stranger.accept_ticket(world.acceptance(&ticket)).await), "TICKET_NOT_FOUND");
        assert_eq!(state(&world.ticket(&ticket.number).await), State::Submitted);
    })
    .await;
}
