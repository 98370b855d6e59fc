//! `ReplyTicket`.

use chrono::TimeDelta;
use futures::future::join_all;
use proto::supervision::v1::event::Kind;
use proto::supervision::v1::ticket::State;
use proto::supervision::v1::{AssignTicketRequest, ReplyTicketRequest, TicketReplied};
use shared::caller::Role;
use tonic::Code;

use crate::support::{at, done, on_each, reason, state};

#[tokio::test]
async fn an_answer_is_written_down_and_told() {
    on_each(|world| async move {
        let (ticket, _) = world.assigned().await;

        let replied = world.principal().reply_ticket(world.answering(&ticket)).await.unwrap();

        let replied = replied.into_inner().ticket.unwrap();
        assert_eq!(state(&replied), State::Replied);
        assert_eq!(done(&replied)[3], ("replied", "principal"));
        assert_eq!(replied.entries[3].text, "已核实，今后一律自愿报名。");
        assert_eq!(world.ticket(&ticket.number).await, replied);
        let told = world.told().await;
        let [(name, subject, event)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((name.as_str(), subject.to_string()), ("ticket_replied", ticket.id.clone()));
        let expected = TicketReplied { ticket_id: ticket.id };
        assert_eq!(event.kind, Some(Kind::TicketReplied(expected)));
    })
    .await;
}

#[tokio::test]
async fn an_answer_at_the_limit_is_taken_and_marked_late() {
    on_each(|world| async move {
        let (in_time, _) = world.assigned().await;
        let (late, _) = world.assigned().await;
        let limit = at(in_time.reply_due_time).unwrap();

        world.clock.set(limit - TimeDelta::microseconds(1));
        assert!(!world.ticket(&in_time.number).await.late);
        let replied = world.principal().reply_ticket(world.answering(&in_time)).await.unwrap();
        assert!(!replied.into_inner().ticket.unwrap().late);

        world.clock.set(limit);
        assert!(world.ticket(&late.number).await.late);
        let replied = world.principal().reply_ticket(world.answering(&late)).await.unwrap();
        assert!(replied.into_inner().ticket.unwrap().late);
        assert!(!world.ticket(&in_time.number).await.late, "what was answered in time is never late");
    })
    .await;
}

#[tokio::test]
async fn only_the_handler_answers_a_ticket() {
    on_each(|world| async move {
        let (ticket, _) = world.assigned().await;
        let school = world.school.path();
        let others = [
            world.staff(Role::Principal, &[school[0], school[1], world.uuid()]),
            world.staff(Role::Principal, &school[..1]),
            world.staff(Role::SchoolFinance, &school),
            world.staff(Role::Inspector, &school[..1]),
        ];
        for mut other in others {
            assert_eq!(reason(other.reply_ticket(world.answering(&ticket)).await), "TICKET_NOT_FOUND");
        }
        assert!(world.told().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_town_answers_what_was_given_to_the_town() {
    on_each(|world| async move {
        let (ticket, _) = world.accepted().await;
        let request = AssignTicketRequest {
            handler_role: "town_office".to_owned(),
            handler_node_id: world.school.town_id.to_string(),
            ..world.assignment(&ticket)
        };
        world.operator().assign_ticket(request).await.unwrap();
        let mut town = world.staff(Role::TownOffice, &world.school.path()[..2]);

        let replied = town.reply_ticket(world.answering(&ticket)).await.unwrap();

        assert_eq!(done(&replied.into_inner().ticket.unwrap())[3], ("replied", "town_office"));
        assert_eq!(
            reason(world.principal().reply_ticket(world.answering(&ticket)).await),
            "TICKET_NOT_FOUND"
        );
    })
    .await;
}

#[tokio::test]
async fn a_ticket_is_answered_once_and_the_answer_repeated() {
    on_each(|world| async move {
        let (ticket, _) = world.assigned().await;
        let (mut principal, request) = (world.principal(), world.answering(&ticket));
        let first = principal.reply_ticket(request.clone()).await.unwrap().into_inner();

        let repeated = principal.reply_ticket(request.clone()).await.unwrap().into_inner();
        let again = principal.reply_ticket(world.answering(&ticket)).await;

        assert_eq!(repeated, first);
        assert_eq!(reason(again), "TICKET_STATE");
        let reused = ReplyTicketRequest { text: "另一个完全不同的答复。".to_owned(), ..request };
        assert_eq!(reason(principal.reply_ticket(reused).await), "REQUEST_ID_REUSED");
        assert_eq!(world.told_names().await, ["ticket_replied"]);
    })
    .await;
}

#[tokio::test]
async fn of_answers_and_a_return_at_once_one_counts() {
    on_each(|world| async move {
        let mut replied_count = 0;
        for _ in 0..10 {
            let (ticket, _) = world.assigned().await;
            let replies = (0..4).map(|_| {
                let (mut principal, request) = (world.principal(), world.answering(&ticket));
                async move { principal.reply_ticket(request).await.is_ok() }
            });
            let (mut principal, request) = (world.principal(), world.returning(&ticket));
            let returning = async move { principal.return_ticket(request).await.is_ok() };

            let (replies, returned) = futures::join!(join_all(replies), returning);

            let replied = replies.into_iter().filter(|replied| *replied).count();
            assert_eq!(replied + usize::from(returned), 1);
            replied_count += replied;
        }
        assert_eq!(world.told_names().await.len(), replied_count);
    })
    .await;
}

#[tokio::test]
async fn an_answer_has_five_to_four_thousand_characters() {
    on_each(|world| async move {
        let (ticket, _) = world.assigned().await;
        for (length, is_taken) in [(4, false), (4_001, false), (4_000, true)] {
            let request = ReplyTicketRequest { text: "字".repeat(length), ..world.answering(&ticket) };
            let answer = world.principal().reply_ticket(request).await;
            match answer {
                Ok(_) => assert!(is_taken, "{length}"),
                Err(refusal) => {
                    assert!(!is_taken, "{length}");
                    assert_eq!(refusal.code(), Code::InvalidArgument);
                }
            }
        }
    })
    .await;
}
