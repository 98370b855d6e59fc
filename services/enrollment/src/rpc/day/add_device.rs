//! Adds an identity device to a school and makes its key.

use proto::enrollment::v1::{AddDeviceRequest, AddDeviceResponse};
use shared::caller::{Caller, NodePath};
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, School, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::sight::{self, OFFICE};
use super::{DayRpc, convert};
use crate::domain::day::device::Device;
use crate::store;

/// Adds a device.
pub async fn add_device(
    rpc: &DayRpc,
    caller: &Caller,
    request: AddDeviceRequest,
) -> Result<AddDeviceResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let school_id = violations.field("school_id", request.school_id.parse::<Id<School>>());
    let name = violations.text("name", &request.name, 1, 40);
    let (Some(request_id), Some(school_id), Some(name)) = (request_id, school_id, name) else {
        return Err(status::invalid(&violations));
    };
    let path = sight::school(rpc, &permit, school_id).await?;
    permit.reach(&path, "school", school_id)?;
    let content = AddDeviceRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "AddDevice", request_id, &content);
    db::retry(|| add(rpc, &key, school_id, &path, &name)).await
}

async fn add(
    rpc: &DayRpc,
    key: &RequestKey,
    school_id: Id<School>,
    path: &NodePath,
    name: &str,
) -> Result<AddDeviceResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let now = rpc.clock.now();
    let device = Device {
        id: random::id(now),
        district_id: sight::district(path, school_id)?,
        school_id,
        path: path.nodes().to_vec(),
        name: name.to_owned(),
        created_at: now,
        revoked_at: None,
    };
    let secret = random::token();
    store::day::device::insert(&tx, &device, &secret).await?;
    let response = AddDeviceResponse { device: Some(convert::device(&device)), key: String::new() };
    // The answer that is kept has no key: it is nowhere but in the hands of who asked.
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(AddDeviceResponse { key: secret, ..response })
}
