//! What families would like in rounds that are drawn.

use axum::extract::State;
use chrono::{DateTime, Utc};
use http::StatusCode;
use proto::enrollment::v1 as pb;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::round::client;
use super::{Answer, Done, IdempotencyHeader};
use crate::Edge;
use crate::convert::moment;
use crate::problem::Problem;
use crate::read::{At, IdempotencyKey, Json};
use crate::session::Session;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(set_wishes, get_wishes, clear_wishes))
}

/// What a family would like in one draw slot.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WishList {
    /// Sections, the dearest first.
    #[serde(default)]
    ranked_section_ids: Vec<Uuid>,
    /// Sections any of which will do when none of the ranked has a seat.
    #[serde(default)]
    any_of_section_ids: Vec<Uuid>,
    /// Whether the pupil stands in line for what is refused; true when absent.
    stand_in_line: Option<bool>,
}

/// What a family would like in a round.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWishes {
    /// One list for each draw slot wished for.
    lists: Vec<WishList>,
    /// Whether the pupil draws together with siblings who say so too.
    #[serde(default)]
    together: bool,
}

/// What a family would like in one draw slot, as handed in.
#[derive(Serialize, ToSchema)]
struct KeptWishList {
    /// Sections, the dearest first.
    ranked_section_ids: Vec<String>,
    /// Sections any of which will do when none of the ranked has a seat.
    any_of_section_ids: Vec<String>,
    /// Whether the pupil stands in line for what is refused.
    stand_in_line: bool,
}

/// What a family would like in a round, as handed in.
#[derive(Serialize, ToSchema)]
struct Wishes {
    /// The round.
    round_id: String,
    /// The pupil.
    pupil_id: String,
    /// One list for each draw slot wished for; empty when none was handed in.
    lists: Vec<KeptWishList>,
    /// Whether the pupil draws together with siblings who say so too.
    together: bool,
    /// When they were handed in.
    update_time: Option<DateTime<Utc>>,
}

impl From<pb::Wishes> for Wishes {
    fn from(wishes: pb::Wishes) -> Self {
        let list = |list: pb::WishList| KeptWishList {
            stand_in_line: list.stand_in_line.unwrap_or(true),
            ranked_section_ids: list.ranked_section_ids,
            any_of_section_ids: list.any_of_section_ids,
        };
        Self {
            update_time: moment(wishes.update_time),
            round_id: wishes.round_id,
            pupil_id: wishes.pupil_id,
            lists: wishes.lists.into_iter().map(list).collect(),
            together: wishes.together,
        }
    }
}

/// Hands in a pupil's wishes in place of those handed in before.
#[utoipa::path(put, path = "/v1/rounds/{round_id}/wishes/{pupil_id}", tag = "enrollment", security(("session" = [])),
    params(("round_id" = Uuid, Path), ("pupil_id" = Uuid, Path), IdempotencyHeader), request_body = NewWishes,
    responses((status = 200, body = Wishes), (status = "default", body = Problem)))]
async fn set_wishes(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At((round_id, pupil_id)): At<(Uuid, Uuid)>,
    Json(body): Json<NewWishes>,
) -> Answer<Wishes> {
    let texts = |ids: Vec<Uuid>| ids.iter().map(Uuid::to_string).collect();
    let list = |list: WishList| pb::WishList {
        ranked_section_ids: texts(list.ranked_section_ids),
        any_of_section_ids: texts(list.any_of_section_ids),
        stand_in_line: list.stand_in_line,
    };
    let request = pb::SetWishesRequest {
        request_id: key.text(),
        round_id: round_id.to_string(),
        pupil_id: pupil_id.to_string(),
        lists: body.lists.into_iter().map(list).collect(),
        together: body.together,
    };
    let answer = client(&edge, &session).set_wishes(request).await?.into_inner();
    Ok(axum::Json(answer.wishes.unwrap_or_default().into()))
}

/// Gives a pupil's wishes.
#[utoipa::path(get, path = "/v1/rounds/{round_id}/wishes/{pupil_id}", tag = "enrollment", security(("session" = [])),
    params(("round_id" = Uuid, Path), ("pupil_id" = Uuid, Path)),
    responses((status = 200, body = Wishes), (status = "default", body = Problem)))]
async fn get_wishes(
    State(edge): State<Edge>,
    session: Session,
    At((round_id, pupil_id)): At<(Uuid, Uuid)>,
) -> Answer<Wishes> {
    let request = pb::GetWishesRequest { round_id: round_id.to_string(), pupil_id: pupil_id.to_string() };
    let answer = client(&edge, &session).get_wishes(request).await?.into_inner();
    Ok(axum::Json(answer.wishes.unwrap_or_default().into()))
}

/// Takes a pupil's wishes back.
#[utoipa::path(delete, path = "/v1/rounds/{round_id}/wishes/{pupil_id}", tag = "enrollment", security(("session" = [])),
    params(("round_id" = Uuid, Path), ("pupil_id" = Uuid, Path), IdempotencyHeader),
    responses((status = 204), (status = "default", body = Problem)))]
async fn clear_wishes(
    State(edge): State<Edge>,
    session: Session,
    key: IdempotencyKey,
    At((round_id, pupil_id)): At<(Uuid, Uuid)>,
) -> Done {
    let request = pb::ClearWishesRequest {
        request_id: key.text(),
        round_id: round_id.to_string(),
        pupil_id: pupil_id.to_string(),
    };
    client(&edge, &session).clear_wishes(request).await?;
    Ok(StatusCode::NO_CONTENT)
}
