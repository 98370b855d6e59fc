//! `RateTicket`.

use chrono::TimeDelta;
use futures::future::join_all;
use proto::supervision::v1::event::Kind;
use proto::supervision::v1::ticket::State;
use proto::supervision::v1::{RateTicketRequest, Ticket, TicketClosed};
use tonic::Code;
use uuid::Uuid;

use crate::support::{World, at, done, on_each, reason, state};

/// A ticket of a guardian that has been answered.
async fn replied_to(world: &World, guardian: Uuid) -> Ticket {
    let answer = world.guardian(guardian).submit_ticket(world.submission()).await.unwrap();
    let ticket = answer.into_inner().ticket.unwrap();
    world.operator().accept_ticket(world.acceptance(&ticket)).await.unwrap();
    world.operator().assign_ticket(world.assignment(&ticket)).await.unwrap();
    world.principal().reply_ticket(world.answering(&ticket)).await.unwrap();
    ticket
}

#[tokio::test]
async fn a_solved_ticket_is_closed_and_told() {
    on_each(|world| async move {
        let (ticket, receipt) = world.replied().await;

        let closed = world.nobody().rate_ticket(world.rating(&ticket, &receipt, true)).await.unwrap();

        let closed = closed.into_inner().ticket.unwrap();
        assert_eq!(state(&closed), State::Closed);
        assert_eq!((closed.rating, closed.handler_role.as_str()), (5, "principal"));
        assert_eq!(done(&closed)[4..], [("rated", "complainant"), ("closed", "complainant")]);
        assert_eq!(closed.entries[4].text, "感谢回复。");
        assert_eq!(world.ticket(&ticket.number).await, closed);
        let told = world.told().await;
        let (name, subject, event) = told.last().unwrap();
        assert_eq!((told.len(), name.as_str(), subject.to_string()), (2, "ticket_closed", ticket.id.clone()));
        let expected = TicketClosed { ticket_id: ticket.id, late: false };
        assert_eq!(event.kind, Some(Kind::TicketClosed(expected)));
    })
    .await;
}

#[tokio::test]
async fn what_was_late_on_the_way_is_told_when_it_ends() {
    on_each(|world| async move {
        let (ticket, receipt) = world.assigned().await;
        world.clock.set(at(ticket.reply_due_time).unwrap());
        world.principal().reply_ticket(world.answering(&ticket)).await.unwrap();

        world.nobody().rate_ticket(world.rating(&ticket, &receipt, true)).await.unwrap();

        let told = world.told().await;
        let expected = TicketClosed { ticket_id: ticket.id, late: true };
        assert_eq!(told.last().unwrap().2.kind, Some(Kind::TicketClosed(expected)));
    })
    .await;
}

#[tokio::test]
async fn an_unsolved_ticket_goes_back_to_the_same_handler_with_a_new_limit() {
    on_each(|world| async move {
        let (ticket, receipt) = world.replied().await;
        world.clock.advance(TimeDelta::days(30));

        let reopened = world.nobody().rate_ticket(world.rating(&ticket, &receipt, false)).await.unwrap();

        let reopened = reopened.into_inner().ticket.unwrap();
        assert_eq!(state(&reopened), State::Assigned);
        assert_eq!(
            (reopened.handler_role.as_str(), reopened.reopened_count, reopened.rating),
            ("principal", 1, 1)
        );
        assert_eq!(at(reopened.reply_due_time), Some(world.now() + TimeDelta::hours(120)));
        assert!(!reopened.late, "waiting for the complainant is nobody's delay");
        assert_eq!(done(&reopened)[4..], [("rated", "complainant"), ("reopened", "complainant")]);
        assert_eq!(world.told_names().await, ["ticket_replied"]);

        world.principal().reply_ticket(world.answering(&ticket)).await.unwrap();
        let closed = world.nobody().rate_ticket(world.rating(&ticket, &receipt, true)).await.unwrap();
        let closed = closed.into_inner().ticket.unwrap();
        assert_eq!((state(&closed), closed.reopened_count, closed.rating), (State::Closed, 1, 5));
        assert_eq!(world.told_names().await, ["ticket_replied", "ticket_replied", "ticket_closed"]);
    })
    .await;
}

#[tokio::test]
async fn a_guardian_rates_their_own_ticket_and_nobody_elses() {
    on_each(|world| async move {
        let (guardian, stranger) = (world.uuid(), world.uuid());
        let ticket = replied_to(&world, guardian).await;
        let (anonymous, _) = world.replied().await;

        let by_stranger = world.guardian(stranger).rate_ticket(world.rating(&ticket, "", true)).await;
        let of_anonymous = world.guardian(guardian).rate_ticket(world.rating(&anonymous, "", true)).await;
        let closed = world.guardian(guardian).rate_ticket(world.rating(&ticket, "", true)).await;

        assert_eq!(reason(by_stranger), "TICKET_NOT_FOUND");
        assert_eq!(reason(of_anonymous), "TICKET_NOT_FOUND");
        assert_eq!(state(&closed.unwrap().into_inner().ticket.unwrap()), State::Closed);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_receipt_opens_nothing() {
    on_each(|world| async move {
        let (ticket, _) = world.replied().await;
        let (_, others) = world.submitted().await;
        let linked = replied_to(&world, world.uuid()).await;

        for code in [others.as_str(), "0000-0000-0000", "-"] {
            let answer = world.nobody().rate_ticket(world.rating(&ticket, code, true)).await;
            assert_eq!(reason(answer), "TICKET_NOT_FOUND", "{code}");
        }
        let answer = world.nobody().rate_ticket(world.rating(&linked, &others, true)).await;
        assert_eq!(reason(answer), "TICKET_NOT_FOUND");
        let answer = world.nobody().rate_ticket(world.rating(&ticket, "", true)).await;
        assert_eq!(reason(answer), "TOKEN_MISSING");
    })
    .await;
}

#[tokio::test]
async fn only_an_answer_can_be_rated() {
    on_each(|world| async move {
        for (ticket, receipt) in [world.submitted().await, world.accepted().await, world.assigned().await] {
            let answer = world.nobody().rate_ticket(world.rating(&ticket, &receipt, true)).await;
            assert_eq!(reason(answer), "TICKET_STATE");
        }
        let (ticket, receipt) = world.replied().await;
        for stars in [0, 6] {
            let request = RateTicketRequest { rating: stars, ..world.rating(&ticket, &receipt, true) };
            let refusal = world.nobody().rate_ticket(request).await.unwrap_err();
            assert_eq!(refusal.code(), Code::InvalidArgument);
        }
    })
    .await;
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_a_second_end_changes_nothing() {
    on_each(|world| async move {
        let (ticket, receipt) = world.replied().await;
        let request = world.rating(&ticket, &receipt, true);
        let first = world.nobody().rate_ticket(request.clone()).await.unwrap().into_inner();

        let repeated = world.nobody().rate_ticket(request.clone()).await.unwrap().into_inner();
        let again =
            world.nobody().rate_ticket(world.rating(&ticket, &receipt, true)).await.unwrap().into_inner();
        let unsolved = world.nobody().rate_ticket(world.rating(&ticket, &receipt, false)).await;

        assert_eq!(repeated, first);
        assert_eq!(again, first);
        assert_eq!(reason(unsolved), "TICKET_STATE", "what is closed stays closed");
        let reused = RateTicketRequest { rating: 3, ..request };
        assert_eq!(reason(world.nobody().rate_ticket(reused).await), "REQUEST_ID_REUSED");
        assert_eq!(world.told_names().await, ["ticket_replied", "ticket_closed"]);
    })
    .await;
}

#[tokio::test]
async fn of_two_opposite_judgements_at_once_one_counts() {
    on_each(|world| async move {
        for _ in 0..10 {
            let (ticket, receipt) = world.replied().await;
            let calls = (0..4).map(|turn| {
                let mut client = world.nobody();
                let request = world.rating(&ticket, &receipt, turn % 2 == 0);
                async move { client.rate_ticket(request).await.is_ok() }
            });

            join_all(calls).await;

            let ticket = world.ticket(&ticket.number).await;
            assert_eq!(ticket.entries.len(), 6, "{:?}", done(&ticket));
        }
    })
    .await;
}
