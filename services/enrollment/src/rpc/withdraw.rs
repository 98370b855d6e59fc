//! Withdraws an application, a hold or a confirmed seat; so is an offered seat declined.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::billing::v1::close_invoice_response::Outcome;
use proto::billing::v1::{CloseInvoiceRequest, GetRefundQuoteRequest};
use proto::enrollment::v1::{WithdrawRequest, WithdrawResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Enrollment as EnrollmentKind, Id, Violations};
use shared::{db, status};
use tonic::{Code, Status};

use super::{EnrollmentRpc, convert, error};
use crate::change::Locked;
use crate::domain::enrollment::{self, Enrollment, Event, Fee, State};
use crate::{change, event, store};

/// How long billing is waited for while a guardian gives back a held seat. After that the seat is RELEASING, and a job goes on asking.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// Withdraws. A held seat is free at once where billing closes its invoice; else it is RELEASING from here on: a job asks billing to
/// close, and gives it away only then.
pub async fn withdraw(
    rpc: &EnrollmentRpc,
    caller: &Caller,
    request: WithdrawRequest,
) -> Result<WithdrawResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let enrollment_id = violations.field("enrollment_id", request.enrollment_id.parse());
    let (Some(request_id), Some(enrollment_id)) = (request_id, enrollment_id) else {
        return Err(status::invalid(&violations));
    };
    let key = RequestKey::new(
        &caller.key(),
        "Withdraw",
        request_id,
        &WithdrawRequest { request_id: String::new(), ..request },
    );
    let found = store::enrollment::find(rpc.db.read(), enrollment_id).await?;
    let found = found.ok_or_else(|| error::no_enrollment(enrollment_id))?;
    check_guardian(&permit, &found)?;
    // Asked before the transaction: a transaction does not wait on a network.
    let may_refund = needs_refund(&found);
    if may_refund && let Err(refusal) = check_refund_rule(rpc, enrollment_id).await {
        return Err(match Silence::of(&refusal) {
            Some(silence) => db::retry(|| ask(rpc, &permit, enrollment_id, &silence)).await?,
            None => refusal,
        });
    }
    let is_closed = match &found.state {
        State::Held { .. } if db::retry(|| is_new(rpc, &key)).await? => close(rpc, enrollment_id).await,
        State::Held { .. }
        | State::Waitlisted { .. }
        | State::AwaitingAgreement { .. }
        | State::InReview { .. }
        | State::Releasing { .. }
        | State::Confirmed
        | State::Released { .. } => false,
    };
    db::retry(|| give_back(rpc, &permit, &key, enrollment_id, Ground { may_refund, is_closed })).await
}

/// What billing said beforehand.
#[derive(Clone, Copy, Debug)]
struct Ground {
    /// Whether there is a rule for what goes back of a paid seat.
    may_refund: bool,
    /// Whether the invoice is closed: no money can arrive for it.
    is_closed: bool,
}

/// Says whether the request id is still free: nothing is asked of billing for a request that is a repeat, or refused.
async fn is_new(rpc: &EnrollmentRpc, key: &RequestKey) -> Result<bool, Status> {
    let tx = rpc.db.begin().await?;
    let claimed = request::claim::<WithdrawResponse>(&tx, key, rpc.clock.now()).await?;
    tx.rollback().await?;
    Ok(matches!(claimed, Claimed::First(_)))
}

/// Asks billing to close the invoice of a held seat. A crash after that leaves a seat that cannot be paid for and ends with its hold.
async fn close(rpc: &EnrollmentRpc, id: Id<EnrollmentKind>) -> bool {
    let mut billing = rpc.billing.clone();
    let asked = billing.close_invoice(CloseInvoiceRequest { enrollment_id: id.to_string() });
    match tokio::time::timeout(CLOSE_PATIENCE, asked).await {
        Ok(Ok(response)) => response.into_inner().outcome() == Outcome::Closed,
        Ok(Err(_)) | Err(_) => false,
    }
}

async fn give_back(
    rpc: &EnrollmentRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    enrollment_id: Id<EnrollmentKind>,
    ground: Ground,
) -> Result<WithdrawResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let locked = change::lock(&tx, enrollment_id).await?;
    let locked = locked.ok_or_else(|| error::no_enrollment(enrollment_id))?;
    check_guardian(permit, &locked.enrollment)?;
    if needs_refund(&locked.enrollment) && !ground.may_refund {
        // It was settled since billing would have been asked.
        return Err(status::aborted("ENROLLMENT_CHANGED"));
    }
    let now = tx.now(rpc.clock.as_ref()).await?;
    let change = match ground.is_closed {
        true => enrollment::withdraw_closed(&locked.enrollment),
        false => enrollment::withdraw(&locked.enrollment),
    };
    let mut sections = [locked.section];
    let changed = change::make(&tx, &mut sections, vec![(locked.enrollment, change)], now).await?;
    let [section] = &sections;
    let enrollment = changed
        .first()
        .map(|changed| convert::enrollment(changed, &section.title, 0, convert::Reader::Guardian));
    let response = WithdrawResponse { enrollment };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    rpc.hints.forget([section.id]);
    Ok(response)
}

fn check_guardian(permit: &GuardianPermit, enrollment: &Enrollment) -> Result<(), Status> {
    permit.pupil(enrollment.pupil_id).map_err(|_| error::no_enrollment(enrollment.id))?;
    Ok(())
}

fn needs_refund(enrollment: &Enrollment) -> bool {
    enrollment.state == State::Confirmed && enrollment.terms.fee == Fee::Charged
}

/// What billing refused with, where nobody has said what goes back.
struct Silence {
    key: String,
    facts: Vec<(String, String)>,
}

impl Silence {
    fn of(refusal: &Status) -> Option<Self> {
        status::reason_of(refusal).filter(|reason| reason == "POLICY_SILENT")?;
        let facts: BTreeMap<_, _> = status::facts_of(refusal).into_iter().collect();
        Some(Self { key: facts.get("key").cloned().unwrap_or_default(), facts: facts.into_iter().collect() })
    }
}

/// Keeps that the family wants to leave, and tells it once, so that somebody decides. Gives the refusal: the seat stays.
async fn ask(
    rpc: &EnrollmentRpc,
    permit: &GuardianPermit,
    enrollment_id: Id<EnrollmentKind>,
    silence: &Silence,
) -> Result<Status, Status> {
    let tx = rpc.db.begin().await?;
    let locked = change::lock(&tx, enrollment_id).await?;
    let Locked { enrollment, .. } = locked.ok_or_else(|| error::no_enrollment(enrollment_id))?;
    check_guardian(permit, &enrollment)?;
    if !needs_refund(&enrollment) {
        // It changed since billing was asked.
        return Err(status::aborted("ENROLLMENT_CHANGED"));
    }
    let asked = store::withdrawal::asked(&tx, std::slice::from_ref(&enrollment)).await?;
    let asked_at = match asked.get(&enrollment_id) {
        Some(asked_at) => *asked_at,
        None => {
            let now = rpc.clock.now();
            store::withdrawal::insert(&tx, &enrollment, permit.id(), &silence.key, now).await?;
            let missing = Event::RefundRuleMissing { key: silence.key.clone(), guardian_id: permit.id() };
            event::tell(&tx, &[(&enrollment, missing)], now).await?;
            now
        }
    };
    tx.commit().await?;
    let asked_at = asked_at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    let mut facts: Vec<_> = silence.facts.iter().map(|(name, fact)| (name.as_str(), fact.clone())).collect();
    facts.push(("withdrawal_ask_time", asked_at));
    Ok(status::refused("POLICY_SILENT", &facts))
}

/// A paid seat is given back only where somebody has said what goes back.
async fn check_refund_rule(rpc: &EnrollmentRpc, id: Id<EnrollmentKind>) -> Result<(), Status> {
    let request = GetRefundQuoteRequest { enrollment_id: id.to_string() };
    match rpc.billing.clone().get_refund_quote(request).await {
        Ok(_) => Ok(()),
        // Billing's own reason and facts: `POLICY_SILENT` with its key.
        Err(refusal) if refusal.code() == Code::FailedPrecondition => {
            Err(Status::with_details(refusal.code(), refusal.message(), refusal.details().to_vec().into()))
        }
        Err(refusal) => {
            tracing::warn!(code = ?refusal.code(), "billing could not be asked for a refund: {}", refusal.message());
            Err(status::unavailable("BILLING_UNAVAILABLE"))
        }
    }
}
