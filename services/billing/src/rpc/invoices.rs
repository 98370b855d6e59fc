//! Gives and lists invoices.

use proto::billing::v1::{GetInvoiceRequest, GetInvoiceResponse, ListInvoicesRequest, ListInvoicesResponse};
use shared::caller::{Caller, Role};
use shared::status;
use shared::value::{Enrollment, Id, Pupil, Violations};
use tonic::Status;

use super::convert;
use crate::domain::invoice::Invoice;
use crate::store;
use crate::till::Till;

pub async fn get_invoice(
    till: &Till,
    caller: &Caller,
    request: GetInvoiceRequest,
) -> Result<GetInvoiceResponse, Status> {
    let permit = Permit::of(caller)?;
    let enrollment_id = enrollment_id(&request.enrollment_id)?;
    let not_found = || status::not_found("invoice", enrollment_id);
    let invoice =
        store::invoice::of_enrollment(till.db.read(), enrollment_id).await?.ok_or_else(not_found)?;
    if !permit.reaches(till, &invoice).await? {
        return Err(not_found());
    }
    Ok(GetInvoiceResponse { invoice: Some(convert::invoice(&invoice)?) })
}

pub async fn list_invoices(
    till: &Till,
    caller: &Caller,
    request: ListInvoicesRequest,
) -> Result<ListInvoicesResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let pupil_id: Option<Id<Pupil>> = convert::id(&mut violations, "pupil_id", &request.pupil_id);
    let page = convert::page(&mut violations, request.page_size, &request.page_token);
    let (pupil_id, page) = convert::read(&violations, pupil_id.zip(page))?;
    permit.pupil(pupil_id)?;
    let mut invoices = store::invoice::list(till.db.read(), pupil_id, &page).await?;
    let next_page_token =
        convert::cut(&mut invoices, page.size, |invoice| (invoice.created_at, invoice.id.uuid()));
    let invoices = invoices.iter().map(convert::invoice).collect::<Result<_, _>>()?;
    Ok(ListInvoicesResponse { invoices, next_page_token })
}

/// Reads the enrollment an invoice is asked for by.
pub fn enrollment_id(text: &str) -> Result<Id<Enrollment>, Status> {
    let mut violations = Violations::default();
    let id = convert::id(&mut violations, "enrollment_id", text);
    convert::read(&violations, id)
}

/// Who may see an invoice.
enum Permit {
    Guardian(shared::caller::GuardianPermit),
    Staff(shared::caller::StaffPermit),
    Service,
}

impl Permit {
    fn of(caller: &Caller) -> Result<Self, Status> {
        match caller {
            Caller::Service(_) => Ok(Self::Service),
            Caller::Guardian(_) => caller.guardian().map(Self::Guardian),
            Caller::Staff(_) | Caller::Anonymous => caller.staff(&[Role::SchoolFinance]).map(Self::Staff),
        }
    }

    async fn reaches(&self, till: &Till, invoice: &Invoice) -> Result<bool, Status> {
        Ok(match self {
            Self::Service => true,
            Self::Guardian(permit) => permit.pupil(invoice.pupil_id).is_ok(),
            Self::Staff(permit) => {
                let term = store::term::find(till.db.read(), invoice.term_id).await?;
                term.is_some_and(|term| permit.reaches(&convert::node_path(&term.path)))
            }
        })
    }
}
