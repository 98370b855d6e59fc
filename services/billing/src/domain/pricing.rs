//! What a pupil's sections of a term cost together, and what one more adds to that.
//!
//! Every invoice pays for certain lessons: all of its section while the seat is held or had, those before a moment once it
//! was given back, those from a day on where it stands in for another. The charge is worked out over all of a pupil's lessons of the
//! term at once, because ceilings are. Sections with a price of their own are charged by it, the others by the fee standard.

use std::collections::{BTreeMap, HashMap};

use chrono::{Days, NaiveDate};
use policy::Policy;
use policy::fee::{self, Charge, DayCharge, LessonDay, Offering};
use policy::slot::{SlotCharge, SlotDay, charge_slots};
use policy::vocabulary::PayeeAccount;
use shared::value::{Fen, Id, Moment, Section as SectionKind};

use super::refusal::{Clause, Refusal};
use super::section_price::{SectionPrice, charged_by};
use super::tariff::Tariff;
use super::term::{Section, Term, local_moment, monday};

/// What a term is charged by.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    /// The fee standard, once there is one.
    pub tariff: Option<Tariff>,
    /// The prices of sections that have one of their own.
    pub sections: HashMap<Id<SectionKind>, SectionPrice>,
}

impl Prices {
    /// Whether there is a price for a section.
    #[must_use]
    pub fn has_price(&self, section_id: Id<SectionKind>) -> bool {
        self.tariff.is_some() || self.sections.contains_key(&section_id)
    }

    /// The account the money for a section goes to; none while it has no price.
    #[must_use]
    pub fn payee(&self, section_id: Id<SectionKind>) -> Option<PayeeAccount> {
        let own = self.sections.get(&section_id).map(|price| price.payee_account);
        own.or_else(|| self.tariff.as_ref().map(|tariff| tariff.payee_account))
    }
}

/// Lessons that are charged: those of a section from a day on that start before a moment.
#[derive(Clone, Copy, Debug)]
pub struct Charged<'a> {
    /// The section.
    pub section: &'a Section,
    /// Only lessons from this day on; from the first when absent.
    pub from: Option<NaiveDate>,
    /// Only lessons that start before; all when absent.
    pub until: Option<Moment>,
}

impl<'a> Charged<'a> {
    /// All lessons of a section.
    #[must_use]
    pub const fn all(section: &'a Section) -> Self {
        Self { section, from: None, until: None }
    }

    fn holds(&self, date: NaiveDate, starts: chrono::NaiveTime) -> bool {
        self.from.is_none_or(|from| from <= date)
            && self.until.is_none_or(|until| local_moment(date.and_time(starts)) < until)
    }

    fn days(&self, term: &Term) -> Vec<LessonDay> {
        let days = self.section.lesson_days(term, self.until).into_iter();
        days.filter(|day| self.from.is_none_or(|from| from <= day.date)).collect()
    }

    fn slot_days(&self, term: &Term, tariff: &Tariff) -> Result<Vec<SlotDay>, Refusal> {
        self.section
            .lessons(term)
            .filter(|(date, lesson)| self.holds(*date, lesson.starts))
            .map(|(date, lesson)| Ok(SlotDay { date, end_slot: tariff.end_slot(lesson.ends)? }))
            .collect()
    }
}

/// What the term's fee standard charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// By one amount.
    Flat {
        /// The fee standard as it was judged.
        tariff: fee::Tariff,
        /// The charge.
        charge: Charge,
    },
    /// By end slot and month.
    BySlot(SlotCharge),
}

impl Service {
    /// What is to be paid.
    #[must_use]
    pub const fn total(&self) -> Fen {
        match self {
            Self::Flat { charge, .. } => charge.total,
            Self::BySlot(charge) => charge.total,
        }
    }

    fn clauses(&self) -> &[policy::Clause] {
        match self {
            Self::Flat { charge, .. } => &charge.clauses,
            Self::BySlot(charge) => &charge.clauses,
        }
    }
}

/// What a section with a price of its own costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCharge {
    /// The section's title.
    pub title: String,
    /// What it costs.
    pub amount: Fen,
}

/// What a set of lessons costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// What the fee standard charges; none when every section has a price of its own.
    pub service: Option<Service>,
    /// What sections with a price of their own cost, by their ids.
    pub own: Vec<OwnCharge>,
    /// All together.
    pub total: Fen,
    /// What it rests on.
    pub clauses: Vec<policy::Clause>,
}

impl Total {
    /// The days as charged; none where the fee standard does not count by days.
    #[must_use]
    pub fn days(&self) -> &[DayCharge] {
        match &self.service {
            Some(Service::Flat { charge, .. }) => &charge.days,
            Some(Service::BySlot(_)) | None => &[],
        }
    }
}

/// What a choice costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// All lessons together.
    pub charge: Total,
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
/// [`Refusal`] when the policy does not let a price be charged, above a ceiling of the term over all of them, when a section has no
/// price, or when an amount does not fit.
pub fn total(
    policy: &Policy,
    prices: &Prices,
    term: &Term,
    charged: &[Charged<'_>],
) -> Result<Total, Refusal> {
    let (own, served): (Vec<_>, Vec<_>) =
        charged.iter().copied().partition(|charged| prices.sections.contains_key(&charged.section.id));
    let service = match &prices.tariff {
        _ if served.is_empty() => None,
        Some(tariff) => Some(service(policy, tariff, term, &served)?),
        None => return Err(Refusal::TariffNotPublished),
    };
    let mut clauses = service.as_ref().map(|service| service.clauses().to_vec()).unwrap_or_default();
    let mut costs: BTreeMap<_, OwnCharge> = BTreeMap::new();
    for charged in own {
        let Some(price) = prices.sections.get(&charged.section.id) else { continue };
        // Once for the term, however often the seat was taken; nothing without a lesson.
        if charged.days(term).is_empty() {
            continue;
        }
        for clause in charged_by(policy, term.stage, price)? {
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
        let title = charged.section.title.clone();
        costs.insert(charged.section.id, OwnCharge { title, amount: price.amount });
    }
    let own: Vec<OwnCharge> = costs.into_values().collect();
    let of_service = service.as_ref().map_or(Fen::ZERO, Service::total);
    let mut parts = vec![(Offering::Service, of_service)];
    parts.extend(own.iter().map(|own| (Offering::PersonalisedCourse, own.amount)));
    let total = if own.is_empty() {
        of_service
    } else {
        let together = fee::term_ceiling(policy, &parts)?;
        for clause in together.clauses {
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
        together.total
    };
    Ok(Total { service, own, total, clauses })
}

fn service(
    policy: &Policy,
    tariff: &Tariff,
    term: &Term,
    charged: &[Charged<'_>],
) -> Result<Service, Refusal> {
    match tariff.flat(term.stage) {
        Some(flat) => {
            let days: Vec<_> = charged.iter().flat_map(|charged| charged.days(term)).collect();
            let charge = fee::charge(policy, &flat, &days)?;
            Ok(Service::Flat { tariff: flat, charge })
        }
        None => {
            let mut days = Vec::new();
            for charged in charged {
                days.extend(charged.slot_days(term, tariff)?);
            }
            Ok(Service::BySlot(charge_slots(policy, &tariff.by_slot(term.stage), &days)?))
        }
    }
}

/// Prices `new` lessons beside those `charged` already, for which `kept` is being paid.
///
/// # Errors
/// As [`total`].
pub fn price(
    policy: &Policy,
    prices: &Prices,
    term: &Term,
    charged: &[Charged<'_>],
    kept: Fen,
    new: &[Charged<'_>],
) -> Result<Price, Refusal> {
    let all: Vec<_> = charged.iter().chain(new).copied().collect();
    let charge = total(policy, prices, term, &all)?;
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
