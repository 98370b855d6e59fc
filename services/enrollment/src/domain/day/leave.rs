//! Which lessons a guardian has excused a pupil from (请假).
//!
//! A leave is said beforehand: it excuses from lessons that had not begun when it was said, unless it was taken back before they began.

use chrono::NaiveDate;
use shared::value::{District, Guardian, Id, Leave as LeaveKind, Moment, Pupil, School, Section};

use super::lesson::Lesson;

/// A pupil excused from a day, or from one section of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leave {
    /// The leave.
    pub id: Id<LeaveKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// The day.
    pub day: NaiveDate,
    /// The section; none for every section of the day.
    pub section_id: Option<Id<Section>>,
    /// Who said it.
    pub guardian_id: Id<Guardian>,
    /// When.
    pub created_at: Moment,
    /// When it was taken back; none while it stands.
    pub cancelled_at: Option<Moment>,
}

impl Leave {
    /// Says whether it is about the lesson at all, standing or taken back.
    #[must_use]
    pub fn is_about(&self, lesson: &Lesson) -> bool {
        self.day == lesson.key.day && self.section_id.is_none_or(|section| section == lesson.key.section_id)
    }

    /// Says whether it excuses from the lesson.
    #[must_use]
    pub fn excuses_from(&self, lesson: &Lesson) -> bool {
        self.is_about(lesson)
            && self.created_at < lesson.starts_at
            && self.cancelled_at.is_none_or(|at| lesson.starts_at <= at)
    }
}

/// Why a pupil is not excused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The pupil has no lesson then.
    #[error("no lesson then")]
    NoLesson,
    /// Every lesson then has begun.
    #[error("every lesson has begun")]
    TooLate,
}

/// Says that `leave` is said in time for at least one of the pupil's `lessons` it is about.
///
/// # Errors
/// [`Error::NoLesson`], [`Error::TooLate`].
pub fn report(leave: &Leave, lessons: &[Lesson]) -> Result<(), Error> {
    let mut about = lessons.iter().filter(|lesson| leave.is_about(lesson)).peekable();
    if about.peek().is_none() {
        return Err(Error::NoLesson);
    }
    if about.any(|lesson| leave.excuses_from(lesson)) { Ok(()) } else { Err(Error::TooLate) }
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::domain::day::lesson::tests::{lesson, on};

    pub(crate) fn leave(created_at: Moment) -> Leave {
        Leave {
            id: Id::new(Uuid::from_u128(1)),
            district_id: Id::new(Uuid::from_u128(2)),
            school_id: Id::new(Uuid::from_u128(3)),
            pupil_id: Id::new(Uuid::from_u128(50)),
            day: on("2026-09-07"),
            section_id: None,
            guardian_id: Id::new(Uuid::from_u128(60)),
            created_at,
            cancelled_at: None,
        }
    }

    #[test]
    fn a_leave_excuses_from_what_had_not_begun_when_it_was_said_or_taken_back() {
        let lesson = lesson();
        let (start, tick) = (lesson.starts_at, TimeDelta::microseconds(1));
        let taken_back = |at| Leave { cancelled_at: Some(at), ..leave(start - TimeDelta::hours(2)) };
        let section = |id: u128| Leave {
            section_id: Some(Id::new(Uuid::from_u128(id))),
            ..leave(start - TimeDelta::hours(2))
        };
        let table = [
            (leave(start - tick), true),
            (leave(start), false),
            (taken_back(start - tick), false),
            (taken_back(start), true),
            (section(6), true),
            (section(5), false),
            (Leave { day: on("2026-09-14"), ..leave(start - TimeDelta::hours(2)) }, false),
        ];
        for (leave, excused) in table {
            assert_eq!(leave.excuses_from(&lesson), excused, "{leave:?}");
        }
    }

    #[test]
    fn a_leave_that_excuses_from_nothing_is_refused_with_the_reason() {
        let lesson = lesson();
        let start = lesson.starts_at;
        assert_eq!(report(&leave(start - TimeDelta::minutes(1)), std::slice::from_ref(&lesson)), Ok(()));
        assert_eq!(report(&leave(start), std::slice::from_ref(&lesson)), Err(Error::TooLate));
        assert_eq!(report(&leave(start), &[]), Err(Error::NoLesson));
    }
}
