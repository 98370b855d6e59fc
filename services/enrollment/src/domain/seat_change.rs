//! A seat changed for another from a later day on: until then the one is had, from then the other.
//!
//! Both seats are taken meanwhile. On the day the old one is given back, if the new one is confirmed by then; should the new one be given
//! back before it begins, the old one goes on.
//!
//! | old seat | new seat | before the day | from the day on |
//! |---|---|---|---|
//! | confirmed | confirmed | wait | end the old one |
//! | confirmed | on its way | wait | wait |
//! | confirmed | given back | nothing comes of it | nothing comes of it |
//! | given back | any | done | done |

use chrono::{Datelike as _, Months, NaiveDate};
use policy::vocabulary::ChangeRule;
use policy::{Clause, Policy, Silent};
use shared::value::{District, Enrollment as EnrollmentKind, Id, Pupil};

use super::enrollment::{Enrollment, Fee, State};
use super::term::Term;

/// A change that waits for its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatChange {
    /// The district.
    pub district_id: Id<District>,
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// The enrollment that ends.
    pub from_enrollment_id: Id<EnrollmentKind>,
    /// The enrollment that begins.
    pub to_enrollment_id: Id<EnrollmentKind>,
    /// The first day of the new one.
    pub from_day: NaiveDate,
}

/// Why a seat cannot be changed from that day on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Only what is the pupil's can be had until a later day.
    #[error("the seat is not confirmed")]
    NotConfirmed,
    /// The day is not one on which a change takes effect.
    #[error("no change takes effect on that day")]
    DayNotAllowed {
        /// The earliest day on which one does; none when the term has no such day any more.
        earliest_day: Option<NaiveDate>,
        /// What says so; none where it is only that the day is past, or not in the term.
        clause: Option<Box<Clause>>,
    },
    /// Nobody has said how a paid seat is changed.
    #[error(transparent)]
    Silent(#[from] Silent),
}

/// Judges the day from which a seat is to be changed.
///
/// Where nothing is charged, any later day of the term will do. Where it is, the district's rule says which; a rule that gives the old
/// seat back at once knows no later day.
///
/// # Errors
/// [`Error`].
pub fn plan(
    enrollment: &Enrollment,
    term: &Term,
    policy: &Policy,
    from_day: NaiveDate,
    today: NaiveDate,
) -> Result<(), Error> {
    match enrollment.state {
        State::Confirmed => {}
        State::Waitlisted { .. }
        | State::AwaitingAgreement { .. }
        | State::InReview { .. }
        | State::Held { .. }
        | State::Releasing { .. }
        | State::Released { .. } => return Err(Error::NotConfirmed),
    }
    let in_term =
        |day: NaiveDate| (day > today && term.first_day <= day && day <= term.last_day).then_some(day);
    let (earliest_day, clause) = match enrollment.terms.fee {
        Fee::Free => (today.succ_opt().map(|day| day.max(term.first_day)).and_then(in_term), None),
        Fee::Charged => {
            let (rule, clause) = policy.fee.change_rule.demand()?;
            let day = match rule {
                ChangeRule::AsWithdrawal => None,
                ChangeRule::FromNextMonth => next_month(today.max(term.first_day)).and_then(in_term),
            };
            (day, Some(Box::new(clause)))
        }
    };
    let is_allowed = in_term(from_day).is_some()
        && earliest_day.is_some()
        && (enrollment.terms.fee == Fee::Free || from_day.day() == 1);
    if is_allowed { Ok(()) } else { Err(Error::DayNotAllowed { earliest_day, clause }) }
}

/// The first day of the month after a day's.
#[must_use]
pub fn next_month(day: NaiveDate) -> Option<NaiveDate> {
    day.with_day(1)?.checked_add_months(Months::new(1))
}

/// What a change that waits comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing yet.
    Wait,
    /// The old seat is given back.
    End,
    /// The old seat goes on.
    Void,
    /// There is no old seat any more.
    Done,
}

/// Says what a change that waits comes to.
#[must_use]
pub fn act(change: &SeatChange, from: &State, to: &State, today: NaiveDate) -> Act {
    match (from, to) {
        (State::Released { .. } | State::Releasing { .. }, _) => Act::Done,
        (_, State::Released { .. }) => Act::Void,
        (State::Confirmed, State::Confirmed) if change.from_day <= today => Act::End,
        (
            State::Confirmed
            | State::Waitlisted { .. }
            | State::AwaitingAgreement { .. }
            | State::InReview { .. }
            | State::Held { .. },
            State::Confirmed
            | State::Waitlisted { .. }
            | State::AwaitingAgreement { .. }
            | State::InReview { .. }
            | State::Held { .. }
            | State::Releasing { .. },
        ) => Act::Wait,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::enrollment::ReleaseReason;
    use crate::domain::enrollment::tests::at;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn c42_every_cell_of_the_table_holds_on_both_sides_of_the_day() {
        let change = SeatChange {
            district_id: Id::new(Uuid::from_u128(1)),
            pupil_id: Id::new(Uuid::from_u128(2)),
            from_enrollment_id: Id::new(Uuid::from_u128(3)),
            to_enrollment_id: Id::new(Uuid::from_u128(4)),
            from_day: day("2026-10-01"),
        };
        let (held, confirmed) = (State::Held { expires_at: at(0) }, State::Confirmed);
        let released = State::Released { release: ReleaseReason::Withdrawn.into(), was_settled: false };

        for (from, to, before, after) in [
            (&confirmed, &confirmed, Act::Wait, Act::End),
            (&confirmed, &held, Act::Wait, Act::Wait),
            (&confirmed, &released, Act::Void, Act::Void),
            (&released, &confirmed, Act::Done, Act::Done),
            (&released, &released, Act::Done, Act::Done),
        ] {
            assert_eq!(act(&change, from, to, day("2026-09-30")), before, "{from:?} {to:?}");
            assert_eq!(act(&change, from, to, day("2026-10-01")), after, "{from:?} {to:?}");
        }
    }

    #[test]
    fn the_month_after_december_is_january() {
        assert_eq!(next_month(day("2026-12-31")), Some(day("2027-01-01")));
        assert_eq!(next_month(day("2026-10-01")), Some(day("2026-11-01")));
    }
}
