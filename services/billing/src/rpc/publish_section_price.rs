//! Publishes the price of a section that has one of its own.

use proto::billing::v1::{PublishSectionPriceRequest, PublishSectionPriceResponse};
use shared::caller::{Caller, Role, StaffPermit};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{Fen, Id, Section, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::convert;
use crate::domain::refusal::Refusal;
use crate::domain::section_price::{SectionPrice, judge, term_ceiling};
use crate::event;
use crate::store;
use crate::till::Till;
use crate::till::book::Book;

struct Parsed {
    key: RequestKey,
    section_id: Id<Section>,
    amount: Fen,
    approval_document: String,
}

pub async fn publish_section_price(
    till: &Till,
    caller: &Caller,
    request: PublishSectionPriceRequest,
) -> Result<PublishSectionPriceResponse, Status> {
    let permit = caller.staff(&[Role::SchoolFinance, Role::Principal])?;
    let parsed = parse(caller, request)?;
    db::retry(|| publish(till, &permit, &parsed)).await
}

fn parse(caller: &Caller, request: PublishSectionPriceRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = convert::request_id(&mut violations, &request.request_id);
    let section_id = convert::id(&mut violations, "section_id", &request.section_id);
    violations.check("amount_fen", request.amount_fen >= 1, "must be 1 or more");
    let document = violations.text("approval_document", &request.approval_document, 0, 64);
    let values = || Some((request_id?, section_id?, document?));
    let (request_id, section_id, approval_document) = convert::read(&violations, values())?;
    let content = PublishSectionPriceRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "PublishSectionPrice", request_id, &content);
    Ok(Parsed { key, section_id, amount: Fen::new(content.amount_fen), approval_document })
}

async fn publish(
    till: &Till,
    permit: &StaffPermit,
    parsed: &Parsed,
) -> Result<PublishSectionPriceResponse, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let claim = match claim(&tx, &parsed.key, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let not_found = || status::not_found("section", parsed.section_id);
    let section = store::section::find_all(&tx, [parsed.section_id]).await?.remove(&parsed.section_id);
    let section = section.ok_or_else(not_found)?;
    let term = store::term::find(&tx, section.term_id).await?.ok_or_else(not_found)?;
    permit.reach(&convert::node_path(&term.path), "section", parsed.section_id)?;
    let policy = till.policy(&term)?;
    let sheets = store::cost_sheet::of(&tx, term.id, Some(section.id)).await?;
    let sheet = sheets.iter().find(|sheet| sheet.is_approved());
    let (payee_account, clauses) =
        judge(&policy, term.stage, parsed.amount, &parsed.approval_document, sheet.is_some())?;
    let price = SectionPrice {
        id: random::id(now),
        district_id: term.district_id,
        term_id: term.id,
        section_id: section.id,
        amount: parsed.amount,
        approval_document: parsed.approval_document.clone(),
        cost_sheet_id: sheet.map(|sheet| sheet.id),
        payee_account,
    };
    if let Err(error) = store::section_price::insert(&tx, &price, permit.id(), now).await {
        return Err(match error.violated().as_deref() {
            Some(store::section_price::ONE_PER_SECTION) => Refusal::SectionPriceAlreadyPublished.into(),
            _ => error.into(),
        });
    }
    if store::invoice::is_billed(&tx, section.id).await? {
        // Those who were billed by the fee standard chose by it.
        return Err(Refusal::SectionBilledAlready.into());
    }
    event::section_priced(&tx, &price, term_ceiling(&policy).as_ref(), now).await?;
    // Seats may have been held before there was a price.
    for pupil_id in store::invoice::unpriced_pupils(&tx, term.id).await? {
        if let Some(mut book) = Book::lock(till, &tx, pupil_id, term.id).await? {
            book.follow_up(&tx, now).await?;
        }
    }
    let answer = PublishSectionPriceResponse {
        section_price: Some(convert::section_price(&price, section.title)),
        clauses: convert::clauses(&clauses),
    };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}
