//! `AssignTicket`.

use chrono::TimeDelta;
use futures::future::join_all;
use proto::identity::v1::Stage;
use proto::supervision::v1::AssignTicketRequest;
use proto::supervision::v1::ticket::State;
use shared::status::facts_of;
use tonic::Code;

use crate::support::{CALENDAR, done, on_each, reason, state};

#[tokio::test]
async fn an_assigned_ticket_names_its_handlers_role_and_carries_the_note() {
    on_each(|world| async move {
        let (ticket, _) = world.accepted().await;

        let assigned = world.operator().assign_ticket(world.assignment(&ticket)).await.unwrap();

        let assigned = assigned.into_inner().ticket.unwrap();
        assert_eq!(state(&assigned), State::Assigned);
        assert_eq!(assigned.handler_role, "principal");
        assert_eq!(done(&assigned)[2], ("assigned", "hotline_operator"));
        assert_eq!(assigned.entries[2].text, "请三日内核实。");
        assert_eq!(world.ticket(&ticket.number).await, assigned);
    })
    .await;
}

#[tokio::test]
async fn c81_every_handler_stands_at_the_node_where_the_role_answers_for_the_school() {
    on_each(|world| async move {
        let school = world.school.clone();
        let neighbour = world.found_neighbour(Stage::Primary, CALENDAR).await;
        let places = [
            ("principal", school.id),
            ("teaching_office", school.id),
            ("moral_education", school.id),
            ("school_finance", school.id),
            ("town_office", school.town_id),
            ("bureau_officer", school.district_id),
            ("inspector", school.district_id),
        ];
        for (role, right) in places {
            for node in [school.id, school.town_id, school.district_id, neighbour.id] {
                let (ticket, _) = world.accepted().await;
                let request = AssignTicketRequest {
                    handler_role: role.to_owned(),
                    handler_node_id: node.to_string(),
                    ..world.assignment(&ticket)
                };

                let answer = world.operator().assign_ticket(request).await;

                if node == right {
                    assert_eq!(answer.unwrap().into_inner().ticket.unwrap().handler_role, role);
                } else {
                    assert_eq!(reason(answer), "HANDLER_MISPLACED", "{role}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_provider_is_never_a_handler() {
    on_each(|world| async move {
        let (ticket, _) = world.accepted().await;
        for role in ["provider", "class_teacher", "hotline_operator", "assessor"] {
            let request = AssignTicketRequest { handler_role: role.to_owned(), ..world.assignment(&ticket) };
            assert_eq!(reason(world.operator().assign_ticket(request).await), "HANDLER_MISPLACED", "{role}");
        }
        let request = AssignTicketRequest { handler_role: "janitor".to_owned(), ..world.assignment(&ticket) };
        let refusal = world.operator().assign_ticket(request).await.unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidArgument, "that is no role at all");
    })
    .await;
}

#[tokio::test]
async fn only_what_is_accepted_or_sent_back_can_be_assigned() {
    on_each(|world| async move {
        let (submitted, _) = world.submitted().await;
        let (replied, receipt) = world.replied().await;
        for (ticket, word) in [(&submitted, "submitted"), (&replied, "replied")] {
            let refusal = world.operator().assign_ticket(world.assignment(ticket)).await.unwrap_err();
            assert_eq!(refusal.code(), Code::FailedPrecondition);
            assert_eq!(facts_of(&refusal).get("state").map(String::as_str), Some(word));
            assert_eq!(reason::<()>(Err(refusal)), "TICKET_STATE");
        }
        world.nobody().rate_ticket(world.rating(&replied, &receipt, true)).await.unwrap();
        let closed = world.operator().assign_ticket(world.assignment(&replied)).await;
        assert_eq!(reason(closed), "TICKET_STATE");
    })
    .await;
}

#[tokio::test]
async fn assigning_again_to_the_same_changes_nothing_and_to_another_is_refused() {
    on_each(|world| async move {
        let (ticket, _) = world.accepted().await;
        let request = world.assignment(&ticket);
        let mut operator = world.operator();
        let first = operator.assign_ticket(request.clone()).await.unwrap().into_inner();
        world.clock.advance(TimeDelta::minutes(1));

        let repeated = operator.assign_ticket(request.clone()).await.unwrap().into_inner();
        let again = world.operator().assign_ticket(world.assignment(&ticket)).await.unwrap().into_inner();
        let other =
            AssignTicketRequest { handler_role: "teaching_office".to_owned(), ..world.assignment(&ticket) };
        let other = world.operator().assign_ticket(other).await;

        assert_eq!(repeated, first);
        assert_eq!(again, first);
        assert_eq!(reason(other), "TICKET_STATE");
        let reused = AssignTicketRequest { note: "换一句话".to_owned(), ..request };
        assert_eq!(reason(operator.assign_ticket(reused).await), "REQUEST_ID_REUSED");
    })
    .await;
}

#[tokio::test]
async fn of_two_handlers_chosen_at_once_one_gets_the_ticket() {
    on_each(|world| async move {
        for _ in 0..10 {
            let (ticket, _) = world.accepted().await;
            let calls = ["principal", "teaching_office", "moral_education", "school_finance"].map(|role| {
                let mut operator = world.operator();
                let request =
                    AssignTicketRequest { handler_role: role.to_owned(), ..world.assignment(&ticket) };
                async move { operator.assign_ticket(request).await }
            });

            let answers = join_all(calls).await;

            assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
            assert_eq!(world.ticket(&ticket.number).await.entries.len(), 3);
        }
    })
    .await;
}
