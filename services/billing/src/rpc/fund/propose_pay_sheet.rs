//! Proposes staff pay for a month.

use std::collections::BTreeSet;

use chrono::{Datelike as _, Months, NaiveDate};
use policy::staff::Staffing;
use proto::billing::v1::pay_sheet as pb;
use proto::billing::v1::{ProposePaySheetRequest, ProposePaySheetResponse};
use shared::caller::{Caller, StaffPermit};
use shared::db;
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{Fen, Id, Term as TermKind, Violations};
use tonic::Status;

use super::{SCHOOL_ROLES, convert};
use crate::domain::fund::Content;
use crate::domain::fund::pay_sheet::{Asked, PaySheet, Performance, line};
use crate::domain::refusal::Refusal;
use crate::domain::term::Term;
use crate::rpc::convert as common;
use crate::store;
use crate::till::Till;

/// How many people a sheet has at most.
const LINES: usize = 300;

/// How many class hours a person gives in a month at most.
const HOURS: i32 = 300;

struct Parsed {
    key: RequestKey,
    term_id: Id<TermKind>,
    month: NaiveDate,
    lines: Vec<Asked>,
    is_last: bool,
    performance: Performance,
}

pub async fn propose_pay_sheet(
    till: &Till,
    caller: &Caller,
    request: ProposePaySheetRequest,
) -> Result<ProposePaySheetResponse, Status> {
    let permit = caller.staff(SCHOOL_ROLES)?;
    let parsed = parse(caller, request)?;
    db::retry(|| propose(till, &permit, &parsed)).await
}

fn parse(caller: &Caller, request: ProposePaySheetRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = common::request_id(&mut violations, &request.request_id);
    let term_id = common::id(&mut violations, "term_id", &request.term_id);
    let month = format!("{}-01", request.month).parse::<NaiveDate>();
    let month = violations.field("month", month.map_err(|_| "must be a month as YYYY-MM"));
    let count = request.lines.len();
    violations.check("lines", (1..=LINES).contains(&count), "must be 1 to 300 lines");
    let mut payees = BTreeSet::new();
    let mut lines = Vec::new();
    for (index, line) in request.lines.iter().enumerate().take(LINES) {
        let asked = asked(&mut violations, index, line);
        if let Some(asked) = &asked
            && !payees.insert(asked.payee.clone())
        {
            violations.note(format!("lines[{index}].payee"), "must stand once in a sheet");
        }
        lines.extend(asked);
    }
    for (field, amount) in
        [("performance_total_fen", request.performance_total_fen), ("guidance_fen", request.guidance_fen)]
    {
        violations.check(field, amount >= 0, "must be 0 or more");
    }
    let (request_id, term_id, month) =
        common::read(&violations, request_id.zip(term_id).zip(month).map(|((a, b), c)| (a, b, c)))?;
    let content = ProposePaySheetRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ProposePaySheet", request_id, &content);
    let performance = Performance {
        total: Fen::new(content.performance_total_fen),
        guidance: Fen::new(content.guidance_fen),
    };
    Ok(Parsed { key, term_id, month, lines, is_last: content.is_last, performance })
}

fn asked(violations: &mut Violations, index: usize, line: &pb::Line) -> Option<Asked> {
    let at = |field: &str| format!("lines[{index}].{field}");
    let payee = violations.text(&at("payee"), &line.payee, 1, 60);
    let staffing = match line.staffing() {
        pb::line::Staffing::Internal => Some(Staffing::Internal),
        pb::line::Staffing::External => Some(Staffing::External),
        pb::line::Staffing::Unspecified => {
            violations.note(at("staffing"), "must be given");
            None
        }
    };
    let hours = Some(line.class_hour_count).filter(|hours| (0..=HOURS).contains(hours));
    violations.check(&at("class_hour_count"), hours.is_some(), "must be 0 to 300");
    for (field, amount) in [("rate_fen", line.rate_fen), ("amount_fen", line.amount_fen)] {
        violations.check(&at(field), amount >= 0, "must be 0 or more");
    }
    let given = |fen: i64| Some(Fen::new(fen)).filter(|amount| !amount.is_zero());
    Some(Asked {
        payee: payee?,
        staffing: staffing?,
        class_hours: u32::try_from(hours?).ok()?,
        rate: given(line.rate_fen),
        amount: given(line.amount_fen),
    })
}

/// Whether a month, given by its first day, has a day of the term.
fn has_days_of(term: &Term, month: NaiveDate) -> bool {
    month.year() > 0
        && month <= term.last_day
        && month.checked_add_months(Months::new(1)).is_some_and(|next| next > term.first_day)
}

async fn propose(
    till: &Till,
    permit: &StaffPermit,
    parsed: &Parsed,
) -> Result<ProposePaySheetResponse, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let claim = match claim(&tx, &parsed.key, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let term = super::lock_term(&tx, permit, parsed.term_id).await?;
    let mut violations = Violations::default();
    violations.check("month", has_days_of(&term, parsed.month), "must lie in the term");
    common::read(&violations, Some(()))?;
    let policy = till.policy(&term)?;
    let (mut lines, mut clauses, mut amount) = (Vec::new(), Vec::new(), Fen::ZERO);
    for asked in &parsed.lines {
        let (line, rests_on) = line(&policy, asked.clone())?;
        amount = amount.plus(line.amount).map_err(Refusal::from)?;
        lines.push(line);
        for clause in rests_on {
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
    }
    let mut violations = Violations::default();
    violations.check("lines", amount > Fen::ZERO, "must pay something");
    common::read(&violations, Some(()))?;
    let sheet =
        PaySheet { month: parsed.month, lines, is_last: parsed.is_last, performance: parsed.performance };
    clauses.extend(super::judge_pay(till, &tx, &term, &sheet, amount).await?);
    let entry = super::proposed(&term, Content::PaySheet(sheet), amount, "", clauses, permit.id(), now);
    store::fund::insert(&tx, &entry).await?;
    let answer = ProposePaySheetResponse { fund_entry: Some(convert::fund_entry(&entry)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}
