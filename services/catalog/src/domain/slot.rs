//! Weekly periods of a term, and what its policy says of them.

use chrono::{NaiveTime, Weekday};
use policy::time::{Flag, SchoolPlan, SlotPlan, TimeRefusal, check_slot};
use policy::vocabulary::DayPart;
use policy::{Clause, Policy, Value};
use shared::value::{self, Id};

use super::term::Calendar;

/// What part of the day a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Before the first lesson (早到校看管).
    EarlyArrival,
    /// Between lunch and the first afternoon lesson (午间).
    Noon,
    /// After the last lesson (下午放学后).
    Afternoon,
    /// After the normal service (延时托管).
    Extended,
    /// In the evening (晚自习).
    EveningStudy,
}

impl Kind {
    /// Every kind, in the order of the day.
    pub const ALL: [Self; 5] =
        [Self::EarlyArrival, Self::Noon, Self::Afternoon, Self::Extended, Self::EveningStudy];

    /// The same part of the day in a policy's words.
    #[must_use]
    pub const fn part(self) -> DayPart {
        match self {
            Self::EarlyArrival => DayPart::EarlyArrival,
            Self::Noon => DayPart::NoonSlot,
            Self::Afternoon => DayPart::Afternoon,
            Self::Extended => DayPart::Extended,
            Self::EveningStudy => DayPart::EveningStudy,
        }
    }
}

/// When in the week something happens. Sorts by weekday and start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The day of the week.
    pub weekday: Weekday,
    /// What part of the day.
    pub kind: Kind,
    /// When it starts, the school's local time.
    pub starts_at: NaiveTime,
    /// When it ends, the same day, after the start.
    pub ends_at: NaiveTime,
    /// How many class hours it counts as, 1 to 8.
    pub class_hour_count: u32,
}

impl Period {
    /// Says whether two share a minute.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.weekday == other.weekday && self.starts_at < other.ends_at && other.starts_at < self.ends_at
    }

    /// The key slots are listed by: weekday from Monday, then start, then end.
    #[must_use]
    pub fn order(&self) -> (u32, NaiveTime, NaiveTime, Kind) {
        (self.weekday.number_from_monday(), self.starts_at, self.ends_at, self.kind)
    }

    fn is_same(&self, other: &Self) -> bool {
        self.order() == other.order()
    }

    /// As a policy judges it, within the days of a term.
    #[must_use]
    pub fn plan(&self, calendar: &Calendar, ends_service: bool) -> SlotPlan {
        SlotPlan {
            kind: self.kind.part(),
            weekday: self.weekday,
            from: calendar.first_day(),
            to: calendar.last_day(),
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            class_hours: self.class_hour_count,
            ends_service,
        }
    }
}

/// A slot of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its id.
    pub id: Id<value::Slot>,
    /// Its term.
    pub term_id: Id<value::Term>,
    /// When it is.
    pub period: Period,
}

/// Why slots may not be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The policy refuses one of them.
    #[error("slot {index}: {refusal}")]
    Refused {
        /// Its place in the request, from 0.
        index: usize,
        /// Why.
        refusal: TimeRefusal,
    },
    /// The term has it already, or it is named twice.
    #[error("slot {index} is there already")]
    Duplicate {
        /// Its place in the request, from 0.
        index: usize,
    },
    /// A day would have more than the policy allows.
    #[error("{weekday} would have {found}, at most {most}")]
    CountExceeded {
        /// The day.
        weekday: Weekday,
        /// The most.
        most: u32,
        /// What there would be, in the unit of the clause's key.
        found: u32,
        /// What says so.
        clause: Box<Clause>,
    },
}

/// Judges slots to be added to those a term has: each by itself, then each day as a whole.
///
/// Gives for each, in the order given, the departures that are accepted and must be kept on record. The policy's earliest end is
/// held against the last afternoon slot of a day. A reason given is the school's own plan and its justification in one.
///
/// # Errors
/// [`Error`], the first that applies.
pub fn add(
    policy: &Policy,
    calendar: &Calendar,
    present: &[Slot],
    new: &[Period],
    justification: Option<&str>,
) -> Result<Vec<Vec<Flag>>, Error> {
    let plan = SchoolPlan {
        adjusts_times: justification.is_some(),
        justification: justification.map(str::to_owned),
        teaching_ends_at: None,
    };
    let all: Vec<&Period> = present.iter().map(|slot| &slot.period).chain(new).collect();
    let mut flags = Vec::with_capacity(new.len());
    for (index, period) in new.iter().enumerate() {
        let earlier = all.iter().take(present.len() + index);
        if earlier.into_iter().any(|other| other.is_same(period)) {
            return Err(Error::Duplicate { index });
        }
        let ends_service = period.kind == Kind::Afternoon
            && afternoons(&all, period.weekday).all(|other| other.ends_at <= period.ends_at);
        let judged = check_slot(policy, &period.plan(calendar, ends_service), &plan);
        flags.push(judged.map_err(|refusal| Error::Refused { index, refusal })?);
    }
    for period in new {
        day_has_room(policy, period.weekday, &all)?;
    }
    Ok(flags)
}

fn afternoons<'a>(all: &'a [&Period], weekday: Weekday) -> impl Iterator<Item = &'a Period> {
    all.iter().copied().filter(move |period| period.kind == Kind::Afternoon && period.weekday == weekday)
}

fn day_has_room(policy: &Policy, weekday: Weekday, all: &[&Period]) -> Result<(), Error> {
    let time = &policy.time;
    let slots = afternoons(all, weekday).count();
    at_most(&time.slot_count_max, u32::try_from(slots).unwrap_or(u32::MAX), weekday)?;
    let service = all.iter().filter(|period| period.weekday == weekday && period.kind != Kind::Extended);
    let class_hours = service.fold(0, |sum: u32, period| sum.saturating_add(period.class_hour_count));
    at_most(&time.max_class_hours_per_day, class_hours, weekday)?;
    at_most(&time.class_hours_per_day, class_hours, weekday)
}

fn at_most(most: &Value<u32>, found: u32, weekday: Weekday) -> Result<(), Error> {
    match most.known() {
        Some((most, clause)) if found > *most => {
            Err(Error::CountExceeded { weekday, most: *most, found, clause: Box::new(clause) })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(weekday: Weekday, from: (u32, u32), to: (u32, u32)) -> Period {
        let time = |(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
        let (starts_at, ends_at) = (time(from), time(to));
        Period { weekday, kind: Kind::Afternoon, starts_at, ends_at, class_hour_count: 1 }
    }

    #[test]
    fn periods_overlap_when_they_share_a_minute_of_the_same_day() {
        let one = period(Weekday::Mon, (16, 0), (17, 0));
        let table = [
            (period(Weekday::Mon, (17, 0), (18, 0)), false),
            (period(Weekday::Mon, (16, 59), (18, 0)), true),
            (period(Weekday::Mon, (15, 0), (16, 0)), false),
            (period(Weekday::Mon, (15, 0), (16, 1)), true),
            (period(Weekday::Mon, (16, 10), (16, 20)), true),
            (period(Weekday::Tue, (16, 0), (17, 0)), false),
        ];
        for (other, expected) in table {
            assert_eq!((one.overlaps(&other), other.overlaps(&one)), (expected, expected), "{other:?}");
        }
    }
}
