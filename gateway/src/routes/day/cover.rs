//! Periods of insurance.

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
    OpenApiRouter::new().routes(routes!(record_cover, list_covers))
}

/// A period of insurance to be recorded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCover {
    /// `school_liability` or `pupil_accident`.
    kind: String,
    /// The insurer, 1 to 40 characters.
    insurer: String,
    /// The policy's number, 1 to 40 characters.
    policy_number: String,
    /// The first day, inclusive.
    first_day: String,
    /// The last day, inclusive.
    last_day: String,
}

/// A period in which the service is insured.
#[derive(Serialize, ToSchema)]
struct Cover {
    /// The cover's id.
    id: String,
    /// The school.
    school_id: String,
    /// `school_liability` or `pupil_accident`.
    kind: String,
    /// The insurer.
    insurer: String,
    /// The policy's number.
    policy_number: String,
    /// The first day, inclusive.
    first_day: String,
    /// The last day, inclusive.
    last_day: String,
}

impl From<pb::Cover> for Cover {
    fn from(cover: pb::Cover) -> Self {
        Self {
            kind: word(cover.kind().as_str_name(), "KIND_"),
            id: cover.id,
            school_id: cover.school_id,
            insurer: cover.insurer,
            policy_number: cover.policy_number,
            first_day: cover.first_day,
            last_day: cover.last_day,
        }
    }
}

/// Records a period in which the school's service is insured.
#[utoipa::path(post, path = "/v1/schools/{school_id}/covers", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path), IdempotencyHeader), request_body = NewCover,
    responses((status = 200, body = Cover), (status = "default", body = Problem)))]
async fn record_cover(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At(school_id): At<Uuid>,
    Json(body): Json<NewCover>,
) -> Answer<Cover> {
    let kind =
        number("kind", &body.kind, "KIND_", |name| pb::cover::Kind::from_str_name(name).map(Into::into))?;
    let request = pb::RecordCoverRequest {
        request_id: key.text(),
        school_id: school_id.to_string(),
        kind,
        insurer: body.insurer,
        policy_number: body.policy_number,
        first_day: body.first_day,
        last_day: body.last_day,
    };
    let answer = client(&edge, &session).record_cover(request).await?.into_inner();
    Ok(axum::Json(answer.cover.unwrap_or_default().into()))
}

/// A school's covers.
#[derive(Serialize, ToSchema)]
struct Covers {
    /// Latest first.
    covers: Vec<Cover>,
}

/// Lists the covers of a school.
#[utoipa::path(get, path = "/v1/schools/{school_id}/covers", tag = "day", security(("session" = [])),
    params(("school_id" = Uuid, Path)), responses((status = 200, body = Covers), (status = "default", body = Problem)))]
async fn list_covers(State(edge): State<Edge>, session: Session, At(school_id): At<Uuid>) -> Answer<Covers> {
    let request = pb::ListCoversRequest { school_id: school_id.to_string() };
    let answer = client(&edge, &session).list_covers(request).await?.into_inner();
    Ok(axum::Json(Covers { covers: answer.covers.into_iter().map(Into::into).collect() }))
}
