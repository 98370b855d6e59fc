//! Keeps a document that proves a hardship, encrypted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::billing::v1::{UploadEvidenceRequest, UploadEvidenceResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{District, Evidence as EvidenceKind, Id, Pupil, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::convert;
use crate::domain::evidence::{ContentType, MAX_UNUSED_COUNT};
use crate::domain::refusal::Refusal;
use crate::store;
use crate::store::evidence::Evidence;
use crate::till::Till;

pub async fn upload_evidence(
    till: &Till,
    caller: &Caller,
    request: UploadEvidenceRequest,
) -> Result<UploadEvidenceResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = convert::request_id(&mut violations, &request.request_id);
    let pupil_id: Option<Id<Pupil>> = convert::id(&mut violations, "pupil_id", &request.pupil_id);
    let content_type = violations.field("content", ContentType::of(&request.content));
    let values = || Some((request_id?, pupil_id?, content_type?));
    let (request_id, pupil_id, content_type) = convert::read(&violations, values())?;
    let district_id = permit.pupil(pupil_id)?.path.district();
    let district_id = district_id.ok_or_else(|| status::not_found("pupil", pupil_id))?;
    let content = UploadEvidenceRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "UploadEvidence", request_id, &content);
    let document = Document { pupil_id, district_id, content_type, text: STANDARD.encode(&content.content) };
    db::retry(|| keep(till, &permit, &key, &document)).await
}

struct Document {
    pupil_id: Id<Pupil>,
    district_id: Id<District>,
    content_type: ContentType,
    text: String,
}

async fn keep(
    till: &Till,
    permit: &GuardianPermit,
    key: &RequestKey,
    document: &Document,
) -> Result<UploadEvidenceResponse, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let claim = match claim(&tx, key, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    if store::pupil::lock(&tx, document.pupil_id).await?.is_none() {
        return Err(status::unavailable("NOT_HEARD_YET"));
    }
    if store::evidence::unused_count(&tx, document.pupil_id).await? >= MAX_UNUSED_COUNT {
        return Err(Refusal::EvidenceTooMany { limit_count: MAX_UNUSED_COUNT }.into());
    }
    let id: Id<EvidenceKind> = random::id(now);
    let sealed = till.sealer.seal(&context(id), &document.text).map_err(|error| status::internal(&error))?;
    let evidence = Evidence {
        id,
        district_id: document.district_id,
        pupil_id: document.pupil_id,
        guardian_id: permit.id(),
        content_type: document.content_type,
        content_sealed: sealed,
        waiver_id: None,
        created_at: now,
    };
    store::evidence::insert(&tx, evidence).await?;
    let answer = UploadEvidenceResponse { evidence_id: id.to_string() };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

/// What a document is sealed as.
pub fn context(id: Id<EvidenceKind>) -> String {
    format!("evidence:{id}")
}
