//! Every method × every kind of caller.

use shared::caller::{Caller, Role};
use shared::status::reason_of;
use tonic::{Code, Status};

use crate::support::{Client, World, on_each};
use proto::supervision::v1::{ExplainPolicyRequest, GetTicketRequest, ListTicketsRequest, Ticket};

const METHODS: [&str; 9] =
    ["submit", "accept", "assign", "return", "reply", "rate", "get", "list", "explain"];

async fn call(world: &World, client: &mut Client, method: &str, ticket: &Ticket) -> Result<(), Status> {
    match method {
        "submit" => client.submit_ticket(world.submission()).await.map(drop),
        "accept" => client.accept_ticket(world.acceptance(ticket)).await.map(drop),
        "assign" => client.assign_ticket(world.assignment(ticket)).await.map(drop),
        "return" => client.return_ticket(world.returning(ticket)).await.map(drop),
        "reply" => client.reply_ticket(world.answering(ticket)).await.map(drop),
        "rate" => client.rate_ticket(world.rating(ticket, "", true)).await.map(drop),
        "get" => {
            let request = GetTicketRequest { number: ticket.number.clone(), receipt_code: String::new() };
            client.get_ticket(request).await.map(drop)
        }
        "list" => client.list_tickets(ListTicketsRequest::default()).await.map(drop),
        _ => {
            let school_id = world.school.id.to_string();
            let request = ExplainPolicyRequest { school_id, ..ExplainPolicyRequest::default() };
            client.explain_policy(request).await.map(drop)
        }
    }
}

/// `yes` when the caller may ask at all, whatever the answer is; else the refusal's code.
fn outcome(answer: Result<(), Status>) -> String {
    match answer {
        Ok(()) => "yes".to_owned(),
        Err(refusal) => match reason_of(&refusal).as_deref() {
            Some("TICKET_NOT_FOUND" | "TICKET_STATE") => "yes".to_owned(),
            _ if refusal.code() == Code::PermissionDenied => "denied".to_owned(),
            _ if refusal.code() == Code::Unauthenticated => "sign in".to_owned(),
            other => panic!("{other:?}: {refusal}"),
        },
    }
}

#[tokio::test]
async fn every_caller_may_ask_what_their_role_is_for() {
    on_each(|world| async move {
        let (ticket, _) = world.assigned().await;
        let bureau = ["yes", "yes", "yes", "yes", "yes", "denied", "yes", "yes", "yes"];
        let handler = ["yes", "denied", "denied", "yes", "yes", "denied", "yes", "yes", "yes"];
        let outsider = ["yes", "denied", "denied", "denied", "denied", "denied", "denied", "denied", "yes"];
        for role in Role::ALL {
            let path = match role {
                Role::PlatformOperator => Vec::new(),
                Role::Provider => vec![world.uuid()],
                _ => vec![world.school.district_id],
            };
            let expected = match role {
                Role::BureauOfficer => bureau,
                // Takes tickets on, and is never the one who answers.
                Role::HotlineOperator => {
                    ["yes", "yes", "yes", "denied", "denied", "denied", "yes", "yes", "yes"]
                }
                Role::Principal
                | Role::TeachingOffice
                | Role::MoralEducation
                | Role::SchoolFinance
                | Role::TownOffice
                | Role::Inspector => handler,
                Role::ClassTeacher
                | Role::Instructor
                | Role::Provider
                | Role::Assessor
                | Role::BureauFinance
                | Role::PlatformOperator => outsider,
            };
            for (method, expected) in METHODS.into_iter().zip(expected) {
                let mut client = world.staff(*role, &path);
                let answer = call(&world, &mut client, method, &ticket).await;
                assert_eq!(outcome(answer), expected, "{method} by {role}");
            }
        }

        let guardian = ["yes", "denied", "denied", "denied", "denied", "yes", "yes", "yes", "yes"];
        let nobody =
            ["yes", "sign in", "sign in", "sign in", "sign in", "sign in", "sign in", "sign in", "yes"];
        for (method, (guardian, nobody)) in METHODS.into_iter().zip(guardian.into_iter().zip(nobody)) {
            let answer = call(&world, &mut world.guardian(world.uuid()), method, &ticket).await;
            assert_eq!(outcome(answer), guardian, "{method} by a guardian");
            let answer = call(&world, &mut world.nobody(), method, &ticket).await;
            assert_eq!(outcome(answer), nobody, "{method} by nobody");
        }
    })
    .await;
}

#[tokio::test]
async fn other_services_have_no_business_with_tickets() {
    on_each(|world| async move {
        let (ticket, _) = world.assigned().await;
        for method in METHODS[1..].iter().filter(|method| **method != "explain") {
            let mut client = world.caller(&Caller::Service("identity".to_owned()));
            let answer = call(&world, &mut client, method, &ticket).await;
            assert_eq!(outcome(answer), "denied", "{method}");
        }
    })
    .await;
}
