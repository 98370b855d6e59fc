//! Identity devices and what they see.

use axum::extract::State;
use chrono::{DateTime, Utc};
use proto::enrollment::v1 as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Client, client};
use crate::Edge;
use crate::convert::{moment, number, timestamp, word};
use crate::problem::{Problem, Refusal};
use crate::read::{At, IdempotencyKey, Json};
use crate::routes::{Answer, IdempotencyHeader};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(add_device, list_devices))
        .routes(routes!(revoke_device))
        .routes(routes!(link_person))
        .routes(routes!(record_device_events))
}

/// A device to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDevice {
    /// Its name, 1 to 40 characters.
    name: String,
}

/// An identity device of a school.
#[derive(Serialize, ToSchema)]
struct Device {
    /// The device's id.
    id: String,
    /// The school.
    school_id: String,
    /// Its name.
    name: String,
    /// When it was added.
    create_time: Option<DateTime<Utc>>,
    /// When its key was revoked; absent while it holds.
    revoke_time: Option<DateTime<Utc>>,
}

impl From<pb::Device> for Device {
    fn from(device: pb::Device) -> Self {
        Self {
            id: device.id,
            school_id: device.school_id,
            name: device.name,
            create_time: moment(device.create_time),
            revoke_time: moment(device.revoke_time),
        }
    }
}

/// A device added.
#[derive(Serialize, ToSchema)]
struct AddedDevice {
    /// The device.
    device: Device,
    /// Its key, shown this once; empty in the answer to a repeat.
    key: String,
}

/// Adds an identity device to a school and makes its key.
#[utoipa::path(post, path = "/v1/schools/{school_id}/devices", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = NewDevice,
    responses((status = 200, body = AddedDevice), (status = "default", body = Problem)))]
async fn add_device(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<NewDevice>,
) -> Answer<AddedDevice> {
    let request =
        pb::AddDeviceRequest { request_id: key.text(), school_id: school_id.to_string(), name: body.name };
    let answer = client(&edge, &session).add_device(request).await?.into_inner();
    Ok(axum::Json(AddedDevice { device: answer.device.unwrap_or_default().into(), key: answer.key }))
}

/// A school's devices.
#[derive(Serialize, ToSchema)]
struct Devices {
    /// Oldest first; revoked ones too.
    devices: Vec<Device>,
}

/// Lists the devices of a school.
#[utoipa::path(get, path = "/v1/schools/{school_id}/devices", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path)), responses((status = 200, body = Devices), (status = "default", body = Problem)))]
async fn list_devices(
    State(edge): State<Edge>,
    session: Session,
    At(school_id): At<Uuid>,
) -> Answer<Devices> {
    let request = pb::ListDevicesRequest { school_id: school_id.to_string() };
    let answer = client(&edge, &session).list_devices(request).await?.into_inner();
    Ok(axum::Json(Devices { devices: answer.devices.into_iter().map(Into::into).collect() }))
}

/// Revokes a device's key.
#[utoipa::path(post, path = "/v1/devices/{device_id}/revoke", tag = "day", security(("session" = [])),
    params(("device_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = Device), (status = "default", body = Problem)))]
async fn revoke_device(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(device_id): At<Uuid>,
) -> Answer<Device> {
    let request = pb::RevokeDeviceRequest { request_id: key.text(), device_id: device_id.to_string() };
    let answer = client(&edge, &session).revoke_device(request).await?.into_inner();
    Ok(axum::Json(answer.device.unwrap_or_default().into()))
}

/// Whom a token means.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PersonLink {
    /// What the devices call the person, 1 to 128 characters.
    person_token: String,
    /// The pupil; absent to forget the token.
    #[serde(default)]
    pupil_id: Option<Uuid>,
}

/// Whom a token means now.
#[derive(Serialize, ToSchema)]
struct LinkedPerson {
    /// The pupil; empty when the token was forgotten.
    pupil_id: String,
}

/// Says which pupil a school's devices mean by a token.
#[utoipa::path(post, path = "/v1/schools/{school_id}/person-links", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = PersonLink,
    responses((status = 200, body = LinkedPerson), (status = "default", body = Problem)))]
async fn link_person(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<PersonLink>,
) -> Answer<LinkedPerson> {
    let request = pb::LinkPersonRequest {
        request_id: key.text(),
        school_id: school_id.to_string(),
        person_token: body.person_token,
        pupil_id: body.pupil_id.map(|id| id.to_string()).unwrap_or_default(),
    };
    let answer = client(&edge, &session).link_person(request).await?.into_inner();
    Ok(axum::Json(LinkedPerson { pupil_id: answer.pupil_id }))
}

/// One person, seen once by a device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceEvent {
    /// The device's own id of the event, sent again with every repeat.
    id: String,
    /// What the device calls the person.
    person_token: String,
    /// `in` or `out`.
    direction: String,
    /// The device's own count of its events; absent when it does not count them.
    #[serde(default)]
    sequence: i64,
    /// When, as the device's clock had it.
    event_time: DateTime<Utc>,
}

/// What a device saw.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceEvents {
    /// The device's key.
    device_key: String,
    /// What the device's clock shows as it sends this.
    send_time: DateTime<Utc>,
    /// 1 to 100.
    events: Vec<DeviceEvent>,
}

/// What became of one event.
#[derive(Serialize, ToSchema)]
struct DeviceOutcome {
    /// The device's own id of the event.
    event_id: String,
    /// `recorded`, `recorded_before` or `set_aside`.
    kind: String,
    /// Why it was set aside; empty otherwise.
    reason: String,
}

/// What became of what a device saw.
#[derive(Serialize, ToSchema)]
struct DeviceOutcomes {
    /// One for each event, in their order.
    outcomes: Vec<DeviceOutcome>,
}

/// Takes what an identity device saw, each event exactly once; for whoever has the device's key.
#[utoipa::path(post, path = "/v1/device-events", tag = "day", request_body = DeviceEvents,
    responses((status = 200, body = DeviceOutcomes), (status = "default", body = Problem)))]
async fn record_device_events(
    State(edge): State<Edge>,
    Json(body): Json<DeviceEvents>,
) -> Answer<DeviceOutcomes> {
    use pb::record_device_events_request::device_event::Direction;
    let event = |(at, event): (usize, DeviceEvent)| {
        let field = format!("events[{at}].direction");
        let direction = number(&field, &event.direction, "DIRECTION_", |name| {
            Direction::from_str_name(name).map(Into::into)
        })?;
        Ok(pb::record_device_events_request::DeviceEvent {
            id: event.id,
            person_token: event.person_token,
            direction,
            sequence: event.sequence,
            event_time: Some(timestamp(event.event_time)),
        })
    };
    let events: Result<Vec<_>, Refusal> = body.events.into_iter().enumerate().map(event).collect();
    let request = pb::RecordDeviceEventsRequest {
        device_key: body.device_key,
        send_time: Some(timestamp(body.send_time)),
        events: events?,
    };
    let answer =
        Client::new(edge.public.enrollment.clone()).record_device_events(request).await?.into_inner();
    let outcome = |one: pb::record_device_events_response::Outcome| DeviceOutcome {
        kind: word(one.kind().as_str_name(), "KIND_"),
        reason: word(one.reason().as_str_name(), "REASON_"),
        event_id: one.event_id,
    };
    Ok(axum::Json(DeviceOutcomes { outcomes: answer.outcomes.into_iter().map(outcome).collect() }))
}
