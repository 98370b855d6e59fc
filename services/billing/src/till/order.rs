//! Orders at WeChat: asked after, and closed.

use chrono::TimeDelta;
use shared::value::{Id, Payment as PaymentKind};
use shared::{db, status};
use tonic::Status;
use wechat::pay::{Error, OrderState};

use super::Till;
use super::settle::{Outcome, settle};
use crate::domain::payment::{self, Payment, State};
use crate::store;

/// An order nobody at WeChat knows is given up after this long: a call that creates it may still be under way before.
const CREATION_PATIENCE: TimeDelta = TimeDelta::minutes(1);

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not paid yet; it still can be.
    Open,
    /// It was paid; whatever follows from that is done.
    Paid,
    /// It cannot be paid any more.
    Closed,
}

/// Asks WeChat what became of an order and does what follows from the answer.
///
/// # Errors
/// UNAVAILABLE `WECHAT_UNAVAILABLE` when WeChat gives no answer one can rely on.
pub async fn ask(till: &Till, payment: &Payment) -> Result<Standing, Status> {
    match till.merchant(payment)?.query(&payment.out_trade_no).await {
        Ok(OrderState::Paid(paid) | OrderState::RefundAsked(paid)) => take_in(till, &paid).await,
        Ok(OrderState::Closed) => mark_closed(till, payment.id, Word::Closed).await,
        Ok(OrderState::Unpaid | OrderState::Other { .. }) => Ok(Standing::Open),
        Err(error) if error.is_not_exist() && was_never_shown(payment) => {
            if till.clock.now() - payment.created_at < CREATION_PATIENCE {
                return Ok(Standing::Open);
            }
            mark_closed(till, payment.id, Word::NeverMade).await
        }
        Err(error) => Err(unavailable(payment, "query", &error)),
    }
}

/// Closes an order at WeChat and asks what became of it. Only WeChat's own word ends it here.
///
/// # Errors
/// UNAVAILABLE `WECHAT_UNAVAILABLE` when it is not certain that no money can come.
pub async fn close(till: &Till, payment: &Payment) -> Result<Standing, Status> {
    let pay = till.merchant(payment)?;
    // Refused or lost, the query after it is what counts.
    if let Err(error) = pay.close(&payment.out_trade_no).await {
        tracing::info!(payment.id = %payment.id, %error, "closing an order was not confirmed: {error}");
    }
    match pay.query(&payment.out_trade_no).await {
        Ok(OrderState::Paid(paid) | OrderState::RefundAsked(paid)) => take_in(till, &paid).await,
        Ok(OrderState::Closed) => mark_closed(till, payment.id, Word::Closed).await,
        // No sheet was ever given out for it, and none will be: a payment that is closed here shows none.
        Err(error) if error.is_not_exist() && was_never_shown(payment) => {
            mark_closed(till, payment.id, Word::NeverMade).await
        }
        Ok(OrderState::Unpaid | OrderState::Other { .. }) => {
            tracing::warn!(payment.id = %payment.id, "an order is still open after it was closed");
            Err(status::unavailable("WECHAT_UNAVAILABLE"))
        }
        Err(error) => Err(unavailable(payment, "query after close", &error)),
    }
}

/// Whether no pay sheet can be out: the order was never known to be at WeChat.
const fn was_never_shown(payment: &Payment) -> bool {
    matches!(payment.state, State::Created | State::Unknown)
}

async fn take_in(till: &Till, paid: &wechat::pay::Payment) -> Result<Standing, Status> {
    match settle(till, paid).await? {
        Outcome::Credited | Outcome::Surplus | Outcome::Known => Ok(Standing::Paid),
        // Somebody has paid something: until a person has looked, nothing is certain.
        Outcome::UnknownOrder | Outcome::Mismatch(_) => Err(status::unavailable("WECHAT_UNAVAILABLE")),
    }
}

/// What WeChat said of an order that cannot be paid.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// It is closed.
    Closed,
    /// There is none.
    NeverMade,
}

/// Notes that an order cannot be paid. A payment known to be paid stays paid. One that WeChat did not know, and of which a
/// sheet was given out meanwhile, stays open: then the answer is not certain.
async fn mark_closed(till: &Till, id: Id<PaymentKind>, word: Word) -> Result<Standing, Status> {
    db::retry(|| async {
        let tx = till.db.begin().await?;
        let missing = || store::Error::inconsistent("payment", id, "missing");
        let mut payment = store::payment::lock(&tx, id).await?.ok_or_else(missing)?;
        if word == Word::NeverMade && payment.state == State::Prepay {
            return Err(status::unavailable("WECHAT_UNAVAILABLE"));
        }
        payment.state = payment::close(payment.state, till.clock.now());
        payment.next_query_at = None;
        store::payment::save(&tx, &payment).await?;
        tx.commit().await?;
        Ok(match payment.state {
            State::Succeeded(_) | State::Surplus(_) => Standing::Paid,
            State::Created | State::Prepay | State::Unknown | State::Closed { .. } => Standing::Closed,
        })
    })
    .await
}

/// Says that WeChat gave no usable answer.
pub(crate) fn unavailable(payment: &Payment, call: &'static str, error: &Error) -> Status {
    tracing::warn!(payment.id = %payment.id, call, %error, "WeChat gave no answer to rely on: {error}");
    status::unavailable("WECHAT_UNAVAILABLE")
}
