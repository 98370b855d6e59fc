//! Who answers for what, and the waiting rooms.

use axum::extract::State;
use proto::enrollment::v1 as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::client;
use super::custody::OpenPupil;
use crate::Edge;
use crate::convert::{number, word};
use crate::problem::Problem;
use crate::read::{At, IdempotencyKey, Json};
use crate::routes::{Answer, IdempotencyHeader};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(assign_duty))
        .routes(routes!(end_duty))
        .routes(routes!(list_duties))
        .routes(routes!(open_room))
        .routes(routes!(list_rooms))
}

/// Somebody to be named.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDuty {
    /// `leader`, `section` or `room`.
    post: String,
    /// The section or the room; absent for a leader.
    #[serde(default)]
    place_id: Option<Uuid>,
    /// The member of staff.
    staff_id: Uuid,
    /// Their name, 1 to 64 characters.
    staff_name: String,
    /// The first day, inclusive.
    first_day: String,
    /// The last day, inclusive.
    last_day: String,
}

/// Who of the staff answers for what.
#[derive(Serialize, ToSchema)]
pub(super) struct Duty {
    /// The duty's id.
    id: String,
    /// The school.
    school_id: String,
    /// `leader`, `section` or `room`.
    post: String,
    /// The section or the room; empty for a leader.
    place_id: String,
    /// The member of staff.
    staff_id: String,
    /// Their name.
    staff_name: String,
    /// The first day, inclusive.
    first_day: String,
    /// The last day, inclusive; before the first when the duty was ended before it began.
    last_day: String,
}

impl From<pb::Duty> for Duty {
    fn from(duty: pb::Duty) -> Self {
        Self {
            post: word(duty.post().as_str_name(), "POST_"),
            id: duty.id,
            school_id: duty.school_id,
            place_id: duty.place_id,
            staff_id: duty.staff_id,
            staff_name: duty.staff_name,
            first_day: duty.first_day,
            last_day: duty.last_day,
        }
    }
}

/// Names who answers for what: the school's leader, a section's teacher, a waiting room's guard.
#[utoipa::path(post, path = "/v1/schools/{school_id}/duties", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = NewDuty,
    responses((status = 200, body = Duty), (status = "default", body = Problem)))]
async fn assign_duty(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<NewDuty>,
) -> Answer<Duty> {
    let post =
        number("post", &body.post, "POST_", |name| pb::duty::Post::from_str_name(name).map(Into::into))?;
    let request = pb::AssignDutyRequest {
        request_id: key.text(),
        school_id: school_id.to_string(),
        post,
        place_id: body.place_id.map(|id| id.to_string()).unwrap_or_default(),
        staff_id: body.staff_id.to_string(),
        staff_name: body.staff_name,
        first_day: body.first_day,
        last_day: body.last_day,
    };
    let answer = client(&edge, &session).assign_duty(request).await?.into_inner();
    Ok(axum::Json(answer.duty.unwrap_or_default().into()))
}

/// Ends a duty.
#[utoipa::path(post, path = "/v1/duties/{duty_id}/end", tag = "day", security(("session" = [])),
    params(("duty_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = Duty), (status = "default", body = Problem)))]
async fn end_duty(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(duty_id): At<Uuid>,
) -> Answer<Duty> {
    let request = pb::EndDutyRequest { request_id: key.text(), duty_id: duty_id.to_string() };
    let answer = client(&edge, &session).end_duty(request).await?.into_inner();
    Ok(axum::Json(answer.duty.unwrap_or_default().into()))
}

/// Who answers for what on a day.
#[derive(Serialize, ToSchema)]
struct Duties {
    /// Leaders, then sections, then rooms.
    duties: Vec<Duty>,
}

/// Lists who answers for what on a day.
#[utoipa::path(get, path = "/v1/schools/{school_id}/days/{day}/duties", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), ("day" = String, Path)),
    responses((status = 200, body = Duties), (status = "default", body = Problem)))]
async fn list_duties(
    State(edge): State<Edge>,
    session: Session,
    At((school_id, day)): At<(Uuid, String)>,
) -> Answer<Duties> {
    let request = pb::ListDutiesRequest { school_id: school_id.to_string(), day };
    let answer = client(&edge, &session).list_duties(request).await?.into_inner();
    Ok(axum::Json(Duties { duties: answer.duties.into_iter().map(Into::into).collect() }))
}

/// A waiting room to be opened, with somebody on duty in it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRoom {
    /// Its name, 1 to 40 characters.
    name: String,
    /// Who is on duty in it.
    staff_id: Uuid,
    /// Their name, 1 to 64 characters.
    staff_name: String,
    /// The first day of the duty, inclusive.
    first_day: String,
    /// The last day of the duty, inclusive.
    last_day: String,
}

/// A waiting room.
#[derive(Serialize, ToSchema)]
struct Room {
    /// The room's id.
    id: String,
    /// The school.
    school_id: String,
    /// Its name.
    name: String,
    /// Who is on duty in it on the day asked for.
    duties: Vec<Duty>,
    /// The pupils in it now.
    pupils: Vec<OpenPupil>,
}

impl From<pb::Room> for Room {
    fn from(room: pb::Room) -> Self {
        Self {
            id: room.id,
            school_id: room.school_id,
            name: room.name,
            duties: room.duties.into_iter().map(Into::into).collect(),
            pupils: room.pupils.into_iter().map(Into::into).collect(),
        }
    }
}

/// Opens a waiting room, with somebody on duty in it.
#[utoipa::path(post, path = "/v1/schools/{school_id}/rooms", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = NewRoom,
    responses((status = 200, body = Room), (status = "default", body = Problem)))]
async fn open_room(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<NewRoom>,
) -> Answer<Room> {
    let request = pb::OpenRoomRequest {
        request_id: key.text(),
        school_id: school_id.to_string(),
        name: body.name,
        staff_id: body.staff_id.to_string(),
        staff_name: body.staff_name,
        first_day: body.first_day,
        last_day: body.last_day,
    };
    let answer = client(&edge, &session).open_room(request).await?.into_inner();
    Ok(axum::Json(answer.room.unwrap_or_default().into()))
}

/// A school's waiting rooms.
#[derive(Serialize, ToSchema)]
struct Rooms {
    /// By name, then id.
    rooms: Vec<Room>,
}

/// Lists a school's waiting rooms, with who is on duty on a day and who is in them now.
#[utoipa::path(get, path = "/v1/schools/{school_id}/days/{day}/rooms", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), ("day" = String, Path)),
    responses((status = 200, body = Rooms), (status = "default", body = Problem)))]
async fn list_rooms(
    State(edge): State<Edge>,
    session: Session,
    At((school_id, day)): At<(Uuid, String)>,
) -> Answer<Rooms> {
    let request = pb::ListRoomsRequest { school_id: school_id.to_string(), day };
    let answer = client(&edge, &session).list_rooms(request).await?.into_inner();
    Ok(axum::Json(Rooms { rooms: answer.rooms.into_iter().map(Into::into).collect() }))
}
