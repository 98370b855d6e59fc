//! What a school may charge, and to whose account.

use chrono::NaiveTime;
use policy::Policy;
use policy::fee::{self, Offering};
use policy::slot::{self, SlotTariff};
use policy::vocabulary::{DayPart, FeeMode, PayeeAccount, Stage};
use shared::value::{CostSheet, District, Fen, Id, Tariff as TariffKind, Term};

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
    /// One calendar month, by the last end slot the pupil stays to in it; by the region's rule for months that are not full.
    SlotMonth,
}

impl Basis {
    /// Every basis there is.
    pub const ALL: [Self; 5] = [Self::Term, Self::ClassHour, Self::Month, Self::Day, Self::SlotMonth];
}

/// An end slot (结束时段) of a school and what a month costs for those who stay to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndSlot {
    /// When it ends at the latest, local time.
    pub ends: NaiveTime,
    /// What a month costs, all earlier slots included; above zero.
    pub amount: Fen,
}

/// How government, school and parents share what one unit of the price costs (分担办法), as it was approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharingPlan {
    /// The government's part.
    pub government: Fen,
    /// The school's part.
    pub school: Fen,
    /// The parents' part: the price itself.
    pub parents: Fen,
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
    /// The amount, above zero; by end slot, that of the last one.
    pub amount: Fen,
    /// The end slots, by their ends; empty but for [`Basis::SlotMonth`].
    pub end_slots: Vec<EndSlot>,
    /// The document that approved it; empty where none is asked for.
    pub approval_document: String,
    /// How it is shared; none where no plan was given.
    pub sharing: Option<SharingPlan>,
    /// The cost sheet it rests on; none where none is asked for.
    pub cost_sheet_id: Option<Id<CostSheet>>,
    /// The account parents' money goes to. The type has no provider in it.
    pub payee_account: PayeeAccount,
}

/// A fee standard as a school proposes it, well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What the amount is for.
    pub basis: Basis,
    /// The amount; by end slot, that of the last one.
    pub amount: Fen,
    /// The end slots, by their ends; empty but for [`Basis::SlotMonth`].
    pub end_slots: Vec<EndSlot>,
    /// The document that approved it; empty where there is none.
    pub approval_document: String,
    /// How it is shared, where that is said.
    pub sharing: Option<SharingPlan>,
}

impl Tariff {
    /// The fee standard as the policy judges it, where it has one amount; none by end slot.
    #[must_use]
    pub fn flat(&self, stage: Stage) -> Option<fee::Tariff> {
        as_judged(stage, self.basis, self.amount, &self.approval_document)
    }

    /// The prices by end slot as the policy judges them.
    #[must_use]
    pub fn by_slot(&self, stage: Stage) -> SlotTariff {
        slots_as_judged(stage, &self.end_slots, &self.approval_document)
    }

    /// The fee standard as it was proposed.
    #[must_use]
    pub fn proposal(&self) -> Proposal {
        Proposal {
            basis: self.basis,
            amount: self.amount,
            end_slots: self.end_slots.clone(),
            approval_document: self.approval_document.clone(),
            sharing: self.sharing,
        }
    }

    /// The end slot, from 1, to which a lesson that ends then belongs: the first that does not end before it.
    ///
    /// A lesson of which no end is known belongs to the first: nobody pays more than can be shown.
    ///
    /// # Errors
    /// [`Refusal::EndSlotUnpriced`] when it ends later than all of them.
    pub fn end_slot(&self, ends: Option<NaiveTime>) -> Result<u32, Refusal> {
        let Some(ends) = ends else { return Ok(1) };
        let found = (1..).zip(&self.end_slots).find(|(_, slot)| ends <= slot.ends);
        found.map(|(number, _)| number).ok_or(Refusal::EndSlotUnpriced { ends })
    }
}

fn as_judged(stage: Stage, basis: Basis, amount: Fen, approval_document: &str) -> Option<fee::Tariff> {
    let basis = match basis {
        Basis::Term => fee::Basis::Term,
        Basis::ClassHour => fee::Basis::ClassHour,
        Basis::Month => fee::Basis::Month,
        Basis::Day => fee::Basis::Day,
        Basis::SlotMonth => return None,
    };
    Some(fee::Tariff {
        stage,
        basis,
        amount,
        slot_kind: DayPart::Afternoon,
        offering: Offering::Service,
        approval_document: document(approval_document),
    })
}

fn slots_as_judged(stage: Stage, end_slots: &[EndSlot], approval_document: &str) -> SlotTariff {
    SlotTariff {
        stage,
        prices: end_slots.iter().map(|slot| slot.amount).collect(),
        approval_document: document(approval_document),
    }
}

/// A document as the policy takes it: none when empty.
pub(super) fn document(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Judges a fee standard before it is published; gives the account the money goes to, and what it was judged by.
///
/// `has_cost_sheet` says whether an approved sheet of the school's service in this term is there.
///
/// # Errors
/// [`Refusal`]: free of charge, above a ceiling, not as stated, without approval, sharing plan or cost sheet, for another stage, or the
/// policy is silent: on the basis, on the account, or, by the month, on what a month that is not full costs.
pub fn judge(
    policy: &Policy,
    stage: Stage,
    proposal: &Proposal,
    has_cost_sheet: bool,
) -> Result<(PayeeAccount, Vec<Clause>), Refusal> {
    let Proposal { basis, amount, end_slots, approval_document, sharing } = proposal;
    let mut clauses = match as_judged(stage, *basis, *amount, approval_document) {
        Some(flat) => fee::check_tariff(policy, &flat)?,
        None => slot::check_slots(policy, &slots_as_judged(stage, end_slots, approval_document))?,
    };
    if let (Some((true, clause)), None) = (policy.fee.price_approval_required.known(), sharing) {
        return Err(Refusal::SharingPlanRequired { clause: Box::new(Clause::from(&clause)) });
    }
    match basis {
        // A price nobody could charge is none.
        Basis::Month | Basis::SlotMonth => clauses.push(policy.fee.proration_rule.demand()?.1),
        Basis::Term | Basis::ClassHour | Basis::Day => {}
    }
    clauses.extend(cost_sheet(policy, has_cost_sheet)?);
    let (payee_account, payee_clause) = policy.fee.payee_account.demand()?;
    clauses.push(payee_clause);
    Ok((*payee_account, clauses.iter().map(Clause::from).collect()))
}

/// The clause by which a price rests on a cost sheet, where one does.
///
/// # Errors
/// [`Refusal::CostSheetRequired`] when there is none.
pub(super) fn cost_sheet(policy: &Policy, has_cost_sheet: bool) -> Result<Option<policy::Clause>, Refusal> {
    match fee::needs_cost_sheet(policy) {
        Some(clause) if !has_cost_sheet => {
            Err(Refusal::CostSheetRequired { clause: Box::new(Clause::from(&clause)) })
        }
        clause => Ok(clause),
    }
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
