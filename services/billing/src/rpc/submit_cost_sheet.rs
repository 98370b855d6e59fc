//! Submits what the service of a school, or one of its courses, costs in a term.

use proto::billing::v1::{SubmitCostSheetRequest, SubmitCostSheetResponse};
use shared::caller::{Caller, Role, StaffPermit};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{Fen, Id, Section, Term, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::convert;
use crate::domain::cost_sheet::{CostSheet, Item, State};
use crate::domain::refusal::Refusal;
use crate::store;
use crate::till::Till;

/// The most items of a sheet.
const ITEMS: usize = 40;

struct Parsed {
    key: RequestKey,
    term_id: Id<Term>,
    section_id: Option<Id<Section>>,
    items: Vec<Item>,
    pupil_count: u32,
}

pub async fn submit_cost_sheet(
    till: &Till,
    caller: &Caller,
    request: SubmitCostSheetRequest,
) -> Result<SubmitCostSheetResponse, Status> {
    let permit = caller.staff(&[Role::SchoolFinance, Role::Principal])?;
    let parsed = parse(caller, request)?;
    db::retry(|| submit(till, &permit, &parsed)).await
}

fn parse(caller: &Caller, request: SubmitCostSheetRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = convert::request_id(&mut violations, &request.request_id);
    let term_id = convert::id(&mut violations, "term_id", &request.term_id);
    let section_id = match request.section_id.as_str() {
        "" => Some(None),
        text => convert::id(&mut violations, "section_id", text).map(Some),
    };
    violations.check("items", (1..=ITEMS).contains(&request.items.len()), "must be 1 to 40");
    let mut items = Vec::with_capacity(request.items.len());
    for (index, item) in request.items.iter().enumerate() {
        let name = violations.text(&format!("items[{index}].name"), &item.name, 1, 40);
        violations.check(&format!("items[{index}].amount_fen"), item.amount_fen >= 1, "must be 1 or more");
        items.extend(name.map(|name| Item { name, amount: Fen::new(item.amount_fen) }));
    }
    let total = Fen::total(items.iter().map(|item| item.amount));
    violations.check("items", total.is_ok(), "must have a sum that fits");
    let pupil_count = u32::try_from(request.pupil_count).ok().filter(|count| (1..=99_999).contains(count));
    violations.check("pupil_count", pupil_count.is_some(), "must be 1 to 99,999");
    let values = || Some((request_id?, term_id?, section_id?, pupil_count?));
    let (request_id, term_id, section_id, pupil_count) = convert::read(&violations, values())?;
    let content = SubmitCostSheetRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "SubmitCostSheet", request_id, &content);
    Ok(Parsed { key, term_id, section_id, items, pupil_count })
}

async fn submit(
    till: &Till,
    permit: &StaffPermit,
    parsed: &Parsed,
) -> Result<SubmitCostSheetResponse, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let claim = match claim(&tx, &parsed.key, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let not_found = || status::not_found("term", parsed.term_id);
    let term = store::term::find(&tx, parsed.term_id).await?.ok_or_else(not_found)?;
    permit.reach(&convert::node_path(&term.path), "term", parsed.term_id)?;
    if let Some(section_id) = parsed.section_id {
        let section = store::section::find_all(&tx, [section_id]).await?.remove(&section_id);
        if section.is_none_or(|section| section.term_id != term.id) {
            return Err(status::not_found("section", section_id));
        }
    }
    let of_kind = store::cost_sheet::of(&tx, term.id, parsed.section_id).await?;
    if of_kind.iter().any(|sheet| sheet.state == State::Submitted) {
        return Err(Refusal::CostSheetPending.into());
    }
    let sheet = CostSheet {
        id: random::id(now),
        district_id: term.district_id,
        school_id: term.school_id(),
        path: term.path.clone(),
        term_id: term.id,
        section_id: parsed.section_id,
        items: parsed.items.clone(),
        pupil_count: parsed.pupil_count,
        submitted_by: permit.id(),
        state: State::Submitted,
        created_at: now,
    };
    if let Err(error) = store::cost_sheet::insert(&tx, &sheet).await {
        let violated = error.violated();
        let is_pending = violated.is_some_and(|name| store::cost_sheet::ONE_PENDING.contains(&name.as_str()));
        return Err(if is_pending { Refusal::CostSheetPending.into() } else { error.into() });
    }
    let answer = SubmitCostSheetResponse { cost_sheet: Some(convert::cost_sheet(&sheet)?) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}
