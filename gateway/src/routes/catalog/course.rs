//! Courses: submitted, reviewed, approved.

use axum::extract::State;
use proto::catalog::v1 as pb;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::section::Section;
use super::{client, slow_client};
use crate::Edge;
use crate::convert::{number, word};
use crate::problem::{Problem, Refusal};
use crate::read::{Asked, At, IdempotencyKey, Json, Upload};
use crate::routes::identity::{RowError, row_errors};
use crate::routes::{Answer, IdempotencyHeader, UploadForm};
use crate::sentence::Language;
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(create_course, list_courses))
        .routes(routes!(import_courses))
        .routes(routes!(submit_course, list_provider_courses))
        .routes(routes!(review_course))
        .routes(routes!(approve_course))
}

/// A course to be written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCourse {
    /// Its title, 2 to 40 characters.
    title: String,
    /// What happens in it.
    #[serde(default)]
    description: String,
    /// `basic_care`, `enrichment`, `subject_tutoring` or one of the kinds that are refused.
    content_kind: String,
    /// Its category in the region's own list.
    category: String,
}

/// A course of one school's menu.
#[derive(Serialize, ToSchema)]
struct Course {
    /// The course's id.
    id: String,
    /// The ids district, town, school.
    path: Vec<String>,
    /// The provider; empty for the school's own.
    provider_id: String,
    /// Its title.
    title: String,
    /// What happens in it.
    description: String,
    /// What it teaches.
    content_kind: String,
    /// Its category.
    category: String,
    /// `submitted`, `reviewed`, `approved` or `rejected`.
    state: String,
    /// Words the screen stopped at; a person decides.
    flagged_words: Vec<String>,
    /// Why it was rejected.
    rejection_reason: String,
}

impl From<pb::Course> for Course {
    fn from(course: pb::Course) -> Self {
        Self {
            content_kind: word(course.content_kind().as_str_name(), "CONTENT_KIND_"),
            state: word(course.state().as_str_name(), "STATE_"),
            id: course.id,
            path: course.path,
            provider_id: course.provider_id,
            title: course.title,
            description: course.description,
            category: course.category,
            flagged_words: course.flagged_words,
            rejection_reason: course.rejection_reason,
        }
    }
}

fn content_kind(text: &str) -> Result<i32, Refusal> {
    number("content_kind", text, "CONTENT_KIND_", |name| pb::ContentKind::from_str_name(name).map(Into::into))
}

/// Writes a school's own course.
#[utoipa::path(post, path = "/v1/schools/{school_id}/courses", tag = "catalog", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = NewCourse,
    responses((status = 200, body = Course), (status = "default", body = Problem)))]
async fn create_course(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<NewCourse>,
) -> Answer<Course> {
    let request = pb::CreateCourseRequest {
        request_id: key.text(),
        school_id: school_id.to_string(),
        title: body.title,
        description: body.description,
        content_kind: content_kind(&body.content_kind)?,
        category: body.category,
    };
    let answer = client(&edge, &session).create_course(request).await?.into_inner();
    Ok(axum::Json(answer.course.unwrap_or_default().into()))
}

/// Which courses are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CoursesAsked {
    /// Only those in this state.
    state: Option<String>,
    /// At most this many; 50 when absent, never more than 200.
    #[serde(default)]
    page_size: i32,
    /// The previous page's `next_page_token`.
    #[serde(default)]
    page_token: String,
}

/// A page of courses.
#[derive(Serialize, ToSchema)]
struct Courses {
    /// The courses, newest first.
    courses: Vec<Course>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists the courses of a school.
#[utoipa::path(get, path = "/v1/schools/{school_id}/courses", tag = "catalog", security(("session" = [])),
    params(("school_id" = Uuid, Path), CoursesAsked),
    responses((status = 200, body = Courses), (status = "default", body = Problem)))]
async fn list_courses(
    State(edge): State<Edge>,
    session: Session,
    At(school_id): At<Uuid>,
    Asked(asked): Asked<CoursesAsked>,
) -> Answer<Courses> {
    courses(&edge, &session, school_id.to_string(), asked).await
}

async fn courses(edge: &Edge, session: &Session, school_id: String, asked: CoursesAsked) -> Answer<Courses> {
    let state = match &asked.state {
        None => 0,
        Some(state) => {
            number("state", state, "STATE_", |name| pb::course::State::from_str_name(name).map(Into::into))?
        }
    };
    let request =
        pb::ListCoursesRequest { school_id, state, page_size: asked.page_size, page_token: asked.page_token };
    let answer = client(edge, session).list_courses(request).await?.into_inner();
    Ok(axum::Json(Courses {
        courses: answer.courses.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// What became of a table of courses.
#[derive(Serialize, ToSchema)]
struct CoursesImported {
    /// The courses; empty when there are errors.
    courses: Vec<Course>,
    /// The sections, in row order; empty when there are errors.
    sections: Vec<Section>,
    /// Every cell that was wrong. If any, nothing was taken.
    errors: Vec<RowError>,
}

/// Brings a table of courses and sections for a term (.xlsx or .csv), all rows or none.
#[utoipa::path(post, path = "/v1/terms/{term_id}/courses/import", tag = "catalog", security(("session" = [])),
    params(("term_id" = Uuid, Path), IdempotencyHeader),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = CoursesImported), (status = "default", body = Problem)))]
async fn import_courses(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(term_id): At<Uuid>,
    language: Language,
    upload: Upload,
) -> Answer<CoursesImported> {
    let request = pb::ImportCoursesRequest {
        request_id: key.text(),
        term_id: term_id.to_string(),
        file: Some(upload.table()?),
    };
    let answer = slow_client(&edge, &session).import_courses(request).await?.into_inner();
    Ok(axum::Json(CoursesImported {
        courses: answer.courses.into_iter().map(Into::into).collect(),
        sections: answer.sections.into_iter().map(Into::into).collect(),
        errors: row_errors(answer.errors, language),
    }))
}

/// A provider's course to be submitted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProviderCourse {
    /// The school it is offered to.
    school_id: Uuid,
    /// Its title, 2 to 40 characters.
    title: String,
    /// What happens in it.
    #[serde(default)]
    description: String,
    /// What it teaches.
    content_kind: String,
    /// Its category in the region's own list.
    category: String,
}

/// Submits a provider's course to one school.
#[utoipa::path(post, path = "/v1/providers/{provider_id}/courses", tag = "catalog", security(("session" = [])),
    params(("provider_id" = Uuid, Path), IdempotencyHeader), request_body = ProviderCourse,
    responses((status = 200, body = Course), (status = "default", body = Problem)))]
async fn submit_course(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(provider_id): At<Uuid>,
    Json(body): Json<ProviderCourse>,
) -> Answer<Course> {
    let request = pb::SubmitCourseRequest {
        request_id: key.text(),
        provider_id: provider_id.to_string(),
        school_id: body.school_id.to_string(),
        title: body.title,
        description: body.description,
        content_kind: content_kind(&body.content_kind)?,
        category: body.category,
    };
    let answer = client(&edge, &session).submit_course(request).await?.into_inner();
    Ok(axum::Json(answer.course.unwrap_or_default().into()))
}

/// Lists the calling provider's own courses at all schools.
#[utoipa::path(get, path = "/v1/providers/{provider_id}/courses", tag = "catalog", security(("session" = [])),
    params(("provider_id" = Uuid, Path), CoursesAsked),
    responses((status = 200, body = Courses), (status = "default", body = Problem)))]
async fn list_provider_courses(
    State(edge): State<Edge>,
    session: Session,
    At(_provider_id): At<Uuid>,
    Asked(asked): Asked<CoursesAsked>,
) -> Answer<Courses> {
    courses(&edge, &session, String::new(), asked).await
}

/// A decision on a course.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CourseDecision {
    /// `approve` or `reject`.
    decision: String,
    /// Why; required for a rejection.
    #[serde(default)]
    reason: String,
}

fn decision(text: &str) -> Result<i32, Refusal> {
    number("decision", text, "DECISION_", |name| pb::Decision::from_str_name(name).map(Into::into))
}

/// Reviews a provider's course for the bureau.
#[utoipa::path(post, path = "/v1/courses/{course_id}/review", tag = "catalog", security(("session" = [])),
    params(("course_id" = Uuid, Path), IdempotencyHeader), request_body = CourseDecision,
    responses((status = 200, body = Course), (status = "default", body = Problem)))]
async fn review_course(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(course_id): At<Uuid>,
    Json(body): Json<CourseDecision>,
) -> Answer<Course> {
    let request = pb::ReviewCourseRequest {
        request_id: key.text(),
        course_id: course_id.to_string(),
        decision: decision(&body.decision)?,
        reason: body.reason,
    };
    let answer = client(&edge, &session).review_course(request).await?.into_inner();
    Ok(axum::Json(answer.course.unwrap_or_default().into()))
}

/// Approves or rejects a course for the school.
#[utoipa::path(post, path = "/v1/courses/{course_id}/approve", tag = "catalog", security(("session" = [])),
    params(("course_id" = Uuid, Path), IdempotencyHeader), request_body = CourseDecision,
    responses((status = 200, body = Course), (status = "default", body = Problem)))]
async fn approve_course(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(course_id): At<Uuid>,
    Json(body): Json<CourseDecision>,
) -> Answer<Course> {
    let request = pb::ApproveCourseRequest {
        request_id: key.text(),
        course_id: course_id.to_string(),
        decision: decision(&body.decision)?,
        reason: body.reason,
    };
    let answer = client(&edge, &session).approve_course(request).await?.into_inner();
    Ok(axum::Json(answer.course.unwrap_or_default().into()))
}
