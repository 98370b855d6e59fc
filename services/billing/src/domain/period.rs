//! Months of the books, and their closing.
//!
//! | from ↓ command → | close, by one            | close, by another  |
//! |------------------|--------------------------|--------------------|
//! | open             | Proposed ¹               | –                  |
//! | Proposed         | no change                | Closed ¹           |
//! | Closed           | no change                | no change          |
//!
//! ¹ only an hour after the month is over, when no difference of its bills waits for a person, and after every month before it: a
//! closing closes whatever lies before. Nothing is dated into a closed month; what comes later is booked in the first open one.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike as _, NaiveDate, TimeDelta};
use shared::value::{Id, Moment, Staff};

use super::reconciliation::midnight;
use super::refusal::Refusal;
use super::term::local_day;

/// How long after its end a month can be closed: entries under way at midnight have come in, whatever a clock of ours said.
pub const GRACE: TimeDelta = TimeDelta::hours(1);

/// A calendar month, Beijing time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    month: u32,
}

/// The text is no month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be YYYY-MM")]
pub struct MonthError;

impl Month {
    /// The month of a moment.
    #[must_use]
    pub fn of(at: Moment) -> Self {
        let day = local_day(at);
        Self { year: day.year(), month: day.month() }
    }

    /// The month after it.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.month == 12 {
            Self { year: self.year + 1, month: 1 }
        } else {
            Self { year: self.year, month: self.month + 1 }
        }
    }

    /// Its first day.
    #[must_use]
    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default()
    }

    /// Its last day.
    #[must_use]
    pub fn last_day(self) -> NaiveDate {
        self.next().first_day().pred_opt().unwrap_or_default()
    }

    /// Its first moment.
    #[must_use]
    pub fn begins_at(self) -> Moment {
        midnight(self.first_day())
    }

    /// The first moment after it.
    #[must_use]
    pub fn ends_at(self) -> Moment {
        self.next().begins_at()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let day = format!("{text}-01").parse::<NaiveDate>().map_err(|_| MonthError)?;
        let month = Self { year: day.year(), month: day.month() };
        if (2000..3000).contains(&month.year) && month.to_string() == text {
            Ok(month)
        } else {
            Err(MonthError)
        }
    }
}

/// How far a month is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// One person wants it closed.
    Proposed {
        /// Who.
        by: Id<Staff>,
    },
    /// Two people have closed it.
    Closed {
        /// Who wanted it.
        proposed_by: Id<Staff>,
        /// Who agreed.
        by: Id<Staff>,
        /// Since then.
        at: Moment,
    },
}

/// What a closing is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How far this month is closed; none while it is open.
    pub state: Option<State>,
    /// The last month closed.
    pub last_closed: Option<Month>,
    /// Differences of bills up to the month's end that wait for a person.
    pub waiting_count: u64,
}

/// Closes a month, or wants it closed.
///
/// # Errors
/// [`Refusal::PeriodNotOver`], [`Refusal::PeriodClosed`] when a later month is closed, [`Refusal::PeriodHasCases`].
pub fn close(month: Month, standing: Standing, by: Id<Staff>, now: Moment) -> Result<State, Refusal> {
    if let Some(state @ State::Closed { .. }) = standing.state {
        return Ok(state);
    }
    if standing.last_closed.is_some_and(|last| last >= month) {
        return Err(Refusal::PeriodClosed { month: month.to_string() });
    }
    let opens_at = month.ends_at() + GRACE;
    if now < opens_at {
        return Err(Refusal::PeriodNotOver { opens_at });
    }
    if standing.waiting_count > 0 {
        return Err(Refusal::PeriodHasCases { waiting_count: standing.waiting_count });
    }
    Ok(match standing.state {
        None => State::Proposed { by },
        Some(State::Proposed { by: proposed_by }) if proposed_by == by => State::Proposed { by },
        Some(State::Proposed { by: proposed_by }) => State::Closed { proposed_by, by, at: now },
        Some(closed @ State::Closed { .. }) => closed,
    })
}

/// When an entry that happens at `at` is dated: then, or at the beginning of the first month that is open.
#[must_use]
pub fn dated(at: Moment, last_closed: Option<Month>) -> Moment {
    match last_closed {
        Some(last) if Month::of(at) <= last => last.ends_at(),
        Some(_) | None => at,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(text: &str) -> Moment {
        text.parse().unwrap()
    }

    #[test]
    fn c79_a_month_is_closed_by_two_people_an_hour_after_its_end_and_in_order() {
        let [one, other] = [1, 2].map(|number| Id::new(Uuid::from_u128(number)));
        let month: Month = "2026-09".parse().unwrap();
        let open = Standing { state: None, last_closed: None, waiting_count: 0 };
        let (early, due) = (at("2026-10-01T00:59:59+08:00"), at("2026-10-01T01:00:00+08:00"));
        let proposed = State::Proposed { by: one };
        let closed = State::Closed { proposed_by: one, by: other, at: due };
        let with = |state| Standing { state: Some(state), ..open };

        assert_eq!(close(month, open, one, early), Err(Refusal::PeriodNotOver { opens_at: due }));
        assert_eq!(close(month, open, one, due), Ok(proposed));
        assert_eq!(close(month, with(proposed), one, due), Ok(proposed));
        assert_eq!(close(month, with(proposed), other, due), Ok(closed));
        assert_eq!(close(month, with(closed), one, due), Ok(closed));
        let busy = Standing { waiting_count: 2, ..with(proposed) };
        assert_eq!(close(month, busy, other, due), Err(Refusal::PeriodHasCases { waiting_count: 2 }));
        let later = Standing { last_closed: Some("2026-10".parse().unwrap()), ..open };
        let refused = Refusal::PeriodClosed { month: "2026-09".to_owned() };
        assert_eq!(close(month, later, one, due), Err(refused));
    }

    #[test]
    fn c79_what_happens_in_a_closed_month_is_dated_into_the_first_open_one() {
        let september = "2026-09".parse().ok();
        let october = at("2026-10-01T00:00:00+08:00");

        assert_eq!(dated(at("2026-09-30T23:59:59+08:00"), september), october);
        assert_eq!(dated(at("2026-08-01T00:00:00+08:00"), september), october);
        assert_eq!(dated(october, september), october);
        assert_eq!(dated(at("2026-08-01T00:00:00+08:00"), None), at("2026-08-01T00:00:00+08:00"));
    }

    #[test]
    fn months_read_as_they_are_written_and_nothing_else_does() {
        for text in ["2026-01", "2026-12", "2999-06"] {
            assert_eq!(text.parse::<Month>().unwrap().to_string(), text);
        }
        for text in
            ["", "2026", "2026-13", "2026-1", "2026-00", "26-01", "2026-01-01", "１０２６-01", "3000-01"]
        {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
        assert_eq!("2026-12".parse::<Month>().unwrap().next().to_string(), "2027-01");
    }
}
