//! `SubmitTicket`.

use policy::enroll::hotline;
use proto::supervision::v1::{SubmitTicketRequest, SubmitTicketResponse};
use shared::caller::Caller;
use shared::random;
use shared::request::{self, Claimed, RequestKey};
use shared::status::not_found;
use shared::value::{Id, School};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Fields};
use super::words::{Done, without_words};
use super::{Supervision, receipt};
use crate::domain::ticket::{self, Action, Complainant, Kind, Limits, State, Subject, Ticket};
use crate::domain::{deadline, local_time};
use crate::store;
use crate::store::ticket::Sheet;

struct Command {
    request_id: Uuid,
    school_id: Id<School>,
    kind: Kind,
    subject: Subject,
    text: String,
    contact: String,
}

/// Takes a complaint or suggestion about a school.
pub async fn submit_ticket(
    supervision: &Supervision,
    caller: &Caller,
    request: SubmitTicketRequest,
) -> Result<SubmitTicketResponse, Status> {
    let command = parse(&request)?;
    let (complainant, actor_key) = match convert::guardian(caller) {
        Some(id) if !request.anonymous => (Complainant::Guardian(id), caller.key()),
        // Whoever wishes to be nobody is nobody in every row, that of the request id included.
        Some(_) | None => (Complainant::Anonymous, convert::nobody()),
    };
    let content = SubmitTicketRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&actor_key, "SubmitTicket", command.request_id, &content);

    let tx = supervision.db.begin().await?;
    let claim = match request::claim(&tx, &key, supervision.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(SubmitTicketResponse { ticket, .. }) => {
            let ticket = supervision.with_words(&tx, ticket).await?;
            return Ok(with_receipt(supervision, ticket));
        }
    };
    let school_id = command.school_id;
    let school = store::school::find(&tx, school_id).await?.ok_or_else(|| not_found("school", school_id))?;
    let today = local_time::of(supervision.clock.now()).date();
    // Locks the day: what a guardian submitted on it can be counted.
    let number = store::ticket::next_number(&tx, today).await?;
    if let Complainant::Guardian(id) = complainant {
        let begins_at = local_time::day_begins_at(today);
        ticket::submit(store::ticket::count_since(&tx, id, begins_at).await?)?;
    }
    let now = supervision.clock.now();
    let policy = supervision.policy_of(&school);
    let policy = policy.as_deref();
    let id = random::id(now);
    let sheet = Sheet {
        id,
        number,
        kind: command.kind,
        subject: command.subject,
        section: policy
            .and_then(|policy| hotline(policy, school.stage).ok())
            .map(|hotline| hotline.section.clone()),
        text_sealed: supervision.seal_text(id, &command.text)?,
        contact_sealed: supervision.seal_contact(id, &command.contact)?,
        created_at: now,
    };
    let accept_due_at = policy.and_then(|policy| deadline::accept_due_at(policy, now));
    let ticket = Ticket {
        school: school.path,
        complainant,
        state: State::Submitted,
        limits: Limits { accept_due_at, ..Limits::default() },
        stars: None,
        reopened_count: 0,
    };
    store::ticket::insert(&tx, &sheet, &ticket).await?;
    let done =
        Done { action: Action::Submitted, actor_role: convert::COMPLAINANT, actor_key: &actor_key, text: "" };
    supervision.write_down(&tx, id, &ticket, &done, now).await?;
    let shown = supervision.shown(&tx, &sheet, &ticket, now).await?;
    let kept = SubmitTicketResponse { ticket: without_words(&shown), receipt_code: String::new() };
    claim.answer(&tx, &kept).await?;
    tx.commit().await?;
    Ok(with_receipt(supervision, Some(shown)))
}

/// The answer, with the code that an anonymous complainant needs.
fn with_receipt(
    supervision: &Supervision,
    ticket: Option<proto::supervision::v1::Ticket>,
) -> SubmitTicketResponse {
    let anonymous = ticket.as_ref().filter(|ticket| ticket.anonymous);
    let id = anonymous.and_then(|ticket| ticket.id.parse().ok());
    let receipt_code = id.map(|id| receipt::code(&supervision.index, id)).unwrap_or_default();
    SubmitTicketResponse { ticket, receipt_code }
}

fn parse(request: &SubmitTicketRequest) -> Result<Command, Status> {
    let mut fields = Fields::default();
    let request_id = fields.uuid("request_id", &request.request_id);
    let school_id = fields.id("school_id", &request.school_id);
    let kind = fields.rule("kind", convert::kind(request.kind));
    let subject = fields.rule("subject", convert::subject(request.subject));
    let text = fields.text("text", &request.text, 5, 4_000);
    let contact = fields.text("contact", &request.contact, 0, 64);
    let command = request_id.zip(school_id).zip(kind.zip(subject)).zip(text.zip(contact));
    fields.finish(command.map(|(((request_id, school_id), (kind, subject)), (text, contact))| Command {
        request_id,
        school_id,
        kind,
        subject,
        text,
        contact,
    }))
}
