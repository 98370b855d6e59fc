//! Keeps a document that proves a claim, sealed.

use proto::enrollment::v1::{UploadEvidenceRequest, UploadEvidenceResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{ContentType, Id, Pupil, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::{PriorityRpc, error};
use crate::domain::priority::MAX_UNUSED_COUNT;
use crate::store;
use crate::store::evidence::Evidence;

struct Document {
    pupil_id: Id<Pupil>,
    content_type: ContentType,
    content: Vec<u8>,
}

/// Keeps a document.
pub async fn upload_evidence(
    rpc: &PriorityRpc,
    caller: &Caller,
    request: UploadEvidenceRequest,
) -> Result<UploadEvidenceResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let content_type = violations.field("content", ContentType::of(&request.content));
    let (Some(request_id), Some(pupil_id), Some(content_type)) = (request_id, pupil_id, content_type) else {
        return Err(status::invalid(&violations));
    };
    permit.pupil(pupil_id)?;
    let content = UploadEvidenceRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "UploadEvidence", request_id, &content);
    let document = Document { pupil_id, content_type, content: content.content };
    db::retry(|| keep(rpc, &permit, &key, &document)).await
}

async fn keep(
    rpc: &PriorityRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    document: &Document,
) -> Result<UploadEvidenceResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let pupil = store::pupil::lock(&tx, &[document.pupil_id]).await?.pop();
    let pupil = pupil.ok_or_else(|| status::not_found("pupil", document.pupil_id))?;
    if store::evidence::unused_count(&tx, pupil.district_id, pupil.id).await? >= MAX_UNUSED_COUNT {
        return Err(error::evidence_too_many());
    }
    let now = rpc.clock.now();
    let evidence = Evidence {
        id: random::id(now),
        district_id: pupil.district_id,
        pupil_id: pupil.id,
        guardian_id: permit.id(),
        content_type: document.content_type,
        priority_id: None,
        created_at: now,
    };
    store::evidence::insert(&tx, &rpc.vault, &evidence, &document.content).await?;
    let response = UploadEvidenceResponse { evidence_id: evidence.id.to_string() };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
