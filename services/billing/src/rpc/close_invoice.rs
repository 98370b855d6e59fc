//! Closes an invoice so that its seat can be given away.

use proto::billing::v1::close_invoice_response::Outcome;
use proto::billing::v1::{CloseInvoiceRequest, CloseInvoiceResponse};
use shared::caller::Caller;
use shared::value::{Enrollment, Id};
use shared::{db, status};
use tonic::Status;

use super::invoices;
use crate::domain::invoice::State;
use crate::domain::payment::Payment;
use crate::store;
use crate::store::enrollment::Met;
use crate::till::book::{self, Book};
use crate::till::{Till, order};

/// How often it is tried: a guardian may begin another order while one is being closed.
const ROUNDS: u32 = 3;

pub async fn close_invoice(
    till: &Till,
    caller: &Caller,
    request: CloseInvoiceRequest,
) -> Result<CloseInvoiceResponse, Status> {
    caller.service(&["enrollment"])?;
    let enrollment_id = invoices::enrollment_id(&request.enrollment_id)?;
    for _ in 0..ROUNDS {
        match db::retry(|| close(till, enrollment_id)).await? {
            Step::Done(outcome) => return Ok(CloseInvoiceResponse { outcome: outcome.into() }),
            // Paid or closed, the next look finds it so.
            Step::InTheWay(payment) => {
                order::close(till, &payment).await?;
            }
        }
    }
    Err(status::unavailable("WECHAT_UNAVAILABLE"))
}

enum Step {
    Done(Outcome),
    InTheWay(Box<Payment>),
}

async fn close(till: &Till, enrollment_id: Id<Enrollment>) -> Result<Step, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    match store::enrollment::meet(&tx, enrollment_id, true, now).await? {
        Met::First => {
            tx.commit().await?;
            return Ok(Step::Done(Outcome::Closed));
        }
        Met::ClosedBeforehand => return Ok(Step::Done(Outcome::Closed)),
        Met::Billed => {}
    }
    let missing = || store::Error::inconsistent("enrollment", enrollment_id, "billed without an invoice");
    let invoice = store::invoice::of_enrollment(&tx, enrollment_id).await?.ok_or_else(missing)?;
    let mut book = Book::of(till, &tx, &invoice).await?;
    let place = book.place(now);
    let invoice = book.invoice(invoice.id)?;
    match invoice.state {
        State::Settled { .. } => return Ok(Step::Done(Outcome::Settled)),
        State::Closed { .. } => return Ok(Step::Done(Outcome::Closed)),
        State::Open { .. } => {}
    }
    if let Some(payment) = store::payment::open_of(&tx, invoice.id).await? {
        return Ok(Step::InTheWay(Box::new(payment)));
    }
    book::close(&tx, place, invoice, now).await?;
    book.follow_up(&tx, now).await?;
    tx.commit().await?;
    Ok(Step::Done(Outcome::Closed))
}
