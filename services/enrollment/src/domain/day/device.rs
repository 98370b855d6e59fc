//! What an identity device of a school saw. It says who came or went past it; it takes nobody into care, and gives nobody out of it.

use shared::value::{Device as DeviceKind, District, Id, Moment, School};
use uuid::Uuid;

use super::custody::{Custody, State};
use super::lesson::Lesson;

/// An identity device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The device.
    pub id: Id<DeviceKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The ids district, town, school.
    pub path: Vec<Uuid>,
    /// Its name.
    pub name: String,
    /// When it was added.
    pub created_at: Moment,
    /// When its key was revoked; none while it holds.
    pub revoked_at: Option<Moment>,
}

/// Which way a person went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// In.
    In,
    /// Out.
    Out,
}

/// Gives the lesson somebody who comes at `at` comes for: the one that runs, else the next to begin that day. `lessons` are the pupil's.
#[must_use]
pub fn lesson_for(lessons: &[Lesson], at: Moment) -> Option<&Lesson> {
    let runs = |lesson: &&Lesson| lesson.starts_at <= at && at < lesson.ends_at;
    let next = || lessons.iter().filter(|lesson| at < lesson.starts_at).min_by_key(|lesson| lesson.starts_at);
    lessons.iter().find(runs).or_else(next)
}

/// What a pupil who goes out means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Going {
    /// The pupil may go alone: checked out.
    Alone,
    /// The pupil is in somebody's care and may not go alone: a person has to look.
    WithoutAdult,
    /// The pupil was checked out, or never came.
    Known,
}

/// Judges a pupil who goes out.
#[must_use]
pub fn going(custody: Option<&Custody>, may_go_alone: bool) -> Going {
    match custody.map(|custody| custody.state) {
        Some(State::Held(_)) if may_go_alone => Going::Alone,
        Some(State::Held(_)) => Going::WithoutAdult,
        Some(State::Gone(_)) | None => Going::Known,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::day::lesson::tests::lesson;

    #[test]
    fn who_comes_comes_for_the_lesson_that_runs_or_the_next_one() {
        let first = lesson();
        let hour = TimeDelta::hours(1);
        let second = Lesson {
            starts_at: first.starts_at + hour * 2,
            ends_at: first.ends_at + hour * 2,
            ..first.clone()
        };
        let lessons = [first.clone(), second.clone()];
        let table = [
            (first.starts_at - hour, Some(first.starts_at)),
            (first.starts_at, Some(first.starts_at)),
            (first.ends_at - TimeDelta::microseconds(1), Some(first.starts_at)),
            (first.ends_at, Some(second.starts_at)),
            (second.ends_at, None),
        ];
        for (at, starts_at) in table {
            assert_eq!(lesson_for(&lessons, at).map(|lesson| lesson.starts_at), starts_at, "{at}");
        }
        assert_eq!(lesson_for(&[], first.starts_at), None);
    }
}
