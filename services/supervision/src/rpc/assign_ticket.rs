//! `AssignTicket`.

use proto::supervision::v1::{AssignTicketRequest, AssignTicketResponse};
use shared::caller::{Caller, Role};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Node, Ticket as TicketKind};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::words::{Done, without_words};
use super::{BUREAU, Supervision, error};
use crate::domain::ticket::{self, Action, Handler, HandlerRole};
use crate::store;

struct Command {
    request_id: Uuid,
    id: Id<TicketKind>,
    /// None for a role that answers no tickets.
    role: Option<HandlerRole>,
    node_id: Id<Node>,
    note: String,
}

/// Gives a ticket to whoever is to answer it.
pub async fn assign_ticket(
    supervision: &Supervision,
    caller: &Caller,
    request: AssignTicketRequest,
) -> Result<AssignTicketResponse, Status> {
    let permit = caller.staff(BUREAU)?;
    let command = parse(&request)?;
    let content = AssignTicketRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "AssignTicket", command.request_id, &content);

    let tx = supervision.db.begin().await?;
    let claim = match request::claim(&tx, &key, supervision.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(AssignTicketResponse { ticket }) => {
            return Ok(AssignTicketResponse { ticket: supervision.with_words(&tx, ticket).await? });
        }
    };
    let id = command.id;
    let (sheet, ticket) = store::ticket::lock(&tx, id).await?.ok_or_else(|| error::no_ticket(id))?;
    let path = convert::school_path(&ticket.school);
    permit.reach(&path, "ticket", id)?;
    let role = command.role.ok_or(ticket::Error::HandlerMisplaced)?;
    let now = supervision.clock.now();
    let next = match ticket::assign(ticket, Handler { role, node_id: command.node_id }, now)? {
        Some(next) => {
            store::ticket::save(&tx, id, &next).await?;
            let actor_role = convert::bureau_role(&permit, &path);
            let done =
                Done { action: Action::Assigned, actor_role, actor_key: &caller.key(), text: &command.note };
            supervision.write_down(&tx, id, &next, &done, now).await?;
            next
        }
        None => ticket,
    };
    let shown = supervision.shown(&tx, &sheet, &next, now).await?;
    claim.answer(&tx, &AssignTicketResponse { ticket: without_words(&shown) }).await?;
    tx.commit().await?;
    Ok(AssignTicketResponse { ticket: Some(shown) })
}

fn parse(request: &AssignTicketRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let id = fields.id("ticket_id", &request.ticket_id);
    let role = fields.rule("handler_role", request.handler_role.parse::<Role>());
    let node_id = fields.id("handler_node_id", &request.handler_node_id);
    let note = fields.text("note", &request.note, 0, 400);
    let command = request_id.zip(id).zip(role.zip(node_id)).zip(note);
    fields.finish(command.map(|(((request_id, id), (role, node_id)), note)| Command {
        request_id,
        id,
        role: HandlerRole::from_word(role.as_str()),
        node_id,
        note,
    }))
}
