//! Publishes a school's fee standard for a term.

use proto::billing::v1::{PublishTariffRequest, PublishTariffResponse, tariff as pb};
use shared::caller::{Caller, Role, StaffPermit};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{Fen, Id, Term, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::convert;
use crate::domain::refusal::Refusal;
use crate::domain::tariff::{Basis, Tariff, judge};
use crate::event;
use crate::store;
use crate::till::Till;
use crate::till::book::Book;

struct Parsed {
    key: RequestKey,
    term_id: Id<Term>,
    basis: Basis,
    amount: Fen,
    approval_document: String,
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
        pb::Basis::Unspecified => {
            violations.note("basis", "must be given");
            None
        }
    };
    violations.check("amount_fen", request.amount_fen >= 1, "must be 1 or more");
    let document = violations.text("approval_document", &request.approval_document, 0, 64);
    let values = || Some((request_id?, term_id?, basis?, document?));
    let (request_id, term_id, basis, approval_document) = convert::read(&violations, values())?;
    let content = PublishTariffRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "PublishTariff", request_id, &content);
    Ok(Parsed { key, term_id, basis, amount: Fen::new(content.amount_fen), approval_document })
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
    let (payee_account, clauses) =
        judge(&policy, term.stage, parsed.basis, parsed.amount, &parsed.approval_document)?;
    let tariff = Tariff {
        id: random::id(now),
        district_id: term.district_id,
        term_id: term.id,
        basis: parsed.basis,
        amount: parsed.amount,
        approval_document: parsed.approval_document.clone(),
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
