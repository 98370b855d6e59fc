//! Calls a round off.

use proto::enrollment::v1::{CancelRoundRequest, CancelRoundResponse};
use shared::caller::Caller;
use shared::db::Tx;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Round as RoundKind, Section as SectionKind, Staff, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::sight::{self, PRINCIPAL};
use super::{RoundRpc, parse};
use crate::announce::announce;
use crate::domain::draw::closing;
use crate::domain::round;
use crate::domain::round_news::RoundNews;
use crate::domain::term::Term;
use crate::event::{self, RoundEvent};
use crate::rpc::{convert, error as refusal};
use crate::store;
use crate::store::draw::Act;
use crate::store::round::{ChangeKind, RoundChange};

/// Calls a round off.
pub async fn cancel_round(
    rpc: &RoundRpc,
    caller: &Caller,
    request: CancelRoundRequest,
) -> Result<CancelRoundResponse, Status> {
    let permit = caller.staff(PRINCIPAL)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let round_id = violations.field("round_id", request.round_id.parse());
    let reason = violations.text("reason", &request.reason, 1, parse::REASON);
    let (Some(request_id), Some(round_id), Some(reason)) = (request_id, round_id, reason) else {
        return Err(status::invalid(&violations));
    };
    let (_, term) = sight::reached(rpc, &permit, round_id).await?;
    let content = CancelRoundRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "CancelRound", request_id, &content);
    db::retry(|| cancel(rpc, &key, permit.id(), round_id, &term, &reason)).await
}

async fn cancel(
    rpc: &RoundRpc,
    key: &RequestKey,
    staff_id: Id<Staff>,
    round_id: Id<RoundKind>,
    term: &Term,
    reason: &str,
) -> Result<CancelRoundResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let found = store::round::lock(&tx, round_id).await?;
    let found = found.ok_or_else(|| status::not_found("round", round_id))?;
    let now = tx.now(rpc.clock.as_ref()).await?;
    let act = store::draw::find(&tx, &found, None).await?;
    let cancelled = round::cancel(&found, reason, now).map_err(|error| refusal::round(&error))?;
    let mut freed = Vec::new();
    if let Some(round) = &cancelled {
        if found.state == round::State::Closed {
            freed = give_back(&tx, act.as_ref()).await?;
        }
        store::round::save(&tx, round).await?;
        let change = RoundChange {
            kind: ChangeKind::Cancelled,
            reason: reason.to_owned(),
            staff_id,
            close_at: round.close_at,
            created_at: now,
        };
        store::round::record(&tx, random::uuid(now), round, &change).await?;
        event::tell_round(&tx, round, RoundEvent::Cancelled, now).await?;
        let news = RoundNews::Cancelled { reason: reason.to_owned() };
        announce(&tx, round, &term.path, &news, now).await?;
    }
    let round = cancelled.unwrap_or(found);
    let changes = store::round::list_changes(&tx, std::slice::from_ref(&round)).await?;
    let changes = changes.get(&round.id).map(Vec::as_slice).unwrap_or_default();
    let round = convert::round(&round, &term.path, act.as_ref(), changes);
    let response = CancelRoundResponse { round: Some(round) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    rpc.hints.forget(freed);
    Ok(response)
}

/// Frees the seats that were promised to the draw.
async fn give_back(tx: &Tx, act: Option<&Act>) -> Result<Vec<Id<SectionKind>>, db::Error> {
    let ids: Vec<_> = act.into_iter().flat_map(|act| closing::section_ids(&act.terms)).flatten().collect();
    let mut sections = store::section::lock(tx, ids.iter().copied()).await?;
    for section in &mut sections {
        section.seats.promised_count = 0;
    }
    store::section::save_seats(tx, &sections).await?;
    Ok(ids)
}
