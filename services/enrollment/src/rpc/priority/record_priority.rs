//! Records a group of a pupil from the school's own rolls.

use proto::enrollment::v1::{RecordPriorityRequest, RecordPriorityResponse};
use shared::caller::{Caller, NodePath, StaffPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Pupil, Violations};
use shared::{db, random, status};
use tonic::Status;
use uuid::Uuid;

use super::convert::{self, Reader};
use super::parse::{self, REASON_LENGTH};
use super::{DECIDERS, PriorityRpc, error, read};
use crate::domain::day::local;
use crate::domain::priority::{self, OTHER, Origin, Period, Priority, State};
use crate::rpc::ruling;
use crate::store;

struct Parsed {
    request_id: Uuid,
    pupil_id: Id<Pupil>,
    group: NewGroup,
    reason: String,
    period: Period,
}

enum NewGroup {
    Listed(String),
    Other(String),
}

/// Records a group.
pub async fn record_priority(
    rpc: &PriorityRpc,
    caller: &Caller,
    request: RecordPriorityRequest,
) -> Result<RecordPriorityResponse, Status> {
    let permit = caller.staff(DECIDERS)?;
    let parsed = parse(&request, local::day(rpc.clock.now()))?;
    let content = RecordPriorityRequest { request_id: String::new(), ..request };
    let actor = caller.key();
    let key = RequestKey::new(&actor, "RecordPriority", parsed.request_id, &content);
    db::retry(|| record(rpc, &permit, &key, &parsed, &actor)).await
}

fn parse(request: &RecordPriorityRequest, today: chrono::NaiveDate) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let group = violations.text("group_key", &request.group_key, 1, 64);
    let group = match group {
        Some(key) if key == OTHER => {
            violations.text("other_name", &request.other_name, 1, 40).map(NewGroup::Other)
        }
        listed => {
            violations.check("other_name", request.other_name.is_empty(), "must be empty but for other");
            listed.map(NewGroup::Listed)
        }
    };
    let reason = violations.text("reason", &request.reason, 1, REASON_LENGTH);
    let period = parse::period(&mut violations, &request.valid_from, &request.valid_to, today);
    match (request_id, pupil_id, group, reason, period) {
        (Some(request_id), Some(pupil_id), Some(group), Some(reason), Some(period))
            if violations.is_empty() =>
        {
            Ok(Parsed { request_id, pupil_id, group, reason, period })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn record(
    rpc: &PriorityRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    parsed: &Parsed,
    actor: &str,
) -> Result<RecordPriorityResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim::<RecordPriorityResponse>(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => {
            let priority = read::again(rpc, answer.priority, Reader::Decider).await?;
            return Ok(RecordPriorityResponse { priority: Some(priority) });
        }
    };
    let unknown = || status::not_found("pupil", parsed.pupil_id);
    let pupil = store::pupil::lock(&tx, &[parsed.pupil_id]).await?.pop().ok_or_else(unknown)?;
    permit.reach(&NodePath::new(pupil.path.clone()), "pupil", pupil.id)?;
    let now = rpc.clock.now();
    let policy = ruling::policy_of(&rpc.packs, &tx, pupil.district_id, pupil.school_id, now).await?;
    let group = match &parsed.group {
        NewGroup::Listed(key) => priority::listed(&policy, key),
        NewGroup::Other(name) => priority::other(&policy, name),
    };
    let one = Priority {
        id: random::id(now),
        district_id: pupil.district_id,
        school_id: pupil.school_id,
        pupil_id: pupil.id,
        path: pupil.path,
        group: group.map_err(|refusal| error::group(&refusal))?,
        origin: Origin::School { reason: parsed.reason.clone() },
        state: State::Approved { by: permit.id(), period: parsed.period },
        created_at: now,
    };
    store::priority::insert(&tx, &rpc.vault, &one, actor).await?;
    claim.answer(&tx, &RecordPriorityResponse { priority: Some(convert::kept(&one)) }).await?;
    tx.commit().await?;
    let shown = convert::priority(&one, Reader::Decider, local::day(now));
    Ok(RecordPriorityResponse { priority: Some(shown) })
}
