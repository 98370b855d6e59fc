//! Takes a leave back, for the lessons that have not begun.

use proto::enrollment::v1::{CancelLeaveRequest, CancelLeaveResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Leave as LeaveKind, Violations};
use shared::{db, status};
use tonic::Status;

use super::{DayRpc, convert};
use crate::domain::day::leave::Leave;
use crate::store;

/// Takes a leave back.
pub async fn cancel_leave(
    rpc: &DayRpc,
    caller: &Caller,
    request: CancelLeaveRequest,
) -> Result<CancelLeaveResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let leave_id = violations.field("leave_id", request.leave_id.parse());
    let (Some(request_id), Some(leave_id)) = (request_id, leave_id) else {
        return Err(status::invalid(&violations));
    };
    let content = CancelLeaveRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "CancelLeave", request_id, &content);
    db::retry(|| cancel(rpc, &permit, &key, leave_id)).await
}

async fn cancel(
    rpc: &DayRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    leave_id: Id<LeaveKind>,
) -> Result<CancelLeaveResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let unknown = || status::not_found("leave", leave_id);
    let leave = store::day::leave::lock(&tx, leave_id).await?.ok_or_else(unknown)?;
    permit.pupil(leave.pupil_id).map_err(|_| unknown())?;
    let now = rpc.clock.now();
    let cancelled_at = match leave.cancelled_at {
        Some(at) => at,
        None => {
            store::day::leave::save_cancelled(&tx, &leave, now).await?;
            now
        }
    };
    let leave = Leave { cancelled_at: Some(cancelled_at), ..leave };
    let response = CancelLeaveResponse { leave: Some(convert::leave(&leave)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
