//! Terms: calendars, and which may be opened.

use chrono::{Datelike as _, NaiveDate, TimeDelta, Weekday};
use policy::vocabulary::Stage;
use policy::{Clause, Policy, Silent};
use shared::value::{self, Id};

use super::node::{SchoolNode, SchoolPath};

/// A term of one school.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Its id.
    pub id: Id<value::Term>,
    /// Its school.
    pub path: SchoolPath,
    /// The school's stage when the term was opened.
    pub stage: Stage,
    /// Its name, 1 to 64 characters.
    pub name: String,
    /// Its days.
    pub calendar: Calendar,
    /// The policy it is ruled by, as [`Policy::pin`] wrote it.
    pub policy_version: String,
    /// How often its menu has changed.
    pub menu_version: i64,
}

/// The days of a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    first_day: NaiveDate,
    last_day: NaiveDate,
    off_days: Vec<NaiveDate>,
}

/// What makes days no calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarFault {
    /// The last day lies before the first.
    #[error("must not be before first_day")]
    Backwards,
    /// It is too long for a term.
    #[error("must be at most 200 days after first_day")]
    TooLong,
    /// A day without service lies outside.
    #[error("must lie within the term: {0}")]
    OffDayOutside(NaiveDate),
}

impl Calendar {
    /// The most days from the first to the last.
    const MAX_DAYS: i64 = 200;

    /// Puts a calendar together; days without service are sorted, each kept once.
    ///
    /// # Errors
    /// [`CalendarFault`].
    pub fn new(
        first_day: NaiveDate,
        last_day: NaiveDate,
        mut off_days: Vec<NaiveDate>,
    ) -> Result<Self, CalendarFault> {
        if last_day < first_day {
            return Err(CalendarFault::Backwards);
        }
        if last_day - first_day > TimeDelta::days(Self::MAX_DAYS) {
            return Err(CalendarFault::TooLong);
        }
        if let Some(outside) = off_days.iter().find(|day| !(first_day..=last_day).contains(*day)) {
            return Err(CalendarFault::OffDayOutside(*outside));
        }
        off_days.sort_unstable();
        off_days.dedup();
        Ok(Self { first_day, last_day, off_days })
    }

    /// The first day of service, inclusive.
    #[must_use]
    pub const fn first_day(&self) -> NaiveDate {
        self.first_day
    }

    /// The last day of service, inclusive.
    #[must_use]
    pub const fn last_day(&self) -> NaiveDate {
        self.last_day
    }

    /// Days within it without service, ascending.
    #[must_use]
    pub fn off_days(&self) -> &[NaiveDate] {
        &self.off_days
    }

    /// The first day of service from `start` on that falls on one of these days of the week.
    #[must_use]
    pub fn first_on(&self, weekdays: &[Weekday], start: NaiveDate) -> Option<NaiveDate> {
        let days = start.max(self.first_day).iter_days().take_while(|day| *day <= self.last_day);
        let mut served = days.filter(|day| self.off_days.binary_search(day).is_err());
        served.find(|day| weekdays.contains(&day.weekday()))
    }

    /// Says whether two share a day.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.first_day <= other.last_day && other.first_day <= self.last_day
    }
}

/// Why a term may not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The school has a term on one of its days.
    #[error("overlaps term {term_id}")]
    Overlaps {
        /// That term.
        term_id: Id<value::Term>,
        /// Its first day.
        first_day: NaiveDate,
        /// Its last day.
        last_day: NaiveDate,
    },
    /// The region has not begun the service for this stage by the first day.
    #[error("{stage:?} does not take part on {first_day}")]
    StageNotOpen {
        /// The school's stage.
        stage: Stage,
        /// The term's first day.
        first_day: NaiveDate,
        /// What says so.
        clause: Box<Clause>,
    },
    /// No policy is known to hold on the first day.
    #[error(transparent)]
    Silent(#[from] Silent),
}

/// Judges whether `school` may open a term with these days. `others` are its terms so far.
///
/// # Errors
/// [`Error`]: first what is silent, then the stage, then overlaps.
pub fn open(school: &SchoolNode, calendar: &Calendar, others: &[Term], policy: &Policy) -> Result<(), Error> {
    let first_day = calendar.first_day();
    let silent = |key| Silent { pack_id: policy.pack_id().to_owned(), key };
    if policy.effective_from().is_some_and(|from| first_day < from) {
        return Err(silent("effective_from").into());
    }
    if policy.effective_to().is_some_and(|to| first_day > to) {
        return Err(silent("effective_to").into());
    }
    stage_is_open(school.stage, first_day, policy)?;
    match others.iter().find(|other| other.calendar.overlaps(calendar)) {
        Some(other) => Err(Error::Overlaps {
            term_id: other.id,
            first_day: other.calendar.first_day(),
            last_day: other.calendar.last_day(),
        }),
        None => Ok(()),
    }
}

/// A stage the documents do not date is not judged.
fn stage_is_open(stage: Stage, first_day: NaiveDate, policy: &Policy) -> Result<(), Error> {
    let refuse = |clause| Err(Error::StageNotOpen { stage, first_day, clause: Box::new(clause) });
    if let Some((stages, clause)) = policy.scope.school_stages.known()
        && !stages.contains(&stage)
    {
        return refuse(clause);
    }
    if let Some((rollout, clause)) = policy.scope.rollout.known() {
        let mut beginnings =
            rollout.iter().filter(|step| step.stage == stage).map(|step| step.from).peekable();
        if beginnings.peek().is_some() && beginnings.all(|from| first_day < from) {
            return refuse(clause);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_calendar_has_a_first_day_and_at_most_200_more() {
        let table = [
            ("2026-09-01", "2026-09-01", Ok(())),
            ("2026-09-01", "2026-08-31", Err(CalendarFault::Backwards)),
            ("2026-09-01", "2027-03-20", Ok(())),
            ("2026-09-01", "2027-03-21", Err(CalendarFault::TooLong)),
        ];
        for (first, last, expected) in table {
            let made = Calendar::new(day(first), day(last), Vec::new());
            assert_eq!(made.map(|_| ()), expected, "{first} to {last}");
        }
    }

    #[test]
    fn off_days_lie_within_and_are_kept_once_in_order() {
        let (first, last) = (day("2026-09-01"), day("2027-01-15"));
        let off_days = vec![day("2026-10-02"), day("2026-10-01"), day("2026-10-02")];

        let calendar = Calendar::new(first, last, off_days).unwrap();

        assert_eq!(calendar.off_days(), [day("2026-10-01"), day("2026-10-02")]);
        let outside = day("2027-01-16");
        assert_eq!(Calendar::new(first, last, vec![outside]), Err(CalendarFault::OffDayOutside(outside)));
    }

    #[test]
    fn two_calendars_overlap_when_they_share_a_day() {
        let calendar = |first, last| Calendar::new(day(first), day(last), Vec::new()).unwrap();
        let autumn = calendar("2026-09-01", "2027-01-15");
        for (first, last, expected) in [
            ("2027-01-16", "2027-02-01", false),
            ("2027-01-15", "2027-02-01", true),
            ("2026-08-01", "2026-08-31", false),
            ("2026-08-01", "2026-09-01", true),
            ("2026-10-01", "2026-10-02", true),
        ] {
            let other = calendar(first, last);
            assert_eq!(
                (autumn.overlaps(&other), other.overlaps(&autumn)),
                (expected, expected),
                "{first} {last}"
            );
        }
    }
}
