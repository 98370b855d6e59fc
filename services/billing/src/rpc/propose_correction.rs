//! Wants the books corrected; lists corrections.

use proto::billing::v1::{
    Correction as Message, ListCorrectionsRequest, ListCorrectionsResponse, ProposeCorrectionRequest,
    ProposeCorrectionResponse, correction as pb,
};
use shared::caller::{Caller, NodePath, Role, StaffPermit};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{Case, District, Fen, Id, Journal, School, Violations};
use shared::{db, random, status};
use tonic::Status;

use super::{convert, reconciliation};
use crate::domain::case;
use crate::domain::correction::{Content, Correction, State};
use crate::domain::ledger::Account;
use crate::domain::refusal::Refusal;
use crate::store;
use crate::till::Till;

/// The largest amount one correction moves, in fen: a million yuan.
const MOST_FEN: i64 = 100_000_000;

struct Parsed {
    key: RequestKey,
    school_id: Id<School>,
    content: Content,
    reason: String,
    case_id: Option<Id<Case>>,
}

pub async fn propose_correction(
    till: &Till,
    caller: &Caller,
    request: ProposeCorrectionRequest,
) -> Result<ProposeCorrectionResponse, Status> {
    let permit = caller.staff(&[Role::BureauFinance])?;
    let parsed = parse(caller, request)?;
    db::retry(|| propose_in(till, &permit, &parsed)).await
}

fn parse(caller: &Caller, request: ProposeCorrectionRequest) -> Result<Parsed, Status> {
    let mut violations = Violations::default();
    let request_id = convert::request_id(&mut violations, &request.request_id);
    let school_id = convert::id(&mut violations, "school_id", &request.school_id);
    let reason = violations.text("reason", &request.reason, 1, 400);
    let case_id: Option<Id<Case>> = match request.case_id.as_str() {
        "" => None,
        text => convert::id(&mut violations, "case_id", text),
    };
    let content = content(&mut violations, &request);
    let values = || Some((request_id?, school_id?, reason?, content?));
    let (request_id, school_id, reason, content) = convert::read(&violations, values())?;
    let same = ProposeCorrectionRequest { request_id: String::new(), ..request };
    let key = RequestKey::new(&caller.key(), "ProposeCorrection", request_id, &same);
    Ok(Parsed { key, school_id, content, reason, case_id })
}

/// Either an entry to reverse, or two accounts and an amount.
fn content(violations: &mut Violations, request: &ProposeCorrectionRequest) -> Option<Content> {
    let ProposeCorrectionRequest { journal_id, debit_account, credit_account, amount_fen, .. } = request;
    if !journal_id.is_empty() {
        let empty = "must be empty for a reversal";
        violations.check("debit_account", debit_account.is_empty(), empty);
        violations.check("credit_account", credit_account.is_empty(), empty);
        violations.check("amount_fen", *amount_fen == 0, "must be 0 for a reversal");
        let journal_id: Option<Id<Journal>> = convert::id(violations, "journal_id", journal_id);
        return journal_id.map(|journal_id| Content::Reversal { journal_id });
    }
    let mut account = |field: &str, code: &str| {
        let account = Account::from_code(code);
        violations.check(field, account.is_some(), "must be the code of an account");
        account
    };
    let (debit, credit) =
        (account("debit_account", debit_account), account("credit_account", credit_account));
    let differ = debit.is_none() || debit != credit;
    violations.check("credit_account", differ, "must be another account than the one debited");
    let fits = (1..=MOST_FEN).contains(amount_fen);
    violations.check("amount_fen", fits, "must be 1 to 100000000");
    Some(Content::Transfer { debit: debit?, credit: credit?, amount: Fen::new(*amount_fen) })
}

async fn propose_in(
    till: &Till,
    permit: &StaffPermit,
    parsed: &Parsed,
) -> Result<ProposeCorrectionResponse, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let claim = match claim(&tx, &parsed.key, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let not_found = || status::not_found("school", parsed.school_id);
    let node = store::node::find(&tx, parsed.school_id.uuid()).await?.ok_or_else(not_found)?;
    permit.reach(&convert::node_path(&node.path), "school", parsed.school_id)?;
    let district_id: Id<District> = Id::new(node.path.first().copied().unwrap_or_default());
    if let Content::Reversal { journal_id } = parsed.content {
        let not_found = || status::not_found("journal", journal_id);
        let entry = store::correction::entry(&tx, journal_id).await?.ok_or_else(not_found)?;
        if (entry.district_id, entry.school_id) != (district_id, parsed.school_id) {
            return Err(not_found());
        }
        if entry.is_correction {
            return Err(Refusal::CorrectionNotReversible.into());
        }
    }
    if let Some(case_id) = parsed.case_id {
        let found = reconciliation::lock(&tx, permit, case_id).await?;
        if found.district_id != district_id {
            return Err(status::not_found("case", case_id));
        }
        // Whether it could be resolved by this person now; it is once the correction is booked.
        case::resolve(found.state, permit.id(), parsed.reason.clone(), now)?;
    }
    let correction = Correction {
        id: random::id(now),
        district_id,
        school_id: parsed.school_id,
        content: parsed.content,
        reason: parsed.reason.clone(),
        case_id: parsed.case_id,
        proposed_by: permit.id(),
        state: State::Proposed,
        created_at: now,
    };
    if let Err(error) = store::correction::insert(&tx, &correction).await {
        return Err(match error.violated().as_deref() {
            Some(store::correction::ONE_REVERSAL | store::correction::ONE_PER_CASE) => {
                Refusal::CorrectionExists.into()
            }
            _ => error.into(),
        });
    }
    let answer = ProposeCorrectionResponse { correction: Some(message(&correction)) };
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

pub async fn list_corrections(
    till: &Till,
    caller: &Caller,
    request: ListCorrectionsRequest,
) -> Result<ListCorrectionsResponse, Status> {
    let permit = caller.staff(&[Role::BureauFinance])?;
    let mut violations = Violations::default();
    let district_id: Option<Id<District>> = convert::id(&mut violations, "district_id", &request.district_id);
    let page = convert::page(&mut violations, request.page_size, &request.page_token);
    let (district_id, page) = convert::read(&violations, district_id.zip(page))?;
    permit.reach(&NodePath::new(vec![district_id.uuid()]), "district", district_id)?;
    let mut corrections = store::correction::list(till.db.read(), district_id, &page).await?;
    let key = |one: &Correction| (one.created_at, one.id.uuid());
    let next_page_token = convert::cut(&mut corrections, page.size, key);
    Ok(ListCorrectionsResponse { corrections: corrections.iter().map(message).collect(), next_page_token })
}

/// A correction as a message.
pub fn message(one: &Correction) -> Message {
    let (journal_id, debit, credit, amount) = match one.content {
        Content::Reversal { journal_id } => (journal_id.to_string(), "", "", Fen::ZERO),
        Content::Transfer { debit, credit, amount } => (String::new(), debit.code(), credit.code(), amount),
    };
    let (state, decided_by) = match one.state {
        State::Proposed => (pb::State::Proposed, None),
        State::Booked { by, .. } => (pb::State::Booked, Some(by)),
        State::Rejected { by, .. } => (pb::State::Rejected, Some(by)),
    };
    Message {
        id: one.id.to_string(),
        school_id: one.school_id.to_string(),
        journal_id,
        debit_account: debit.to_owned(),
        credit_account: credit.to_owned(),
        amount_fen: amount.get(),
        reason: one.reason.clone(),
        case_id: one.case_id.map(|id| id.to_string()).unwrap_or_default(),
        proposed_by: one.proposed_by.to_string(),
        decided_by: decided_by.map(|id| id.to_string()).unwrap_or_default(),
        state: state.into(),
        create_time: Some(convert::timestamp(one.created_at)),
    }
}
