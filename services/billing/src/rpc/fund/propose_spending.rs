//! Proposes to spend money.

use chrono::NaiveDate;
use proto::billing::v1::{ProposeSpendingRequest, ProposeSpendingResponse};
use shared::caller::{Caller, StaffPermit};
use shared::db;
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{Fen, Id, Term as TermKind, Violations};
use tonic::Status;

use super::{SCHOOL_ROLES, convert};
use crate::domain::fund::Content;
use crate::domain::fund::spending::{Spending, judge};
use crate::rpc::convert as common;
use crate::store;
use crate::till::Till;

struct Parsed {
    key: RequestKey,
    term_id: Id<TermKind>,
    purpose: String,
    payee: String,
    day: NaiveDate,
    amount: Fen,
    document: String,
}

pub async fn propose_spending(
    till: &Till,
    caller: &Caller,
    request: ProposeSpendingRequest,
) -> Result<ProposeSpendingResponse, Status> {
    let permit = caller.staff(SCHOOL_ROLES)?;
    let parsed = parse(caller, request)?;
    db::retry(|| propose(till, &permit, &parsed)).await
}

fn parse(caller: &Caller, request: ProposeSpendingRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = common::request_id(&mut violations, &request.request_id);
    let term_id = common::id(&mut violations, "term_id", &request.term_id);
    let purpose = violations.text("purpose", &request.purpose, 1, 60);
    let payee = violations.text("payee", &request.payee, 1, 60);
    let day = violations.field("day", request.day.parse::<NaiveDate>());
    violations.check("amount_fen", request.amount_fen >= 1, "must be 1 or more");
    let document = violations.text("document", &request.document, 1, 64);
    let values = || Some((request_id?, term_id?, purpose?, payee?, day?, document?));
    let (request_id, term_id, purpose, payee, day, document) = common::read(&violations, values())?;
    let content = ProposeSpendingRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ProposeSpending", request_id, &content);
    Ok(Parsed { key, term_id, purpose, payee, day, amount: Fen::new(content.amount_fen), document })
}

async fn propose(
    till: &Till,
    permit: &StaffPermit,
    parsed: &Parsed,
) -> Result<ProposeSpendingResponse, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let claim = match claim(&tx, &parsed.key, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let term = super::lock_term(&tx, permit, parsed.term_id).await?;
    let policy = till.policy(&term)?;
    let (purpose, purpose_zh, clauses) = judge(&policy, &parsed.purpose)?;
    let spending = Spending { purpose, purpose_zh, payee: parsed.payee.clone(), day: parsed.day };
    let content = Content::Spending(spending);
    let entry = super::proposed(&term, content, parsed.amount, &parsed.document, clauses, permit.id(), now);
    store::fund::insert(&tx, &entry).await?;
    let answer = ProposeSpendingResponse { fund_entry: Some(convert::fund_entry(&entry)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}
