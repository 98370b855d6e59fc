//! The methods that only read.

use proto::enrollment::v1::{
    GetDrawBundleRequest, GetDrawBundleResponse, GetDrawReceiptRequest, GetDrawReceiptResponse,
    GetDrawRequest, GetDrawResponse, GetWishesRequest, GetWishesResponse, Wishes as WishesMessage,
};
use shared::caller::Caller;
use shared::value::Violations;
use shared::{db, status};
use tonic::Status;

use super::sight::{self, AUDITORS};
use super::{RoundRpc, convert};
use crate::domain::round::Round;
use crate::store;
use crate::store::draw::Act;

/// Gives a pupil's wishes.
pub async fn get_wishes(
    rpc: &RoundRpc,
    caller: &Caller,
    request: &GetWishesRequest,
) -> Result<GetWishesResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let round_id = violations.field("round_id", request.round_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    let (Some(round_id), Some(pupil_id)) = (round_id, pupil_id) else {
        return Err(status::invalid(&violations));
    };
    let round = sight::of_pupil(rpc, &permit, round_id, pupil_id).await?;
    let found = store::wish::find(rpc.db.read(), &round, pupil_id).await?;
    let wishes = found.map_or_else(
        || WishesMessage {
            round_id: round_id.to_string(),
            pupil_id: pupil_id.to_string(),
            ..WishesMessage::default()
        },
        |wishes| convert::wishes(round_id, &wishes),
    );
    Ok(GetWishesResponse { wishes: Some(wishes) })
}

/// Gives an act of a draw.
pub async fn get_draw(rpc: &RoundRpc, request: &GetDrawRequest) -> Result<GetDrawResponse, Status> {
    let mut violations = Violations::default();
    let round_id = violations.field("round_id", request.round_id.parse());
    violations.check("act", request.act >= 0, "must not be negative");
    let (Some(round_id), true) = (round_id, violations.is_empty()) else {
        return Err(status::invalid(&violations));
    };
    let round = sight::round(rpc, round_id).await?;
    let act = act(rpc, &round, request.act).await?;
    Ok(GetDrawResponse { draw: Some(convert::draw(&act)) })
}

/// Gives an act's bundle.
pub async fn get_draw_bundle(
    rpc: &RoundRpc,
    caller: &Caller,
    request: &GetDrawBundleRequest,
) -> Result<GetDrawBundleResponse, Status> {
    let permit = caller.staff(AUDITORS)?;
    let mut violations = Violations::default();
    let round_id = violations.field("round_id", request.round_id.parse());
    violations.check("act", request.act >= 0, "must not be negative");
    let (Some(round_id), true) = (round_id, violations.is_empty()) else {
        return Err(status::invalid(&violations));
    };
    let (round, _) = sight::reached(rpc, &permit, round_id).await?;
    let act = act(rpc, &round, request.act).await?;
    let bundle = store::draw::find_bundle(rpc.db.read(), &round, &act).await?;
    let bundle = bundle.ok_or_else(|| status::not_found("draw", act.terms.act))?;
    Ok(GetDrawBundleResponse { content: bundle.into_bytes() })
}

/// Gives what a family keeps of an act.
pub async fn get_draw_receipt(
    rpc: &RoundRpc,
    caller: &Caller,
    request: &GetDrawReceiptRequest,
) -> Result<GetDrawReceiptResponse, Status> {
    let permit = caller.guardian()?;
    let mut violations = Violations::default();
    let round_id = violations.field("round_id", request.round_id.parse());
    let pupil_id = violations.field("pupil_id", request.pupil_id.parse());
    violations.check("act", request.act >= 0, "must not be negative");
    let (Some(round_id), Some(pupil_id), true) = (round_id, pupil_id, violations.is_empty()) else {
        return Err(status::invalid(&violations));
    };
    let round = sight::of_pupil(rpc, &permit, round_id, pupil_id).await?;
    let act = act(rpc, &round, request.act).await?;
    let kept = store::draw::find_kept(rpc.db.read(), &rpc.vault, &round, &act, pupil_id).await?;
    let kept = kept.ok_or_else(|| status::not_found("draw", act.terms.act))?;
    let ids: Vec<_> = kept.wishes.iter().map(|wish| wish.section_id).collect();
    let sections = store::section::find_all(rpc.db.read(), ids).await?;
    let titles = sections.into_iter().map(|section| (section.id, section.title)).collect();
    let receipt_json = serde_json::to_string(&kept.receipt)
        .map_err(|error| db::Error::inconsistent("draw_entry", pupil_id, error))?;
    Ok(GetDrawReceiptResponse {
        receipt_json,
        results: convert::results(&act.terms, &kept, &titles),
        act: convert::count(act.terms.act),
    })
}

/// An act of a round; 0 means the last.
async fn act(rpc: &RoundRpc, round: &Round, wanted: i32) -> Result<Act, Status> {
    let found = store::draw::find(rpc.db.read(), round, (wanted > 0).then_some(wanted)).await?;
    found.ok_or_else(|| status::not_found("draw", wanted))
}
