//! Decides a cost sheet: the bureau, and never who submitted it.

use proto::billing::v1::{DecideCostSheetRequest, DecideCostSheetResponse};
use shared::caller::{Caller, Role, StaffPermit};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{CostSheet, Id, Violations};
use shared::{db, status};
use tonic::Status;

use super::convert;
use crate::domain::cost_sheet::{Decision, decide};
use crate::store;
use crate::till::Till;

/// Who decides.
pub const BUREAU: &[Role] = &[Role::BureauFinance, Role::BureauOfficer];

struct Parsed {
    key: RequestKey,
    cost_sheet_id: Id<CostSheet>,
    decision: Decision,
}

pub async fn decide_cost_sheet(
    till: &Till,
    caller: &Caller,
    request: DecideCostSheetRequest,
) -> Result<DecideCostSheetResponse, Status> {
    let permit = caller.staff(BUREAU)?;
    let parsed = parse(caller, request)?;
    db::retry(|| decide_in(till, &permit, &parsed)).await
}

fn parse(caller: &Caller, request: DecideCostSheetRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = convert::request_id(&mut violations, &request.request_id);
    let cost_sheet_id = convert::id(&mut violations, "cost_sheet_id", &request.cost_sheet_id);
    let reason = violations.text("reason", &request.reason, 0, 400);
    let values = || Some((request_id?, cost_sheet_id?, reason?));
    let (request_id, cost_sheet_id, reason) = convert::read(&violations, values())?;
    let decision = if request.approved { Decision::Approve } else { Decision::Reject { reason } };
    let content = DecideCostSheetRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "DecideCostSheet", request_id, &content);
    Ok(Parsed { key, cost_sheet_id, decision })
}

async fn decide_in(
    till: &Till,
    permit: &StaffPermit,
    parsed: &Parsed,
) -> Result<DecideCostSheetResponse, Status> {
    let tx = till.db.begin().await?;
    let claim = match claim(&tx, &parsed.key, till.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let not_found = || status::not_found("cost_sheet", parsed.cost_sheet_id);
    let mut sheet = store::cost_sheet::lock(&tx, parsed.cost_sheet_id).await?.ok_or_else(not_found)?;
    permit.reach(&convert::node_path(&sheet.path), "cost_sheet", parsed.cost_sheet_id)?;
    let next = decide(&sheet, permit.id(), parsed.decision.clone())?;
    if next != sheet.state {
        sheet.state = next;
        store::cost_sheet::save(&tx, &sheet).await?;
    }
    let answer = DecideCostSheetResponse { cost_sheet: Some(convert::cost_sheet(&sheet)?) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}
