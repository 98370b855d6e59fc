//! What a school may charge, and to whose account.

use policy::Policy;
use policy::fee::{self, Offering};
use policy::vocabulary::{DayPart, FeeMode, PayeeAccount, Stage};
use shared::value::{District, Fen, Id, Tariff as TariffKind, Term};

use super::refusal::{Clause, Refusal};

/// What an amount is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// One pupil's whole term, whatever is chosen.
    Term,
    /// One class hour.
    ClassHour,
    /// One calendar month in which the pupil has a lesson, by the region's rule for months that are not full.
    Month,
    /// One day on which the pupil has a lesson.
    Day,
}

impl Basis {
    /// Every basis there is.
    pub const ALL: [Self; 4] = [Self::Term, Self::ClassHour, Self::Month, Self::Day];
}

/// A school's fee standard for a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    /// Which fee standard.
    pub id: Id<TariffKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The term it is for.
    pub term_id: Id<Term>,
    /// What the amount is for.
    pub basis: Basis,
    /// The amount, above zero.
    pub amount: Fen,
    /// The document that approved it; empty where none is asked for.
    pub approval_document: String,
    /// The account parents' money goes to. The type has no provider in it.
    pub payee_account: PayeeAccount,
}

impl Tariff {
    /// The fee standard as the policy judges it.
    #[must_use]
    pub fn for_policy(&self, stage: Stage) -> fee::Tariff {
        as_judged(stage, self.basis, self.amount, &self.approval_document)
    }
}

fn as_judged(stage: Stage, basis: Basis, amount: Fen, approval_document: &str) -> fee::Tariff {
    fee::Tariff {
        stage,
        basis: match basis {
            Basis::Term => fee::Basis::Term,
            Basis::ClassHour => fee::Basis::ClassHour,
            Basis::Month => fee::Basis::Month,
            Basis::Day => fee::Basis::Day,
        },
        amount,
        slot_kind: DayPart::Afternoon,
        offering: Offering::Service,
        approval_document: (!approval_document.is_empty()).then(|| approval_document.to_owned()),
    }
}

/// Judges a fee standard before it is published; gives the account the money goes to, and what it was judged by.
///
/// # Errors
/// [`Refusal`]: free of charge, above a ceiling, not as stated, without approval, for another stage, or the policy is silent: on the
/// basis, on the account, or, by the month, on what a month that is not full costs.
pub fn judge(
    policy: &Policy,
    stage: Stage,
    basis: Basis,
    amount: Fen,
    approval_document: &str,
) -> Result<(PayeeAccount, Vec<Clause>), Refusal> {
    let mut clauses = fee::check_tariff(policy, &as_judged(stage, basis, amount, approval_document))?;
    match basis {
        // A price nobody could charge is none.
        Basis::Month => clauses.push(policy.fee.proration_rule.demand()?.1),
        Basis::Term | Basis::ClassHour | Basis::Day => {}
    }
    let (payee_account, payee_clause) = policy.fee.payee_account.demand()?;
    clauses.push(payee_clause);
    Ok((*payee_account, clauses.iter().map(Clause::from).collect()))
}

/// The clause by which parents pay nothing; none where they pay, or will.
///
/// # Errors
/// [`Refusal::PolicySilent`] when nobody says whether parents pay.
pub fn free_of_charge(policy: &Policy) -> Result<Option<Clause>, Refusal> {
    let (mode, clause) = policy.fee.parent_fee_mode.demand()?;
    match mode {
        FeeMode::Free => Ok(Some(Clause::from(&clause))),
        FeeMode::Exact | FeeMode::Ceiling | FeeMode::Average | FeeMode::AwaitingApproval => Ok(None),
    }
}
