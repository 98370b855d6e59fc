//! Publishes a school's fee standard for a term.

use chrono::NaiveTime;
use proto::billing::v1::{PublishTariffRequest, PublishTariffResponse, tariff as pb};
use shared::caller::{Caller, Role, StaffPermit};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{Fen, Id, Term, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::convert;
use crate::domain::refusal::Refusal;
use crate::domain::tariff::{Basis, EndSlot, Proposal, SharingPlan, Tariff, judge};
use crate::event;
use crate::store;
use crate::till::Till;
use crate::till::book::Book;

/// The most end slots a school may have.
const END_SLOTS: usize = 8;

struct Parsed {
    key: RequestKey,
    term_id: Id<Term>,
    proposal: Proposal,
}

pub async fn publish_tariff(
    till: &Till,
    caller: &Caller,
    request: PublishTariffRequest,
) -> Result<PublishTariffResponse, Status> {
    let permit = caller.staff(&[Role::SchoolFinance, Role::Principal])?;
    let parsed = parse(caller, request)?;
    db::retry(|| publish(till, &permit, &parsed)).await
}

fn parse(caller: &Caller, request: PublishTariffRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = convert::request_id(&mut violations, &request.request_id);
    let term_id = convert::id(&mut violations, "term_id", &request.term_id);
    let basis = match request.basis() {
        pb::Basis::Term => Some(Basis::Term),
        pb::Basis::ClassHour => Some(Basis::ClassHour),
        pb::Basis::Month => Some(Basis::Month),
        pb::Basis::Day => Some(Basis::Day),
        pb::Basis::SlotMonth => Some(Basis::SlotMonth),
        pb::Basis::Unspecified => {
            violations.note("basis", "must be given");
            None
        }
    };
    let end_slots = end_slots(&mut violations, &request);
    let amount = match (basis, end_slots.last()) {
        (Some(Basis::SlotMonth), Some(last)) => last.amount,
        (Some(Basis::SlotMonth), None) => Fen::ZERO,
        (Some(Basis::Term | Basis::ClassHour | Basis::Month | Basis::Day) | None, _) => {
            violations.check("amount_fen", request.amount_fen >= 1, "must be 1 or more");
            Fen::new(request.amount_fen)
        }
    };
    let document = violations.text("approval_document", &request.approval_document, 0, 64);
    let sharing = sharing(&mut violations, &request, amount);
    let values = || Some((request_id?, term_id?, basis?, document?));
    let (request_id, term_id, basis, approval_document) = convert::read(&violations, values())?;
    let content = PublishTariffRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "PublishTariff", request_id, &content);
    Ok(Parsed { key, term_id, proposal: Proposal { basis, amount, end_slots, approval_document, sharing } })
}

fn end_slots(violations: &mut Violations, request: &PublishTariffRequest) -> Vec<EndSlot> {
    let given = &request.end_slots;
    if request.basis() != pb::Basis::SlotMonth {
        violations.check("end_slots", given.is_empty(), "must be empty but for slot_month");
        return Vec::new();
    }
    violations.check(
        "amount_fen",
        request.amount_fen == 0,
        "must be 0 for slot_month: each end slot has its own",
    );
    violations.check("end_slots", (1..=END_SLOTS).contains(&given.len()), "must be 1 to 8 for slot_month");
    let mut slots: Vec<EndSlot> = Vec::new();
    for (index, slot) in given.iter().enumerate() {
        let field = |name: &str| format!("end_slots[{index}].{name}");
        violations.check(&field("amount_fen"), slot.amount_fen >= 1, "must be 1 or more");
        let Ok(ends) = NaiveTime::parse_from_str(&slot.end_time, "%H:%M") else {
            violations.note(field("end_time"), "must be a time `HH:MM`");
            continue;
        };
        let is_later = slots.last().is_none_or(|last| last.ends < ends);
        violations.check(&field("end_time"), is_later, "must be later than the slot before");
        slots.push(EndSlot { ends, amount: Fen::new(slot.amount_fen) });
    }
    slots
}

fn sharing(violations: &mut Violations, request: &PublishTariffRequest, amount: Fen) -> Option<SharingPlan> {
    let plan = request.sharing_plan.as_ref()?;
    for (field, part) in
        [("sharing_plan.government_fen", plan.government_fen), ("sharing_plan.school_fen", plan.school_fen)]
    {
        violations.check(field, part >= 0, "must be 0 or more");
    }
    let is_price = Fen::new(plan.parents_fen) == amount;
    violations.check("sharing_plan.parents_fen", is_price, "must be the amount parents pay");
    Some(SharingPlan {
        government: Fen::new(plan.government_fen),
        school: Fen::new(plan.school_fen),
        parents: Fen::new(plan.parents_fen),
    })
}

async fn publish(
    till: &Till,
    permit: &StaffPermit,
    parsed: &Parsed,
) -> Result<PublishTariffResponse, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let claim = match claim(&tx, &parsed.key, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let not_found = || status::not_found("term", parsed.term_id);
    let term = store::term::find(&tx, parsed.term_id).await?.ok_or_else(not_found)?;
    permit.reach(&convert::node_path(&term.path), "term", parsed.term_id)?;
    let policy = till.policy(&term)?;
    let sheets = store::cost_sheet::of(&tx, term.id, None).await?;
    let sheet = sheets.iter().find(|sheet| sheet.is_approved());
    let (payee_account, clauses) = judge(&policy, term.stage, &parsed.proposal, sheet.is_some())?;
    let Proposal { basis, amount, end_slots, approval_document, sharing } = parsed.proposal.clone();
    let tariff = Tariff {
        id: random::id(now),
        district_id: term.district_id,
        term_id: term.id,
        basis,
        amount,
        end_slots,
        approval_document,
        sharing,
        cost_sheet_id: sheet.map(|sheet| sheet.id),
        payee_account,
    };
    if let Err(error) = store::tariff::insert(&tx, &tariff, permit.id(), now).await {
        return Err(match error.violated().as_deref() {
            Some(store::tariff::ONE_PER_TERM) => Refusal::TariffAlreadyPublished.into(),
            _ => error.into(),
        });
    }
    event::tariff(&tx, term.district_id, term.id, now).await?;
    // Seats may have been held before there was a price.
    for pupil_id in store::invoice::unpriced_pupils(&tx, term.id).await? {
        if let Some(mut book) = Book::lock(till, &tx, pupil_id, term.id).await? {
            book.follow_up(&tx, now).await?;
        }
    }
    let answer =
        PublishTariffResponse { tariff: Some(convert::tariff(&tariff)), clauses: convert::clauses(&clauses) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}
