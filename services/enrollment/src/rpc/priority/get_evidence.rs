//! Gives a document back, and records who read it.

use proto::enrollment::v1::{GetEvidenceRequest, GetEvidenceResponse};
use shared::caller::{Caller, GuardianPermit, NodePath, StaffPermit};
use shared::db::Tx;
use shared::value::{Evidence as EvidenceKind, Id, Violations};
use shared::{db, status};
use tonic::Status;

use super::{DECIDERS, PriorityRpc};
use crate::store;
use crate::store::evidence::Evidence;

/// Who asks.
enum Reader {
    Guardian(GuardianPermit),
    Decider(StaffPermit),
}

/// Gives a document.
pub async fn get_evidence(
    rpc: &PriorityRpc,
    caller: &Caller,
    request: &GetEvidenceRequest,
) -> Result<GetEvidenceResponse, Status> {
    let reader = match caller {
        Caller::Guardian(_) => Reader::Guardian(caller.guardian()?),
        Caller::Staff(_) | Caller::Service(_) | Caller::Anonymous => Reader::Decider(caller.staff(DECIDERS)?),
    };
    let mut violations = Violations::default();
    let id = violations.field("evidence_id", request.evidence_id.parse::<Id<EvidenceKind>>());
    let id = id.ok_or_else(|| status::invalid(&violations))?;
    let actor = caller.key();
    db::retry(|| get(rpc, &reader, &actor, id)).await
}

async fn get(
    rpc: &PriorityRpc,
    reader: &Reader,
    actor: &str,
    id: Id<EvidenceKind>,
) -> Result<GetEvidenceResponse, Status> {
    let unknown = || status::not_found("evidence", id);
    let tx = rpc.db.begin().await?;
    let (evidence, content) = store::evidence::open(&tx, &rpc.vault, id).await?.ok_or_else(unknown)?;
    if !may_read(rpc, &tx, reader, &evidence).await? {
        return Err(unknown());
    }
    // Before the document is given out: a reading that is not on the record does not happen.
    store::evidence::record_reading(&tx, &evidence, actor, rpc.clock.now()).await?;
    tx.commit().await?;
    Ok(GetEvidenceResponse { content_type: evidence.content_type.as_str().to_owned(), content })
}

async fn may_read(rpc: &PriorityRpc, tx: &Tx, reader: &Reader, evidence: &Evidence) -> Result<bool, Status> {
    match reader {
        Reader::Guardian(permit) => {
            Ok(permit.id() == evidence.guardian_id && permit.pupil(evidence.pupil_id).is_ok())
        }
        Reader::Decider(permit) => {
            let Some(priority_id) = evidence.priority_id else { return Ok(false) };
            let priority = store::priority::find(tx, &rpc.vault, priority_id).await?;
            Ok(priority.is_some_and(|one| permit.reaches(&NodePath::new(one.path))))
        }
    }
}
