//! Who may take a pupil home.

use axum::extract::State;
use proto::enrollment::v1 as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::client;
use crate::Edge;
use crate::convert::{number, word};
use crate::problem::Problem;
use crate::read::{At, IdempotencyKey, Json};
use crate::routes::{Answer, IdempotencyHeader};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(add_collector, list_collectors)).routes(routes!(decide_collector))
}

/// Somebody who may take a pupil home, to be named.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCollector {
    /// `standing`, `one_time` or `alone`.
    kind: String,
    /// The person's name; absent when the pupil goes alone.
    #[serde(default)]
    name: String,
    /// The person's mobile number; absent when the pupil goes alone.
    #[serde(default)]
    phone: String,
    /// `parent`, `grandparent`, `relative`, `carer` or `other`; absent when the pupil goes alone.
    #[serde(default)]
    relation: Option<String>,
    /// The day of a one-time leave; absent otherwise.
    #[serde(default)]
    day: String,
}

/// Whoever may take a pupil home, or that the pupil may go alone.
#[derive(Serialize, ToSchema)]
struct Collector {
    /// The id.
    id: String,
    /// The pupil.
    pupil_id: String,
    /// `standing`, `one_time` or `alone`.
    kind: String,
    /// The person's name; empty when the pupil goes alone.
    name: String,
    /// The person's number, its middle hidden from all but those who may have to call.
    phone: String,
    /// How the person stands to the pupil.
    relation: String,
    /// The day of a one-time leave; empty otherwise.
    day: String,
    /// The code of a one-time leave, for the guardian who made it; empty otherwise.
    code: String,
    /// `allowed`, `forbidden`, `removed` or `used`.
    state: String,
}

impl From<pb::Collector> for Collector {
    fn from(one: pb::Collector) -> Self {
        Self {
            kind: word(one.kind().as_str_name(), "KIND_"),
            relation: word(one.relation().as_str_name(), "RELATION_"),
            state: word(one.state().as_str_name(), "STATE_"),
            id: one.id,
            pupil_id: one.pupil_id,
            name: one.name,
            phone: one.phone,
            day: one.day,
            code: one.code,
        }
    }
}

/// Who may take a pupil home.
#[derive(Serialize, ToSchema)]
struct Collectors {
    /// Oldest first.
    collectors: Vec<Collector>,
    /// The guardians who may take the pupil home themselves; empty for guardians.
    guardian_ids: Vec<String>,
}

/// Names somebody who may take a pupil home, or lets the pupil go alone.
#[utoipa::path(post, path = "/v1/pupils/{pupil_id}/collectors", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path), IdempotencyHeader), request_body = NewCollector,
    responses((status = 200, body = Collector), (status = "default", body = Problem)))]
async fn add_collector(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(pupil_id): At<Uuid>,
    Json(body): Json<NewCollector>,
) -> Answer<Collector> {
    let kind =
        number("kind", &body.kind, "KIND_", |name| pb::collector::Kind::from_str_name(name).map(Into::into))?;
    let relation = match &body.relation {
        None => 0,
        Some(relation) => number("relation", relation, "RELATION_", |name| {
            pb::collector::Relation::from_str_name(name).map(Into::into)
        })?,
    };
    let request = pb::AddCollectorRequest {
        request_id: key.text(),
        pupil_id: pupil_id.to_string(),
        kind,
        name: body.name,
        phone: body.phone,
        relation,
        day: body.day,
    };
    let answer = client(&edge, &session).add_collector(request).await?.into_inner();
    Ok(axum::Json(answer.collector.unwrap_or_default().into()))
}

/// Lists who may take a pupil home, and who may not.
#[utoipa::path(get, path = "/v1/pupils/{pupil_id}/collectors", tag = "day", security(("session" = [])),
    params(("pupil_id" = Uuid, Path)),
    responses((status = 200, body = Collectors), (status = "default", body = Problem)))]
async fn list_collectors(
    State(edge): State<Edge>,
    session: Session,
    At(pupil_id): At<Uuid>,
) -> Answer<Collectors> {
    let request = pb::ListCollectorsRequest { pupil_id: pupil_id.to_string() };
    let answer = client(&edge, &session).list_collectors(request).await?.into_inner();
    Ok(axum::Json(Collectors {
        collectors: answer.collectors.into_iter().map(Into::into).collect(),
        guardian_ids: answer.guardian_ids,
    }))
}

/// A decision on a collector.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CollectorDecision {
    /// `forbid`, `allow` or `remove`.
    decision: String,
}

/// Forbids, allows again or removes a collector.
#[utoipa::path(post, path = "/v1/collectors/{collector_id}/decide", tag = "day", security(("session" = [])),
    params(("collector_id" = Uuid, Path), IdempotencyHeader), request_body = CollectorDecision,
    responses((status = 200, body = Collector), (status = "default", body = Problem)))]
async fn decide_collector(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(collector_id): At<Uuid>,
    Json(body): Json<CollectorDecision>,
) -> Answer<Collector> {
    let decision = number("decision", &body.decision, "DECISION_", |name| {
        pb::decide_collector_request::Decision::from_str_name(name).map(Into::into)
    })?;
    let request = pb::DecideCollectorRequest {
        request_id: key.text(),
        collector_id: collector_id.to_string(),
        decision,
    };
    let answer = client(&edge, &session).decide_collector(request).await?.into_inner();
    Ok(axum::Json(answer.collector.unwrap_or_default().into()))
}
