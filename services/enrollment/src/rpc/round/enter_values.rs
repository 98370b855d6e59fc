//! Enters the values of a draw's sources.

use draw::{Root, Seed, seed};
use proto::enrollment::v1::{EnterValuesRequest, EnterValuesResponse};
use shared::caller::Caller;
use shared::request::{self, Claimed, RequestKey};
use shared::value::{Id, Round as RoundKind, Staff, Violations};
use shared::{db, status};
use tonic::Status;

use super::sight::{self, OFFICE};
use super::{RoundRpc, convert, error};
use crate::domain::round;
use crate::rpc::error as refusal;
use crate::store;
use crate::store::draw::Entered;

/// Enters values.
pub async fn enter_values(
    rpc: &RoundRpc,
    caller: &Caller,
    request: EnterValuesRequest,
) -> Result<EnterValuesResponse, Status> {
    let permit = caller.staff(OFFICE)?;
    let mut violations = Violations::default();
    let request_id = violations.field("request_id", request.request_id.parse());
    let round_id = violations.field("round_id", request.round_id.parse());
    let (Some(request_id), Some(round_id)) = (request_id, round_id) else {
        return Err(status::invalid(&violations));
    };
    sight::reached(rpc, &permit, round_id).await?;
    let content = EnterValuesRequest { request_id: String::new(), ..request.clone() };
    let key = RequestKey::new(&caller.key(), "EnterValues", request_id, &content);
    db::retry(|| enter(rpc, &key, permit.id(), round_id, &request.values)).await
}

async fn enter(
    rpc: &RoundRpc,
    key: &RequestKey,
    staff_id: Id<Staff>,
    round_id: Id<RoundKind>,
    typed: &[String],
) -> Result<EnterValuesResponse, Status> {
    let tx = rpc.db.begin().await?;
    let claim = match request::claim(&tx, key, rpc.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let round = store::round::lock(&tx, round_id).await?;
    let round = round.ok_or_else(|| status::not_found("round", round_id))?;
    round::draw(&round).map_err(|error| refusal::round(&error))?;
    let inconsistent = |why: &str| db::Error::inconsistent("round", round.id, why);
    let act = store::draw::find(&tx, &round, None).await?;
    let act = act.ok_or_else(|| inconsistent("it is drawn and has no act"))?;
    let committed = act.committed().ok_or_else(|| inconsistent("closed without a commitment"))?;

    let sources = &act.terms.sources;
    let names: Vec<_> = sources.iter().map(|source| source.name.clone()).collect();
    // Contributions are held against their seals here: a wrong value is told to who types it.
    let combined = Seed::combine(&act.terms, &Root::new(committed.root), typed);
    combined.map_err(|error| error::seed(&error, &names))?;
    let values = sources.iter().zip(typed).map(|(source, typed)| seed::normalise(source, typed));
    let values = values.collect::<Result<_, _>>().map_err(|error| error::seed(&error, &names))?;

    let entered = Entered { values, staff_id: staff_id.uuid(), at: rpc.clock.now() };
    store::draw::enter(&tx, &round, &act, &entered).await?;
    let act = store::draw::find(&tx, &round, None).await?;
    let response = EnterValuesResponse { draw: act.as_ref().map(convert::draw) };
    claim.answer(&tx, &response).await?;
    tx.commit().await?;
    Ok(response)
}
