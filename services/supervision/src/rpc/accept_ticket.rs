//! `AcceptTicket`.

use proto::supervision::v1::{AcceptTicketRequest, AcceptTicketResponse};
use shared::caller::Caller;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Ticket as TicketKind};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::words::{Done, without_words};
use super::{BUREAU, Supervision, error};
use crate::domain::deadline;
use crate::domain::ticket::{self, Action};
use crate::store;

/// Takes a ticket on for the bureau: from now on the time to answer runs.
pub async fn accept_ticket(
    supervision: &Supervision,
    caller: &Caller,
    request: AcceptTicketRequest,
) -> Result<AcceptTicketResponse, Status> {
    let permit = caller.staff(BUREAU)?;
    let (request_id, id) = parse(&request)?;
    let content = AcceptTicketRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "AcceptTicket", request_id, &content);

    let tx = supervision.db.begin().await?;
    let claim = match request::claim(&tx, &key, supervision.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(AcceptTicketResponse { ticket }) => {
            return Ok(AcceptTicketResponse { ticket: supervision.with_words(&tx, ticket).await? });
        }
    };
    let (sheet, ticket) = store::ticket::lock(&tx, id).await?.ok_or_else(|| error::no_ticket(id))?;
    let path = convert::school_path(&ticket.school);
    permit.reach(&path, "ticket", id)?;
    let policy = supervision.policy_at(&tx, &ticket.school).await?;
    let now = supervision.clock.now();
    let reply_due_at = policy.and_then(|policy| deadline::reply_due_at(&policy, now));
    let next = match ticket::accept(ticket, reply_due_at, now) {
        Some(next) => {
            store::ticket::save(&tx, id, &next).await?;
            let actor_role = convert::bureau_role(&permit, &path);
            let done = Done { action: Action::Accepted, actor_role, actor_key: &caller.key(), text: "" };
            supervision.write_down(&tx, id, &next, &done, now).await?;
            next
        }
        None => ticket,
    };
    let shown = supervision.shown(&tx, &sheet, &next, now).await?;
    claim.answer(&tx, &AcceptTicketResponse { ticket: without_words(&shown) }).await?;
    tx.commit().await?;
    Ok(AcceptTicketResponse { ticket: Some(shown) })
}

fn parse(request: &AcceptTicketRequest) -> Result<(Uuid, Id<TicketKind>), Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let id = fields.id("ticket_id", &request.ticket_id);
    fields.finish(request_id.zip(id))
}
