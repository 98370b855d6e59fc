//! Decides a record, notes that a grant has arrived, takes back what was approved.

use prost::Message;
use proto::billing::v1::{
    DecideFundEntryRequest, DecideFundEntryResponse, FundEntry as FundEntryMessage, ReceiveGrantRequest,
    ReceiveGrantResponse, ReverseFundEntryRequest, ReverseFundEntryResponse,
};
use shared::caller::{Caller, Role, StaffPermit};
use shared::db::{self, Tx};
use shared::request::{Claimed, RequestKey, claim};
use shared::value::{FenError, FundEntry as FundEntryKind, Id, Violations};
use tonic::Status;
use uuid::Uuid;

use super::{GRANT_ROLES, convert};
use crate::domain::fund::{Content, FundEntry, State, decide, receive, reverse};
use crate::domain::ledger::{self, Entry};
use crate::domain::refusal::Refusal;
use crate::domain::term::Term;
use crate::rpc::convert as common;
use crate::store;
use crate::store::ledger::Kind;
use crate::till::Till;

/// Who decides anything; which of them decides what, the content says.
const DECIDERS: &[Role] = &[Role::BureauFinance, Role::Principal];

/// Who decides a record.
const fn deciders(content: &Content) -> &'static [Role] {
    match content {
        Content::Grant(_) => &[Role::BureauFinance],
        Content::Spending(_) | Content::PaySheet(_) => &[Role::Principal],
    }
}

/// What is to be done to a record.
enum Command {
    Decide { is_approved: bool, reason: String },
    Receive { document: String },
    Reverse { reason: String },
}

struct Parsed {
    key: RequestKey,
    id: Id<FundEntryKind>,
    command: Command,
}

pub async fn decide_fund_entry(
    till: &Till,
    caller: &Caller,
    request: DecideFundEntryRequest,
) -> Result<DecideFundEntryResponse, Status> {
    let permit = caller.staff(DECIDERS)?;
    let mut violations = Violations::default();
    let most = if request.approved { 0 } else { 400 };
    let reason = violations.text("reason", &request.reason, 0, most);
    let ids = ids(&mut violations, &request.request_id, &request.fund_entry_id);
    let ((request_id, id), reason) = common::read(&violations, ids.zip(reason))?;
    let command = Command::Decide { is_approved: request.approved, reason };
    let content = DecideFundEntryRequest { request_id: String::new(), ..request };
    let parsed = parsed(caller, "DecideFundEntry", request_id, id, &content, command);
    let fund_entry = Some(db::retry(|| carry_out(till, &permit, &parsed)).await?);
    Ok(DecideFundEntryResponse { fund_entry })
}

pub async fn receive_grant(
    till: &Till,
    caller: &Caller,
    request: ReceiveGrantRequest,
) -> Result<ReceiveGrantResponse, Status> {
    let permit = caller.staff(GRANT_ROLES)?;
    let mut violations = Violations::default();
    let document = violations.text("receipt_document", &request.receipt_document, 1, 64);
    let ids = ids(&mut violations, &request.request_id, &request.fund_entry_id);
    let ((request_id, id), document) = common::read(&violations, ids.zip(document))?;
    let content = ReceiveGrantRequest { request_id: String::new(), ..request };
    let parsed = parsed(caller, "ReceiveGrant", request_id, id, &content, Command::Receive { document });
    let fund_entry = Some(db::retry(|| carry_out(till, &permit, &parsed)).await?);
    Ok(ReceiveGrantResponse { fund_entry })
}

pub async fn reverse_fund_entry(
    till: &Till,
    caller: &Caller,
    request: ReverseFundEntryRequest,
) -> Result<ReverseFundEntryResponse, Status> {
    let permit = caller.staff(DECIDERS)?;
    let mut violations = Violations::default();
    let reason = violations.text("reason", &request.reason, 1, 400);
    let ids = ids(&mut violations, &request.request_id, &request.fund_entry_id);
    let ((request_id, id), reason) = common::read(&violations, ids.zip(reason))?;
    let content = ReverseFundEntryRequest { request_id: String::new(), ..request };
    let parsed = parsed(caller, "ReverseFundEntry", request_id, id, &content, Command::Reverse { reason });
    let fund_entry = Some(db::retry(|| carry_out(till, &permit, &parsed)).await?);
    Ok(ReverseFundEntryResponse { fund_entry })
}

fn ids(violations: &mut Violations, request_id: &str, id: &str) -> Option<(Uuid, Id<FundEntryKind>)> {
    let request_id = common::request_id(violations, request_id);
    request_id.zip(common::id(violations, "fund_entry_id", id))
}

fn parsed(
    caller: &Caller,
    method: &'static str,
    request_id: Uuid,
    id: Id<FundEntryKind>,
    content: &impl Message,
    command: Command,
) -> Parsed {
    Parsed { key: RequestKey::new(&caller.key(), method, request_id, content), id, command }
}

async fn carry_out(till: &Till, permit: &StaffPermit, parsed: &Parsed) -> Result<FundEntryMessage, Status> {
    let tx = till.db.begin().await?;
    let now = till.clock.now();
    let claim = match claim(&tx, &parsed.key, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => return Ok(answer),
    };
    let (mut entry, term) = super::lock_entry(&tx, permit, parsed.id).await?;
    let next = next(till, &tx, permit, &entry, &term, &parsed.command).await?;
    if next != entry.state {
        entry.state = next;
        if let Some((kind, lines)) = booked(&entry).map_err(Refusal::from)? {
            super::book(&tx, &entry, kind, &lines, now).await?;
        }
        store::fund::save(&tx, &entry).await?;
    }
    let answer = convert::fund_entry(&entry);
    claim.answer(&tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

async fn next(
    till: &Till,
    tx: &Tx,
    permit: &StaffPermit,
    entry: &FundEntry,
    term: &Term,
    command: &Command,
) -> Result<State, Status> {
    let path = common::node_path(&term.path);
    let may_decide = || deciders(&entry.content).iter().any(|role| permit.holds(*role, &path));
    let next = match command {
        Command::Receive { document } => receive(entry, document)?,
        Command::Decide { .. } | Command::Reverse { .. } if !may_decide() => {
            return Err(Refusal::RoleNotAllowed.into());
        }
        Command::Decide { is_approved, reason } => decide(entry, permit.id(), *is_approved, reason)?,
        Command::Reverse { reason } => reverse(entry, permit.id(), reason)?,
    };
    // Other sheets may have been approved, and fees given back, since it was proposed.
    if let (State::Proposed, State::Approved { .. }, Content::PaySheet(sheet)) =
        (&entry.state, &next, &entry.content)
    {
        super::judge_pay(till, tx, term, sheet, entry.amount).await?;
    }
    Ok(next)
}

/// What a record's new state books to the ledger; nothing where nothing moved.
fn booked(entry: &FundEntry) -> Result<Option<(Kind, Entry)>, FenError> {
    let approved = |amount| match entry.content {
        Content::Grant(_) => ledger::granted(amount),
        Content::Spending(_) => ledger::spent(amount),
        Content::PaySheet(_) => ledger::staff_paid(amount),
    };
    Ok(match entry.state {
        State::Approved { .. } => Some((Kind::Approved, approved(entry.amount)?)),
        State::Received { .. } => Some((Kind::Received, ledger::grant_received(entry.amount)?)),
        State::Reversed { .. } => Some((Kind::Reversed, approved(-entry.amount)?)),
        State::Proposed | State::Rejected { .. } => None,
    })
}
