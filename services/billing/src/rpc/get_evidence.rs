//! Gives a document back, and records who read it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::billing::v1::{GetEvidenceRequest, GetEvidenceResponse};
use shared::caller::Caller;
use shared::value::{Evidence as EvidenceKind, Id, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::decide_waiver::{BUREAU_ROLES, SCHOOL_ROLES};
use super::{convert, upload_evidence};
use crate::store;
use crate::store::evidence::Evidence;
use crate::till::Till;

pub async fn get_evidence(
    till: &Till,
    caller: &Caller,
    request: GetEvidenceRequest,
) -> Result<GetEvidenceResponse, Status> {
    let mut violations = Violations::default();
    let id: Option<Id<EvidenceKind>> = convert::id(&mut violations, "evidence_id", &request.evidence_id);
    // Who it is comes before what is asked for.
    let is_guardian = matches!(caller, Caller::Guardian(_));
    if !is_guardian {
        caller.staff(&[SCHOOL_ROLES, BUREAU_ROLES].concat())?;
    }
    let id = convert::read(&violations, id)?;
    let not_found = || status::not_found("evidence", id);
    let evidence = store::evidence::find(till.db.read(), id).await?.ok_or_else(not_found)?;
    if !may_read(till, caller, &evidence).await? {
        return Err(not_found());
    }
    db::retry(|| record(till, caller, &evidence)).await?;
    let text = till.sealer.open(&upload_evidence::context(id), &evidence.content_sealed);
    let text = text.map_err(|error| status::internal(&error))?;
    let content = STANDARD.decode(text).map_err(|error| status::internal(&error))?;
    Ok(GetEvidenceResponse { content_type: evidence.content_type.as_str().to_owned(), content })
}

async fn may_read(till: &Till, caller: &Caller, evidence: &Evidence) -> Result<bool, Status> {
    if let Caller::Guardian(_) = caller {
        let permit = caller.guardian()?;
        return Ok(permit.id() == evidence.guardian_id && permit.pupil(evidence.pupil_id).is_ok());
    }
    let permit = caller.staff(&[SCHOOL_ROLES, BUREAU_ROLES].concat())?;
    let Some(waiver_id) = evidence.waiver_id else { return Ok(false) };
    let waiver = store::waiver::find(till.db.read(), waiver_id).await?;
    Ok(waiver.is_some_and(|waiver| permit.reaches(&convert::node_path(&waiver.path))))
}

/// Before the document is given out: a reading that is not on the record does not happen.
async fn record(till: &Till, caller: &Caller, evidence: &Evidence) -> Result<(), Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    store::evidence::record_reading(&tx, random::uuid(now), evidence, &caller.key(), now).await?;
    Ok(tx.commit().await?)
}
