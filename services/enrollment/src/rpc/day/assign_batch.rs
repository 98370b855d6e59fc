//! Puts pupils into a batch on a weekday. What would force one of them out is refused for all.

use std::sync::Arc;

use policy::{Policy, Silent};
use proto::enrollment::v1::{AssignBatchRequest, AssignBatchResponse};
use shared::caller::{Caller, NodePath, StaffPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Batch as BatchKind, Id, Pupil, Violations};
use shared::{db, status};
use tonic::Status;
use uuid::Uuid;

use super::hand_over::pupil_ids;
use super::sight::OFFICE;
use super::{DayRpc, error};
use crate::domain::day::dismissal::{self, Choice, Source};
use crate::domain::term::Term;
use crate::rpc::error::silent;
use crate::store::day::dismissal::NewChoice;
use crate::{custody, store};

/// The most pupils in one call.
const PUPIL_COUNT: usize = 500;

struct Parsed {
    request_id: Uuid,
    batch_id: Id<BatchKind>,
    weekday: i32,
    pupil_ids: Vec<Id<Pupil>>,
}

/// Puts pupils into a batch.
pub async fn assign_batch(
    rpc: &DayRpc,
    caller: &Caller,
    request: AssignBatchRequest,
) -> Result<AssignBatchResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let parsed = parse(&request)?;
    let by = caller.key();
    let content = AssignBatchRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&by, "AssignBatch", parsed.request_id, &content);
    db::retry(|| assign(rpc, &permit, &key, &parsed, &by)).await
}

fn parse(request: &AssignBatchRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let batch_id = violations.field("batch_id", request.batch_id.parse());
    violations.check("weekday", (1..=7).contains(&request.weekday), "must be 1 to 7");
    let pupil_ids = pupil_ids(&mut violations, &request.pupil_ids, PUPIL_COUNT);
    match (request_id, batch_id) {
        (Some(request_id), Some(batch_id)) if violations.is_empty() => {
            Ok(Parsed { request_id, batch_id, weekday: request.weekday, pupil_ids })
        }
        _ => Err(status::invalid(&violations)),
    }
}

async fn assign(
    rpc: &DayRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    parsed: &Parsed,
    by: &str,
) -> Result<AssignBatchResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let unknown = || status::not_found("batch", parsed.batch_id);
    let batch = store::day::dismissal::find_batch(&tx, parsed.batch_id).await?.ok_or_else(unknown)?;
    let term = store::term::find(&tx, batch.term_id).await?.ok_or_else(unknown)?;
    permit.reach(&NodePath::new(term.path.clone()), "batch", batch.id)?;
    let policy = policy(rpc, &term)?;
    let pupils = store::pupil::lock(&tx, &parsed.pupil_ids).await?;
    for id in &parsed.pupil_ids {
        if !pupils.iter().any(|pupil| pupil.id == *id && pupil.school_id == batch.school_id) {
            return Err(status::not_found("pupil", id));
        }
    }
    let ends = custody::weekly_ends(&tx, &pupils, None).await?;
    let said =
        store::day::dismissal::list_choices(&tx, batch.district_id, parsed.pupil_ids.iter().copied()).await?;
    let now = rpc.clock.now();
    let choice = Choice { source: Source::School, minute: Some(batch.minute), created_at: now };
    let mut counting_count = 0;
    let mut choices = Vec::with_capacity(pupils.len());
    for pupil in &pupils {
        let has_chosen = said.iter().any(|(id, weekday, said)| {
            *id == pupil.id && *weekday == parsed.weekday && said.source == Source::Guardian
        });
        let end_minute = ends.get(&(pupil.id, parsed.weekday)).copied();
        dismissal::assign(&policy, batch.minute, end_minute, has_chosen).map_err(|refusal| {
            error::forced(&refusal, pupil.id, batch.minute, end_minute.unwrap_or_default())
        })?;
        counting_count += i32::from(!has_chosen);
        let batch_id = Some(batch.id);
        choices.push(NewChoice { pupil_id: pupil.id, weekday: parsed.weekday, choice, batch_id });
    }
    store::day::dismissal::insert_choices(&tx, batch.district_id, &choices, by).await?;
    let response = AssignBatchResponse { counting_count };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}

/// The policy a term is ruled by.
fn policy(rpc: &DayRpc, term: &Term) -> Result<Arc<Policy>, Status> {
    rpc.packs
        .pinned(&term.policy_version)
        .ok_or_else(|| silent(&Silent { pack_id: term.policy_version.clone(), key: Silent::POLICY_VERSION }))
}
