//! What a course with a price of its own costs: a personalised course (个性化课程), by the term, beside the service.
//!
//! A section without one costs what the term's fee standard says. What all courses of a pupil may cost together, the region's
//! ceilings of a term say, when a price is published and again when it is charged.

use policy::Policy;
use policy::fee::{self, Offering, check_tariff};
use policy::vocabulary::{DayPart, PayeeAccount, Stage};
use shared::value::{CostSheet, District, Fen, Id, Section, SectionPrice as SectionPriceKind, Term};

use super::refusal::{Clause, Refusal};
use super::tariff::{cost_sheet, document};

/// The price of one section for its term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionPrice {
    /// Which price.
    pub id: Id<SectionPriceKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The section's term.
    pub term_id: Id<Term>,
    /// The section.
    pub section_id: Id<Section>,
    /// What it costs a pupil in the term, above zero.
    pub amount: Fen,
    /// The document that approved it; empty where none is asked for.
    pub approval_document: String,
    /// The cost sheet it rests on; none where none is asked for.
    pub cost_sheet_id: Option<Id<CostSheet>>,
    /// The account parents' money goes to.
    pub payee_account: PayeeAccount,
}

/// The most that all of a pupil's courses with a price of their own may cost in a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermCeiling {
    /// The most.
    pub limit: Fen,
    /// What says so.
    pub clause: Clause,
}

fn as_judged(stage: Stage, amount: Fen, approval_document: &str) -> fee::Tariff {
    fee::Tariff {
        stage,
        basis: fee::Basis::Term,
        amount,
        slot_kind: DayPart::Afternoon,
        offering: Offering::PersonalisedCourse,
        approval_document: document(approval_document),
    }
}

/// Judges the price of a section before it is published; gives the account the money goes to, and what it was judged by.
///
/// # Errors
/// [`Refusal`]: free of charge, above a ceiling of the term, without approval or cost sheet, or the policy is silent on such prices
/// or on the account.
pub fn judge(
    policy: &Policy,
    stage: Stage,
    amount: Fen,
    approval_document: &str,
    has_cost_sheet: bool,
) -> Result<(PayeeAccount, Vec<Clause>), Refusal> {
    let mut clauses = check_tariff(policy, &as_judged(stage, amount, approval_document))?;
    clauses.extend(cost_sheet(policy, has_cost_sheet)?);
    let (payee_account, clause) = policy.fee.payee_account.demand()?;
    clauses.push(clause);
    Ok((*payee_account, clauses.iter().map(Clause::from).collect()))
}

/// What a price rests on when it is charged.
///
/// # Errors
/// [`Refusal`], as [`judge`].
pub fn charged_by(
    policy: &Policy,
    stage: Stage,
    price: &SectionPrice,
) -> Result<Vec<policy::Clause>, Refusal> {
    Ok(check_tariff(policy, &as_judged(stage, price.amount, &price.approval_document))?)
}

/// The lowest ceiling over all of a pupil's courses with a price of their own; none where the region states none.
#[must_use]
pub fn term_ceiling(policy: &Policy) -> Option<TermCeiling> {
    let fee = &policy.fee;
    [&fee.personalised_course_parent_cap_fen_per_term, &fee.parent_fee_cap_fen_per_term]
        .into_iter()
        .filter_map(|cap| cap.known())
        .map(|(limit, clause)| TermCeiling { limit: *limit, clause: Clause::from(&clause) })
        .min_by_key(|ceiling| ceiling.limit)
}
