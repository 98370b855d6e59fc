//! Begins another act of a draw.

use draw::{Root, Source};
use proto::enrollment::v1::{RepeatDrawRequest, RepeatDrawResponse};
use shared::caller::Caller;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Round as RoundKind, Staff, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::sight::{self, PRINCIPAL};
use super::{RoundRpc, convert, error, parse};
use crate::domain::draw::{closing, terms};
use crate::domain::round;
use crate::rpc::error as refusal;
use crate::store::round::{ChangeKind, RoundChange};
use crate::{lists, store};

/// Begins another act.
pub async fn repeat_draw(
    rpc: &RoundRpc,
    caller: &Caller,
    request: RepeatDrawRequest,
) -> Result<RepeatDrawResponse, Status> {
    let permit = caller.staff(PRINCIPAL)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let round_id = violations.field("round_id", request.round_id.parse());
    let reason = violations.text("reason", &request.reason, 1, parse::REASON);
    let sources = parse::sources(&mut violations, &request.sources);
    let (Some(request_id), Some(round_id), Some(reason), true) =
        (request_id, round_id, reason, violations.is_empty())
    else {
        return Err(status::invalid(&violations));
    };
    sight::reached(rpc, &permit, round_id).await?;
    let content = RepeatDrawRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "RepeatDraw", request_id, &content);
    db::retry(|| repeat(rpc, &key, permit.id(), round_id, &reason, &sources)).await
}

async fn repeat(
    rpc: &RoundRpc,
    key: &RequestKey,
    staff_id: Id<Staff>,
    round_id: Id<RoundKind>,
    reason: &str,
    sources: &[Source],
) -> Result<RepeatDrawResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let round = store::round::lock(&tx, round_id).await?;
    let round = round.ok_or_else(|| status::not_found("round", round_id))?;
    round::repeat(&round).map_err(|error| refusal::round(&error))?;
    let inconsistent = |why: &str| db::Error::inconsistent("round", round.id, why);
    let before = store::draw::find(&tx, &round, None).await?;
    let before = before.ok_or_else(|| inconsistent("it is drawn and has no act"))?;
    let root = before.committed().ok_or_else(|| inconsistent("closed without a commitment"))?.root;
    let terms = terms::repeat(&before.terms, Root::new(root), sources.to_vec());
    let terms = terms.map_err(|problems| error::settings(&problems))?;

    let now = rpc.clock.now();
    if before.drawn().is_none() {
        store::draw::abandon(&tx, &round, &before).await?;
    }
    store::draw::insert(&tx, &round, &terms, reason, now).await?;
    let change = RoundChange {
        kind: ChangeKind::Repeated,
        reason: reason.to_owned(),
        staff_id,
        close_at: round.close_at,
        created_at: now,
    };
    store::round::record(&tx, random::uuid(now), &round, &change).await?;
    let sections = closing::section_ids(&terms);
    lists::close(&tx, &rpc.vault, &round, terms, now).await?;
    let act = store::draw::find(&tx, &round, None).await?;
    let response = RepeatDrawResponse { draw: act.as_ref().map(convert::draw) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    rpc.hints.forget(sections.into_iter().flatten());
    Ok(response)
}
