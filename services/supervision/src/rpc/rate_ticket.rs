//! `RateTicket`.

use proto::supervision::v1::{RateTicketRequest, RateTicketResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::request::{self, Claimed, RequestKey};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::words::{Done, without_words};
use super::{Supervision, error, event, receipt};
use crate::domain::deadline;
use crate::domain::ticket::{self, Action, Complainant, Rating};
use crate::store;

struct Command {
    request_id: Uuid,
    number: String,
    receipt_code: Option<String>,
    rating: Rating,
    comment: String,
}

/// How a complainant shows that the ticket is theirs.
enum Claimant {
    Guardian(GuardianPermit),
    Receipt(String),
}

/// Takes the complainant's judgement: solved closes the ticket, unsolved gives it back to its handler.
pub async fn rate_ticket(
    supervision: &Supervision,
    caller: &Caller,
    request: RateTicketRequest,
) -> Result<RateTicketResponse, Status> {
    let command = parse(&request)?;
    let (claimant, actor_key) = match command.receipt_code {
        // Who comes with a receipt is nobody, signed in or not.
        Some(code) => (Claimant::Receipt(code), convert::nobody()),
        None => (Claimant::Guardian(caller.guardian()?), caller.key()),
    };
    let content = RateTicketRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&actor_key, "RateTicket", command.request_id, &content);

    let tx = supervision.db.begin().await?;
    let claim = match request::claim(&tx, &key, supervision.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(RateTicketResponse { ticket }) => {
            return Ok(RateTicketResponse { ticket: supervision.with_words(&tx, ticket).await? });
        }
    };
    let number = command.number.as_str();
    let found = store::ticket::lock_number(&tx, number).await?;
    let (sheet, ticket) = found.ok_or_else(|| error::no_ticket(number))?;
    let id = sheet.id;
    let is_theirs = match (&claimant, ticket.complainant) {
        (Claimant::Guardian(permit), Complainant::Guardian(id)) => permit.id() == id,
        (Claimant::Receipt(code), Complainant::Anonymous) => receipt::is_code(&supervision.index, id, code),
        (Claimant::Guardian(_), Complainant::Anonymous)
        | (Claimant::Receipt(_), Complainant::Guardian(_)) => false,
    };
    if !is_theirs {
        return Err(error::no_ticket(number));
    }
    let policy = supervision.policy_at(&tx, &ticket.school).await?;
    let now = supervision.clock.now();
    let reply_due_at = policy.and_then(|policy| deadline::reply_due_at(&policy, now));
    let next = match ticket::rate(ticket, command.rating, reply_due_at, now)? {
        Some(next) => {
            store::ticket::save(&tx, id, &next).await?;
            let outcome = if command.rating.solved { Action::Closed } else { Action::Reopened };
            for (action, text) in [(Action::Rated, command.comment.as_str()), (outcome, "")] {
                let done = Done { action, actor_role: convert::COMPLAINANT, actor_key: &actor_key, text };
                supervision.write_down(&tx, id, &next, &done, now).await?;
            }
            if command.rating.solved {
                event::ticket_closed(&tx, id, &next, now).await?;
            }
            next
        }
        None => ticket,
    };
    let shown = supervision.shown(&tx, &sheet, &next, now).await?;
    claim.answer(&tx, &RateTicketResponse { ticket: without_words(&shown) }).await?;
    tx.commit().await?;
    Ok(RateTicketResponse { ticket: Some(shown) })
}

fn parse(request: &RateTicketRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let number = fields.number(&request.number);
    let receipt_code = fields.receipt_code(&request.receipt_code);
    let stars = Some(request.rating).filter(|stars| (1..=5).contains(stars)).ok_or("must be 1 to 5");
    let stars = fields.rule("rating", stars);
    let comment = fields.text("comment", &request.comment, 0, 400);
    let command = request_id.zip(number).zip(receipt_code).zip(stars.zip(comment));
    fields.finish(command.map(|(((request_id, number), receipt_code), (stars, comment))| Command {
        request_id,
        number,
        receipt_code,
        rating: Rating { solved: request.solved, stars },
        comment,
    }))
}
