//! Prices by end slot and month (按结束时段按月收费): one price for each end slot of a school, in order.
//!
//! A month costs the price of the last slot the pupil stays to in it, and nothing of the slots before: those who stay longer pay
//! one price, not a sum of several. How high a price may be, `slot_month_limit` says, which also combines the ceilings.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use shared::value::Fen;

use crate::fee::{Basis, FeeRefusal, Offering, Tariff, check_tariff, within_term};
use crate::policy::Policy;
use crate::value::Clause;
use crate::vocabulary::{DayPart, ProrationRule, Stage};

/// Prices a school would like to publish, one for each end slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotTariff {
    /// The stage of the pupils.
    pub stage: Stage,
    /// What a month costs for a pupil who stays to the first end slot, to the second, and so on; at least one.
    pub prices: Vec<Fen>,
    /// The document the price authority approved them by, where there is one.
    pub approval_document: Option<String>,
}

/// A day with lessons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotDay {
    /// The day. Of several entries of one day or one month the last end slot counts.
    pub date: NaiveDate,
    /// The end slot the pupil stays to, from 1.
    pub end_slot: u32,
}

/// A month as charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthCharge {
    /// The year.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u32,
    /// The last end slot the pupil stays to in it, from 1.
    pub end_slot: u32,
    /// What it costs.
    pub charged: Fen,
}

/// A charge by end slot and month, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotCharge {
    /// What is to be paid.
    pub total: Fen,
    /// The months with lessons, ascending, summing to `total`.
    pub months: Vec<MonthCharge>,
    /// The clauses the amount rests on.
    pub clauses: Vec<Clause>,
}

/// Judges prices by end slot before they are published; gives the clauses they were held against.
///
/// # Errors
/// [`FeeRefusal`], as [`check_tariff`] for the first price that is refused; the region's silence on a slot it states no ceiling for.
pub fn check_slots(policy: &Policy, tariff: &SlotTariff) -> Result<Vec<Clause>, FeeRefusal> {
    let mut clauses: Vec<Clause> = Vec::new();
    for (end_slot, amount) in (1..).zip(&tariff.prices) {
        let one = Tariff {
            stage: tariff.stage,
            basis: Basis::SlotMonth { end_slot },
            amount: *amount,
            slot_kind: DayPart::Afternoon,
            offering: Offering::Service,
            approval_document: tariff.approval_document.clone(),
        };
        for clause in check_tariff(policy, &one)? {
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
    }
    Ok(clauses)
}

/// Charges prices by end slot for the days of one term on which a pupil has lessons, over all courses together.
///
/// The prices are judged again. No lesson, no charge. A day that ends in a slot without a price is charged as the last slot that
/// has one: the caller refuses it before.
///
/// # Errors
/// [`FeeRefusal`], as [`check_slots`]; [`FeeRefusal::AboveCeiling`] for the sum where the region limits a term; the region's silence
/// on `proration_rule`.
pub fn charge_slots(
    policy: &Policy,
    tariff: &SlotTariff,
    days: &[SlotDay],
) -> Result<SlotCharge, FeeRefusal> {
    let mut clauses = check_slots(policy, tariff)?;
    let (rule, clause) = policy.fee.proration_rule.demand()?;
    clauses.push(clause);
    let mut ends: BTreeMap<(i32, u32), u32> = BTreeMap::new();
    for day in days {
        let end = ends.entry((day.date.year(), day.date.month())).or_insert(day.end_slot);
        *end = (*end).max(day.end_slot);
    }
    let price = |end_slot: u32| {
        let index = usize::try_from(end_slot.saturating_sub(1)).unwrap_or(usize::MAX);
        tariff.prices.get(index).or(tariff.prices.last()).copied().unwrap_or(Fen::ZERO)
    };
    let charged = |end_slot| match rule {
        ProrationRule::WholeMonth => price(end_slot),
    };
    let months: Vec<_> = ends
        .into_iter()
        .map(|((year, month), end_slot)| MonthCharge { year, month, end_slot, charged: charged(end_slot) })
        .collect();
    let total = Fen::total(months.iter().map(|month| month.charged))?;
    for clause in within_term(policy, Offering::Service, total)? {
        if !clauses.contains(&clause) {
            clauses.push(clause);
        }
    }
    Ok(SlotCharge { total, months, clauses })
}
