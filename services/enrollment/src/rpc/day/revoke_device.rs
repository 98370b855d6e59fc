//! Revokes a device's key.

use proto::enrollment::v1::{RevokeDeviceRequest, RevokeDeviceResponse};
use shared::caller::{Caller, NodePath, StaffPermit};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Device as DeviceKind, Id, Violations};
use shared::{db, status};
use tonic::Status;

use super::sight::OFFICE;
use super::{DayRpc, convert};
use crate::domain::day::device::Device;
use crate::store;

/// Revokes a key.
pub async fn revoke_device(
    rpc: &DayRpc,
    caller: &Caller,
    request: RevokeDeviceRequest,
) -> Result<RevokeDeviceResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let id = violations.field("device_id", request.device_id.parse());
    let (Some(request_id), Some(id)) = (request_id, id) else {
        return Err(status::invalid(&violations));
    };
    let content = RevokeDeviceRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "RevokeDevice", request_id, &content);
    db::retry(|| revoke(rpc, &permit, &key, id)).await
}

async fn revoke(
    rpc: &DayRpc,
    permit: &StaffPermit,
    key: &RequestKey,
    id: Id<DeviceKind>,
) -> Result<RevokeDeviceResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let device = store::day::device::lock(&tx, id).await?;
    let device = device.ok_or_else(|| status::not_found("device", id))?;
    permit.reach(&NodePath::new(device.path.clone()), "device", id)?;
    let revoked_at = match device.revoked_at {
        Some(at) => at,
        None => {
            let now = rpc.clock.now();
            store::day::device::save_revoked(&tx, &device, now).await?;
            now
        }
    };
    let device = Device { revoked_at: Some(revoked_at), ..device };
    let response = RevokeDeviceResponse { device: Some(convert::device(&device)) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
