//! Several choices in one request: all or none.

use axum::extract::State;
use proto::enrollment::v1 as pb;
use proto::enrollment::v1::enrollment_service_client::EnrollmentServiceClient;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::enrollment::Applied;
use super::{Answer, IdempotencyHeader};
use crate::Edge;
use crate::problem::Problem;
use crate::read::{IdempotencyKey, Json};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(apply_basket))
}

/// An application for several seats, all or none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Basket {
    /// The pupil.
    pupil_id: Uuid,
    /// The sections, 1 to 20, each once.
    section_ids: Vec<Uuid>,
    /// Whether to stand in line where a section is full.
    #[serde(default)]
    join_waitlist: bool,
}

/// What a basket got.
#[derive(Serialize, ToSchema)]
struct BasketApplied {
    /// What each section gave, in the order asked.
    places: Vec<Applied>,
}

/// Applies for several seats for a pupil at once: all or none. A refusal names every part that cannot be had.
#[utoipa::path(post, path = "/v1/enrollments/basket", tag = "enrollment", security(("session" = [])),
    params(IdempotencyHeader), request_body = Basket,
    responses((status = 200, body = BasketApplied), (status = "default", body = Problem)))]
async fn apply_basket(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    Json(body): Json<Basket>,
) -> Answer<BasketApplied> {
    let request = pb::ApplyBasketRequest {
        request_id: key.text(),
        pupil_id: body.pupil_id.to_string(),
        section_ids: body.section_ids.iter().map(ToString::to_string).collect(),
        join_waitlist: body.join_waitlist,
    };
    let mut client = EnrollmentServiceClient::new(session.link(&edge.links.enrollment));
    let answer = client.apply_basket(request).await?.into_inner();
    Ok(axum::Json(BasketApplied { places: answer.places.into_iter().map(Into::into).collect() }))
}
