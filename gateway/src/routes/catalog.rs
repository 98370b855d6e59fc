//! Terms, slots, courses, sections, menus, providers.

use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use http::HeaderMap;
use proto::catalog::v1 as pb;
use proto::catalog::v1::catalog_service_client::CatalogServiceClient;
use serde::{Deserialize, Serialize};
use shared::client::Link;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::identity::{RowError, row_errors};
use super::{ANSWER_BYTES, Answer, IdempotencyHeader, LONG_DEADLINE, PageAsked, UploadForm};
use crate::Edge;
use crate::convert::{number, word};
use crate::menu;
use crate::problem::{Problem, Refusal};
use crate::read::{Asked, At, IdempotencyKey, Json, Upload};
use crate::sentence::Language;
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(open_term, list_terms))
        .routes(routes!(add_slots, list_slots))
        .routes(routes!(create_course, list_courses))
        .routes(routes!(import_courses))
        .routes(routes!(submit_course, list_provider_courses))
        .routes(routes!(review_course))
        .routes(routes!(approve_course))
        .routes(routes!(arrange_section))
        .routes(routes!(publish_sections))
        .routes(routes!(cancel_section))
        .routes(routes!(get_menu))
        .routes(routes!(register_provider, list_providers))
        .routes(routes!(list_on_whitelist))
        .routes(routes!(suspend_provider))
}

type Client = CatalogServiceClient<Link>;

fn client(edge: &Edge, session: &Session) -> Client {
    Client::new(session.link(&edge.links.catalog)).max_decoding_message_size(ANSWER_BYTES)
}

/// For whole tables.
fn slow_client(edge: &Edge, session: &Session) -> Client {
    let link = session.link(&edge.links.catalog).with_deadline(LONG_DEADLINE);
    Client::new(link).max_decoding_message_size(ANSWER_BYTES)
}

/// A term to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTerm {
    /// Its name, 1 to 64 characters.
    name: String,
    /// The first day.
    first_day: NaiveDate,
    /// The last day.
    last_day: NaiveDate,
    /// Days without service.
    #[serde(default)]
    off_days: Vec<NaiveDate>,
}

/// A term of one school.
#[derive(Serialize, ToSchema)]
struct Term {
    /// The term's id.
    id: String,
    /// The ids district, town, school.
    path: Vec<String>,
    /// Its name.
    name: String,
    /// The first day.
    first_day: String,
    /// The last day.
    last_day: String,
    /// Days without service.
    off_days: Vec<String>,
    /// The policy version that rules it.
    policy_version: String,
    /// `primary` or `junior`.
    stage: String,
}

impl From<pb::Term> for Term {
    fn from(term: pb::Term) -> Self {
        Self {
            stage: word(term.stage().as_str_name(), "STAGE_"),
            id: term.id,
            path: term.path,
            name: term.name,
            first_day: term.first_day,
            last_day: term.last_day,
            off_days: term.off_days,
            policy_version: term.policy_version,
        }
    }
}

/// Opens a term of a school.
#[utoipa::path(post, path = "/v1/schools/{school_id}/terms", tag = "catalog", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = NewTerm,
    responses((status = 200, body = Term), (status = "default", body = Problem)))]
async fn open_term(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<NewTerm>,
) -> Answer<Term> {
    let request = pb::OpenTermRequest {
        request_id: key.text(),
        school_id: school_id.to_string(),
        name: body.name,
        first_day: body.first_day.to_string(),
        last_day: body.last_day.to_string(),
        off_days: body.off_days.iter().map(NaiveDate::to_string).collect(),
    };
    let answer = client(&edge, &session).open_term(request).await?.into_inner();
    Ok(axum::Json(answer.term.unwrap_or_default().into()))
}

/// A page of terms.
#[derive(Serialize, ToSchema)]
struct Terms {
    /// The terms, latest first.
    terms: Vec<Term>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists a school's terms.
#[utoipa::path(get, path = "/v1/schools/{school_id}/terms", tag = "catalog",
    params(("school_id" = Uuid, Path), PageAsked),
    responses((status = 200, body = Terms), (status = "default", body = Problem)))]
async fn list_terms(
    State(edge): State<Edge>,
    At(school_id): At<Uuid>,
    Asked(page): Asked<PageAsked>,
) -> Answer<Terms> {
    let request = pb::ListTermsRequest {
        school_id: school_id.to_string(),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = Client::new(edge.public.catalog.clone()).list_terms(request).await?.into_inner();
    Ok(axum::Json(Terms {
        terms: answer.terms.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// Slots to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSlots {
    /// The slots, 1 to 40.
    slots: Vec<NewSlot>,
    /// Why times deviate, where the policy allows it with a reason.
    #[serde(default)]
    justification: String,
}

/// A slot to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSlot {
    /// 1 (Monday) to 7 (Sunday).
    weekday: i32,
    /// `early_arrival`, `noon`, `afternoon`, `extended` or `evening_study`.
    kind: String,
    /// `HH:MM`.
    start_time: String,
    /// `HH:MM`.
    end_time: String,
    /// How many class hours it counts as.
    class_hour_count: i32,
}

/// A weekly period of a term.
#[derive(Serialize, ToSchema)]
struct Slot {
    /// The slot's id.
    id: String,
    /// 1 (Monday) to 7 (Sunday).
    weekday: i32,
    /// What part of the day it is.
    kind: String,
    /// `HH:MM`.
    start_time: String,
    /// `HH:MM`.
    end_time: String,
    /// How many class hours it counts as.
    class_hour_count: i32,
}

impl From<pb::Slot> for Slot {
    fn from(slot: pb::Slot) -> Self {
        Self {
            kind: word(slot.kind().as_str_name(), "KIND_"),
            id: slot.id,
            weekday: slot.weekday,
            start_time: slot.start_time,
            end_time: slot.end_time,
            class_hour_count: slot.class_hour_count,
        }
    }
}

/// Slots of a term.
#[derive(Serialize, ToSchema)]
struct Slots {
    /// The slots.
    slots: Vec<Slot>,
    /// Deviations that were accepted and are on record. Only when slots are added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<String>,
}

/// Adds weekly slots to a term, all or none.
#[utoipa::path(post, path = "/v1/terms/{term_id}/slots", tag = "catalog", security(("session" = [])),
    params(("term_id" = Uuid, Path), IdempotencyHeader), request_body = NewSlots,
    responses((status = 200, body = Slots), (status = "default", body = Problem)))]
async fn add_slots(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(term_id): At<Uuid>,
    Json(body): Json<NewSlots>,
) -> Answer<Slots> {
    let mut slots = Vec::with_capacity(body.slots.len());
    for (index, slot) in body.slots.into_iter().enumerate() {
        let field = format!("slots[{index}].kind");
        slots.push(pb::NewSlot {
            weekday: slot.weekday,
            kind: number(&field, &slot.kind, "KIND_", |name| {
                pb::slot::Kind::from_str_name(name).map(Into::into)
            })?,
            start_time: slot.start_time,
            end_time: slot.end_time,
            class_hour_count: slot.class_hour_count,
        });
    }
    let request = pb::AddSlotsRequest {
        request_id: key.text(),
        term_id: term_id.to_string(),
        slots,
        justification: body.justification,
    };
    let answer = client(&edge, &session).add_slots(request).await?.into_inner();
    Ok(axum::Json(Slots { slots: answer.slots.into_iter().map(Into::into).collect(), flags: answer.flags }))
}

/// Lists a term's slots, by weekday and start.
#[utoipa::path(get, path = "/v1/terms/{term_id}/slots", tag = "catalog", params(("term_id" = Uuid, Path)),
    responses((status = 200, body = Slots), (status = "default", body = Problem)))]
async fn list_slots(State(edge): State<Edge>, At(term_id): At<Uuid>) -> Answer<Slots> {
    let request = pb::ListSlotsRequest { term_id: term_id.to_string() };
    let answer = Client::new(edge.public.catalog.clone()).list_slots(request).await?.into_inner();
    Ok(axum::Json(Slots { slots: answer.slots.into_iter().map(Into::into).collect(), flags: Vec::new() }))
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

/// A section to be arranged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSection {
    /// The term.
    term_id: Uuid,
    /// 1 to 500.
    capacity_count: i32,
    /// The grades it is for.
    grades: Vec<i32>,
    /// Its slots.
    slot_ids: Vec<Uuid>,
    /// Where it happens.
    #[serde(default)]
    room: String,
    /// Who teaches it.
    #[serde(default)]
    instructor_name: String,
}

/// A course given to one group in given slots of one term.
#[derive(Serialize, ToSchema)]
struct Section {
    /// The section's id.
    id: String,
    /// The course.
    course_id: String,
    /// The term.
    term_id: String,
    /// The course's title.
    title: String,
    /// The provider; empty for the school's own.
    provider_id: String,
    /// How many pupils at most.
    capacity_count: i32,
    /// The grades it is for.
    grades: Vec<i32>,
    /// Its weekly slots.
    slots: Vec<Slot>,
    /// Where it happens.
    room: String,
    /// Who teaches it.
    instructor_name: String,
    /// Whether it is basic care.
    basic_care: bool,
    /// `arranged`, `published` or `cancelled`.
    state: String,
    /// The course's category.
    category: String,
    /// What happens in it.
    description: String,
}

impl From<pb::Section> for Section {
    fn from(section: pb::Section) -> Self {
        Self {
            state: word(section.state().as_str_name(), "STATE_"),
            id: section.id,
            course_id: section.course_id,
            term_id: section.term_id,
            title: section.title,
            provider_id: section.provider_id,
            capacity_count: section.capacity_count,
            grades: section.grades,
            slots: section.slots.into_iter().map(Into::into).collect(),
            room: section.room,
            instructor_name: section.instructor_name,
            basic_care: section.basic_care,
            category: section.category,
            description: section.description,
        }
    }
}

/// Arranges a section of an approved course.
#[utoipa::path(post, path = "/v1/courses/{course_id}/sections", tag = "catalog", security(("session" = [])),
    params(("course_id" = Uuid, Path), IdempotencyHeader), request_body = NewSection,
    responses((status = 200, body = Section), (status = "default", body = Problem)))]
async fn arrange_section(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(course_id): At<Uuid>,
    Json(body): Json<NewSection>,
) -> Answer<Section> {
    let request = pb::ArrangeSectionRequest {
        request_id: key.text(),
        course_id: course_id.to_string(),
        term_id: body.term_id.to_string(),
        capacity_count: body.capacity_count,
        grades: body.grades,
        slot_ids: body.slot_ids.iter().map(Uuid::to_string).collect(),
        room: body.room,
        instructor_name: body.instructor_name,
    };
    let answer = client(&edge, &session).arrange_section(request).await?.into_inner();
    Ok(axum::Json(answer.section.unwrap_or_default().into()))
}

/// Sections to be published.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Publication {
    /// The sections; absent for every arranged one of the term.
    #[serde(default)]
    section_ids: Vec<Uuid>,
}

/// How many sections came onto the menu.
#[derive(Serialize, ToSchema)]
struct Published {
    /// By this call.
    published_count: i32,
    /// What was accepted and is to be on record: `NOT_IN_THIS_PHASE`.
    flags: Vec<String>,
}

/// Puts sections on the menu.
#[utoipa::path(post, path = "/v1/terms/{term_id}/publish", tag = "catalog", security(("session" = [])),
    params(("term_id" = Uuid, Path), IdempotencyHeader), request_body = Publication,
    responses((status = 200, body = Published), (status = "default", body = Problem)))]
async fn publish_sections(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(term_id): At<Uuid>,
    Json(body): Json<Publication>,
) -> Answer<Published> {
    let request = pb::PublishSectionsRequest {
        request_id: key.text(),
        term_id: term_id.to_string(),
        section_ids: body.section_ids.iter().map(Uuid::to_string).collect(),
    };
    let answer = client(&edge, &session).publish_sections(request).await?.into_inner();
    Ok(axum::Json(Published { published_count: answer.published_count, flags: answer.flags }))
}

/// Why a section is cancelled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Cancellation {
    /// Why, for the families.
    reason: String,
}

/// Cancels a section.
#[utoipa::path(post, path = "/v1/sections/{section_id}/cancel", tag = "catalog", security(("session" = [])),
    params(("section_id" = Uuid, Path), IdempotencyHeader), request_body = Cancellation,
    responses((status = 200, body = Section), (status = "default", body = Problem)))]
async fn cancel_section(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(section_id): At<Uuid>,
    Json(body): Json<Cancellation>,
) -> Answer<Section> {
    let request = pb::CancelSectionRequest {
        request_id: key.text(),
        section_id: section_id.to_string(),
        reason: body.reason,
    };
    let answer = client(&edge, &session).cancel_section(request).await?.into_inner();
    Ok(axum::Json(answer.section.unwrap_or_default().into()))
}

/// A school's published menu of a term.
#[derive(Serialize, ToSchema)]
struct Menu {
    /// The term.
    term: Option<Term>,
    /// The sections, by weekday, start and title.
    sections: Vec<Section>,
    /// Counts up with every change.
    version: i64,
}

/// Gives a school's menu of a term, whole, with an ETag.
#[utoipa::path(get, path = "/v1/terms/{term_id}/menu", tag = "catalog", params(("term_id" = Uuid, Path)),
    responses((status = 200, body = Menu), (status = 304), (status = "default", body = Problem)))]
async fn get_menu(
    State(edge): State<Edge>,
    At(term_id): At<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let read = async {
        let request = pb::GetMenuRequest { term_id: term_id.to_string() };
        let answer = Client::new(edge.public.catalog.clone())
            .max_decoding_message_size(ANSWER_BYTES)
            .get_menu(request)
            .await?
            .into_inner();
        menu::written(&Menu {
            term: answer.term.map(Into::into),
            sections: answer.sections.into_iter().map(Into::into).collect(),
            version: answer.version,
        })
    };
    let snapshot = edge.menus.get(format!("menu:{term_id}"), read).await?;
    Ok(snapshot.answer(&headers))
}

/// A provider to be registered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProvider {
    /// Its registered name.
    name: String,
    /// Its unified social credit code, 18 characters.
    credit_code: String,
}

/// A third-party institution.
#[derive(Serialize, ToSchema)]
struct Provider {
    /// The provider's id.
    id: String,
    /// Its registered name.
    name: String,
    /// Its unified social credit code.
    credit_code: String,
    /// Where it is listed, as far as the caller reaches.
    listings: Vec<Listing>,
}

/// A provider's entry on one whitelist.
#[derive(Serialize, ToSchema)]
struct Listing {
    /// The ids from the district down to the node whose list it is.
    path: Vec<String>,
    /// The first day it holds.
    first_day: String,
    /// The last day it holds.
    last_day: String,
    /// `listed` or `suspended`.
    state: String,
    /// Why it was suspended.
    suspension_reason: String,
}

impl From<pb::Provider> for Provider {
    fn from(provider: pb::Provider) -> Self {
        let listing = |listing: pb::Listing| Listing {
            state: word(listing.state().as_str_name(), "STATE_"),
            path: listing.path,
            first_day: listing.first_day,
            last_day: listing.last_day,
            suspension_reason: listing.suspension_reason,
        };
        Self {
            id: provider.id,
            name: provider.name,
            credit_code: provider.credit_code,
            listings: provider.listings.into_iter().map(listing).collect(),
        }
    }
}

/// Registers a provider.
#[utoipa::path(post, path = "/v1/providers", tag = "catalog", security(("session" = [])), params(IdempotencyHeader),
    request_body = NewProvider, responses((status = 200, body = Provider), (status = "default", body = Problem)))]
async fn register_provider(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    Json(body): Json<NewProvider>,
) -> Answer<Provider> {
    let request = pb::RegisterProviderRequest {
        request_id: key.text(),
        name: body.name,
        credit_code: body.credit_code,
    };
    let answer = client(&edge, &session).register_provider(request).await?.into_inner();
    Ok(axum::Json(answer.provider.unwrap_or_default().into()))
}

/// A page of providers.
#[derive(Serialize, ToSchema)]
struct Providers {
    /// The providers, by name.
    providers: Vec<Provider>,
    /// For the next page; empty when this is the last.
    next_page_token: String,
}

/// Lists providers with the listings the caller reaches.
#[utoipa::path(get, path = "/v1/providers", tag = "catalog", security(("session" = [])), params(PageAsked),
    responses((status = 200, body = Providers), (status = "default", body = Problem)))]
async fn list_providers(
    State(edge): State<Edge>,
    session: Session,
    Asked(page): Asked<PageAsked>,
) -> Answer<Providers> {
    let request = pb::ListProvidersRequest { page_size: page.page_size, page_token: page.page_token };
    let answer = client(&edge, &session).list_providers(request).await?.into_inner();
    Ok(axum::Json(Providers {
        providers: answer.providers.into_iter().map(Into::into).collect(),
        next_page_token: answer.next_page_token,
    }))
}

/// An entry on a whitelist to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewListing {
    /// The town or district whose list it is.
    node_id: Uuid,
    /// The first day it holds.
    first_day: NaiveDate,
    /// The last day it holds.
    last_day: NaiveDate,
}

/// Lists a provider on a whitelist.
#[utoipa::path(post, path = "/v1/providers/{provider_id}/listings", tag = "catalog", security(("session" = [])),
    params(("provider_id" = Uuid, Path), IdempotencyHeader), request_body = NewListing,
    responses((status = 200, body = Provider), (status = "default", body = Problem)))]
async fn list_on_whitelist(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(provider_id): At<Uuid>,
    Json(body): Json<NewListing>,
) -> Answer<Provider> {
    let request = pb::ListOnWhitelistRequest {
        request_id: key.text(),
        provider_id: provider_id.to_string(),
        node_id: body.node_id.to_string(),
        first_day: body.first_day.to_string(),
        last_day: body.last_day.to_string(),
    };
    let answer = client(&edge, &session).list_on_whitelist(request).await?.into_inner();
    Ok(axum::Json(answer.provider.unwrap_or_default().into()))
}

/// A suspension.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Suspension {
    /// The town or district whose list it is.
    node_id: Uuid,
    /// Why.
    reason: String,
}

/// Suspends a provider on one whitelist.
#[utoipa::path(post, path = "/v1/providers/{provider_id}/suspend", tag = "catalog", security(("session" = [])),
    params(("provider_id" = Uuid, Path), IdempotencyHeader), request_body = Suspension,
    responses((status = 200, body = Provider), (status = "default", body = Problem)))]
async fn suspend_provider(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(provider_id): At<Uuid>,
    Json(body): Json<Suspension>,
) -> Answer<Provider> {
    let request = pb::SuspendProviderRequest {
        request_id: key.text(),
        provider_id: provider_id.to_string(),
        node_id: body.node_id.to_string(),
        reason: body.reason,
    };
    let answer = client(&edge, &session).suspend_provider(request).await?.into_inner();
    Ok(axum::Json(answer.provider.unwrap_or_default().into()))
}
