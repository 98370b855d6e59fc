//! Money on its way back: asked for in the transaction that decides it, sent by a job, answered by WeChat.

use shared::db::{self, Tx};
use shared::value::{Fen, Id, Moment, Refund as RefundKind};
use shared::{random, status};
use tonic::Status;
use wechat::pay::{Error, RefundNotice, RefundRequest, RefundState};

use super::Till;
use crate::domain::invoice::Invoice;
use crate::domain::ledger;
use crate::domain::number::out_refund_no;
use crate::domain::payment::{Payment, REFUND_INTERVAL};
use crate::domain::refund::{self, Answer, Reason, Refund, State};
use crate::domain::refusal::Refusal;
use crate::event;
use crate::store;
use crate::store::ledger::{Kind, Place};

/// What people read on their bill.
const REASON_ZH: &str = "课后服务退费";

/// Decides a refund of a payment that is locked: reserves the money and writes the request down.
///
/// # Errors
/// INTERNAL when the payment does not hold so much any more; when the database refuses.
pub async fn ask(
    till: &Till,
    tx: &Tx,
    invoice: &Invoice,
    payment: &mut Payment,
    amount: Fen,
    reason: Reason,
    now: Moment,
) -> Result<(), Status> {
    if amount <= Fen::ZERO || amount > payment.refundable() {
        let why = format!("{amount} cannot be taken back of it");
        return Err(store::Error::inconsistent("payment", payment.id, why).into());
    }
    let id: Id<RefundKind> = random::id(now);
    let request = RefundRequest {
        out_trade_no: payment.out_trade_no.clone(),
        out_refund_no: out_refund_no(id),
        reason: Some(REASON_ZH.to_owned()),
        notify_url: Some(till.notify_url.to_string()),
        refund_fen: amount.get(),
        total_fen: payment.amount.get(),
    };
    let request_json =
        request.to_json(till.merchant(payment)?.merchant()).map_err(|error| status::internal(&error))?;
    payment.reserved = payment.reserved.plus(amount).map_err(Refusal::from)?;
    payment.refund_count += 1;
    store::payment::save(tx, payment).await?;
    let refund = Refund {
        id,
        district_id: payment.district_id,
        invoice_id: invoice.id,
        payment_id: payment.id,
        enrollment_id: invoice.enrollment_id,
        pupil_id: invoice.pupil_id,
        out_refund_no: request.out_refund_no,
        request_json,
        amount,
        reason,
        state: State::Requested,
        created_at: now,
        next_attempt_at: Some(now),
        attempt_count: 0,
    };
    store::refund::insert(tx, &refund).await?;
    Ok(())
}

/// Sends a refund to WeChat, or asks what became of it, and does what follows from the answer.
///
/// Says whether WeChat was called: a refund that is not due, or too soon after another of the same order, only waits.
///
/// # Errors
/// When the database refuses.
pub async fn attempt(till: &Till, id: Id<RefundKind>) -> Result<bool, Status> {
    let Some((refund, payment)) = claim(till, id).await? else { return Ok(false) };
    let pay = till.merchant(&payment)?;
    // Whatever was sent before may have been done: ask first, and send the identical request only when there is none.
    let known = refund.attempt_count > 1 || refund.state != State::Requested;
    let mut answer = if known { pay.query_refund(&refund.out_refund_no).await } else { Err(never_sent()) };
    if answer.as_ref().is_err_and(Error::is_not_exist) {
        answer = pay.refund(refund.request_json.as_bytes()).await;
    }
    match answer {
        Ok(answer) => {
            if answer.refund_fen != refund.amount.get() {
                tracing::error!(alarm = true, refund.id = %id, "WeChat says another amount of a refund than was asked for");
                return Ok(true);
            }
            answered(till, id, answer_of(answer.state)).await?;
        }
        Err(Error::Final { status, ref code, .. }) if is_final(code) => {
            tracing::error!(alarm = true, refund.id = %id, status, code, "WeChat refuses a refund; a person must decide");
            answered(till, id, Answer::Closed).await?;
        }
        Err(error) => {
            tracing::warn!(refund.id = %id, %error, "a refund has no answer to rely on yet: {error}");
        }
    }
    Ok(true)
}

/// Stands for the answer to a question that need not be asked.
fn never_sent() -> Error {
    Error::Final { status: 404, code: "RESOURCE_NOT_EXISTS".to_owned(), message: String::new() }
}

/// Whether WeChat will never do this refund, so that repeating it is no use. A balance that is too low is filled some day; the
/// rest may be a matter of time or of our own set-up.
fn is_final(code: &str) -> bool {
    matches!(code, "USER_ACCOUNT_ABNORMAL")
}

/// Notes that WeChat is about to be called, so that a crash is found later; none when nothing is to be done now.
async fn claim(till: &Till, id: Id<RefundKind>) -> Result<Option<(Refund, Payment)>, Status> {
    db::retry(|| async {
        let tx = till.db.begin().await?;
        let Some((mut payment, mut refund)) = lock(&tx, id).await? else { return Ok(None) };
        let now = till.clock.now();
        if refund.next_attempt_at.is_none_or(|at| at > now) {
            return Ok(None);
        }
        if refund.state == State::Requested {
            let earliest = payment.refund_sent_at.map(|at| at + REFUND_INTERVAL);
            if let Some(earliest) = earliest.filter(|earliest| *earliest > now) {
                refund.next_attempt_at = Some(earliest);
                store::refund::save(&tx, &refund).await?;
                tx.commit().await?;
                return Ok(None);
            }
            payment.refund_sent_at = Some(now);
            store::payment::save(&tx, &payment).await?;
        }
        refund.attempt_count += 1;
        refund.next_attempt_at = Some(refund::next_attempt_at(refund.attempt_count, now));
        store::refund::save(&tx, &refund).await?;
        tx.commit().await?;
        Ok(Some((refund, payment)))
    })
    .await
}

/// Locks a refund with its payment; none when there is no such refund.
async fn lock(tx: &Tx, id: Id<RefundKind>) -> Result<Option<(Payment, Refund)>, Status> {
    let Some(found) = store::refund::find(tx, id).await? else { return Ok(None) };
    let missing = || store::Error::inconsistent("refund", id, "its payment is missing");
    let payment = store::payment::lock(tx, found.payment_id).await?.ok_or_else(missing)?;
    let refund = store::refund::lock(tx, id).await?.ok_or_else(missing)?;
    Ok(Some((payment, refund)))
}

/// Takes in what WeChat says of a refund, in a transaction of its own.
///
/// # Errors
/// When the database refuses.
pub async fn answered(till: &Till, id: Id<RefundKind>, answer: Answer) -> Result<(), Status> {
    db::retry(|| async {
        let tx = till.db.begin().await?;
        answered_in(till, &tx, id, answer).await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Takes in what WeChat says of a refund.
///
/// # Errors
/// When the database refuses.
pub async fn answered_in(till: &Till, tx: &Tx, id: Id<RefundKind>, answer: Answer) -> Result<(), Status> {
    let Some((mut payment, mut refund)) = lock(tx, id).await? else { return Ok(()) };
    let next = refund::answered(refund.state, answer);
    if next == refund.state {
        return Ok(());
    }
    refund.state = next;
    let now = till.clock.now();
    match next {
        State::Requested | State::Submitted => {
            refund.next_attempt_at.get_or_insert(now);
        }
        State::Failed => {
            refund.next_attempt_at = None;
            tracing::error!(alarm = true, refund.id = %refund.id, "a refund did not arrive; a person must decide");
        }
        State::Succeeded { .. } => {
            refund.next_attempt_at = None;
            payment.reserved = payment.reserved.minus(refund.amount).map_err(Refusal::from)?;
            payment.refunded = payment.refunded.plus(refund.amount).map_err(Refusal::from)?;
            store::payment::save(tx, &payment).await?;
            let missing = || store::Error::inconsistent("refund", refund.id, "its invoice is missing");
            let invoice = store::invoice::find(tx, refund.invoice_id).await?.ok_or_else(missing)?;
            let place = Place { district_id: invoice.district_id, school_id: invoice.school_id, at: now };
            let entry = ledger::refunded(refund.amount).map_err(Refusal::from)?;
            store::ledger::insert(tx, place, refund.id.uuid(), Kind::Refunded, 0, &entry).await?;
            event::refunded(tx, refund.district_id, refund.enrollment_id, refund.amount, now).await?;
        }
    }
    store::refund::save(tx, &refund).await?;
    Ok(())
}

/// Takes in a notification about a refund. Gives the outcome's name for the inbox.
///
/// # Errors
/// When the database refuses.
pub async fn notified_in(till: &Till, tx: &Tx, notice: &RefundNotice) -> Result<&'static str, Status> {
    let Some(refund) = store::refund::by_number(tx, &notice.out_refund_no).await? else {
        tracing::error!(alarm = true, "WeChat tells of a refund that is none of ours");
        return Ok("unknown_refund");
    };
    let mchid = notice.sub_mchid.as_ref().unwrap_or(&notice.mchid);
    if notice.refund_fen != refund.amount.get() || till.merchants.receiving(mchid).is_none() {
        tracing::error!(alarm = true, refund.id = %refund.id, "a notification differs from its refund");
        return Ok("mismatch_refund");
    }
    answered_in(till, tx, refund.id, answer_of(notice.state)).await?;
    Ok("refund")
}

fn answer_of(state: RefundState) -> Answer {
    match state {
        RefundState::Processing => Answer::Processing,
        RefundState::Succeeded { at } => Answer::Succeeded { at },
        RefundState::Closed => Answer::Closed,
        RefundState::Abnormal => Answer::Abnormal,
    }
}
