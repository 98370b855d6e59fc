//! Forbids, allows again or removes a collector.

use proto::enrollment::v1::decide_collector_request::Decision as DecisionMessage;
use proto::enrollment::v1::{self as message, DecideCollectorRequest, DecideCollectorResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Collector as CollectorKind, Id, Violations};
use shared::{db, status};
use tonic::Status;

use super::convert::{self, CollectorReader};
use super::{DayRpc, error};
use crate::domain::day::collector::{self, Collector, Decision};
use crate::store;

/// Decides on a collector.
pub async fn decide_collector(
    rpc: &DayRpc,
    caller: &Caller,
    request: DecideCollectorRequest,
) -> Result<DecideCollectorResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let id = violations.field("collector_id", request.collector_id.parse());
    let decision = match request.decision() {
        DecisionMessage::Unspecified => Err("must be forbid, allow or remove"),
        DecisionMessage::Forbid => Ok(Decision::Forbid),
        DecisionMessage::Allow => Ok(Decision::Allow),
        DecisionMessage::Remove => Ok(Decision::Remove),
    };
    let decision = violations.field("decision", decision);
    let (Some(request_id), Some(id), Some(decision)) = (request_id, id, decision) else {
        return Err(status::invalid(&violations));
    };
    let content = DecideCollectorRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "DecideCollector", request_id, &content);
    db::retry(|| decide(rpc, &permit, &key, id, decision)).await
}

async fn decide(
    rpc: &DayRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    id: Id<CollectorKind>,
    decision: Decision,
) -> Result<DecideCollectorResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claimed = request::claim::<DecideCollectorResponse>(&tx, key, rpc.clock.now()).await?;
    let unknown = || status::not_found("collector", id);
    let found = store::day::collector::find(&tx, &rpc.vault, id).await?.ok_or_else(unknown)?;
    permit.pupil(found.pupil_id).map_err(|_| unknown())?;
    let claim = match claimed {
        Claimed::First(claim) => claim,
        // The answer that is kept names no person: a repeat reads the row.
        Claimed::Again(_) => return Ok(shown(&found, permit)),
    };
    store::pupil::lock(&tx, &[found.pupil_id]).await?;
    let locked = store::day::collector::lock(&tx, &rpc.vault, id).await?.ok_or_else(unknown)?;
    let next = collector::decide(locked.state, decision, permit.id());
    let next = next.map_err(|refusal| error::collector(&refusal))?;
    if let Some(next) = next {
        store::day::collector::save_state(&tx, &locked, next, rpc.clock.now()).await?;
    }
    let decided = Collector { state: next.unwrap_or(locked.state), ..locked };
    let kept = message::Collector { id: decided.id.to_string(), ..Default::default() };
    claim.answer(&tx, &DecideCollectorResponse { collector: Some(kept) }).await?;
    tx.commit().await?;
    Ok(shown(&decided, permit))
}

fn shown(collector: &Collector, permit: &GuardianPermit) -> DecideCollectorResponse {
    let shown = convert::collector(collector, CollectorReader::Guardian(permit.id()));
    DecideCollectorResponse { collector: Some(shown) }
}
