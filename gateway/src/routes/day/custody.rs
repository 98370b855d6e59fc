//! Hand-over and going home: who answers for a pupil, and what the family sees of it.

use axum::extract::State;
use chrono::{DateTime, Utc};
use proto::enrollment::v1 as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::client;
use super::duty::Duty;
use crate::Edge;
use crate::convert::{moment, number, word};
use crate::problem::Problem;
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::routes::{Answer, IdempotencyHeader, PageAsked};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(hand_over))
        .routes(routes!(check_out))
        .routes(routes!(list_open_pupils))
        .routes(routes!(list_pupil_moments))
}

/// Who answers for a pupil.
#[derive(Serialize, ToSchema)]
struct Holder {
    /// `leader`, `section` or `room`; empty while nobody has taken the pupil in.
    post: String,
    /// The section or the room; empty for a leader.
    place_id: String,
    /// The section's title or the room's name.
    place_name: String,
    /// The member of staff.
    staff_id: String,
    /// Their name, as they were named for the day.
    staff_name: String,
}

impl From<pb::Holder> for Holder {
    fn from(holder: pb::Holder) -> Self {
        Self {
            post: word(holder.post().as_str_name(), "POST_"),
            place_id: holder.place_id,
            place_name: holder.place_name,
            staff_id: holder.staff_id,
            staff_name: holder.staff_name,
        }
    }
}

/// Pupils to be handed over.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandOver {
    /// 1 to 100, each once.
    pupil_ids: Vec<Uuid>,
    /// The duty of whoever takes them.
    duty_id: Uuid,
}

/// Hands pupils over to the next responsible adult.
#[utoipa::path(post, path = "/v1/hand-overs", tag = "day", security(("session" = [])),
    params(IdempotencyHeader), request_body = HandOver,
    responses((status = 200, body = Holder), (status = "default", body = Problem)))]
async fn hand_over(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    Json(body): Json<HandOver>,
) -> Answer<Holder> {
    let request = pb::HandOverRequest {
        request_id: key.text(),
        pupil_ids: body.pupil_ids.iter().map(ToString::to_string).collect(),
        duty_id: body.duty_id.to_string(),
    };
    let answer = client(&edge, &session).hand_over(request).await?.into_inner();
    Ok(axum::Json(answer.holder.unwrap_or_default().into()))
}

/// How a pupil leaves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Leaving {
    /// `guardian`, `collector`, `alone` or `not_here`.
    way: String,
    /// The guardian, when one takes the pupil.
    #[serde(default)]
    guardian_id: Option<Uuid>,
    /// The collector, when one takes the pupil.
    #[serde(default)]
    collector_id: Option<Uuid>,
    /// The code of a one-time leave.
    #[serde(default)]
    code: String,
    /// Why the pupil was never here.
    #[serde(default)]
    reason: String,
}

/// A pupil checked out.
#[derive(Serialize, ToSchema)]
struct CheckedOut {
    /// When.
    check_out_time: Option<DateTime<Utc>>,
}

/// Checks a pupil out: records who takes the pupil, and who handed the pupil over.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/check-out", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader), request_body = Leaving,
    responses((status = 200, body = CheckedOut), (status = "default", body = Problem)))]
async fn check_out(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    Json(body): Json<Leaving>,
) -> Answer<CheckedOut> {
    let way = number("way", &body.way, "CHECK_OUT_WAY_", |name| {
        pb::CheckOutWay::from_str_name(name).map(Into::into)
    })?;
    let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let request = pb::CheckOutRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        way,
        guardian_id: text(body.guardian_id),
        collector_id: text(body.collector_id),
        code: body.code,
        reason: body.reason,
    };
    let answer = client(&edge, &session).check_out(request).await?.into_inner();
    Ok(axum::Json(CheckedOut { check_out_time: moment(answer.check_out_time) }))
}

/// A pupil who is at the school and has not been checked out.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenPupil {
    /// The pupil.
    pupil_id: String,
    /// The pupil's name.
    pupil_name: String,
    /// The class's name.
    class_name: String,
    /// Who answers for the pupil.
    holder: Holder,
    /// Since when.
    since_time: Option<DateTime<Utc>>,
    /// When the pupil's service ends.
    due_time: Option<DateTime<Utc>>,
    /// Whether that is over.
    overdue: bool,
    /// When the leader was alerted; absent while nobody was.
    alert_time: Option<DateTime<Utc>>,
}

impl From<pb::OpenPupil> for OpenPupil {
    fn from(pupil: pb::OpenPupil) -> Self {
        Self {
            pupil_id: pupil.pupil_id,
            pupil_name: pupil.pupil_name,
            class_name: pupil.class_name,
            holder: pupil.holder.unwrap_or_default().into(),
            since_time: moment(pupil.since_time),
            due_time: moment(pupil.due_time),
            overdue: pupil.overdue,
            alert_time: moment(pupil.alert_time),
        }
    }
}

/// Who has not been checked out.
#[derive(Serialize, ToSchema)]
struct OpenPupils {
    /// By when their service ends, then by id.
    pupils: Vec<OpenPupil>,
    /// Who was named as the day's leader.
    leaders: Vec<Duty>,
}

/// Lists the pupils who are at a school on a day and have not been checked out.
#[utoipa::path(get, path = "/v1/schools/{school_id}/days/{day}/open-pupils", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), ("day" = String, Path)),
    responses((status = 200, body = OpenPupils), (status = "default", body = Problem)))]
async fn list_open_pupils(
    State(edge): State<Edge>,
    session: Session,
    At((school_id, day)): At<(Uuid, String)>,
) -> Answer<OpenPupils> {
    let request = pb::ListOpenPupilsRequest { school_id: school_id.to_string(), day };
    let answer = client(&edge, &session).list_open_pupils(request).await?.into_inner();
    Ok(axum::Json(OpenPupils {
        pupils: answer.pupils.into_iter().map(Into::into).collect(),
        leaders: answer.leaders.into_iter().map(Into::into).collect(),
    }))
}

/// Something that happened to a pupil.
#[derive(Serialize, ToSchema)]
struct PupilMoment {
    /// The id.
    id: String,
    /// `marked`, `checked_in`, `handed_over` or `checked_out`.
    kind: String,
    /// When it happened.
    happen_time: Option<DateTime<Utc>>,
    /// The section's title or the room's name, where there is one.
    place_name: String,
    /// How the pupil stood; empty unless the roll was called.
    state: String,
    /// `guardian`, `collector`, `alone` or `not_here`; empty unless checked out.
    way: String,
}

/// A page of what happened to a pupil.
#[derive(Serialize, ToSchema)]
struct PupilMoments {
    /// Latest first.
    moments: Vec<PupilMoment>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists what happened to a pupil, for the pupil's own family.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/moments", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = PupilMoments), (status = "default", body = Problem)))]
async fn list_pupil_moments(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<PupilMoments> {
    let request = pb::ListPupilMomentsRequest {
        pupil_id: pupil_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = client(&edge, &session).list_pupil_moments(request).await?.into_inner();
    let one = |one: pb::PupilMoment| PupilMoment {
        kind: word(one.kind().as_str_name(), "KIND_"),
        state: word(one.state().as_str_name(), "STATE_"),
        way: word(one.way().as_str_name(), "CHECK_OUT_WAY_"),
        id: one.id,
        happen_time: moment(one.happen_time),
        place_name: one.place_name,
    };
    Ok(axum::Json(PupilMoments {
        moments: answer.moments.into_iter().map(one).collect(),
        next_page_token: answer.next_page_token,
    }))
}
