//! Sections and the menu families see.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use proto::catalog::v1 as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::term::{Slot, Term};
use super::{Client, client};
use crate::Edge;
use crate::convert::word;
use crate::menu;
use crate::problem::{Problem, Refusal};
use crate::read::{At, IdempotencyKey, Json};
use crate::routes::{ANSWER_BYTES, Answer, IdempotencyHeader};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(arrange_section))
        .routes(routes!(publish_sections))
        .routes(routes!(cancel_section))
        .routes(routes!(get_menu))
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
pub(super) struct Section {
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
