//! `GetTicket`, `ListTickets`.

use chrono::TimeDelta;
use proto::identity::v1::Stage;
use proto::supervision::v1::ticket::State;
use proto::supervision::v1::{GetTicketRequest, ListTicketsRequest, SubmitTicketRequest, Ticket};
use shared::caller::Role;
use tonic::Code;

use crate::support::{CALENDAR, Client, School, TEXT, World, at, on_each, reason, state};

fn asked(ticket: &Ticket, receipt_code: &str) -> GetTicketRequest {
    GetTicketRequest { number: ticket.number.clone(), receipt_code: receipt_code.to_owned() }
}

fn everything() -> ListTicketsRequest {
    ListTicketsRequest::default()
}

async fn listed(mut client: Client, request: ListTicketsRequest) -> Vec<String> {
    let tickets = client.list_tickets(request).await.unwrap().into_inner().tickets;
    assert!(tickets.iter().all(|ticket| ticket.entries.is_empty()), "a list has no entries");
    tickets.into_iter().map(|ticket| ticket.number).collect()
}

async fn submit_to(world: &World, school: &School) -> Ticket {
    let request = SubmitTicketRequest { school_id: school.id.to_string(), ..world.submission() };
    world.clock.advance(TimeDelta::seconds(1));
    world.nobody().submit_ticket(request).await.unwrap().into_inner().ticket.unwrap()
}

#[tokio::test]
async fn c81_an_anonymous_complainant_follows_the_ticket_by_its_receipt() {
    on_each(|world| async move {
        let (ticket, receipt) = world.replied().await;
        let typed = receipt.to_lowercase().replace('-', " ");

        for code in [receipt.as_str(), typed.as_str()] {
            let seen =
                world.nobody().get_ticket(asked(&ticket, code)).await.unwrap().into_inner().ticket.unwrap();
            assert_eq!(seen, ticket);
            assert_eq!(seen.entries[3].text, "已核实，今后一律自愿报名。");
        }
        assert_eq!(
            reason(world.nobody().get_ticket(asked(&ticket, "7K3M-9QXT-2B8R")).await),
            "TICKET_NOT_FOUND"
        );
        let refusal = world.nobody().get_ticket(asked(&ticket, "")).await.unwrap_err();
        assert_eq!(refusal.code(), Code::Unauthenticated);
        let unknown = GetTicketRequest { number: "20261123-999999".to_owned(), receipt_code: receipt };
        assert_eq!(reason(world.nobody().get_ticket(unknown).await), "TICKET_NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn a_ticket_is_seen_by_whom_it_concerns_and_by_nobody_else() {
    on_each(|world| async move {
        let guardian = world.uuid();
        let answer = world.guardian(guardian).submit_ticket(world.submission()).await.unwrap();
        let ticket = answer.into_inner().ticket.unwrap();
        let (school, other) = (world.school.path(), world.uuid());

        let see = [
            world.guardian(guardian),
            world.staff(Role::HotlineOperator, &school[..1]),
            world.staff(Role::BureauOfficer, &school[..1]),
            world.staff(Role::Inspector, &school[..1]),
            world.staff(Role::Inspector, &school[..2]),
        ];
        for mut client in see {
            assert_eq!(
                client.get_ticket(asked(&ticket, "")).await.unwrap().into_inner().ticket.unwrap(),
                ticket
            );
        }
        let do_not = [
            world.guardian(other),
            world.staff(Role::HotlineOperator, &[other]),
            world.staff(Role::Inspector, &[school[0], other]),
            world.staff(Role::Principal, &school),
            world.staff(Role::TownOffice, &school[..2]),
        ];
        for mut client in do_not {
            assert_eq!(reason(client.get_ticket(asked(&ticket, "")).await), "TICKET_NOT_FOUND");
        }

        world.operator().accept_ticket(world.acceptance(&ticket)).await.unwrap();
        world.operator().assign_ticket(world.assignment(&ticket)).await.unwrap();
        assert!(world.principal().get_ticket(asked(&ticket, "")).await.is_ok(), "now it is theirs to answer");
        let mut town = world.staff(Role::TownOffice, &school[..2]);
        assert_eq!(reason(town.get_ticket(asked(&ticket, "")).await), "TICKET_NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn no_answer_names_the_complainant() {
    on_each(|world| async move {
        let guardian = world.uuid();
        let request = SubmitTicketRequest { contact: "13800001234".to_owned(), ..world.submission() };
        let answer = world.guardian(guardian).submit_ticket(request).await.unwrap().into_inner();
        let ticket = answer.ticket.unwrap();

        let seen = world.ticket(&ticket.number).await;
        let listed = world.operator().list_tickets(everything()).await.unwrap().into_inner();

        for text in [format!("{ticket:?}"), format!("{seen:?}"), format!("{listed:?}")] {
            assert!(text.contains(TEXT));
            assert!(!text.contains(&guardian.to_string()) && !text.contains("13800001234"));
        }
    })
    .await;
}

#[tokio::test]
async fn everyone_lists_their_own() {
    on_each(|world| async move {
        let neighbour = world.found_neighbour(Stage::Junior, CALENDAR).await;
        let elsewhere = world.found_school(Stage::Primary, CALENDAR).await;
        let here = submit_to(&world, &world.school).await;
        let there = submit_to(&world, &neighbour).await;
        let far = submit_to(&world, &elsewhere).await;
        let guardian = world.uuid();
        world.clock.advance(TimeDelta::seconds(1));
        let own = world.guardian(guardian).submit_ticket(world.submission()).await.unwrap().into_inner();
        let own = own.ticket.unwrap();
        world.operator().accept_ticket(world.acceptance(&here)).await.unwrap();
        world.operator().assign_ticket(world.assignment(&here)).await.unwrap();
        let path = world.school.path();

        let numbers =
            |tickets: &[&Ticket]| tickets.iter().map(|ticket| ticket.number.clone()).collect::<Vec<_>>();
        let district = world.staff(Role::Inspector, &path[..1]);
        assert_eq!(listed(district, everything()).await, numbers(&[&own, &there, &here]), "newest first");
        let town = world.staff(Role::BureauOfficer, &path[..2]);
        assert_eq!(listed(town, everything()).await, numbers(&[&own, &there, &here]));
        let school = world.staff(Role::Inspector, &neighbour.path());
        assert_eq!(listed(school, everything()).await, numbers(&[&there]));
        let other = world.staff(Role::HotlineOperator, &[elsewhere.district_id]);
        assert_eq!(listed(other, everything()).await, numbers(&[&far]));
        assert_eq!(listed(world.principal(), everything()).await, numbers(&[&here]), "only what is assigned");
        assert!(listed(world.staff(Role::TownOffice, &path[..2]), everything()).await.is_empty());
        assert_eq!(listed(world.guardian(guardian), everything()).await, numbers(&[&own]));
        assert!(listed(world.guardian(world.uuid()), everything()).await.is_empty());
        let class = [path.as_slice(), &[world.uuid()]].concat();
        assert!(listed(world.staff(Role::Inspector, &class), everything()).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_list_is_narrowed_by_state_section_and_lateness() {
    on_each(|world| async move {
        let junior = world.found_neighbour(Stage::Junior, CALENDAR).await;
        let primary = submit_to(&world, &world.school).await;
        let secondary = submit_to(&world, &junior).await;
        world.operator().accept_ticket(world.acceptance(&secondary)).await.unwrap();

        let state = |state: State| ListTicketsRequest { state: state.into(), ..everything() };
        assert_eq!(listed(world.operator(), state(State::Submitted)).await, [primary.number.as_str()]);
        assert_eq!(listed(world.operator(), state(State::Accepted)).await, [secondary.number.as_str()]);
        assert!(listed(world.operator(), state(State::Closed)).await.is_empty());
        let section = ListTicketsRequest { section: "secondary".to_owned(), ..everything() };
        assert_eq!(listed(world.operator(), section).await, [secondary.number.as_str()]);

        let late = || ListTicketsRequest { late_only: true, ..everything() };
        let limit = at(primary.accept_due_time).unwrap();
        world.clock.set(limit - TimeDelta::microseconds(1));
        assert!(listed(world.operator(), late()).await.is_empty());
        world.clock.set(limit);
        assert_eq!(listed(world.operator(), late()).await, [primary.number.as_str()]);
        let limit = at(world.ticket(&secondary.number).await.reply_due_time).unwrap();
        world.clock.set(limit - TimeDelta::microseconds(1));
        assert_eq!(listed(world.operator(), late()).await, [primary.number.as_str()]);
        world.clock.set(limit);
        assert_eq!(listed(world.operator(), late()).await, [secondary.number, primary.number]);
    })
    .await;
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    on_each(|world| async move {
        // All of one moment: only their ids order them.
        for _ in 0..5 {
            world.submitted().await;
        }
        let all = listed(world.operator(), everything()).await;
        let mut walked = Vec::new();
        let mut request = ListTicketsRequest { page_size: 2, ..everything() };
        loop {
            let page = world.operator().list_tickets(request.clone()).await.unwrap().into_inner();
            assert!(page.tickets.iter().all(|ticket| state(ticket) == State::Submitted));
            walked.extend(page.tickets.into_iter().map(|ticket| ticket.number));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }

        assert_eq!(walked, all);
        assert_eq!(walked.len(), 5);
        let request = ListTicketsRequest { page_token: "elsewhere".to_owned(), state: 77, ..everything() };
        let refusal = world.operator().list_tickets(request).await.unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidArgument);
    })
    .await;
}
