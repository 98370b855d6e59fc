//! Says that a notice was read, once for each pupil.

use proto::enrollment::v1::{AcknowledgeNoticeRequest, AcknowledgeNoticeResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{District, Id, Notice as NoticeKind, Pupil, Violations};
use shared::{db, status};
use tonic::Status;

use super::{NoticeRpc, error};
use crate::event::timestamp;
use crate::store;

/// Which copy: the pupil's district, the notice, the pupil.
type Copied = (Id<District>, Id<NoticeKind>, Id<Pupil>);

/// Acknowledges a notice.
pub async fn acknowledge_notice(
    rpc: &NoticeRpc,
    caller: &Caller,
    request: AcknowledgeNoticeRequest,
) -> Result<AcknowledgeNoticeResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let notice_id = violations.field("notice_id", request.notice_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let (Some(request_id), Some(notice_id), Some(pupil_id)) = (request_id, notice_id, pupil_id) else {
        return Err(status::invalid(&violations));
    };
    let path = &permit.pupil(pupil_id)?.path;
    let district_id = path.district().ok_or_else(|| status::not_found("pupil", pupil_id))?;
    let content = AcknowledgeNoticeRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "AcknowledgeNotice", request_id, &content);
    db::retry(|| acknowledge(rpc, &permit, &key, (district_id, notice_id, pupil_id))).await
}

async fn acknowledge(
    rpc: &NoticeRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    copy: Copied,
) -> Result<AcknowledgeNoticeResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let (district_id, notice_id, pupil_id) = copy;
    let locked = store::notice::lock_copy(&tx, district_id, notice_id, pupil_id).await?;
    let locked = locked.ok_or_else(|| error::unknown(notice_id))?;
    let acknowledged_at = match locked {
        Some(before) => before,
        None => {
            let now = rpc.clock.now();
            store::notice::acknowledge(&tx, copy, permit.id(), now).await?;
            now
        }
    };
    let response = AcknowledgeNoticeResponse { acknowledge_time: Some(timestamp(acknowledged_at)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
