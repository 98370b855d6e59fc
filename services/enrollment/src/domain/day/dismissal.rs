//! When a pupil leaves on a weekday, and how long a pupil stays (弹性离校、分批次放学、延时托管).
//!
//! Nobody is forced out before the service's end, and nobody is kept: a guardian's choice counts before anything the school says, and
//! an earlier time of theirs is always taken. The floor under the end of service concerns the service, never the pupil's own leaving.

use policy::{Clause, Policy, Silent};
use shared::value::{
    Batch as BatchKind, District, ExtendedCare as ExtendedCareKind, Guardian, Id, Moment, Pupil, School, Term,
};

/// A school's batch of dismissal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The batch.
    pub id: Id<BatchKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The term.
    pub term_id: Id<Term>,
    /// Its name.
    pub name: String,
    /// When it leaves, in minutes after midnight.
    pub minute: i32,
}

/// What was said of one pupil and one weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Who said it.
    pub source: Source,
    /// When the pupil leaves, in minutes after midnight; none for the service's end.
    pub minute: Option<i32>,
    /// When it was said.
    pub created_at: Moment,
}

/// Who says when a pupil leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The school.
    School,
    /// A guardian.
    Guardian,
}

/// Gives the choice that counts: a guardian's last, else the school's last.
#[must_use]
pub fn counting(choices: &[Choice]) -> Option<&Choice> {
    choices.iter().max_by_key(|choice| (choice.source, choice.created_at))
}

/// Why a pupil does not leave then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no service then.
    #[error("no service then")]
    NoService,
    /// The service has ended by then.
    #[error("the service ends at minute {end_minute}")]
    AfterEnd {
        /// When it ends, in minutes after midnight.
        end_minute: i32,
    },
    /// The service has not ended by then.
    #[error("the service ends at minute {end_minute}")]
    BeforeEnd {
        /// When it ends, in minutes after midnight.
        end_minute: i32,
    },
    /// That time is over.
    #[error("that time is over")]
    Past,
    /// The pupil would be forced out before the end of the service.
    #[error("forced out before the end of the service")]
    Forced {
        /// What forbids it.
        clause: Box<Clause>,
    },
    /// No document says whether a pupil may be forced out.
    #[error(transparent)]
    Silent(#[from] Silent),
}

/// A guardian says when a pupil leaves. `end_minute` is when the pupil's service ends on that weekday.
///
/// # Errors
/// [`Error::NoService`], [`Error::AfterEnd`].
pub fn choose(minute: Option<i32>, end_minute: Option<i32>) -> Result<(), Error> {
    let end_minute = end_minute.ok_or(Error::NoService)?;
    match minute {
        Some(minute) if end_minute < minute => Err(Error::AfterEnd { end_minute }),
        Some(_) | None => Ok(()),
    }
}

/// The school puts a pupil into a batch. Where a guardian has chosen, nobody is forced.
///
/// # Errors
/// [`Error::Forced`] where the policy forbids what it takes, [`Error::Silent`] where it says nothing.
pub fn assign(
    policy: &Policy,
    minute: i32,
    end_minute: Option<i32>,
    guardian_has_chosen: bool,
) -> Result<(), Error> {
    let is_early = end_minute.is_some_and(|end_minute| minute < end_minute);
    if !is_early || guardian_has_chosen {
        return Ok(());
    }
    let (is_allowed, clause) = policy.dismiss.forced_leave_before_end_allowed.demand()?;
    if *is_allowed { Ok(()) } else { Err(Error::Forced { clause: Box::new(clause) }) }
}

/// A pupil stays after the service's end on a day. Nothing is charged for it, and nobody who charges hears of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedCare {
    /// The request.
    pub id: Id<ExtendedCareKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// Who asked.
    pub guardian_id: Id<Guardian>,
    /// The day.
    pub day: chrono::NaiveDate,
    /// Until when, in minutes after midnight.
    pub until_minute: i32,
    /// When it was asked for.
    pub created_at: Moment,
    /// When it was taken back or replaced; none while it stands.
    pub cancelled_at: Option<Moment>,
}

/// Asks for extended care. `end_minute` is when the pupil's service ends that day.
///
/// # Errors
/// [`Error::NoService`], [`Error::BeforeEnd`], [`Error::Past`].
pub fn extend(care: &ExtendedCare, end_minute: Option<i32>) -> Result<(), Error> {
    let end_minute = end_minute.ok_or(Error::NoService)?;
    if care.until_minute <= end_minute {
        return Err(Error::BeforeEnd { end_minute });
    }
    let until = super::local::moment(care.day, care.until_minute);
    if until <= care.created_at { Err(Error::Past) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::domain::day::lesson::tests::{lesson, on};

    const END: i32 = 18 * 60;

    #[test]
    fn a_guardian_s_word_counts_before_the_school_s_however_old_it_is() {
        let at = |minute| lesson().starts_at + TimeDelta::minutes(minute);
        let said = |source, minute, created| Choice { source, minute, created_at: at(created) };
        let (school, guardian) = (Source::School, Source::Guardian);
        let table = [
            (vec![], None),
            (vec![said(school, Some(1040), 0)], Some(Some(1040))),
            (vec![said(school, Some(1040), 0), said(school, Some(1060), 1)], Some(Some(1060))),
            (vec![said(guardian, Some(1000), 0), said(school, Some(1060), 1)], Some(Some(1000))),
            (vec![said(guardian, None, 2), said(school, Some(1060), 3)], Some(None)),
            (vec![said(guardian, Some(1000), 0), said(guardian, None, 2)], Some(None)),
        ];
        for (choices, minute) in table {
            assert_eq!(counting(&choices).map(|choice| choice.minute), minute, "{choices:?}");
        }
    }

    #[test]
    fn nobody_is_kept_and_nobody_stays_by_choosing_a_later_dismissal() {
        for minute in [Some(0), Some(1040), Some(END), None] {
            assert_eq!(choose(minute, Some(END)), Ok(()), "{minute:?}");
        }
        assert_eq!(choose(Some(END + 1), Some(END)), Err(Error::AfterEnd { end_minute: END }));
        assert_eq!(choose(Some(1040), None), Err(Error::NoService));
    }

    #[test]
    fn extended_care_begins_after_the_end_and_lies_ahead() {
        let care = |until_minute, created_at| ExtendedCare {
            id: Id::new(Uuid::from_u128(1)),
            district_id: Id::new(Uuid::from_u128(2)),
            school_id: Id::new(Uuid::from_u128(3)),
            pupil_id: Id::new(Uuid::from_u128(50)),
            guardian_id: Id::new(Uuid::from_u128(60)),
            day: on("2026-09-07"),
            until_minute,
            created_at,
            cancelled_at: None,
        };
        let noon = lesson().starts_at - TimeDelta::hours(4);
        let six_thirty = super::super::local::moment(on("2026-09-07"), END + 30);
        assert_eq!(extend(&care(END + 30, noon), Some(END)), Ok(()));
        assert_eq!(extend(&care(END, noon), Some(END)), Err(Error::BeforeEnd { end_minute: END }));
        assert_eq!(extend(&care(END + 30, six_thirty), Some(END)), Err(Error::Past));
        assert_eq!(extend(&care(END + 30, noon), None), Err(Error::NoService));
    }
}
