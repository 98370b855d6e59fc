//! Decides a claim, or an appeal.

use proto::enrollment::v1::{DecidePriorityRequest, DecidePriorityResponse};
use shared::caller::{Caller, NodePath, StaffPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Priority as PriorityKind, Violations};
use shared::{db, status};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Reader};
use super::parse::{self, REASON_LENGTH};
use super::{DECIDERS, PriorityRpc, error, read};
use crate::domain::day::local;
use crate::domain::priority::{self, Decision};
use crate::store;

struct Parsed {
    request_id: Uuid,
    priority_id: Id<PriorityKind>,
    decision: Decision,
}

/// Decides.
pub async fn decide_priority(
    rpc: &PriorityRpc,
    caller: &Caller,
    request: DecidePriorityRequest,
) -> Result<DecidePriorityResponse, Status> {
    let permit = caller.staff(DECIDERS)?;
    let parsed = parse(&request, local::day(rpc.clock.now()))?;
    let content = DecidePriorityRequest { request_id: String::new(), ..request };
    let actor = caller.key();
    let key = RequestKey::new(&actor, "DecidePriority", parsed.request_id, &content);
    db::retry(|| decide(rpc, &permit, &key, &parsed, &actor)).await
}

fn parse(request: &DecidePriorityRequest, today: chrono::NaiveDate) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let priority_id = violations.field("priority_id", request.priority_id.parse());
    let reason = violations.text("reason", &request.reason, 0, REASON_LENGTH);
    let decision = if request.approved {
        let is_empty = reason.as_deref().is_none_or(str::is_empty);
        violations.check("reason", is_empty, "must be empty when approved");
        parse::period(&mut violations, &request.valid_from, &request.valid_to, today).map(Decision::Approve)
    } else {
        for (field, text) in [("valid_from", &request.valid_from), ("valid_to", &request.valid_to)] {
            violations.check(field, text.is_empty(), "must be empty when refused");
        }
        reason.map(Decision::Refuse)
    };
    match (request_id, priority_id, decision) {
        (Some(request_id), Some(priority_id), Some(decision)) if violations.is_empty() => {
            if matches!(&decision, Decision::Refuse(reason) if reason.is_empty()) {
                return Err(status::refused("REASON_REQUIRED", &[]));
            }
            Ok(Parsed { request_id, priority_id, decision })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn decide(
    rpc: &PriorityRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    parsed: &Parsed,
    actor: &str,
) -> Result<DecidePriorityResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim::<DecidePriorityResponse>(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => {
            let priority = read::again(rpc, answer.priority, Reader::Decider).await?;
            return Ok(DecidePriorityResponse { priority: Some(priority) });
        }
    };
    let unknown = || error::unknown(parsed.priority_id);
    let found = store::priority::find(&tx, &rpc.vault, parsed.priority_id).await?.ok_or_else(unknown)?;
    permit.reach(&NodePath::new(found.path), "priority", parsed.priority_id)?;
    store::pupil::lock(&tx, &[found.pupil_id]).await?;
    let mut one = store::priority::lock(&tx, &rpc.vault, parsed.priority_id).await?.ok_or_else(unknown)?;
    let now = rpc.clock.now();
    let next = priority::decide(&one.state, &parsed.decision, permit.id());
    if let Some(next) = next.map_err(|refusal| error::priority(&refusal))? {
        one.state = next;
        store::priority::save(&tx, &rpc.vault, &one, actor, now).await?;
    }
    claim.answer(&tx, &DecidePriorityResponse { priority: Some(convert::kept(&one)) }).await?;
    tx.commit().await?;
    let shown = convert::priority(&one, Reader::Decider, local::day(now));
    Ok(DecidePriorityResponse { priority: Some(shown) })
}
