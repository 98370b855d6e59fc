//! What may be charged, to the fen.
//!
//! | basis | limited by | charged |
//! |---|---|---|
//! | term | the exact fee, the ceiling of a term, the ceiling of personalised courses | once, with at least one lesson |
//! | month | the exact fee of a month | by the proration rule |
//! | slot and month | the ceiling of that end slot | by the proration rule |
//! | class hour | the ceilings of a class hour and of a day | hours × price, each day cut to the day's ceiling |
//! | day | the same two | once a day, cut to both |
//!
//! A charge over a term's lessons stays within the ceilings of a term whatever it is counted by. What several courses of
//! one pupil cost together is judged by [`month_ceiling`] and [`term_ceiling`].
//!
//! Nothing is converted: a price by a basis on which the region states no amount is answered [`Silent`]. Several
//! ceilings hold together. Extended care has no price at all.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use shared::value::{Fen, FenError};

use crate::policy::Policy;
use crate::time::is_same_part;
use crate::value::{Binding, Clause, Say, Silent, Value};
use crate::vocabulary::{DayPart, FeeMode, ProrationRule, SlotCapCombination, Stage};

/// What an amount is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// A term.
    Term,
    /// A calendar month.
    Month,
    /// A class hour (课时). It has no length here.
    ClassHour,
    /// A calendar month in which the pupil stays to an end slot.
    SlotMonth {
        /// The end slot, from 1.
        end_slot: u32,
    },
    /// A day.
    Day,
}

/// What the amount is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Offering {
    /// The service itself, its courses included.
    Service,
    /// A personalised course (个性化课程) beside the service, which some regions limit on its own.
    PersonalisedCourse,
}

/// A price a school would like to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    /// The stage of the pupils.
    pub stage: Stage,
    /// What the amount is counted by.
    pub basis: Basis,
    /// The amount.
    pub amount: Fen,
    /// The part of the day.
    pub slot_kind: DayPart,
    /// What it is for.
    pub offering: Offering,
    /// The document the price authority approved it by, where there is one.
    pub approval_document: Option<String>,
}

/// A day with lessons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LessonDay {
    /// The day. Several entries of one day are added up.
    pub date: NaiveDate,
    /// Class hours taught.
    pub class_hours: u32,
    /// What other courses of the same pupil already cost that day; a day's ceiling is over all of them. Of several
    /// entries of one day the largest counts.
    pub already_charged: Fen,
}

/// A day as charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayCharge {
    /// The day.
    pub date: NaiveDate,
    /// Class hours of that day.
    pub class_hours: u32,
    /// What it would cost without ceilings.
    pub before_cap: Fen,
    /// What it costs.
    pub charged: Fen,
}

/// A charge and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// What is to be paid.
    pub total: Fen,
    /// The days, ascending, summing to `total`; empty when the basis is a term or a month.
    pub days: Vec<DayCharge>,
    /// The clauses the amount rests on.
    pub clauses: Vec<Clause>,
}

/// Why nothing may be charged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeeRefusal {
    /// The service is free for parents: no price, no order, not even of 0 fen.
    #[error("the service is free of charge")]
    FreeOfCharge {
        /// What says so.
        clause: Box<Clause>,
    },
    /// What parents pay has yet to be decided.
    #[error("the parents' share awaits approval")]
    AwaitingApproval {
        /// What says so.
        clause: Box<Clause>,
    },
    /// The amount is above a ceiling.
    #[error("{asked} is above the ceiling {limit}")]
    AboveCeiling {
        /// The ceiling.
        limit: Fen,
        /// The amount.
        asked: Fen,
        /// What says so.
        clause: Box<Clause>,
    },
    /// The amount is not the one the region states.
    #[error("{asked} is not the stated fee {stated}")]
    NotTheStatedFee {
        /// The stated fee.
        stated: Fen,
        /// The amount.
        asked: Fen,
        /// What says so.
        clause: Box<Clause>,
    },
    /// Extended care is never a paid item.
    #[error("extended care has no price")]
    ExtendedCareUnpriced,
    /// The part of the day is not after-school service in this region.
    #[error("{part:?} is not part of the service")]
    OutOfScope {
        /// The part.
        part: DayPart,
        /// What says so.
        clause: Box<Clause>,
    },
    /// A price needs an approval document.
    #[error("an approval document is missing")]
    ApprovalMissing {
        /// What says so.
        clause: Box<Clause>,
    },
    /// An amount must be above zero.
    #[error("{asked} is not above zero")]
    NotPositive {
        /// The amount.
        asked: Fen,
    },
    /// The region is silent on what is needed.
    #[error(transparent)]
    Silent(#[from] Silent),
    /// The sum left the range of 64 bits.
    #[error(transparent)]
    Fen(#[from] FenError),
}

/// Judges a price before it is published.
///
/// Gives the clauses it was held against, the fee mode first.
///
/// # Errors
/// [`FeeRefusal`]; the region's silence on the basis or the stage is [`Silent`].
pub fn check_tariff(policy: &Policy, tariff: &Tariff) -> Result<Vec<Clause>, FeeRefusal> {
    let fee = &policy.fee;
    // What is stated for other stages, free or not, says nothing on this one.
    let of_fee = of_stage(&fee.fee_stage_scope, tariff.stage)?;
    let mut clauses = vec![payable(policy)?];
    if tariff.slot_kind == DayPart::Extended {
        return Err(FeeRefusal::ExtendedCareUnpriced);
    }
    if let Some((excluded, clause)) = policy.scope.excluded_day_parts.known()
        && excluded.iter().any(|part| is_same_part(*part, tariff.slot_kind))
    {
        return Err(FeeRefusal::OutOfScope { part: tariff.slot_kind, clause: Box::new(clause) });
    }
    clauses.extend(of_fee);
    clauses.extend(of_stage(&policy.scope.school_stages, tariff.stage)?);
    if let Some((true, clause)) = fee.price_approval_required.known() {
        if tariff.approval_document.as_ref().is_none_or(|document| document.trim().is_empty()) {
            return Err(FeeRefusal::ApprovalMissing { clause: Box::new(clause) });
        }
        clauses.push(clause);
    }
    if tariff.amount <= Fen::ZERO {
        return Err(FeeRefusal::NotPositive { asked: tariff.amount });
    }
    clauses.extend(within_limits(policy, tariff)?);
    Ok(clauses)
}

/// The clause by which something is said of a stage; silence when it is said of others only.
fn of_stage(scope: &Value<Vec<Stage>>, stage: Stage) -> Result<Option<Clause>, Silent> {
    match scope.known() {
        Some((stages, clause)) if stages.contains(&stage) => Ok(Some(clause)),
        Some(_) => Err(scope.silence()),
        None => Ok(None),
    }
}

/// The clause under which parents pay at all.
fn payable(policy: &Policy) -> Result<Clause, FeeRefusal> {
    let (mode, clause) = policy.fee.parent_fee_mode.demand()?;
    match mode {
        FeeMode::Free => Err(FeeRefusal::FreeOfCharge { clause: Box::new(clause) }),
        FeeMode::AwaitingApproval => Err(FeeRefusal::AwaitingApproval { clause: Box::new(clause) }),
        FeeMode::Exact | FeeMode::Ceiling | FeeMode::Average => Ok(clause),
    }
}

fn within_limits(policy: &Policy, tariff: &Tariff) -> Result<Vec<Clause>, FeeRefusal> {
    let fee = &policy.fee;
    let asked = tariff.amount;
    let mut clauses = Vec::new();
    match tariff.basis {
        Basis::Term => {
            let personalised = match tariff.offering {
                Offering::PersonalisedCourse => {
                    at_most(&fee.personalised_course_parent_cap_fen_per_term, asked)?
                }
                Offering::Service => None,
            };
            clauses.extend(personalised);
            clauses.extend(at_most(&fee.parent_fee_cap_fen_per_term, asked)?);
            if tariff.offering == Offering::Service {
                clauses.extend(exactly(&fee.parent_fee_fen_per_term, asked)?);
                clauses.extend(fee.parent_fee_avg_fen_per_term.clause());
            }
            said(clauses, &fee.parent_fee_cap_fen_per_term)
        }
        Basis::Month => {
            clauses.extend(exactly(&fee.parent_fee_fen_per_month, asked)?);
            said(clauses, &fee.parent_fee_fen_per_month)
        }
        Basis::SlotMonth { end_slot } => {
            let limit = slot_month_limit(policy, end_slot)?;
            limit.hold(asked)?;
            Ok(limit.clauses)
        }
        Basis::ClassHour => {
            clauses.extend(at_most(&fee.parent_fee_cap_fen_per_class_hour, asked)?);
            clauses.extend(at_most(&fee.parent_fee_cap_fen_per_day, asked)?);
            said(clauses, &fee.parent_fee_cap_fen_per_class_hour)
        }
        Basis::Day => {
            clauses.extend(at_most(&fee.parent_fee_cap_fen_per_day, asked)?);
            said(clauses, &fee.parent_fee_cap_fen_per_day)
        }
    }
}

/// Most of a month for a pupil who stays to an end slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotLimit {
    /// The most.
    pub limit: Fen,
    /// What sets it: the ceilings first, then how they combine where that matters.
    pub clauses: Vec<Clause>,
}

impl SlotLimit {
    fn hold(&self, asked: Fen) -> Result<(), FeeRefusal> {
        let (limit, clause) = (self.limit, self.clauses.first().cloned());
        match clause {
            Some(clause) if asked > limit => {
                Err(FeeRefusal::AboveCeiling { limit, asked, clause: Box::new(clause) })
            }
            _ => Ok(()),
        }
    }
}

/// Gives the most of a month for a pupil who stays to `end_slot`, counted from 1.
///
/// Where a region states a ceiling for each of several slots, its documents may leave open whether the last slot's holds
/// alone or those before it add to it; `slot_cap_combination` says which. For the first slot it makes no difference.
///
/// # Errors
/// [`Silent`] on the ceilings, on a slot that has none, or on how several combine.
pub fn slot_month_limit(policy: &Policy, end_slot: u32) -> Result<SlotLimit, FeeRefusal> {
    let fee = &policy.fee;
    let (caps, clause) = fee.slot_fee_cap_fen_per_month.demand()?;
    let up_to = usize::try_from(end_slot).ok().and_then(|count| caps.get(..count));
    let Some((own, before)) = up_to.and_then(<[Fen]>::split_last) else {
        return Err(fee.slot_fee_cap_fen_per_month.silence().into());
    };
    if before.is_empty() {
        return Ok(SlotLimit { limit: *own, clauses: vec![clause] });
    }
    let (combination, combined) = fee.slot_cap_combination.demand()?;
    let limit = match combination {
        SlotCapCombination::ByEndSlot => *own,
        SlotCapCombination::Sum => Fen::total(before.iter().copied())?.plus(*own)?,
    };
    Ok(SlotLimit { limit, clauses: vec![clause, combined] })
}

/// The clauses, or the silence of the key one of them would have come from.
fn said<T: Say>(clauses: Vec<Clause>, key: &Value<T>) -> Result<Vec<Clause>, FeeRefusal> {
    if clauses.is_empty() { Err(key.silence().into()) } else { Ok(clauses) }
}

fn at_most(cap: &Value<Fen>, asked: Fen) -> Result<Option<Clause>, FeeRefusal> {
    match cap.known() {
        Some((limit, clause)) if asked > *limit => {
            Err(FeeRefusal::AboveCeiling { limit: *limit, asked, clause: Box::new(clause) })
        }
        Some((_, clause)) => Ok(Some(clause)),
        None => Ok(None),
    }
}

fn exactly(stated: &Value<Fen>, asked: Fen) -> Result<Option<Clause>, FeeRefusal> {
    match stated.known() {
        Some((stated, clause)) if asked != *stated => {
            Err(FeeRefusal::NotTheStatedFee { stated: *stated, asked, clause: Box::new(clause) })
        }
        Some((_, clause)) => Ok(Some(clause)),
        None => Ok(None),
    }
}

/// Charges a tariff for the days of one term on which a pupil has lessons.
///
/// The tariff is judged again. No lesson, no charge: `total` is then zero and no order is due. A day above its ceiling is
/// cut to it; a sum above a ceiling of the term is refused.
///
/// # Errors
/// [`FeeRefusal`], as [`check_tariff`]; [`FeeRefusal::AboveCeiling`] for the sum; [`Silent`] on `proration_rule` for a
/// basis by the month.
pub fn charge(policy: &Policy, tariff: &Tariff, days: &[LessonDay]) -> Result<Charge, FeeRefusal> {
    let mut clauses = check_tariff(policy, tariff)?;
    let days = by_date(days);
    let mut charge = match tariff.basis {
        Basis::Term => {
            let total = if days.is_empty() { Fen::ZERO } else { tariff.amount };
            Charge { total, days: Vec::new(), clauses }
        }
        Basis::Month | Basis::SlotMonth { .. } => {
            let (rule, clause) = policy.fee.proration_rule.demand()?;
            clauses.push(clause);
            let total = match rule {
                ProrationRule::WholeMonth => {
                    let months: BTreeSet<_> = days.keys().map(|date| (date.year(), date.month())).collect();
                    tariff.amount.times(i64::try_from(months.len()).map_err(|_| FenError)?)?
                }
            };
            Charge { total, days: Vec::new(), clauses }
        }
        Basis::ClassHour | Basis::Day => {
            let days = days.into_iter().map(|(date, day)| charge_day(policy, tariff, date, day));
            let days = days.collect::<Result<Vec<_>, FeeRefusal>>()?;
            let total = Fen::total(days.iter().map(|day| day.charged))?;
            Charge { total, days, clauses: with_class_hour(policy, clauses) }
        }
    };
    for clause in within_term(policy, tariff.offering, charge.total)? {
        if !charge.clauses.contains(&clause) {
            charge.clauses.push(clause);
        }
    }
    Ok(charge)
}

/// Holds what one offering costs in a term against the ceilings of a term.
pub(crate) fn within_term(
    policy: &Policy,
    offering: Offering,
    total: Fen,
) -> Result<Vec<Clause>, FeeRefusal> {
    let fee = &policy.fee;
    let own = match offering {
        Offering::Service => &fee.parent_fee_fen_per_term,
        Offering::PersonalisedCourse => &fee.personalised_course_parent_cap_fen_per_term,
    };
    let held = [at_most(own, total)?, at_most(&fee.parent_fee_cap_fen_per_term, total)?];
    Ok(held.into_iter().flatten().collect())
}

#[derive(Clone, Copy)]
struct Day {
    class_hours: u32,
    already_charged: Fen,
}

/// One entry a day, only days with lessons.
fn by_date(days: &[LessonDay]) -> BTreeMap<NaiveDate, Day> {
    let mut dates: BTreeMap<NaiveDate, Day> = BTreeMap::new();
    for day in days {
        let known = dates.entry(day.date).or_insert(Day { class_hours: 0, already_charged: Fen::ZERO });
        known.class_hours = known.class_hours.saturating_add(day.class_hours);
        known.already_charged = known.already_charged.max(day.already_charged);
    }
    dates.retain(|_, day| day.class_hours > 0);
    dates
}

fn charge_day(policy: &Policy, tariff: &Tariff, date: NaiveDate, day: Day) -> Result<DayCharge, FeeRefusal> {
    let hours = i64::from(day.class_hours);
    let before_cap = match tariff.basis {
        Basis::ClassHour => tariff.amount.times(hours)?,
        Basis::Day | Basis::Term | Basis::Month | Basis::SlotMonth { .. } => tariff.amount,
    };
    let mut charged = before_cap;
    if let Some(cap) = policy.fee.parent_fee_cap_fen_per_class_hour.get() {
        charged = charged.min(cap.times(hours)?);
    }
    if let Some(cap) = policy.fee.parent_fee_cap_fen_per_day.get() {
        let room = cap.minus(day.already_charged)?.max(Fen::ZERO);
        charged = charged.min(room);
    }
    Ok(DayCharge { date, class_hours: day.class_hours, before_cap, charged })
}

/// A price by the day is cut by the class hour too, so that clause belongs to the charge.
fn with_class_hour(policy: &Policy, mut clauses: Vec<Clause>) -> Vec<Clause> {
    if let Some(clause) = policy.fee.parent_fee_cap_fen_per_class_hour.clause()
        && !clauses.contains(&clause)
    {
        clauses.push(clause);
    }
    clauses
}

/// A pupil's fees of one month, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthTotal {
    /// Over all courses.
    pub total: Fen,
    /// The last slot the pupil stays to, from 1; nothing without a course.
    pub end_slot: Option<u32>,
    /// The clauses it was held against.
    pub clauses: Vec<Clause>,
}

/// Judges all fees of one pupil in one month together, where ceilings are by end slot.
///
/// `courses` are all the pupil's courses of the month, each with the slot it ends in and what it costs. The last slot the
/// pupil stays to decides the ceiling.
///
/// # Errors
/// As [`slot_month_limit`]; [`FeeRefusal::AboveCeiling`] for the sum; [`FeeRefusal::FreeOfCharge`] and
/// [`FeeRefusal::AwaitingApproval`] by the mode.
pub fn month_ceiling(policy: &Policy, courses: &[(u32, Fen)]) -> Result<MonthTotal, FeeRefusal> {
    payable(policy)?;
    let total = Fen::total(courses.iter().map(|course| course.1))?;
    let end_slot = courses.iter().map(|course| course.0).max();
    let clauses = match end_slot {
        Some(end_slot) => {
            let limit = slot_month_limit(policy, end_slot)?;
            limit.hold(total)?;
            limit.clauses
        }
        None => Vec::new(),
    };
    Ok(MonthTotal { total, end_slot, clauses })
}

/// A pupil's fees of one term, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermTotal {
    /// Over all courses.
    pub total: Fen,
    /// Over personalised courses alone.
    pub personalised: Fen,
    /// The clauses it was held against; empty when the region limits no term.
    pub clauses: Vec<Clause>,
}

/// Judges all fees of one pupil in one term together.
///
/// `courses` are all the pupil's courses, taken and asked for. The stated fee of a term is a pupil's, so that the sum
/// may not exceed it either.
///
/// # Errors
/// [`FeeRefusal::FreeOfCharge`], [`FeeRefusal::AwaitingApproval`], [`FeeRefusal::AboveCeiling`], or [`Silent`] on the mode.
pub fn term_ceiling(policy: &Policy, courses: &[(Offering, Fen)]) -> Result<TermTotal, FeeRefusal> {
    payable(policy)?;
    let fee = &policy.fee;
    let of_kind =
        |kind: Offering| courses.iter().filter(move |course| course.0 == kind).map(|course| course.1);
    let personalised = Fen::total(of_kind(Offering::PersonalisedCourse))?;
    let service = Fen::total(of_kind(Offering::Service))?;
    let total = personalised.plus(service)?;
    let clauses = [
        at_most(&fee.personalised_course_parent_cap_fen_per_term, personalised)?,
        at_most(&fee.parent_fee_cap_fen_per_term, total)?,
        at_most(&fee.parent_fee_fen_per_term, service)?,
    ];
    Ok(TermTotal { total, personalised, clauses: clauses.into_iter().flatten().collect() })
}

/// Fees of a term against the average a region states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Average {
    /// What all pupils together are charged, without waivers.
    pub charged_total: Fen,
    /// How many pupils.
    pub pupil_count: u32,
    /// The stated average.
    pub standard: Fen,
    /// The charged average against the standard, exact: both are compared as products, nothing is divided.
    pub compared: Ordering,
    /// What states it.
    pub clause: Clause,
}

/// Compares fees of a term with the average the region states.
///
/// `fees` are amounts with the number of pupils charged them. Whether waived pupils are among them is the caller's to
/// decide: documents do not say.
///
/// # Errors
/// [`Silent`] when no average is stated; [`FenError`] when a sum does not fit.
pub fn average(policy: &Policy, fees: &[(Fen, u32)]) -> Result<Average, FeeRefusal> {
    payable(policy)?;
    let (standard, clause) = policy.fee.parent_fee_avg_fen_per_term.demand()?;
    let mut charged_total = Fen::ZERO;
    let mut pupil_count: u32 = 0;
    for (amount, pupils) in fees {
        charged_total = charged_total.plus(amount.times(i64::from(*pupils))?)?;
        pupil_count = pupil_count.checked_add(*pupils).ok_or(FenError)?;
    }
    let compared = charged_total.cmp(&standard.times(i64::from(pupil_count))?);
    Ok(Average { charged_total, pupil_count, standard: *standard, compared, clause })
}

/// What the region itself states that parents pay, on one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedFee {
    /// What the amount is counted by.
    pub basis: Basis,
    /// The amount.
    pub amount: Fen,
    /// Whether it is the fee itself, the most, or an average over all pupils.
    pub binding: Binding,
    /// The stages it is for; nothing when the documents do not say.
    pub stages: Option<Vec<Stage>>,
    /// What it is for.
    pub offering: Offering,
    /// What states it.
    pub clause: Clause,
}

/// Gives what the region states that parents pay: one entry a dimension, fees before ceilings, ceilings before averages.
///
/// Several hold together. The ceilings of end slots are as stated, one for each; [`slot_month_limit`] combines them.
///
/// # Errors
/// [`FeeRefusal::FreeOfCharge`], [`FeeRefusal::AwaitingApproval`], or [`Silent`] when no document states any.
pub fn stated(policy: &Policy) -> Result<Vec<StatedFee>, FeeRefusal> {
    payable(policy)?;
    let fee = &policy.fee;
    let stages = fee.fee_stage_scope.get();
    let service = Offering::Service;
    let single = [
        (&fee.parent_fee_fen_per_term, Basis::Term, Binding::Exact, service),
        (&fee.parent_fee_fen_per_month, Basis::Month, Binding::Exact, service),
        (&fee.parent_fee_cap_fen_per_class_hour, Basis::ClassHour, Binding::Ceiling, service),
        (&fee.parent_fee_cap_fen_per_day, Basis::Day, Binding::Ceiling, service),
        (&fee.parent_fee_cap_fen_per_term, Basis::Term, Binding::Ceiling, service),
        (
            &fee.personalised_course_parent_cap_fen_per_term,
            Basis::Term,
            Binding::Ceiling,
            Offering::PersonalisedCourse,
        ),
        (&fee.parent_fee_avg_fen_per_term, Basis::Term, Binding::Average, service),
    ];
    let entry = |basis, amount, binding, offering, clause| StatedFee {
        basis,
        amount,
        binding,
        stages: stages.cloned(),
        offering,
        clause,
    };
    let mut fees: Vec<StatedFee> = single
        .into_iter()
        .filter_map(|(value, basis, binding, offering)| {
            let (amount, clause) = value.known()?;
            Some(entry(basis, *amount, binding, offering, clause))
        })
        .collect();
    if let Some((caps, clause)) = fee.slot_fee_cap_fen_per_month.known() {
        let by_slot = caps.iter().zip(1..).map(|(cap, end_slot)| {
            entry(Basis::SlotMonth { end_slot }, *cap, Binding::Ceiling, service, clause.clone())
        });
        let after_fees = fees.iter().take_while(|fee| fee.binding == Binding::Exact).count();
        fees.splice(after_fees..after_fees, by_slot);
    }
    if fees.is_empty() { Err(fee.parent_fee_fen_per_term.silence().into()) } else { Ok(fees) }
}

/// Gives the clause by which a price rests on a cost sheet (成本核算); nothing when none asks for one.
#[must_use]
pub fn needs_cost_sheet(policy: &Policy) -> Option<Clause> {
    let (required, clause) = policy.fee.cost_accounting_required.known()?;
    required.then_some(clause)
}
