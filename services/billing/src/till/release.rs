//! A seat given back: what stays charged, what goes back, and from which payments.

use shared::db::Tx;
use shared::value::{Fen, Id, Invoice as InvoiceKind, Moment};
use tonic::Status;

use super::book::{self, Book};
use super::{Till, refund};
use crate::domain::ledger;
use crate::domain::refund::Reason;
use crate::domain::refusal::{Clause, Refusal};
use crate::domain::release::{Cause, Draw, Until, charged_until, draws, whole};
use crate::store;
use crate::store::ledger::Kind;

/// What giving back a seat would bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What goes back to the family.
    pub money: Fen,
    /// What it rests on.
    pub clauses: Vec<Clause>,
}

/// Works out what would go back if a settled seat were given back now.
///
/// # Errors
/// FAILED_PRECONDITION `POLICY_SILENT` when nobody wrote a refund rule.
pub fn quote(book: &Book, id: Id<InvoiceKind>, now: Moment) -> Result<Quote, Status> {
    let (_, draws, clauses) = work_out(book, id, Cause::GivenBack, now)?;
    let money = Fen::total(draws.iter().map(|draw| draw.money)).map_err(Refusal::from)?;
    Ok(Quote { money, clauses })
}

fn work_out(
    book: &Book,
    id: Id<InvoiceKind>,
    cause: Cause,
    now: Moment,
) -> Result<(Until, Vec<Draw>, Vec<Clause>), Status> {
    let settled = book.settled_invoices()?;
    let Some((invoice, charged)) = settled.iter().find(|(invoice, _)| invoice.id == id) else {
        return Ok((None, Vec::new(), Vec::new()));
    };
    let (until, clauses) =
        charged_until(&book.policy, &book.term, charged.section, cause, now).map_err(Refusal::from)?;
    let draws = match cause {
        Cause::Unseated => vec![whole(invoice)?],
        Cause::GivenBack | Cause::SectionCancelled | Cause::ChangedAt { .. } => {
            draws(&book.policy, &book.prices, &book.term, &settled, id, until)?
        }
    };
    Ok((until, draws, clauses))
}

/// Gives a seat back: an open invoice is closed unless an order is out for it; of a settled one the money goes back by the rule.
/// Where the policy is silent nothing moves, and people must decide. Given back again, it changes nothing.
///
/// # Errors
/// When the database refuses.
pub async fn release(
    till: &Till,
    tx: &Tx,
    book: &mut Book,
    id: Id<InvoiceKind>,
    cause: Cause,
    now: Moment,
) -> Result<(), Status> {
    let place = book.place(now);
    let invoice = book.invoice(id)?;
    if invoice.released_at.is_some() {
        return Ok(());
    }
    if invoice.is_open() && store::payment::open_of(tx, id).await?.is_none() {
        book::close(tx, place, invoice, now).await?;
        return book.follow_up(tx, now).await;
    }
    if !invoice.is_settled() {
        // An order may be out: whoever released the seat asked for its closing, and a payment after that is late.
        return Ok(());
    }
    let (until, draws) = match work_out(book, id, cause, now) {
        Ok((until, draws, _)) => (until, draws),
        Err(refusal) if refusal.code() == tonic::Code::FailedPrecondition => {
            tracing::error!(alarm = true, invoice.id = %id, "a seat was given back and nobody said what of the money is");
            let invoice = book.invoice(id)?;
            invoice.released_at = Some(now);
            invoice.is_refund_undecided = true;
            return Ok(store::invoice::save(tx, invoice).await?);
        }
        Err(error) => return Err(error),
    };
    let invoice = book.invoice(id)?;
    invoice.released_at = Some(now);
    invoice.charged_until = until;
    store::invoice::save(tx, invoice).await?;

    let reason = match cause {
        Cause::GivenBack | Cause::ChangedAt { .. } => Reason::Released,
        Cause::SectionCancelled => Reason::SectionCancelled,
        Cause::Unseated => Reason::Late,
    };
    let (mut money, mut subsidy) = (Fen::ZERO, Fen::ZERO);
    for draw in draws {
        let invoice = book.invoice(draw.invoice_id)?;
        let returned = take_back(till, tx, invoice, draw, reason, now).await?;
        money = money.plus(returned).map_err(Refusal::from)?;
        subsidy =
            subsidy.plus(draw.gross.minus(draw.money).map_err(Refusal::from)?).map_err(Refusal::from)?;
    }
    let entry = ledger::released(money, subsidy).map_err(Refusal::from)?;
    store::ledger::insert(tx, place, id.uuid(), Kind::Released, 0, &entry).await?;
    book.follow_up(tx, now).await
}

/// Takes back one invoice's part. Gives what is really on its way: less only where WeChat takes no more refunds.
async fn take_back(
    till: &Till,
    tx: &Tx,
    invoice: &mut crate::domain::invoice::Invoice,
    draw: Draw,
    reason: Reason,
    now: Moment,
) -> Result<Fen, Status> {
    let mut returned = Fen::ZERO;
    if draw.money > Fen::ZERO {
        let mut payments = store::payment::lock_all(tx, invoice.id).await?;
        let paid = payments
            .iter_mut()
            .find(|payment| matches!(payment.state, crate::domain::payment::State::Succeeded(_)));
        match paid {
            Some(payment) if payment.refundable() >= draw.money => {
                refund::ask(till, tx, invoice, payment, draw.money, reason, now).await?;
                returned = draw.money;
            }
            Some(_) | None => {
                tracing::error!(alarm = true, invoice.id = %invoice.id, "money that is due back cannot be sent; a person must decide");
                invoice.is_refund_undecided = true;
            }
        }
    }
    let kept_back = draw.money.minus(returned).map_err(Refusal::from)?;
    let reversed = draw.gross.minus(kept_back).map_err(Refusal::from)?;
    invoice.reversed = invoice.reversed.plus(reversed).map_err(Refusal::from)?;
    invoice.refunded = invoice.refunded.plus(returned).map_err(Refusal::from)?;
    store::invoice::save(tx, invoice).await?;
    Ok(returned)
}
