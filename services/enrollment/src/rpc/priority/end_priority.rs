//! Ends a priority at once.

use proto::enrollment::v1::{EndPriorityRequest, EndPriorityResponse};
use shared::caller::{Caller, NodePath, StaffPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Priority as PriorityKind, Violations};
use shared::{db, status};
use tonic::Status;

use super::convert::{self, Reader};
use super::parse::REASON_LENGTH;
use super::{DECIDERS, PriorityRpc, error, read};
use crate::domain::day::local;
use crate::domain::priority;
use crate::store;

struct Parsed {
    priority_id: Id<PriorityKind>,
    reason: String,
}

/// Ends a priority.
pub async fn end_priority(
    rpc: &PriorityRpc,
    caller: &Caller,
    request: EndPriorityRequest,
) -> Result<EndPriorityResponse, Status> {
    let permit = caller.staff(DECIDERS)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let priority_id = violations.field("priority_id", request.priority_id.parse());
    let reason = violations.text("reason", &request.reason, 1, REASON_LENGTH);
    let (Some(request_id), Some(priority_id), Some(reason)) = (request_id, priority_id, reason) else {
        return Err(status::invalid(&violations));
    };
    let content = EndPriorityRequest { request_id: String::new(), ..request };
    let actor = caller.key();
    let key = RequestKey::new(&actor, "EndPriority", request_id, &content);
    let parsed = Parsed { priority_id, reason };
    db::retry(|| end(rpc, &permit, &key, &parsed, &actor)).await
}

async fn end(
    rpc: &PriorityRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    parsed: &Parsed,
    actor: &str,
) -> Result<EndPriorityResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim::<EndPriorityResponse>(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => {
            let priority = read::again(rpc, answer.priority, Reader::Decider).await?;
            return Ok(EndPriorityResponse { priority: Some(priority) });
        }
    };
    let unknown = || error::unknown(parsed.priority_id);
    let found = store::priority::find(&tx, &rpc.vault, parsed.priority_id).await?.ok_or_else(unknown)?;
    permit.reach(&NodePath::new(found.path), "priority", parsed.priority_id)?;
    store::pupil::lock(&tx, &[found.pupil_id]).await?;
    let mut one = store::priority::lock(&tx, &rpc.vault, parsed.priority_id).await?.ok_or_else(unknown)?;
    let now = rpc.clock.now();
    let next = priority::end(&one.state, &parsed.reason, permit.id());
    if let Some(next) = next.map_err(|refusal| error::priority(&refusal))? {
        one.state = next;
        store::priority::save(&tx, &rpc.vault, &one, actor, now).await?;
    }
    claim.answer(&tx, &EndPriorityResponse { priority: Some(convert::kept(&one)) }).await?;
    tx.commit().await?;
    let shown = convert::priority(&one, Reader::Decider, local::day(now));
    Ok(EndPriorityResponse { priority: Some(shown) })
}
