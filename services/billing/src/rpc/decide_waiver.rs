//! Decides a waiver: first the school, then the bureau, two different people.

use chrono::NaiveDate;
use proto::billing::v1::{DecideWaiverRequest, DecideWaiverResponse};
use shared::caller::{Caller, Role, StaffPermit};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{Id, Moment, Pupil, Violations, Waiver as WaiverKind};
use shared::{db, status};
use tonic::Status;

use super::convert;
use crate::domain::term::local_day;
use crate::domain::waiver::{Decider, Decision, State, Waiver, decide};
use crate::store;
use crate::till::Till;
use crate::till::book::Book;

/// Who decides for the school.
pub const SCHOOL_ROLES: &[Role] = &[Role::MoralEducation, Role::Principal, Role::SchoolFinance];

/// Who decides for the bureau.
pub const BUREAU_ROLES: &[Role] = &[Role::BureauOfficer, Role::BureauFinance];

struct Parsed {
    key: RequestKey,
    waiver_id: Id<WaiverKind>,
    decision: Decision,
}

pub async fn decide_waiver(
    till: &Till,
    caller: &Caller,
    request: DecideWaiverRequest,
) -> Result<DecideWaiverResponse, Status> {
    let permit = caller.staff(&[SCHOOL_ROLES, BUREAU_ROLES].concat())?;
    let parsed = parse(caller, request)?;
    db::retry(|| decide_in(till, &permit, &parsed)).await
}

fn parse(caller: &Caller, request: DecideWaiverRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = convert::request_id(&mut violations, &request.request_id);
    let waiver_id = convert::id(&mut violations, "waiver_id", &request.waiver_id);
    let reason = violations.text("reason", &request.reason, 0, 400);
    let last_day = match request.last_day.as_str() {
        "" => None,
        text => violations.field("last_day", text.parse::<NaiveDate>()),
    };
    let values = || Some((request_id?, waiver_id?, reason?));
    let (request_id, waiver_id, reason) = convert::read(&violations, values())?;
    let decision =
        if request.approved { Decision::Approve { last_day } } else { Decision::Reject { reason } };
    let content = DecideWaiverRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "DecideWaiver", request_id, &content);
    Ok(Parsed { key, waiver_id, decision })
}

async fn decide_in(
    till: &Till,
    permit: &StaffPermit,
    parsed: &Parsed,
) -> Result<DecideWaiverResponse, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let claim = match claim(&tx, &parsed.key, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let not_found = || status::not_found("waiver", parsed.waiver_id);
    let found = store::waiver::find(&tx, parsed.waiver_id).await?.ok_or_else(not_found)?;
    let path = convert::node_path(&found.path);
    permit.reach(&path, "waiver", parsed.waiver_id)?;
    store::pupil::lock(&tx, found.pupil_id).await?;
    let mut waiver = store::waiver::lock(&tx, parsed.waiver_id).await?.ok_or_else(not_found)?;

    let holds = |roles: &[Role]| roles.iter().any(|role| permit.holds(*role, &path));
    let decider =
        Decider { id: permit.id(), for_school: holds(SCHOOL_ROLES), for_bureau: holds(BUREAU_ROLES) };
    let next = decide(waiver.state.clone(), decider, parsed.decision.clone(), local_day(now))?;
    let is_new = next != waiver.state;
    waiver.state = next;
    if is_new {
        store::waiver::save(&tx, &waiver).await?;
        if matches!(waiver.state, State::Granted { .. }) {
            apply_to_open(till, &tx, &waiver, now).await?;
        }
    }
    let answer = DecideWaiverResponse { waiver: Some(convert::waiver(&waiver, local_day(now))) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

/// Waives what the pupil still owes. An invoice with an order at WeChat waits until a job has closed that.
async fn apply_to_open(till: &Till, tx: &db::Tx, waiver: &Waiver, now: Moment) -> Result<(), Status> {
    let pupil_id: Id<Pupil> = waiver.pupil_id;
    for term_id in store::invoice::terms_of_open(tx, pupil_id).await? {
        let Some(mut book) = Book::lock(till, tx, pupil_id, term_id).await? else { continue };
        for invoice in book.invoices.iter_mut().filter(|invoice| invoice.is_open()) {
            if store::payment::open_of(tx, invoice.id).await?.is_some() {
                invoice.is_waiver_due = true;
                store::invoice::save(tx, invoice).await?;
            }
        }
        book.follow_up(tx, now).await?;
    }
    Ok(())
}
