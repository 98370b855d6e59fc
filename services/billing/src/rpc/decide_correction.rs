//! Decides a correction, as a second person, and books it.

use proto::billing::v1::{DecideCorrectionRequest, DecideCorrectionResponse};
use shared::caller::{Caller, NodePath, Role, StaffPermit};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{Correction as CorrectionKind, Id, Moment, Violations};
use shared::{db, status};
use tonic::Status;

use super::{convert, propose_correction, reconciliation};
use crate::domain::case;
use crate::domain::correction::{Content, Correction, State, decide};
use crate::domain::ledger;
use crate::domain::refusal::Refusal;
use crate::store;
use crate::store::ledger::{Kind, Place};
use crate::till::Till;

struct Parsed {
    key: RequestKey,
    correction_id: Id<CorrectionKind>,
    is_approved: bool,
}

pub async fn decide_correction(
    till: &Till,
    caller: &Caller,
    request: DecideCorrectionRequest,
) -> Result<DecideCorrectionResponse, Status> {
    let permit = caller.staff(&[Role::BureauFinance])?;
    let mut violations = Violations::default();
    let request_id = convert::request_id(&mut violations, &request.request_id);
    let correction_id = convert::id(&mut violations, "correction_id", &request.correction_id);
    let (request_id, correction_id) = convert::read(&violations, request_id.zip(correction_id))?;
    let content = DecideCorrectionRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "DecideCorrection", request_id, &content);
    let parsed = Parsed { key, correction_id, is_approved: content.approved };
    db::retry(|| decide_in(till, &permit, &parsed)).await
}

async fn decide_in(
    till: &Till,
    permit: &StaffPermit,
    parsed: &Parsed,
) -> Result<DecideCorrectionResponse, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let claim = match claim(&tx, &parsed.key, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let not_found = || status::not_found("correction", parsed.correction_id);
    let mut correction = store::correction::lock(&tx, parsed.correction_id).await?.ok_or_else(not_found)?;
    let path = NodePath::new(vec![correction.district_id.uuid()]);
    permit.reach(&path, "correction", parsed.correction_id)?;
    let before = correction.state;
    correction.state = decide(before, correction.proposed_by, permit.id(), parsed.is_approved, now)?;
    if correction.state != before {
        store::correction::save(&tx, &correction).await?;
        if matches!(correction.state, State::Booked { .. }) {
            book(&tx, permit, &correction, now).await?;
        }
    }
    let answer = DecideCorrectionResponse { correction: Some(propose_correction::message(&correction)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Adds the entry, and resolves the case it was for in the name of who took it.
async fn book(tx: &db::Tx, permit: &StaffPermit, one: &Correction, now: Moment) -> Result<(), Status> {
    let entry = match one.content {
        Content::Transfer { debit, credit, amount } => {
            ledger::transferred(debit, credit, amount).map_err(Refusal::from)?
        }
        Content::Reversal { journal_id } => {
            let missing = || store::Error::inconsistent("correction", one.id, "its entry is missing");
            ledger::reversed(&store::correction::entry(tx, journal_id).await?.ok_or_else(missing)?.lines)
        }
    };
    let place = Place { district_id: one.district_id, school_id: one.school_id, at: now };
    store::ledger::insert(tx, place, one.id.uuid(), Kind::Corrected, 0, &entry).await?;
    if let Some(case_id) = one.case_id {
        let mut found = reconciliation::lock(tx, permit, case_id).await?;
        found.state = case::resolve(found.state, one.proposed_by, one.reason.clone(), now)?;
        store::case::save(tx, &found).await?;
    }
    Ok(())
}
