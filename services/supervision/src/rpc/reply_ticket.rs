//! `ReplyTicket`.

use proto::supervision::v1::{ReplyTicketRequest, ReplyTicketResponse};
use shared::caller::Caller;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Ticket as TicketKind};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::words::{Done, without_words};
use super::{HANDLERS, Supervision, error, event};
use crate::domain::ticket::{self, Action};
use crate::store;

struct Command {
    request_id: Uuid,
    id: Id<TicketKind>,
    text: String,
}

/// Answers a ticket.
pub async fn reply_ticket(
    supervision: &Supervision,
    caller: &Caller,
    request: ReplyTicketRequest,
) -> Result<ReplyTicketResponse, Status> {
    let permit = caller.staff(HANDLERS)?;
    let command = parse(&request)?;
    let content = ReplyTicketRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ReplyTicket", command.request_id, &content);

    let tx = supervision.db.begin().await?;
    let claim = match request::claim(&tx, &key, supervision.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(ReplyTicketResponse { ticket }) => {
            return Ok(ReplyTicketResponse { ticket: supervision.with_words(&tx, ticket).await? });
        }
    };
    let id = command.id;
    let (sheet, ticket) = store::ticket::lock(&tx, id).await?.ok_or_else(|| error::no_ticket(id))?;
    let handler = convert::handler_of(&permit, &ticket).ok_or_else(|| error::no_ticket(id))?;
    let now = supervision.clock.now();
    let next = ticket::reply(ticket, now)?;
    store::ticket::save(&tx, id, &next).await?;
    let (actor_role, actor_key) = (handler.role.word(), &caller.key());
    let done = Done { action: Action::Replied, actor_role, actor_key, text: &command.text };
    supervision.write_down(&tx, id, &next, &done, now).await?;
    event::ticket_replied(&tx, id, &next, now).await?;
    let shown = supervision.shown(&tx, &sheet, &next, now).await?;
    claim.answer(&tx, &ReplyTicketResponse { ticket: without_words(&shown) }).await?;
    tx.commit().await?;
    Ok(ReplyTicketResponse { ticket: Some(shown) })
}

fn parse(request: &ReplyTicketRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let id = fields.id("ticket_id", &request.ticket_id);
    let text = fields.text("text", &request.text, 5, 4_000);
    let command = request_id.zip(id).zip(text);
    fields.finish(command.map(|((request_id, id), text)| Command { request_id, id, text }))
}
