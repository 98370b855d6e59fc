//! Appeals against a refusal.

use proto::enrollment::v1::{AppealPriorityRequest, AppealPriorityResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Evidence, Id, Priority as PriorityKind, Violations};
use shared::{db, status};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Reader};
use super::parse::{self, REASON_LENGTH};
use super::{PriorityRpc, error, read};
use crate::domain::day::local;
use crate::domain::priority::{self, Origin};
use crate::store;

struct Parsed {
    request_id: Uuid,
    priority_id: Id<PriorityKind>,
    reason: String,
    evidence_ids: Vec<Id<Evidence>>,
}

/// Appeals.
pub async fn appeal_priority(
    rpc: &PriorityRpc,
    caller: &Caller,
    request: AppealPriorityRequest,
) -> Result<AppealPriorityResponse, Status> {
    let permit = caller.guardian()?;
    let parsed = parse(&request)?;
    let content = AppealPriorityRequest { request_id: String::new(), ..request };
    let actor = caller.key();
    let key = RequestKey::new(&actor, "AppealPriority", parsed.request_id, &content);
    db::retry(|| appeal(rpc, &permit, &key, &parsed, &actor)).await
}

fn parse(request: &AppealPriorityRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let priority_id = violations.field("priority_id", request.priority_id.parse());
    let reason = violations.text("reason", &request.reason, 1, REASON_LENGTH);
    let evidence_ids = parse::evidence_ids(&mut violations, &request.evidence_ids);
    match (request_id, priority_id, reason) {
        (Some(request_id), Some(priority_id), Some(reason)) if violations.is_empty() => {
            Ok(Parsed { request_id, priority_id, reason, evidence_ids })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn appeal(
    rpc: &PriorityRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    parsed: &Parsed,
    actor: &str,
) -> Result<AppealPriorityResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim::<AppealPriorityResponse>(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => {
            let priority = read::again(rpc, answer.priority, Reader::Guardian(permit.id())).await?;
            return Ok(AppealPriorityResponse { priority: Some(priority) });
        }
    };
    let unknown = || error::unknown(parsed.priority_id);
    let found = store::priority::find(&tx, &rpc.vault, parsed.priority_id).await?.ok_or_else(unknown)?;
    permit.pupil(found.pupil_id).map_err(|_| unknown())?;
    store::pupil::lock(&tx, &[found.pupil_id]).await?;
    let mut one = store::priority::lock(&tx, &rpc.vault, parsed.priority_id).await?.ok_or_else(unknown)?;
    let now = rpc.clock.now();
    let next = priority::appeal(&one.state, &parsed.reason).map_err(|refusal| error::priority(&refusal))?;
    if let Some(next) = next {
        let pending =
            store::priority::find_pending(&tx, one.district_id, one.pupil_id, &one.group.key).await?;
        if let Some(id) = pending {
            return Err(error::pending(id));
        }
        let whose = (one.district_id, one.pupil_id, permit.id());
        let used = store::evidence::use_for(&tx, whose, &parsed.evidence_ids, one.id).await?;
        if usize::try_from(used) != Ok(parsed.evidence_ids.len()) {
            return Err(error::evidence_required());
        }
        if let Origin::Claim { evidence_ids, .. } = &mut one.origin {
            evidence_ids.extend(&parsed.evidence_ids);
        }
        one.state = next;
        store::priority::save(&tx, &rpc.vault, &one, actor, now).await?;
    }
    claim.answer(&tx, &AppealPriorityResponse { priority: Some(convert::kept(&one)) }).await?;
    tx.commit().await?;
    let shown = convert::priority(&one, Reader::Guardian(permit.id()), local::day(now));
    Ok(AppealPriorityResponse { priority: Some(shown) })
}
