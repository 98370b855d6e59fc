//! When service may begin and end, and how much of it there must be.
//!
//! A slot is judged alone by [`check_slot`], a week as a whole by [`check_week`]. Times are the school's local time.
//! Class hours and minutes are never turned into each other.

use chrono::{Datelike, NaiveDate, NaiveTime, Weekday};

use crate::policy::Policy;
use crate::value::{Binding, Clause, Phrase, Say, Silent, Value};
use crate::vocabulary::{DayPart, EndBasis, MonthDay, StartAfter, Strictness};

/// A weekly slot of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotPlan {
    /// What part of the day it is.
    pub kind: DayPart,
    /// Its day of the week.
    pub weekday: Weekday,
    /// The first day it may happen on, inclusive. Seasons are judged over the whole span.
    pub from: NaiveDate,
    /// The last day it may happen on, inclusive.
    pub to: NaiveDate,
    /// When it starts.
    pub starts_at: NaiveTime,
    /// When it ends.
    pub ends_at: NaiveTime,
    /// Class hours it counts as.
    pub class_hours: u32,
    /// Whether the service of that day ends with this slot. The earliest end is held against such slots only.
    pub ends_service: bool,
}

/// What a school's own plan says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchoolPlan {
    /// Whether the school's plan on file moves times, as some regions allow (一校一策).
    pub adjusts_times: bool,
    /// Why the school departs from what holds as a rule; blank is none.
    pub justification: Option<String>,
    /// When the last lesson of the teaching plan ends, where it is known.
    pub teaching_ends_at: Option<NaiveTime>,
}

impl SchoolPlan {
    fn justifies(&self) -> bool {
        self.justification.as_ref().is_some_and(|reason| !reason.trim().is_empty())
    }
}

/// A departure that is accepted and must be on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flag {
    /// Ends before the end that holds as a rule, with a reason.
    EndBeforePrinciple {
        /// The earliest end.
        floor: NaiveTime,
        /// What says so.
        clause: Box<Clause>,
    },
    /// Departs from a stated time by the school's own plan.
    AdjustedByPlan {
        /// The time departed from.
        clause: Box<Clause>,
        /// What allows it.
        allowed_by: Box<Clause>,
    },
    /// The documents name other day parts as service and do not exclude this one.
    PartNotNamed {
        /// The part.
        part: DayPart,
        /// What names the others.
        clause: Box<Clause>,
    },
    /// Service starts after the teaching plan, and when that ends is not known.
    TeachingEndUnknown {
        /// What says so.
        clause: Box<Clause>,
    },
}

/// Why a slot or a week is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeRefusal {
    /// It does not end after it starts, or its dates run backwards.
    #[error("a slot ends after it starts")]
    NotASpan,
    /// The part of the day is not after-school service here.
    #[error("{part:?} is not part of the service")]
    OutOfScope {
        /// The part.
        part: DayPart,
        /// What says so.
        clause: Box<Clause>,
    },
    /// It starts too early.
    #[error("starts at {starts_at}, not before {earliest}")]
    StartsTooEarly {
        /// The earliest start.
        earliest: NaiveTime,
        /// The start.
        starts_at: NaiveTime,
        /// What says so.
        clause: Box<Clause>,
    },
    /// The service ends too early.
    #[error("ends at {ends_at}, not before {floor}")]
    EndsTooEarly {
        /// The earliest end.
        floor: NaiveTime,
        /// The end.
        ends_at: NaiveTime,
        /// What says so.
        clause: Box<Clause>,
    },
    /// The service ends before the end that holds as a rule, and no reason is given.
    #[error("ends at {ends_at}, as a rule not before {floor}, without a reason")]
    JustificationRequired {
        /// The earliest end.
        floor: NaiveTime,
        /// The end.
        ends_at: NaiveTime,
        /// What says so.
        clause: Box<Clause>,
    },
    /// It ends too late.
    #[error("ends at {ends_at}, not after {latest}")]
    EndsTooLate {
        /// The latest end.
        latest: NaiveTime,
        /// The end.
        ends_at: NaiveTime,
        /// What says so.
        clause: Box<Clause>,
    },
    /// An amount of a day or a week is below what is asked for.
    #[error("{found} on {weekday:?} is below {least}")]
    TooLittle {
        /// The least.
        least: u32,
        /// What there is, in the unit of the clause's key.
        found: u32,
        /// The day; nothing when the week is meant.
        weekday: Option<Weekday>,
        /// What says so.
        clause: Box<Clause>,
    },
    /// An amount of a day is above what is allowed.
    #[error("{found} on {weekday:?} is above {most}")]
    TooMuch {
        /// The most.
        most: u32,
        /// What there is, in the unit of the clause's key.
        found: u32,
        /// The day.
        weekday: Weekday,
        /// What says so.
        clause: Box<Clause>,
    },
    /// The region is silent on what is needed.
    #[error(transparent)]
    Silent(#[from] Silent),
}

/// Judges one slot.
///
/// Gives the departures that are accepted and must be recorded.
///
/// # Errors
/// [`TimeRefusal`], the first that applies: scope, start, earliest end, latest end.
pub fn check_slot(policy: &Policy, slot: &SlotPlan, plan: &SchoolPlan) -> Result<Vec<Flag>, TimeRefusal> {
    if slot.ends_at <= slot.starts_at || slot.to < slot.from {
        return Err(TimeRefusal::NotASpan);
    }
    let mut flags = Vec::new();
    flags.extend(check_part(policy, slot.kind)?);
    flags.extend(check_start(policy, slot, plan)?);
    if slot.ends_service && slot.kind == DayPart::Afternoon {
        flags.extend(check_floor(policy, slot.ends_at, plan)?);
    }
    if let Some((latest, clause)) = policy.time.end_not_after.known()
        && slot.kind != DayPart::Extended
        && slot.ends_at > *latest
    {
        let refusal = TimeRefusal::EndsTooLate {
            latest: *latest,
            ends_at: slot.ends_at,
            clause: Box::new(clause.clone()),
        };
        flags.push(adjusted(policy, plan, clause).ok_or(refusal)?);
    }
    Ok(flags)
}

/// Judges all slots of a school's week together: each slot, then each day, then the week.
///
/// The last afternoon slot of a day ends its service, whatever `ends_service` says. Extended care counts towards nothing.
///
/// # Errors
/// [`TimeRefusal`], the first that applies, by weekday.
pub fn check_week(policy: &Policy, slots: &[SlotPlan], plan: &SchoolPlan) -> Result<Vec<Flag>, TimeRefusal> {
    let mut flags = Vec::new();
    let mut days_of_service = 0;
    for weekday in WEEK {
        let mut day: Vec<SlotPlan> = slots.iter().filter(|slot| slot.weekday == weekday).copied().collect();
        let is_service = |slot: &SlotPlan| slot.kind != DayPart::Extended;
        let last = day.iter().filter(|slot| slot.kind == DayPart::Afternoon).map(|slot| slot.ends_at).max();
        for slot in &mut day {
            slot.ends_service = slot.kind == DayPart::Afternoon && Some(slot.ends_at) == last;
            flags.extend(check_slot(policy, slot, plan)?);
        }
        if day.iter().any(is_service) {
            days_of_service += 1;
            check_day(policy, weekday, &day)?;
        }
    }
    if !slots.is_empty() {
        at_least(&policy.time.service_days_per_week, days_of_service, None)?;
        if let Some((true, clause)) = policy.time.all_workdays.known()
            && days_of_service < WORKDAYS
        {
            let (least, found) = (WORKDAYS, days_of_service);
            return Err(TimeRefusal::TooLittle { least, found, weekday: None, clause: Box::new(clause) });
        }
    }
    Ok(flags)
}

const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

const WORKDAYS: u32 = 5;

/// Judges the homework of an afternoon.
///
/// `class_hours` are those given to homework; 0 when there are none.
///
/// # Errors
/// [`TimeRefusal::TooLittle`] when the region asks for more.
pub fn check_homework(policy: &Policy, weekday: Weekday, class_hours: u32) -> Result<(), TimeRefusal> {
    at_least(&policy.time.homework_min_class_hours, class_hours, Some(weekday))
}

/// Judges the amounts of one weekday. `day` holds all its slots.
///
/// # Errors
/// [`TimeRefusal::TooLittle`] or [`TimeRefusal::TooMuch`].
pub fn check_day(policy: &Policy, weekday: Weekday, day: &[SlotPlan]) -> Result<(), TimeRefusal> {
    let time = &policy.time;
    let service: Vec<&SlotPlan> = day.iter().filter(|slot| slot.kind != DayPart::Extended).collect();
    let afternoon: Vec<&&SlotPlan> = service.iter().filter(|slot| slot.kind == DayPart::Afternoon).collect();

    at_least(&time.min_minutes_per_day, minutes(&service), Some(weekday))?;

    let hours_of_day = service.iter().fold(0, |sum: u32, slot| sum.saturating_add(slot.class_hours));
    at_most(&time.max_class_hours_per_day, hours_of_day, weekday)?;
    at_least(&time.class_hours_per_day, hours_of_day, Some(weekday))?;
    at_most(&time.class_hours_per_day, hours_of_day, weekday)?;
    let hours_of_afternoon = afternoon.iter().fold(0, |sum: u32, slot| sum.saturating_add(slot.class_hours));
    at_least(&time.min_class_hours_per_afternoon, hours_of_afternoon, Some(weekday))?;

    let slots = u32::try_from(afternoon.len()).unwrap_or(u32::MAX);
    at_most(&time.slot_count_max, slots, weekday)?;
    // Splitting an afternoon as a rule into so many slots does not forbid leaving it whole.
    let is_whole = slots <= 1 && time.slot_count_min.binding() == Some(Binding::Principle);
    if is_whole { Ok(()) } else { at_least(&time.slot_count_min, slots, Some(weekday)) }
}

/// Minutes covered by slots; time two slots share counts once.
fn minutes(slots: &[&SlotPlan]) -> u32 {
    let mut spans: Vec<_> = slots.iter().map(|slot| (slot.starts_at, slot.ends_at)).collect();
    spans.sort_unstable();
    let mut covered = 0;
    let mut end = NaiveTime::MIN;
    for (from, to) in spans {
        let from = from.max(end);
        if to > from {
            covered += (to - from).num_minutes();
            end = to;
        }
    }
    u32::try_from(covered).unwrap_or(u32::MAX)
}

fn at_least(least: &Value<u32>, found: u32, weekday: Option<Weekday>) -> Result<(), TimeRefusal> {
    match least.known() {
        Some((least, clause)) if found < *least => {
            Err(TimeRefusal::TooLittle { least: *least, found, weekday, clause: Box::new(clause) })
        }
        _ => Ok(()),
    }
}

fn at_most(most: &Value<u32>, found: u32, weekday: Weekday) -> Result<(), TimeRefusal> {
    match most.known() {
        Some((most, clause)) if found > *most => {
            Err(TimeRefusal::TooMuch { most: *most, found, weekday, clause: Box::new(clause) })
        }
        _ => Ok(()),
    }
}

/// Whether two words mean the same stretch of the day: noon care is named as rest and as slot.
pub(crate) fn is_same_part(one: DayPart, other: DayPart) -> bool {
    let is_noon = |part| matches!(part, DayPart::NoonRest | DayPart::NoonSlot);
    one == other || (is_noon(one) && is_noon(other))
}

fn check_part(policy: &Policy, part: DayPart) -> Result<Option<Flag>, TimeRefusal> {
    if let Some((excluded, clause)) = policy.scope.excluded_day_parts.known()
        && excluded.iter().any(|other| is_same_part(part, *other))
    {
        return Err(TimeRefusal::OutOfScope { part, clause: Box::new(clause) });
    }
    if part == DayPart::Extended {
        return Ok(None);
    }
    match policy.scope.included_day_parts.known() {
        Some((included, clause)) if !included.iter().any(|other| is_same_part(part, *other)) => {
            Ok(Some(Flag::PartNotNamed { part, clause: Box::new(clause) }))
        }
        _ => Ok(None),
    }
}

fn check_start(policy: &Policy, slot: &SlotPlan, plan: &SchoolPlan) -> Result<Vec<Flag>, TimeRefusal> {
    match slot.kind {
        DayPart::NoonSlot => check_noon(policy, slot, plan),
        DayPart::Afternoon => check_after_teaching(policy, slot, plan).map(|flag| flag.into_iter().collect()),
        DayPart::EarlyArrival
        | DayPart::Breakfast
        | DayPart::Lunch
        | DayPart::NoonRest
        | DayPart::Extended
        | DayPart::EveningStudy => Ok(Vec::new()),
    }
}

fn check_after_teaching(
    policy: &Policy,
    slot: &SlotPlan,
    plan: &SchoolPlan,
) -> Result<Option<Flag>, TimeRefusal> {
    let Some((StartAfter::CurriculumCompleted, clause)) = policy.time.start_after.known() else {
        return Ok(None);
    };
    match plan.teaching_ends_at {
        None => Ok(Some(Flag::TeachingEndUnknown { clause: Box::new(clause) })),
        Some(earliest) if slot.starts_at < earliest => {
            Err(TimeRefusal::StartsTooEarly { earliest, starts_at: slot.starts_at, clause: Box::new(clause) })
        }
        Some(_) => Ok(None),
    }
}

/// Holds a noon slot against the start of every season its dates touch.
fn check_noon(policy: &Policy, slot: &SlotPlan, plan: &SchoolPlan) -> Result<Vec<Flag>, TimeRefusal> {
    let time = &policy.time;
    let (winter, summer) = (&time.noon_slot_start_not_before_winter, &time.noon_slot_start_not_before_summer);
    let starts = [winter.get(), summer.get()];
    // Where no season could object, it does not matter which one it is.
    if starts.iter().flatten().all(|earliest| slot.starts_at >= **earliest) {
        return Ok(Vec::new());
    }
    let (winter_from, summer_from) = (*time.winter_from.require()?, *time.summer_from.require()?);
    let mut flags = Vec::new();
    for (season, start) in [(Season::Winter, winter), (Season::Summer, summer)] {
        let Some((earliest, clause)) = start.known() else {
            continue;
        };
        let touches = dates(slot).any(|date| season_of(date, winter_from, summer_from) == season);
        if touches && slot.starts_at < *earliest {
            let (earliest, starts_at) = (*earliest, slot.starts_at);
            let refusal =
                TimeRefusal::StartsTooEarly { earliest, starts_at, clause: Box::new(clause.clone()) };
            flags.push(adjusted(policy, plan, clause).ok_or(refusal)?);
        }
    }
    Ok(flags)
}

/// The days of a slot.
fn dates(slot: &SlotPlan) -> impl Iterator<Item = NaiveDate> {
    let (weekday, to) = (slot.weekday, slot.to);
    slot.from.iter_days().take_while(move |date| *date <= to).filter(move |date| date.weekday() == weekday)
}

/// A half of the school year by its timetable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Season {
    /// From `winter_from` to the day before `summer_from`.
    Winter,
    /// From `summer_from` to the day before `winter_from`.
    Summer,
}

/// Tells which timetable a day has.
///
/// # Errors
/// [`Silent`] on `winter_from` or `summer_from`.
pub fn season(policy: &Policy, date: NaiveDate) -> Result<Season, Silent> {
    Ok(season_of(date, *policy.time.winter_from.require()?, *policy.time.summer_from.require()?))
}

fn season_of(date: NaiveDate, winter_from: MonthDay, summer_from: MonthDay) -> Season {
    let day = MonthDay::from(date);
    let is_winter = if winter_from <= summer_from {
        winter_from <= day && day < summer_from
    } else {
        day >= winter_from || day < summer_from
    };
    if is_winter { Season::Winter } else { Season::Summer }
}

/// Gives the earliest end of the service and the clause that sets it; nothing when there is none.
///
/// # Errors
/// [`Silent`] on `local_office_closing` when the region measures by it and the district has not stated it.
pub fn end_floor(policy: &Policy) -> Result<Option<(NaiveTime, Clause)>, Silent> {
    let time = &policy.time;
    match time.end_not_before_basis.get() {
        Some(EndBasis::LocalOfficeClosing) => {
            let (closing, clause) = time.local_office_closing.demand()?;
            Ok(Some((*closing, time.end_not_before_basis.clause().unwrap_or(clause))))
        }
        Some(EndBasis::Clock) => time.end_not_before.demand().map(|(floor, clause)| Some((*floor, clause))),
        None => Ok(time.end_not_before.known().map(|(floor, clause)| (*floor, clause))),
    }
}

fn check_floor(policy: &Policy, ends_at: NaiveTime, plan: &SchoolPlan) -> Result<Option<Flag>, TimeRefusal> {
    let Some((floor, clause)) = end_floor(policy)? else {
        return Ok(None);
    };
    if ends_at >= floor {
        return Ok(None);
    }
    let is_principle = policy.time.end_strictness.get() == Some(&Strictness::Principle);
    let clause = Box::new(clause);
    match (is_principle, plan.justifies()) {
        (true, true) => Ok(Some(Flag::EndBeforePrinciple { floor, clause })),
        (true, false) => Err(TimeRefusal::JustificationRequired { floor, ends_at, clause }),
        (false, _) => Err(TimeRefusal::EndsTooEarly { floor, ends_at, clause }),
    }
}

/// The flag of a departure by the school's own plan, where the region allows it and the school's plan says so.
fn adjusted(policy: &Policy, plan: &SchoolPlan, clause: Clause) -> Option<Flag> {
    let (may, allowed_by) = policy.time.school_plan_may_adjust_times.known()?;
    (*may && plan.adjusts_times)
        .then(|| Flag::AdjustedByPlan { clause: Box::new(clause), allowed_by: Box::new(allowed_by) })
}

impl Flag {
    /// Gives the clause departed from.
    #[must_use]
    pub fn clause(&self) -> &Clause {
        match self {
            Self::EndBeforePrinciple { clause, .. }
            | Self::AdjustedByPlan { clause, .. }
            | Self::PartNotNamed { clause, .. }
            | Self::TeachingEndUnknown { clause } => clause,
        }
    }
}

impl Say for Season {
    fn say(&self) -> Phrase {
        match self {
            Self::Winter => Phrase::new("冬季", "winter"),
            Self::Summer => Phrase::new("夏季", "summer"),
        }
    }
}
