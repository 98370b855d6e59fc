//! Lets a round close later.

use proto::enrollment::v1::{ExtendRoundRequest, ExtendRoundResponse};
use shared::caller::Caller;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Moment, Round as RoundKind, Staff, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::sight::{self, OFFICE};
use super::{RoundRpc, parse};
use crate::announce::announce;
use crate::domain::round;
use crate::domain::round_news::RoundNews;
use crate::domain::term::Term;
use crate::event::{self, RoundEvent};
use crate::rpc::{convert, error as refusal, open_round};
use crate::store;
use crate::store::round::{ChangeKind, RoundChange};

/// Lets a round close later.
pub async fn extend_round(
    rpc: &RoundRpc,
    caller: &Caller,
    request: ExtendRoundRequest,
) -> Result<ExtendRoundResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let round_id = violations.field("round_id", request.round_id.parse());
    let close_at = violations.field("close_time", open_round::moment(request.close_time.as_ref()));
    let reason = violations.text("reason", &request.reason, 1, parse::REASON);
    let (Some(request_id), Some(round_id), Some(close_at), Some(reason)) =
        (request_id, round_id, close_at, reason)
    else {
        return Err(status::invalid(&violations));
    };
    let (_, term) = sight::reached(rpc, &permit, round_id).await?;
    let content = ExtendRoundRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ExtendRound", request_id, &content);
    db::retry(|| extend(rpc, &key, permit.id(), round_id, &term, close_at, &reason)).await
}

async fn extend(
    rpc: &RoundRpc,
    key: &RequestKey,
    staff_id: Id<Staff>,
    round_id: Id<RoundKind>,
    term: &Term,
    close_at: Moment,
    reason: &str,
) -> Result<ExtendRoundResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    // As when a round is opened: the term's lock first, so that no round is opened into the new time.
    store::term::lock(&tx, term.id).await?;
    let round = store::round::lock(&tx, round_id).await?;
    let round = round.ok_or_else(|| status::not_found("round", round_id))?;
    let others = store::round::list(&tx, &[term.id]).await?;
    let now = tx.now(rpc.clock.as_ref()).await?;
    let round = round::extend(&round, &others, close_at, now).map_err(|error| refusal::round(&error))?;
    store::round::save(&tx, &round).await?;
    let change = RoundChange {
        kind: ChangeKind::Extended,
        reason: reason.to_owned(),
        staff_id,
        close_at,
        created_at: now,
    };
    store::round::record(&tx, random::uuid(now), &round, &change).await?;
    event::tell_round(&tx, &round, RoundEvent::Extended, now).await?;
    let news = RoundNews::Extended { reason: reason.to_owned() };
    announce(&tx, &round, &term.path, &news, now).await?;
    let act = store::draw::find(&tx, &round, None).await?;
    let changes = store::round::list_changes(&tx, std::slice::from_ref(&round)).await?;
    let changes = changes.get(&round.id).map(Vec::as_slice).unwrap_or_default();
    let round = convert::round(&round, &term.path, act.as_ref(), changes);
    let response = ExtendRoundResponse { round: Some(round) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
