//! Takes a pupil's wishes back.

use proto::enrollment::v1::{ClearWishesRequest, ClearWishesResponse};
use shared::caller::Caller;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Pupil as PupilKind, Round as RoundKind, Violations};
use shared::{db, status};
use tonic::Status;

use super::{RoundRpc, sight};
use crate::domain::round;
use crate::rpc::error as refusal;
use crate::store;

/// Takes wishes back.
pub async fn clear_wishes(
    rpc: &RoundRpc,
    caller: &Caller,
    request: ClearWishesRequest,
) -> Result<ClearWishesResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let round_id = violations.field("round_id", request.round_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let (Some(request_id), Some(round_id), Some(pupil_id)) = (request_id, round_id, pupil_id) else {
        return Err(status::invalid(&violations));
    };
    sight::of_pupil(rpc, &permit, round_id, pupil_id).await?;
    let content = ClearWishesRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ClearWishes", request_id, &content);
    db::retry(|| clear(rpc, &key, round_id, pupil_id)).await
}

async fn clear(
    rpc: &RoundRpc,
    key: &RequestKey,
    round_id: Id<RoundKind>,
    pupil_id: Id<PupilKind>,
) -> Result<ClearWishesResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let round = store::round::hold(&tx, round_id).await?;
    let round = round.ok_or_else(|| status::not_found("round", round_id))?;
    round::take_wishes(&round, tx.now(rpc.clock.as_ref()).await?).map_err(|error| refusal::round(&error))?;
    store::wish::delete(&tx, &round, pupil_id).await?;
    let response = ClearWishesResponse {};
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
