//! A payment that happened: credited once, whoever says so.

use shared::db::{self, Tx};
use tonic::Status;
use wechat::pay::{Expected, Mismatch, Payment as Paid};

use super::book::{self, Book};
use super::{Till, refund};
use crate::domain::invoice;
use crate::domain::ledger;
use crate::domain::payment::{self, State, Success};
use crate::domain::refund::Reason;
use crate::domain::refusal::Refusal;
use crate::store;
use crate::store::ledger::Kind;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The invoice is settled by it.
    Credited,
    /// Nothing was owed: it goes back.
    Surplus,
    /// It was known.
    Known,
    /// The order is none of ours.
    UnknownOrder,
    /// It differs from the order. Not credited; a person must look.
    Mismatch(Mismatch),
}

impl Outcome {
    /// The outcome's name in rows and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credited => "credited",
            Self::Surplus => "surplus",
            Self::Known => "known",
            Self::UnknownOrder => "unknown_order",
            Self::Mismatch(Mismatch::OutTradeNo) => "mismatch_order",
            Self::Mismatch(Mismatch::Merchant) => "mismatch_merchant",
            Self::Mismatch(Mismatch::Amount { .. }) => "mismatch_amount",
            Self::Mismatch(Mismatch::Currency) => "mismatch_currency",
            Self::Mismatch(Mismatch::Payer) => "mismatch_payer",
        }
    }
}

/// Takes in a payment WeChat vouches for, in a transaction of its own.
///
/// # Errors
/// When the database refuses.
pub async fn settle(till: &Till, paid: &Paid) -> Result<Outcome, Status> {
    db::retry(|| async {
        let tx = till.db.begin().await?;
        let outcome = settle_in(till, &tx, paid).await?;
        tx.commit().await?;
        Ok(outcome)
    })
    .await
}

/// Takes in a payment WeChat vouches for.
///
/// # Errors
/// When the database refuses.
pub async fn settle_in(till: &Till, tx: &Tx, paid: &Paid) -> Result<Outcome, Status> {
    let Some(found) = store::payment::by_number(tx, &paid.out_trade_no).await? else {
        return Ok(Outcome::UnknownOrder);
    };
    let invoice_id = found.invoice_id;
    let missing = || store::Error::inconsistent("payment", found.id, "its invoice is missing");
    let invoice = store::invoice::find(tx, invoice_id).await?.ok_or_else(missing)?;
    let mut book = Book::of(till, tx, &invoice).await?;
    let mut payments = store::payment::lock_all(tx, invoice_id).await?;
    let succeeded = payments.iter().any(|payment| matches!(payment.state, State::Succeeded(_)));
    let Some(payment) = payments.iter_mut().find(|payment| payment.id == found.id) else {
        return Err(missing().into());
    };

    let openid = till.openid(payment)?;
    let expected = Expected {
        merchant: till.merchant(payment)?.merchant(),
        out_trade_no: &payment.out_trade_no,
        amount_fen: payment.amount.get(),
        openid: &openid,
    };
    if let Err(mismatch) = paid.check(expected) {
        tracing::error!(
            alarm = true,
            payment.id = %payment.id,
            invoice.id = %invoice_id,
            %mismatch,
            "money came that differs from its order and is not credited: {mismatch}"
        );
        return Ok(Outcome::Mismatch(mismatch));
    }

    let now = till.clock.now();
    let place = book.place(now);
    let invoice = book.invoice(invoice_id)?;
    let is_owed = !succeeded
        && !invoice.is_settled()
        && invoice.price.is_some()
        && invoice.amount().map_err(Refusal::from)? == payment.amount;
    let success = Success { transaction_id: paid.transaction_id.clone(), at: paid.success_at };
    let Some(state) = payment::succeed(&payment.state, success, is_owed) else { return Ok(Outcome::Known) };
    payment.state = state;
    payment.next_query_at = None;
    store::payment::save(tx, payment).await?;

    let amount = payment.amount;
    if is_owed {
        if matches!(invoice.state, invoice::State::Closed { .. }) {
            let price = invoice.price.unwrap_or(shared::value::Fen::ZERO);
            let reopened = ledger::issued(price, invoice.waived).map_err(Refusal::from)?;
            store::ledger::insert(tx, place, invoice_id.uuid(), Kind::Reopened, 0, &reopened).await?;
        }
        invoice.paid = amount;
        invoice.is_waiver_due = false;
        book::settle(tx, invoice, now).await?;
        let entry = ledger::paid(amount).map_err(Refusal::from)?;
        store::ledger::insert(tx, place, payment.id.uuid(), Kind::Paid, 0, &entry).await?;
        book.follow_up(tx, now).await?;
        return Ok(Outcome::Credited);
    }
    let entry = ledger::surplus(amount).map_err(Refusal::from)?;
    store::ledger::insert(tx, place, payment.id.uuid(), Kind::Surplus, 0, &entry).await?;
    let entry = ledger::surplus_returned(amount).map_err(Refusal::from)?;
    store::ledger::insert(tx, place, payment.id.uuid(), Kind::SurplusReturned, 0, &entry).await?;
    refund::ask(till, tx, invoice, payment, amount, Reason::Surplus, now).await?;
    tracing::warn!(payment.id = %payment.id, invoice.id = %invoice_id, "an invoice was paid although nothing was owed; the money goes back");
    Ok(Outcome::Surplus)
}
