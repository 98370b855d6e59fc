//! Terms and their weekly slots.

use axum::extract::State;
use chrono::NaiveDate;
use proto::catalog::v1 as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::Client;
use super::client;
use crate::Edge;
use crate::convert::{number, word};
use crate::problem::Problem;
use crate::read::{Asked, At, IdempotencyKey, Json};
use crate::routes::{Answer, IdempotencyHeader, PageAsked};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(open_term, list_terms)).routes(routes!(add_slots, list_slots))
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
pub(super) struct Term {
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
pub(super) struct Slot {
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
