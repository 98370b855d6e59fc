//! Lists devices and covers.

use proto::enrollment::v1::{ListCoversRequest, ListCoversResponse, ListDevicesRequest, ListDevicesResponse};
use shared::caller::{Caller, Role};
use shared::status;
use shared::value::{Id, School, Violations};
use tonic::Status;

use super::sight::{self, OFFICE};
use super::{DayRpc, convert};
use crate::store;

/// Who reads covers.
const COVER_READERS: &[Role] = &[
    Role::ClassTeacher,
    Role::Instructor,
    Role::TeachingOffice,
    Role::Principal,
    Role::SchoolFinance,
    Role::BureauOfficer,
    Role::Inspector,
];

/// Lists the devices of a school.
pub async fn list_devices(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListDevicesRequest,
) -> Result<ListDevicesResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let mut violations = Violations::default();
    let school_id = violations.field("school_id", request.school_id.parse::<Id<School>>());
    let school_id = school_id.ok_or_else(|| status::invalid(&violations))?;
    let path = sight::school(rpc, &permit, school_id).await?;
    permit.reach(&path, "school", school_id)?;
    let district_id = sight::district(&path, school_id)?;
    let devices = store::day::device::list(rpc.db.read(), district_id, school_id).await?;
    Ok(ListDevicesResponse { devices: devices.iter().map(convert::device).collect() })
}

/// Lists the covers of a school.
pub async fn list_covers(
    rpc: &DayRpc,
    caller: &Caller,
    request: &ListCoversRequest,
) -> Result<ListCoversResponse, Status> {
    let permit = caller.staff(COVER_READERS)?;
    let mut violations = Violations::default();
    let school_id = violations.field("school_id", request.school_id.parse::<Id<School>>());
    let school_id = school_id.ok_or_else(|| status::invalid(&violations))?;
    let path = sight::school(rpc, &permit, school_id).await?;
    let district_id = sight::district(&path, school_id)?;
    let covers = store::day::cover::list(rpc.db.read(), district_id, school_id).await?;
    Ok(ListCoversResponse { covers: covers.iter().map(convert::cover).collect() })
}
