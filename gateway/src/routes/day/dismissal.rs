//! When pupils leave, and who stays.

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
use crate::convert::{moment, word};
use crate::problem::Problem;
use crate::read::{At, IdempotencyKey, Json};
use crate::routes::{Answer, IdempotencyHeader};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(set_dismissal))
        .routes(routes!(list_dismissals))
        .routes(routes!(add_batch, list_batches))
        .routes(routes!(assign_batch))
        .routes(routes!(ask_extended_care))
        .routes(routes!(cancel_extended_care))
        .routes(routes!(list_extended_care))
}

/// When a pupil is to leave.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDismissal {
    /// When, `HH:MM`; absent for the service's end, or with a batch.
    #[serde(default)]
    time: String,
    /// With which batch; absent for a time of one's own.
    #[serde(default)]
    batch_id: Option<Uuid>,
}

/// When a pupil leaves on a weekday.
#[derive(Serialize, ToSchema)]
struct Dismissal {
    /// 1 (Monday) to 7 (Sunday).
    weekday: i32,
    /// When the pupil leaves; empty for the service's end.
    time: String,
    /// When the pupil's service ends on that weekday.
    end_time_of_day: String,
    /// `guardian` or `school`; empty when nobody has chosen.
    source: String,
}

impl From<pb::Dismissal> for Dismissal {
    fn from(one: pb::Dismissal) -> Self {
        Self {
            source: word(one.source().as_str_name(), "SOURCE_"),
            weekday: one.weekday,
            time: one.time,
            end_time_of_day: one.end_time_of_day,
        }
    }
}

/// When a pupil leaves.
#[derive(Serialize, ToSchema)]
struct Dismissals {
    /// Every weekday with service, ascending.
    dismissals: Vec<Dismissal>,
}

/// Says when a pupil leaves on a weekday.
#[utoipa::path(put, path = "/v1/pupils/{pupil_id}/dismissals/{weekday}", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), ("weekday" = i32, Path), IdempotencyHeader), request_body = NewDismissal,
    responses((status = 200, body = Dismissal), (status = "default", body = Problem)))]
async fn set_dismissal(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At((pupil_id, weekday)): At<(Uuid, i32)>,
    Json(body): Json<NewDismissal>,
) -> Answer<Dismissal> {
    let request = pb::SetDismissalRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        weekday,
        time: body.time,
        batch_id: body.batch_id.map(|id| id.to_string()).unwrap_or_default(),
    };
    let answer = client(&edge, &session).set_dismissal(request).await?.into_inner();
    Ok(axum::Json(answer.dismissal.unwrap_or_default().into()))
}

/// Lists when a pupil leaves, by weekday.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/dismissals", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path)),
    responses((status = 200, body = Dismissals), (status = "default", body = Problem)))]
async fn list_dismissals(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
) -> Answer<Dismissals> {
    let request = pb::ListDismissalsRequest { pupil_id: pupil_id.to_string() };
    let answer = client(&edge, &session).list_dismissals(request).await?.into_inner();
    Ok(axum::Json(Dismissals { dismissals: answer.dismissals.into_iter().map(Into::into).collect() }))
}

/// A batch to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBatch {
    /// Its name, 1 to 20 characters.
    name: String,
    /// When it leaves, `HH:MM`.
    time: String,
}

/// A school's batch of dismissal.
#[derive(Serialize, ToSchema)]
struct Batch {
    /// The batch's id.
    id: String,
    /// The term.
    term_id: String,
    /// Its name.
    name: String,
    /// When it leaves.
    time: String,
}

impl From<pb::Batch> for Batch {
    fn from(batch: pb::Batch) -> Self {
        Self { id: batch.id, term_id: batch.term_id, name: batch.name, time: batch.time }
    }
}

/// A term's batches.
#[derive(Serialize, ToSchema)]
struct Batches {
    /// By time, then id.
    batches: Vec<Batch>,
}

/// Makes a batch of dismissal for a term.
#[utoipa::path(post, path = "/v1/terms/{term_id}/batches", tag = "day", security(("session" = [])),
    params(("term_id" = Uuid, Path), IdempotencyHeader), request_body = NewBatch,
    responses((status = 200, body = Batch), (status = "default", body = Problem)))]
async fn add_batch(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(term_id): At<Uuid>,
    Json(body): Json<NewBatch>,
) -> Answer<Batch> {
    let request = pb::AddBatchRequest {
        request_id: key.text(),
        term_id: term_id.to_string(),
        name: body.name,
        time: body.time,
    };
    let answer = client(&edge, &session).add_batch(request).await?.into_inner();
    Ok(axum::Json(answer.batch.unwrap_or_default().into()))
}

/// Lists a term's batches.
#[utoipa::path(get, path = "/v1/terms/{term_id}/batches", tag = "day", security(("session" = [])),
    params(("term_id" = Uuid, Path)), responses((status = 200, body = Batches), (status = "default", body = Problem)))]
async fn list_batches(State(edge): State<Edge>, session: Session, At(term_id): At<Uuid>) -> Answer<Batches> {
    let request = pb::ListBatchesRequest { term_id: term_id.to_string() };
    let answer = client(&edge, &session).list_batches(request).await?.into_inner();
    Ok(axum::Json(Batches { batches: answer.batches.into_iter().map(Into::into).collect() }))
}

/// Pupils to be put into a batch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BatchPupils {
    /// 1 (Monday) to 7 (Sunday).
    weekday: i32,
    /// 1 to 500, each once.
    pupil_ids: Vec<Uuid>,
}

/// Pupils put into a batch.
#[derive(Serialize, ToSchema)]
struct Assigned {
    /// For how many it counts: a guardian has chosen for the others.
    counting_count: i32,
}

/// Puts pupils into a batch on a weekday; nobody is forced out before the service's end.
#[utoipa::path(post, path = "/v1/batches/{batch_id}/assign", tag = "day", security(("session" = [])),
    params(("batch_id" = Uuid, Path), IdempotencyHeader), request_body = BatchPupils,
    responses((status = 200, body = Assigned), (status = "default", body = Problem)))]
async fn assign_batch(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(batch_id): At<Uuid>,
    Json(body): Json<BatchPupils>,
) -> Answer<Assigned> {
    let request = pb::AssignBatchRequest {
        request_id: key.text(),
        batch_id: batch_id.to_string(),
        weekday: body.weekday,
        pupil_ids: body.pupil_ids.iter().map(ToString::to_string).collect(),
    };
    let answer = client(&edge, &session).assign_batch(request).await?.into_inner();
    Ok(axum::Json(Assigned { counting_count: answer.counting_count }))
}

/// A request for extended care.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewExtendedCare {
    /// The day.
    day: String,
    /// Until when, `HH:MM`.
    until: String,
}

/// A pupil stays after the service's end. It costs nothing.
#[derive(Serialize, ToSchema)]
struct ExtendedCare {
    /// The id.
    id: String,
    /// The pupil.
    pupil_id: String,
    /// The pupil's name; empty for guardians.
    pupil_name: String,
    /// The day.
    day: String,
    /// Until when.
    until: String,
    /// When it was asked for.
    create_time: Option<DateTime<Utc>>,
    /// When it was taken back or replaced; absent while it stands.
    cancel_time: Option<DateTime<Utc>>,
}

impl From<pb::ExtendedCare> for ExtendedCare {
    fn from(care: pb::ExtendedCare) -> Self {
        Self {
            id: care.id,
            pupil_id: care.pupil_id,
            pupil_name: care.pupil_name,
            day: care.day,
            until: care.until,
            create_time: moment(care.create_time),
            cancel_time: moment(care.cancel_time),
        }
    }
}

/// Asks for a pupil to stay after the service's end.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/extended-care", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader), request_body = NewExtendedCare,
    responses((status = 200, body = ExtendedCare), (status = "default", body = Problem)))]
async fn ask_extended_care(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    Json(body): Json<NewExtendedCare>,
) -> Answer<ExtendedCare> {
    let request = pb::AskExtendedCareRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        day: body.day,
        until: body.until,
    };
    let answer = client(&edge, &session).ask_extended_care(request).await?.into_inner();
    Ok(axum::Json(answer.extended_care.unwrap_or_default().into()))
}

/// Takes a request for extended care back.
#[utoipa::path(post, path = "/v1/extended-care/{extended_care_id}/cancel", tag = "day", security(("session" = [])),
    params(("extended_care_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 200, body = ExtendedCare), (status = "default", body = Problem)))]
async fn cancel_extended_care(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(extended_care_id): At<Uuid>,
) -> Answer<ExtendedCare> {
    let request = pb::CancelExtendedCareRequest {
        request_id: key.text(),
        extended_care_id: extended_care_id.to_string(),
    };
    let answer = client(&edge, &session).cancel_extended_care(request).await?.into_inner();
    Ok(axum::Json(answer.extended_care.unwrap_or_default().into()))
}

/// Who stays after the service's end.
#[derive(Serialize, ToSchema)]
struct ExtendedCares {
    /// By time, then id.
    extended_cares: Vec<ExtendedCare>,
}

/// Lists who stays after the service's end on a day.
#[utoipa::path(get, path = "/v1/schools/{school_id}/days/{day}/extended-care", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), ("day" = String, Path)),
    responses((status = 200, body = ExtendedCares), (status = "default", body = Problem)))]
async fn list_extended_care(
    State(edge): State<Edge>,
    session: Session,
    At((school_id, day)): At<(Uuid, String)>,
) -> Answer<ExtendedCares> {
    let request = pb::ListExtendedCareRequest { school_id: school_id.to_string(), day };
    let answer = client(&edge, &session).list_extended_care(request).await?.into_inner();
    let extended_cares = answer.extended_cares.into_iter().map(Into::into).collect();
    Ok(axum::Json(ExtendedCares { extended_cares }))
}
