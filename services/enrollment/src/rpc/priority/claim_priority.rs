//! Claims a group for a pupil.

use proto::enrollment::v1::{self as message, ClaimPriorityRequest, ClaimPriorityResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Evidence, Id, Pupil, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Reader};
use super::{PriorityRpc, error, parse, read};
use crate::domain::day::local;
use crate::domain::priority::{self, Origin, Priority, State};
use crate::rpc::ruling;
use crate::store;

struct Parsed {
    request_id: Uuid,
    pupil_id: Id<Pupil>,
    group_key: String,
    evidence_ids: Vec<Id<Evidence>>,
}

/// Claims a group.
pub async fn claim_priority(
    rpc: &PriorityRpc,
    caller: &Caller,
    request: ClaimPriorityRequest,
) -> Result<ClaimPriorityResponse, Status> {
    let permit = caller.guardian()?;
    let parsed = parse(&request)?;
    permit.pupil(parsed.pupil_id)?;
    let content = ClaimPriorityRequest { request_id: String::new(), ..request };
    let actor = caller.key();
    let key = RequestKey::new(&actor, "ClaimPriority", parsed.request_id, &content);
    db::retry(|| claim(rpc, &permit, &key, &parsed, &actor)).await
}

fn parse(request: &ClaimPriorityRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let group_key = violations.text("group_key", &request.group_key, 1, 64);
    let evidence_ids = parse::evidence_ids(&mut violations, &request.evidence_ids);
    match (request_id, pupil_id, group_key) {
        (Some(request_id), Some(pupil_id), Some(group_key)) if violations.is_empty() => {
            Ok(Parsed { request_id, pupil_id, group_key, evidence_ids })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn claim(
    rpc: &PriorityRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    parsed: &Parsed,
    actor: &str,
) -> Result<ClaimPriorityResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim::<ClaimPriorityResponse>(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => {
            let priority = read::again(rpc, answer.priority, Reader::Guardian(permit.id())).await?;
            return Ok(ClaimPriorityResponse { priority: Some(priority) });
        }
    };
    let pupil = store::pupil::lock(&tx, &[parsed.pupil_id]).await?.pop();
    let pupil = pupil.ok_or_else(|| status::not_found("pupil", parsed.pupil_id))?;
    let now = rpc.clock.now();
    let policy = ruling::policy_of(&rpc.packs, &tx, pupil.district_id, pupil.school_id, now).await?;
    let group = priority::listed(&policy, &parsed.group_key).map_err(|refusal| error::group(&refusal))?;
    let pending = store::priority::find_pending(&tx, pupil.district_id, pupil.id, &group.key).await?;
    if let Some(id) = pending {
        return Err(error::pending(id));
    }
    let one = Priority {
        id: random::id(now),
        district_id: pupil.district_id,
        school_id: pupil.school_id,
        pupil_id: pupil.id,
        path: pupil.path,
        group,
        origin: Origin::Claim { guardian_id: permit.id(), evidence_ids: parsed.evidence_ids.clone() },
        state: State::Submitted,
        created_at: now,
    };
    let whose = (pupil.district_id, pupil.id, permit.id());
    let used = store::evidence::use_for(&tx, whose, &parsed.evidence_ids, one.id).await?;
    if parsed.evidence_ids.is_empty() || usize::try_from(used) != Ok(parsed.evidence_ids.len()) {
        return Err(error::evidence_required());
    }
    store::priority::insert(&tx, &rpc.vault, &one, actor).await?;
    claim.answer(&tx, &ClaimPriorityResponse { priority: Some(convert::kept(&one)) }).await?;
    tx.commit().await?;
    let shown: message::Priority = convert::priority(&one, Reader::Guardian(permit.id()), local::day(now));
    Ok(ClaimPriorityResponse { priority: Some(shown) })
}
