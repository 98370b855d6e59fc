//! Closes a month of a district's books; lists the months.

use proto::billing::v1::{
    ClosePeriodRequest, ClosePeriodResponse, ListPeriodsRequest, ListPeriodsResponse, Period as Message,
    period as pb,
};
use shared::caller::{Caller, NodePath, Role, StaffPermit};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{District, Id, Violations};
use shared::{db, status};
use tonic::Status;

use super::convert;
use crate::domain::period::{Month, Standing, State, close};
use crate::store;
use crate::store::period::Period;
use crate::till::Till;

struct Parsed {
    key: RequestKey,
    district_id: Id<District>,
    month: Month,
}

pub async fn close_period(
    till: &Till,
    caller: &Caller,
    request: ClosePeriodRequest,
) -> Result<ClosePeriodResponse, Status> {
    let permit = caller.staff(&[Role::BureauFinance])?;
    let mut violations = Violations::default();
    let request_id = convert::request_id(&mut violations, &request.request_id);
    let district_id: Option<Id<District>> = convert::id(&mut violations, "district_id", &request.district_id);
    let month = violations.field("month", request.month.parse::<Month>());
    let values = || Some((request_id?, district_id?, month?));
    let (request_id, district_id, month) = convert::read(&violations, values())?;
    permit.reach(&NodePath::new(vec![district_id.uuid()]), "district", district_id)?;
    let content = ClosePeriodRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ClosePeriod", request_id, &content);
    let parsed = Parsed { key, district_id, month };
    db::retry(|| close_in(till, &permit, &parsed)).await
}

async fn close_in(till: &Till, permit: &StaffPermit, parsed: &Parsed) -> Result<ClosePeriodResponse, Status> {
    let Parsed { district_id, month, .. } = *parsed;
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let claim = match claim(&tx, &parsed.key, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    // The head of the chain stands for the district's books: who holds it, nothing is sealed and no month closed beside.
    store::chain::lock_head(&tx, district_id.uuid()).await?;
    let known = store::period::find(&tx, district_id, month).await?;
    let standing = Standing {
        state: known.map(|period| period.state),
        last_closed: store::period::last_closed(&tx, district_id).await?,
        waiting_count: store::case::waiting_count(&tx, Some(district_id), Some(month.last_day())).await?,
    };
    let state = close(month, standing, permit.id(), now)?;
    let is_closing = matches!(state, State::Closed { .. }) && standing.state != Some(state);
    if is_closing && store::period::has_unsealed(&tx, district_id, month.ends_at()).await? {
        return Err(status::unavailable("LEDGER_NOT_SEALED"));
    }
    let period = match known {
        Some(period) if standing.state == Some(state) => period,
        Some(_) | None => {
            let (journal_count, debit) = store::period::totals(&tx, district_id, month.ends_at()).await?;
            let period = Period { district_id, month, state, journal_count, debit };
            store::period::save(&tx, &period).await?;
            period
        }
    };
    let answer = ClosePeriodResponse { period: Some(message(&period)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    if is_closing {
        tracing::info!(district.id = %district_id, %month, "the books of {month} are closed");
    }
    Ok(answer)
}

pub async fn list_periods(
    till: &Till,
    caller: &Caller,
    request: ListPeriodsRequest,
) -> Result<ListPeriodsResponse, Status> {
    let permit = caller.staff(&[Role::BureauFinance])?;
    let mut violations = Violations::default();
    let district_id: Option<Id<District>> = convert::id(&mut violations, "district_id", &request.district_id);
    let district_id = convert::read(&violations, district_id)?;
    permit.reach(&NodePath::new(vec![district_id.uuid()]), "district", district_id)?;
    let periods = store::period::list(till.db.read(), district_id).await?;
    Ok(ListPeriodsResponse { periods: periods.iter().map(message).collect() })
}

fn message(period: &Period) -> Message {
    let (state, proposed_by, closed) = match period.state {
        State::Proposed { by } => (pb::State::Proposed, by, None),
        State::Closed { proposed_by, by, at } => (pb::State::Closed, proposed_by, Some((by, at))),
    };
    Message {
        month: period.month.to_string(),
        state: state.into(),
        proposed_by: proposed_by.to_string(),
        closed_by: closed.map(|(by, _)| by.to_string()).unwrap_or_default(),
        close_time: closed.map(|(_, at)| convert::timestamp(at)),
        journal_count: period.journal_count,
        total_fen: period.debit.get(),
    }
}
