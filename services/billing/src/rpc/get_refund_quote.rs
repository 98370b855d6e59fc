//! Says what would go back if a seat were given back now.

use proto::billing::v1::{GetRefundQuoteRequest, GetRefundQuoteResponse};
use shared::caller::Caller;
use shared::status;
use tonic::Status;

use super::{convert, invoices};
use crate::store;
use crate::till::book::Book;
use crate::till::{Till, release};

pub async fn get_refund_quote(
    till: &Till,
    caller: &Caller,
    request: GetRefundQuoteRequest,
) -> Result<GetRefundQuoteResponse, Status> {
    let guardian = match caller {
        Caller::Service(_) => {
            caller.service(&["enrollment"])?;
            None
        }
        Caller::Guardian(_) | Caller::Staff(_) | Caller::Anonymous => Some(caller.guardian()?),
    };
    let enrollment_id = invoices::enrollment_id(&request.enrollment_id)?;
    let not_found = || status::not_found("invoice", enrollment_id);
    let invoice =
        store::invoice::of_enrollment(till.db.read(), enrollment_id).await?.ok_or_else(not_found)?;
    if let Some(permit) = guardian {
        permit.pupil(invoice.pupil_id).map_err(|_| not_found())?;
    }
    let book = Book::read(till, invoice.pupil_id, invoice.term_id).await?.ok_or_else(not_found)?;
    let quote = release::quote(&book, invoice.id, till.clock.now())?;
    Ok(GetRefundQuoteResponse { amount_fen: quote.money.get(), clauses: convert::clauses(&quote.clauses) })
}
