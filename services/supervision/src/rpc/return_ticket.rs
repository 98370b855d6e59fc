//! `ReturnTicket`.

use proto::supervision::v1::{ReturnTicketRequest, ReturnTicketResponse};
use shared::caller::Caller;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Ticket as TicketKind};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::words::{Done, without_words};
use super::{HANDLERS, Supervision, error};
use crate::domain::ticket::{self, Action};
use crate::store;

struct Command {
    request_id: Uuid,
    id: Id<TicketKind>,
    reason: String,
}

/// Sends a ticket back that is not the handler's to answer.
pub async fn return_ticket(
    supervision: &Supervision,
    caller: &Caller,
    request: ReturnTicketRequest,
) -> Result<ReturnTicketResponse, Status> {
    let permit = caller.staff(HANDLERS)?;
    let command = parse(&request)?;
    let content = ReturnTicketRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ReturnTicket", command.request_id, &content);

    let tx = supervision.db.begin().await?;
    let claim = match request::claim(&tx, &key, supervision.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(ReturnTicketResponse { ticket }) => {
            return Ok(ReturnTicketResponse { ticket: supervision.with_words(&tx, ticket).await? });
        }
    };
    let id = command.id;
    let (sheet, ticket) = store::ticket::lock(&tx, id).await?.ok_or_else(|| error::no_ticket(id))?;
    let handler = convert::handler_of(&permit, &ticket).ok_or_else(|| error::no_ticket(id))?;
    let now = supervision.clock.now();
    let next = match ticket::send_back(ticket, now)? {
        Some(next) => {
            store::ticket::save(&tx, id, &next).await?;
            let (actor_role, actor_key) = (handler.role.word(), &caller.key());
            let done = Done { action: Action::Returned, actor_role, actor_key, text: &command.reason };
            supervision.write_down(&tx, id, &next, &done, now).await?;
            next
        }
        None => ticket,
    };
    let shown = supervision.shown(&tx, &sheet, &next, now).await?;
    claim.answer(&tx, &ReturnTicketResponse { ticket: without_words(&shown) }).await?;
    tx.commit().await?;
    Ok(ReturnTicketResponse { ticket: Some(shown) })
}

fn parse(request: &ReturnTicketRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let id = fields.id("ticket_id", &request.ticket_id);
    let reason = fields.text("reason", &request.reason, 1, 400);
    let command = request_id.zip(id).zip(reason);
    fields.finish(command.map(|((request_id, id), reason)| Command { request_id, id, reason }))
}
