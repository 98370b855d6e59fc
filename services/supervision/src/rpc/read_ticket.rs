//! `GetTicket`, `ListTickets`.

use proto::supervision::v1::{GetTicketRequest, GetTicketResponse, ListTicketsRequest, ListTicketsResponse};
use shared::caller::{Caller, Role, StaffPermit};
use shared::status::unauthenticated;
use shared::value::{Page, PageToken};
use tonic::Status;

use super::convert::{self, Fields};
use super::{HANDLERS, OVERSEERS, Supervision, error, receipt};
use crate::domain::ticket::{Complainant, Ticket};
use crate::store;
use crate::store::ticket::{Asked, Key, Scope, Sheet};

/// Gives a ticket.
pub async fn get_ticket(
    supervision: &Supervision,
    caller: &Caller,
    request: GetTicketRequest,
) -> Result<GetTicketResponse, Status> {
    let mut fields = Fields::default();
    let number = fields.number(&request.number);
    let receipt_code = fields.receipt_code(&request.receipt_code);
    let (number, receipt_code) = fields.finish(number.zip(receipt_code))?;
    let reader = Reader::of(caller, receipt_code)?;

    let db = supervision.db.read();
    let found = store::ticket::find_number(db, &number).await?;
    let found = found.filter(|(sheet, ticket)| reader.may_see(supervision, sheet, ticket));
    let (sheet, ticket) = found.ok_or_else(|| error::no_ticket(&number))?;
    let entries = store::ticket::entries(db, sheet.id).await?;
    let shown = supervision.opened(&sheet, &ticket, &entries, supervision.clock.now())?;
    Ok(GetTicketResponse { ticket: Some(shown) })
}

/// Who asks for one ticket, and by what right.
enum Reader {
    Receipt(String),
    Complainant(Complainant),
    Staff(StaffPermit),
}

impl Reader {
    fn of(caller: &Caller, receipt_code: Option<String>) -> Result<Self, Status> {
        if let Some(code) = receipt_code {
            return Ok(Self::Receipt(code));
        }
        match caller {
            Caller::Anonymous => Err(unauthenticated("TOKEN_MISSING")),
            Caller::Guardian(guardian) => Ok(Self::Complainant(Complainant::Guardian(guardian.id))),
            Caller::Staff(_) | Caller::Service(_) => staff(caller).map(Self::Staff),
        }
    }

    fn may_see(&self, supervision: &Supervision, sheet: &Sheet, ticket: &Ticket) -> bool {
        match self {
            Self::Receipt(code) => {
                ticket.complainant == Complainant::Anonymous
                    && receipt::is_code(&supervision.index, sheet.id, code)
            }
            Self::Complainant(complainant) => ticket.complainant == *complainant,
            Self::Staff(permit) => {
                let path = convert::school_path(&ticket.school);
                OVERSEERS.iter().any(|role| permit.holds(*role, &path))
                    || convert::handler_of(permit, ticket).is_some()
            }
        }
    }
}

/// Permits whoever sees tickets, of all their schools or only their own.
fn staff(caller: &Caller) -> Result<StaffPermit, Status> {
    let readers: Vec<Role> = OVERSEERS.iter().chain(HANDLERS).copied().collect();
    caller.staff(&readers)
}

/// Lists tickets, newest first: a guardian's own, or those a member of staff reaches or handles.
pub async fn list_tickets(
    supervision: &Supervision,
    caller: &Caller,
    request: ListTicketsRequest,
) -> Result<ListTicketsResponse, Status> {
    let scope = scope(caller)?;
    let now = supervision.clock.now();
    let mut fields = Fields::default();
    let state = fields.rule("state", convert::state_word(request.state));
    let section = fields.text("section", &request.section, 0, 64);
    let page = fields.rule("page_token", Page::<Key>::parse(request.page_size, &request.page_token));
    let ((state, section), page) = fields.finish(state.zip(section).zip(page))?;
    let section = Some(section).filter(|section| !section.is_empty());
    let asked = Asked { state, section, late_at: request.late_only.then_some(now) };

    let mut found = store::ticket::list(supervision.db.read(), &scope, &asked, &page).await?;
    let next_page_token = next_token(&mut found, page.size);
    let shown = found.iter().map(|(sheet, ticket)| supervision.opened(sheet, ticket, &[], now));
    Ok(ListTicketsResponse { tickets: shown.collect::<Result<_, _>>()?, next_page_token })
}

fn scope(caller: &Caller) -> Result<Scope, Status> {
    if let Some(id) = convert::guardian(caller) {
        return Ok(Scope::Guardian(id));
    }
    let permit = staff(caller)?;
    let overseen = permit.grants().iter().filter(|grant| OVERSEERS.contains(&grant.role));
    Ok(Scope::Staff {
        below: overseen.map(|grant| grant.path.nodes().to_vec()).collect(),
        handlers: convert::handlers(&permit).collect(),
    })
}

/// Cuts the one row too many, which says that there is a next page, and gives the key of the last row kept; empty on the last page.
fn next_token(rows: &mut Vec<(Sheet, Ticket)>, size: u64) -> String {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if rows.len() <= size {
        return String::new();
    }
    rows.truncate(size);
    let key = |(sheet, _): &(Sheet, Ticket)| (sheet.created_at, sheet.id.uuid());
    rows.last().map(|last| PageToken::of(&key(last)).into_text()).unwrap_or_default()
}
