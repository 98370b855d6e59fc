//! Public money, staff pay and spending: messages in, messages out.

mod convert;
mod decide;
mod disclose;
mod fund_service;
mod propose_grant;
mod propose_pay_sheet;
mod propose_spending;
mod read;

pub use fund_service::FundRpc;

use shared::caller::{Role, StaffPermit};
use shared::db::Tx;
use shared::value::{Fen, FundEntry as FundEntryKind, Id, Moment, Staff, Term as TermKind};
use shared::{random, status};
use tonic::Status;

use crate::domain::fund::pay_sheet::{self, PaySheet};
use crate::domain::fund::{Content, FundEntry, State};
use crate::domain::ledger::Entry;
use crate::domain::refusal::Clause;
use crate::domain::term::Term;
use crate::rpc::convert::node_path;
use crate::store;
use crate::store::ledger::{Kind, Place};
use crate::till::Till;

/// Who proposes grants.
const GRANT_ROLES: &[Role] = &[Role::SchoolFinance, Role::BureauFinance];

/// Who proposes spending and pay.
const SCHOOL_ROLES: &[Role] = &[Role::SchoolFinance];

/// Who reads.
const READ_ROLES: &[Role] = &[Role::SchoolFinance, Role::Principal, Role::BureauFinance];

/// A term the caller reaches.
async fn term(till: &Till, permit: &StaffPermit, term_id: Id<TermKind>) -> Result<Term, Status> {
    reached(permit, term_id, store::term::find(till.db.read(), term_id).await?)
}

/// A term the caller reaches, locked.
async fn lock_term(tx: &Tx, permit: &StaffPermit, term_id: Id<TermKind>) -> Result<Term, Status> {
    reached(permit, term_id, store::term::lock(tx, term_id).await?)
}

fn reached(permit: &StaffPermit, term_id: Id<TermKind>, found: Option<Term>) -> Result<Term, Status> {
    let term = found.ok_or_else(|| status::not_found("term", term_id))?;
    permit.reach(&node_path(&term.path), "term", term_id)?;
    Ok(term)
}

/// A record as it is proposed.
fn proposed(
    term: &Term,
    content: Content,
    amount: Fen,
    document: &str,
    clauses: Vec<Clause>,
    by: Id<Staff>,
    now: Moment,
) -> FundEntry {
    FundEntry {
        id: random::id(now),
        district_id: term.district_id,
        school_id: term.school_id(),
        term_id: term.id,
        state: State::Proposed,
        content,
        amount,
        document: document.to_owned(),
        clauses,
        proposed_by: by,
        created_at: now,
    }
}

/// Books what a record does to the ledger.
async fn book(tx: &Tx, entry: &FundEntry, kind: Kind, lines: &Entry, now: Moment) -> Result<(), Status> {
    let place = Place { district_id: entry.district_id, school_id: entry.school_id, at: now };
    Ok(store::ledger::insert(tx, place, entry.id.uuid(), kind, 0, lines).await?)
}

/// The record a command is about, which the caller reaches, and its term, both locked: the term first.
async fn lock_entry(
    tx: &Tx,
    permit: &StaffPermit,
    id: Id<FundEntryKind>,
) -> Result<(FundEntry, Term), Status> {
    let not_found = || status::not_found("fund_entry", id);
    let term_id = store::fund::term_of(tx, id).await?.ok_or_else(not_found)?;
    let missing = || store::Error::inconsistent("fund_entry", id, "its term is missing");
    let term = store::term::lock(tx, term_id).await?.ok_or_else(missing)?;
    permit.reach(&node_path(&term.path), "fund_entry", id)?;
    let entry = store::fund::lock(tx, id).await?.ok_or_else(not_found)?;
    Ok((entry, term))
}

/// Judges a month's pay beside the term's other sheets and its fees, as they are now.
async fn judge_pay(
    till: &Till,
    tx: &Tx,
    term: &Term,
    sheet: &PaySheet,
    amount: Fen,
) -> Result<Vec<Clause>, Status> {
    let policy = till.policy(term)?;
    let facts = store::heads::facts(tx, term.school_id(), term.id, None).await?;
    let before = store::heads::paid_to_staff(tx, term.id).await?;
    Ok(pay_sheet::judge(&policy, sheet, amount, before, facts.parents_paid)?)
}
