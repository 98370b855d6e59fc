//! Applies for a waiver.

use std::sync::Arc;

use policy::Policy;
use proto::billing::v1::{ApplyForWaiverRequest, ApplyForWaiverResponse};
use shared::caller::{Caller, GuardedPupil};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{Evidence, Id, Pupil, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::convert;
use crate::domain::refusal::Refusal;
use crate::domain::tariff::free_of_charge;
use crate::domain::term::local_day;
use crate::domain::waiver::{State, Waiver, applicable};
use crate::store;
use crate::till::Till;

struct Parsed {
    key: RequestKey,
    pupil_id: Id<Pupil>,
    category: String,
    evidence_ids: Vec<Id<Evidence>>,
}

pub async fn apply_for_waiver(
    till: &Till,
    caller: &Caller,
    request: ApplyForWaiverRequest,
) -> Result<ApplyForWaiverResponse, Status> {
    let permit = caller.guardian()?;
    let parsed = parse(caller, request)?;
    let pupil = permit.pupil(parsed.pupil_id)?;
    db::retry(|| apply(till, pupil, &parsed)).await
}

fn parse(caller: &Caller, request: ApplyForWaiverRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = convert::request_id(&mut violations, &request.request_id);
    let pupil_id = convert::id(&mut violations, "pupil_id", &request.pupil_id);
    let category = violations.text("category", &request.category, 1, 64);
    violations.check("evidence_ids", request.evidence_ids.len() <= 10, "must be at most 10");
    let ids = request.evidence_ids.iter().enumerate();
    let mut evidence_ids: Vec<Id<Evidence>> = ids
        .filter_map(|(index, id)| convert::id(&mut violations, &format!("evidence_ids[{index}]"), id))
        .collect();
    evidence_ids.sort_unstable();
    evidence_ids.dedup();
    let values = || Some((request_id?, pupil_id?, category?));
    let (request_id, pupil_id, category) = convert::read(&violations, values())?;
    let content = ApplyForWaiverRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ApplyForWaiver", request_id, &content);
    Ok(Parsed { key, pupil_id, category, evidence_ids })
}

async fn apply(till: &Till, pupil: &GuardedPupil, parsed: &Parsed) -> Result<ApplyForWaiverResponse, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let claim = match claim(&tx, &parsed.key, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    if store::pupil::lock(&tx, parsed.pupil_id).await?.is_none() {
        return Err(status::unavailable("NOT_HEARD_YET"));
    }
    let policy = policy_of(till, &tx, pupil).await?;
    if let Some(clause) = free_of_charge(&policy)? {
        return Err(Refusal::FreeOfCharge { clause: Box::new(clause) }.into());
    }
    applicable(&policy, &parsed.category)?;
    let waivers = store::waiver::of_pupil(&tx, parsed.pupil_id).await?;
    if waivers.iter().any(|waiver| matches!(waiver.state, State::Submitted | State::Endorsed { .. })) {
        return Err(Refusal::WaiverPending.into());
    }
    let waiver = Waiver {
        id: random::id(now),
        district_id: pupil.path.district().ok_or_else(|| status::not_found("pupil", parsed.pupil_id))?,
        pupil_id: parsed.pupil_id,
        path: pupil.path.nodes().to_vec(),
        category: parsed.category.clone(),
        state: State::Submitted,
        evidence_ids: parsed.evidence_ids.clone(),
        created_at: now,
    };
    let used = store::evidence::use_for(&tx, waiver.pupil_id, &waiver.evidence_ids, waiver.id).await?;
    if waiver.evidence_ids.is_empty() || usize::try_from(used) != Ok(waiver.evidence_ids.len()) {
        return Err(Refusal::EvidenceRequired.into());
    }
    store::waiver::insert(&tx, &waiver).await?;
    let answer = ApplyForWaiverResponse { waiver: Some(convert::waiver(&waiver, local_day(now))) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

/// What rules at the pupil's school now: the running term's policy, else that of the term that began last, else the school's.
async fn policy_of(till: &Till, tx: &db::Tx, pupil: &GuardedPupil) -> Result<Arc<Policy>, Status> {
    let unknown = || status::unavailable("NOT_HEARD_YET");
    let school_id = pupil.path.school().ok_or_else(unknown)?;
    let today = local_day(till.clock.now());
    let terms = store::term::of_school(tx, school_id).await?;
    let running = terms.iter().find(|term| term.first_day <= today && today <= term.last_day);
    if let Some(term) = running.or(terms.first()) {
        return till.policy(term);
    }
    let node = store::node::find(tx, school_id.uuid()).await?.ok_or_else(unknown)?;
    let supplement = Some(node.supplement_id.as_str()).filter(|id| !id.is_empty());
    till.packs.policy(&node.pack_id, supplement).ok_or_else(|| status::unavailable("POLICY_VERSION_UNKNOWN"))
}
