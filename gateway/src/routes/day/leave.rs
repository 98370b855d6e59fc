//! Excused beforehand.

use axum::extract::State;
use chrono::{DateTime, Utc};
use proto::enrollment::v1 as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::client;
use crate::Edge;
use crate::convert::moment;
use crate::problem::Problem;
use crate::read::{At, IdempotencyKey, Json};
use crate::routes::{Answer, IdempotencyHeader};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(report_leave)).routes(routes!(cancel_leave))
}

/// A pupil excused from lessons beforehand.
#[derive(Serialize, ToSchema)]
pub(super) struct Leave {
    /// The leave's id.
    id: String,
    /// The pupil.
    pupil_id: String,
    /// The day.
    day: String,
    /// The section; empty for every section of the day.
    section_id: String,
    /// When it was said.
    create_time: Option<DateTime<Utc>>,
    /// When it was taken back; absent while it stands.
    cancel_time: Option<DateTime<Utc>>,
}

impl From<pb::Leave> for Leave {
    fn from(leave: pb::Leave) -> Self {
        Self {
            id: leave.id,
            pupil_id: leave.pupil_id,
            day: leave.day,
            section_id: leave.section_id,
            create_time: moment(leave.create_time),
            cancel_time: moment(leave.cancel_time),
        }
    }
}

/// A leave to be reported.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewLeave {
    /// The day.
    day: String,
    /// The section; absent for every section of the day.
    #[serde(default)]
    section_id: Option<Uuid>,
}

/// Excuses a pupil from the lessons of a day that have not begun.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/leaves", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader), request_body = NewLeave,
    responses((status = 200, body = Leave), (status = "default", body = Problem)))]
async fn report_leave(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    Json(body): Json<NewLeave>,
) -> Answer<Leave> {
    let request = pb::ReportLeaveRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        day: body.day,
        section_id: body.section_id.map(|id| id.to_string()).unwrap_or_default(),
    };
    let answer = client(&edge, &session).report_leave(request).await?.into_inner();
    Ok(axum::Json(answer.leave.unwrap_or_default().into()))
}

/// Takes a leave back, for the lessons that have not begun.
#[utoipa::path(post, path = "/v1/leaves/{leave_id}/cancel", tag = "day", security(("session" = [])),
    params(("leave_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = Leave), (status = "default", body = Problem)))]
async fn cancel_leave(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(leave_id): At<Uuid>,
) -> Answer<Leave> {
    let request = pb::CancelLeaveRequest { request_id: key.text(), leave_id: leave_id.to_string() };
    let answer = client(&edge, &session).cancel_leave(request).await?.into_inner();
    Ok(axum::Json(answer.leave.unwrap_or_default().into()))
}
