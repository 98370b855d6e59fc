//! Months: the sum of their days.

use axum::extract::State;
use proto::enrollment::v1 as pb;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::client;
use crate::Edge;
use crate::problem::Problem;
use crate::read::At;
use crate::routes::Answer;
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(get_school_month)).routes(routes!(get_section_month))
}

/// How many pupils stand how.
#[derive(Serialize, ToSchema)]
pub(super) struct Tally {
    /// Pupils on the register: the sum of all the others.
    expected_count: i32,
    /// Here.
    present_count: i32,
    /// Not here, and nobody said so beforehand.
    absent_count: i32,
    /// Came after the start.
    late_count: i32,
    /// Excused by a guardian beforehand.
    leave_count: i32,
    /// Went before the end.
    left_early_count: i32,
    /// Nobody has marked them.
    unmarked_count: i32,
}

impl From<pb::Tally> for Tally {
    fn from(tally: pb::Tally) -> Self {
        Self {
            expected_count: tally.expected_count,
            present_count: tally.present_count,
            absent_count: tally.absent_count,
            late_count: tally.late_count,
            leave_count: tally.leave_count,
            left_early_count: tally.left_early_count,
            unmarked_count: tally.unmarked_count,
        }
    }
}

/// One day of a month.
#[derive(Serialize, ToSchema)]
struct MonthDay {
    /// The day.
    day: String,
    /// How many lessons there were.
    lesson_count: i32,
    /// How many of their registers have closed.
    closed_count: i32,
    /// The sum over its lessons.
    tally: Tally,
}

/// One pupil of a month.
#[derive(Serialize, ToSchema)]
struct MonthPupil {
    /// The pupil.
    pupil_id: String,
    /// The sum over the pupil's lessons.
    tally: Tally,
}

/// A month, made of its days at the moment of asking.
#[derive(Serialize, ToSchema)]
struct Month {
    /// The days with lessons, ascending.
    days: Vec<MonthDay>,
    /// The sum over the days.
    tally: Tally,
    /// The pupils, by id, where the caller may see them.
    pupils: Vec<MonthPupil>,
}

impl From<pb::GetMonthResponse> for Month {
    fn from(month: pb::GetMonthResponse) -> Self {
        let day = |day: pb::get_month_response::Day| MonthDay {
            day: day.day,
            lesson_count: day.lesson_count,
            closed_count: day.closed_count,
            tally: day.tally.unwrap_or_default().into(),
        };
        let pupil = |pupil: pb::get_month_response::Pupil| MonthPupil {
            pupil_id: pupil.pupil_id,
            tally: pupil.tally.unwrap_or_default().into(),
        };
        Self {
            days: month.days.into_iter().map(day).collect(),
            tally: month.tally.unwrap_or_default().into(),
            pupils: month.pupils.into_iter().map(pupil).collect(),
        }
    }
}

/// Gives the registers of a school's month, by day, and their sum.
#[utoipa::path(get, path = "/v1/schools/{school_id}/months/{month}", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), ("month" = String, Path)),
    responses((status = 200, body = Month), (status = "default", body = Problem)))]
async fn get_school_month(
    State(edge): State<Edge>,
    session: Session,
    At((school_id, month)): At<(Uuid, String)>,
) -> Answer<Month> {
    let request = pb::GetMonthRequest { school_id: school_id.to_string(), section_id: String::new(), month };
    let answer = client(&edge, &session).get_month(request).await?.into_inner();
    Ok(axum::Json(answer.into()))
}

/// Gives the registers of a section's month, by day and pupil, and their sum.
#[utoipa::path(get, path = "/v1/sections/{section_id}/months/{month}", tag = "day", security(("session" = [])),
    params(("section_id" = Uuid, Path), ("month" = String, Path)),
    responses((status = 200, body = Month), (status = "default", body = Problem)))]
async fn get_section_month(
    State(edge): State<Edge>,
    session: Session,
    At((section_id, month)): At<(Uuid, String)>,
) -> Answer<Month> {
    let request = pb::GetMonthRequest { school_id: String::new(), section_id: section_id.to_string(), month };
    let answer = client(&edge, &session).get_month(request).await?.into_inner();
    Ok(axum::Json(answer.into()))
}
