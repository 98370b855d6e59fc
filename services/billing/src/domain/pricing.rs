//! What a pupil's sections of a term cost together, and what one more adds to that.
//!
//! Every invoice pays for certain lessons: all of its section while the seat is held or had, those before a moment once it
//! was given back. The charge is worked out over all of a pupil's lessons of the term at once, because ceilings are.

use chrono::{Days, NaiveDate};
use policy::Policy;
use policy::fee::{Charge, DayCharge, charge};
use shared::value::{Fen, Moment};

use super::refusal::{Clause, Refusal};
use super::tariff::Tariff;
use super::term::{Section, Term, monday};

/// Lessons that are charged: those of a section that start before a moment, or all.
#[derive(Clone, Copy, Debug)]
pub struct Charged<'a> {
    /// The section.
    pub section: &'a Section,
    /// Only lessons that start before; all when absent.
    pub until: Option<Moment>,
}

impl<'a> Charged<'a> {
    /// All lessons of a section.
    #[must_use]
    pub const fn all(section: &'a Section) -> Self {
        Self { section, until: None }
    }
}

/// What a choice costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// All lessons together.
    pub charge: Charge,
    /// What is to be paid for the new ones, never below zero.
    pub amount: Fen,
}

impl Price {
    /// What it rests on.
    #[must_use]
    pub fn clauses(&self) -> Vec<Clause> {
        self.charge.clauses.iter().map(Clause::from).collect()
    }
}

/// Charges a set of lessons.
///
/// # Errors
/// [`Refusal`] when the policy does not let the tariff be charged, or an amount does not fit.
pub fn total(
    policy: &Policy,
    tariff: &Tariff,
    term: &Term,
    charged: &[Charged<'_>],
) -> Result<Charge, Refusal> {
    let days: Vec<_> =
        charged.iter().flat_map(|charged| charged.section.lesson_days(term, charged.until)).collect();
    Ok(charge(policy, &tariff.for_policy(term.stage), &days)?)
}

/// Prices `new` lessons beside those `charged` already, for which `kept` is being paid.
///
/// # Errors
/// As [`total`].
pub fn price(
    policy: &Policy,
    tariff: &Tariff,
    term: &Term,
    charged: &[Charged<'_>],
    kept: Fen,
    new: &[Charged<'_>],
) -> Result<Price, Refusal> {
    let all: Vec<_> = charged.iter().chain(new).copied().collect();
    let charge = total(policy, tariff, term, &all)?;
    let amount = charge.total.minus(kept)?.max(Fen::ZERO);
    Ok(Price { charge, amount })
}

/// The days of the first full week of service that has lessons; of the first week with lessons when none is full.
#[must_use]
pub fn first_week(term: &Term, days: &[DayCharge]) -> Vec<DayCharge> {
    let week_of = |day: NaiveDate| monday(day);
    let is_full = |start: NaiveDate| start >= term.first_day && start + Days::new(4) <= term.last_day;
    let start = days.iter().map(|day| week_of(day.date)).find(|start| is_full(*start));
    let start = start.or_else(|| days.first().map(|day| week_of(day.date)));
    days.iter().filter(|day| Some(week_of(day.date)) == start).copied().collect()
}
