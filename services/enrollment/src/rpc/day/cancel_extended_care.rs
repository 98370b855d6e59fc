//! Takes a request for extended care back.

use proto::enrollment::v1::{CancelExtendedCareRequest, CancelExtendedCareResponse};
use shared::caller::{Caller, GuardianPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{ExtendedCare as ExtendedCareKind, Id, Violations};
use shared::{db, status};
use tonic::Status;

use super::ask_extended_care::put_off;
use super::{DayRpc, convert};
use crate::domain::day::dismissal::ExtendedCare;
use crate::store;

/// Takes a request back.
pub async fn cancel_extended_care(
    rpc: &DayRpc,
    caller: &Caller,
    request: CancelExtendedCareRequest,
) -> Result<CancelExtendedCareResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let id = violations.field("extended_care_id", request.extended_care_id.parse());
    let (Some(request_id), Some(id)) = (request_id, id) else {
        return Err(status::invalid(&violations));
    };
    let content = CancelExtendedCareRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "CancelExtendedCare", request_id, &content);
    db::retry(|| cancel(rpc, &permit, &key, id)).await
}

async fn cancel(
    rpc: &DayRpc,
    permit: &GuardianPermit,
    key: &RequestKey,
    id: Id<ExtendedCareKind>,
) -> Result<CancelExtendedCareResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let unknown = || status::not_found("extended_care", id);
    let found = store::day::dismissal::find_care(&tx, id).await?.ok_or_else(unknown)?;
    permit.pupil(found.pupil_id).map_err(|_| unknown())?;
    let pupil = store::pupil::lock(&tx, &[found.pupil_id]).await?.pop().ok_or_else(unknown)?;
    let locked = store::day::dismissal::lock_care(&tx, id).await?.ok_or_else(unknown)?;
    let now = rpc.clock.now();
    let cancelled_at = match locked.cancelled_at {
        Some(at) => at,
        None => {
            store::day::dismissal::cancel_care(&tx, &locked, now).await?;
            put_off(&tx, &pupil, locked.day, now).await?;
            now
        }
    };
    let care = ExtendedCare { cancelled_at: Some(cancelled_at), ..locked };
    let response = CancelExtendedCareResponse { extended_care: Some(convert::extended_care(&care, "")) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
