//! `ReturnTicket`.

use futures::future::join_all;
use proto::supervision::v1::ReturnTicketRequest;
use proto::supervision::v1::ticket::State;
use shared::caller::Role;
use tonic::Code;

use crate::support::{done, on_each, reason, state};

#[tokio::test]
async fn a_returned_ticket_waits_to_be_assigned_again() {
    on_each(|world| async move {
        let (ticket, _) = world.assigned().await;

        let returned = world.principal().return_ticket(world.returning(&ticket)).await.unwrap();

        let returned = returned.into_inner().ticket.unwrap();
        assert_eq!(state(&returned), State::Returned);
        assert_eq!(done(&returned)[3], ("returned", "principal"));
        assert_eq!(returned.entries[3].text, "收费问题应由学校财务答复。");
        assert_eq!(returned.reply_due_time, ticket.reply_due_time, "the time to answer runs on");
        assert!(world.told().await.is_empty());
        let assigned = world.operator().assign_ticket(world.assignment(&ticket)).await.unwrap();
        assert_eq!(state(&assigned.into_inner().ticket.unwrap()), State::Assigned);
    })
    .await;
}

#[tokio::test]
async fn a_reason_is_needed() {
    on_each(|world| async move {
        let (ticket, _) = world.assigned().await;
        let request = ReturnTicketRequest { reason: "  ".to_owned(), ..world.returning(&ticket) };

        let refusal = world.principal().return_ticket(request).await.unwrap_err();

        assert_eq!(refusal.code(), Code::InvalidArgument);
    })
    .await;
}

#[tokio::test]
async fn only_the_handler_returns_a_ticket() {
    on_each(|world| async move {
        let (ticket, _) = world.assigned().await;
        let school = world.school.path();
        let others = [
            world.staff(Role::Principal, &[school[0], school[1], world.uuid()]),
            world.staff(Role::Principal, &school[..2]),
            world.staff(Role::TeachingOffice, &school),
            world.staff(Role::BureauOfficer, &school[..1]),
        ];
        for mut other in others {
            assert_eq!(reason(other.return_ticket(world.returning(&ticket)).await), "TICKET_NOT_FOUND");
        }
        assert_eq!(state(&world.ticket(&ticket.number).await), State::Assigned);
    })
    .await;
}

#[tokio::test]
async fn an_answered_ticket_cannot_be_returned() {
    on_each(|world| async move {
        let (ticket, _) = world.replied().await;
        assert_eq!(reason(world.principal().return_ticket(world.returning(&ticket)).await), "TICKET_STATE");
    })
    .await;
}

#[tokio::test]
async fn returning_again_changes_nothing_even_at_once() {
    on_each(|world| async move {
        for _ in 0..10 {
            let (ticket, _) = world.assigned().await;
            let (mut principal, request) = (world.principal(), world.returning(&ticket));
            let calls = (0..6).map(|_| {
                let (mut client, request) = (world.principal(), world.returning(&ticket));
                async move { client.return_ticket(request).await.unwrap().into_inner() }
            });

            let answers = join_all(calls).await;
            let later = principal.return_ticket(request.clone()).await.unwrap().into_inner();
            let repeated = principal.return_ticket(request.clone()).await.unwrap().into_inner();

            assert!(answers.iter().chain([&later, &repeated]).all(|answer| *answer == answers[0]));
            assert_eq!(answers[0].ticket.as_ref().unwrap().entries.len(), 4);
            let reused = ReturnTicketRequest { reason: "别的原因".to_owned(), ..request };
            assert_eq!(reason(principal.return_ticket(reused).await), "REQUEST_ID_REUSED");
        }
    })
    .await;
}
