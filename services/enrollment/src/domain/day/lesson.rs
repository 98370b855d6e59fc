//! When a section meets, and when the register of that closes.
//!
//! A register is the day's: it closes on the day itself, at the school's closing time, or when the lesson ends if that is later. From
//! that moment on only a correction changes it.

use chrono::NaiveDate;
use shared::value::{
    District, Id, Lesson as LessonKind, Moment, School, Section as SectionKind, Slot, Term as TermKind,
};
use uuid::Uuid;

use super::local;
use crate::domain::section::{Section, State as SectionState};
use crate::domain::term::Term;

/// What names a lesson, on a device without network too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The section.
    pub section_id: Id<SectionKind>,
    /// The day.
    pub day: NaiveDate,
    /// The slot.
    pub slot_id: Id<Slot>,
}

/// One meeting of a section: one of its slots on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// The lesson.
    pub id: Id<LessonKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The ids district, town, school.
    pub path: Vec<Uuid>,
    /// The term.
    pub term_id: Id<TermKind>,
    /// What names it.
    pub key: Key,
    /// When it starts.
    pub starts_at: Moment,
    /// When it ends.
    pub ends_at: Moment,
    /// When its register closes.
    pub closes_at: Moment,
    /// Whether its register is open.
    pub state: State,
}

/// Whether a register is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Marks are written into it until `closes_at`.
    Open,
    /// Only corrections are; its pupils are fixed.
    Closed {
        /// When the job closed it.
        at: Moment,
    },
}

impl Lesson {
    /// Says whether a mark that arrives at `now` comes too late, whether or not the job has closed the register yet.
    #[must_use]
    pub fn is_closed(&self, now: Moment) -> bool {
        match self.state {
            State::Open => self.closes_at <= now,
            State::Closed { .. } => true,
        }
    }
}

/// Why there is no lesson, or none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The section does not meet then.
    #[error("the section does not meet then")]
    None,
    /// The day is still to come.
    #[error("the lesson is on {day}, which is still to come")]
    ToCome {
        /// The day.
        day: NaiveDate,
    },
}

/// Gives the lesson of `section` on a day in one of its slots, its register open. `close_minute` is the school's closing time, in
/// minutes after midnight.
///
/// # Errors
/// [`Error::None`] when the slot is not the section's or of another weekday, the day is outside the term or off, or the section was
/// cancelled.
pub fn plan(
    id: Id<LessonKind>,
    section: &Section,
    term: &Term,
    day: NaiveDate,
    slot_id: Id<Slot>,
    close_minute: i32,
) -> Result<Lesson, Error> {
    let slot = section.slots.iter().find(|slot| slot.id == slot_id && slot.weekday == local::weekday(day));
    let is_given = match section.state {
        SectionState::Published => term.meets_on(day),
        SectionState::Cancelled { .. } => false,
    };
    let slot = slot.filter(|_| is_given).ok_or(Error::None)?;
    let ends_at = local::moment(day, slot.end_minute);
    Ok(Lesson {
        id,
        district_id: section.district_id,
        school_id: section.school_id,
        path: section.path.clone(),
        term_id: section.term_id,
        key: Key { section_id: section.id, day, slot_id },
        starts_at: local::moment(day, slot.start_minute),
        ends_at,
        closes_at: local::moment(day, close_minute).max(ends_at),
        state: State::Open,
    })
}

/// Insists that the day of a lesson has come.
///
/// # Errors
/// [`Error::ToCome`].
pub fn begun(lesson: &Lesson, now: Moment) -> Result<(), Error> {
    let day = lesson.key.day;
    if local::day(now) < day { Err(Error::ToCome { day }) } else { Ok(()) }
}

/// Closes a register whose time has come; gives the moment, or nothing when it is closed already or still open.
#[must_use]
pub fn close(lesson: &Lesson, now: Moment) -> Option<State> {
    match lesson.state {
        State::Open if lesson.closes_at <= now => Some(State::Closed { at: now }),
        State::Open | State::Closed { .. } => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::section::{Seats, Slot as SectionSlot};

    /// A section on Mondays, 16:00 to 17:00.
    pub(crate) fn section() -> Section {
        Section {
            id: Id::new(Uuid::from_u128(6)),
            district_id: Id::new(Uuid::from_u128(2)),
            school_id: Id::new(Uuid::from_u128(3)),
            path: vec![Uuid::from_u128(2), Uuid::from_u128(9), Uuid::from_u128(3)],
            term_id: Id::new(Uuid::from_u128(7)),
            title: "围棋".to_owned(),
            provider_id: None,
            grades: vec![3],
            slots: vec![SectionSlot {
                weekday: 1,
                start_minute: 960,
                end_minute: 1020,
                id: Id::new(Uuid::from_u128(8)),
            }],
            seats: Seats {
                capacity_count: 30,
                taken_count: 0,
                waitlisted_count: 0,
                last_waitlist_number: 0,
                promised_count: 0,
                basic_care: false,
            },
            extended_care: false,
            left_over: false,
            state: SectionState::Published,
        }
    }

    fn term() -> Term {
        Term {
            id: Id::new(Uuid::from_u128(7)),
            district_id: Id::new(Uuid::from_u128(2)),
            school_id: Id::new(Uuid::from_u128(3)),
            path: Vec::new(),
            first_day: on("2026-09-07"),
            last_day: on("2027-01-22"),
            off_days: vec![on("2026-10-05")],
            policy_version: String::new(),
        }
    }

    pub(crate) fn on(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// The lesson of [`section`] on 7 September 2026; its register closes at 23:00.
    pub(crate) fn lesson() -> Lesson {
        planned(&section(), "2026-09-07", 8, 1380).unwrap()
    }

    fn planned(section: &Section, day: &str, slot: u128, close_minute: i32) -> Result<Lesson, Error> {
        let id = Id::new(Uuid::from_u128(1));
        plan(id, section, &term(), on(day), Id::new(Uuid::from_u128(slot)), close_minute)
    }

    #[test]
    fn a_section_meets_on_its_weekdays_within_the_term_and_not_on_days_off() {
        let cancelled =
            Section { state: SectionState::Cancelled { reason: "停课".to_owned() }, ..section() };
        let table = [
            (section(), "2026-09-07", 8, true),
            (section(), "2026-09-08", 8, false),
            (section(), "2026-08-31", 8, false),
            (section(), "2027-01-18", 8, true),
            (section(), "2027-01-25", 8, false),
            (section(), "2026-10-05", 8, false),
            (section(), "2026-09-07", 9, false),
            (cancelled, "2026-09-07", 8, false),
        ];
        for (section, day, slot, meets) in table {
            assert_eq!(planned(&section, day, slot, 1380).is_ok(), meets, "{day} {slot}");
        }
    }

    #[test]
    fn a_register_closes_on_its_own_day_and_never_before_its_lesson_ends() {
        assert_eq!(lesson().closes_at, local::moment(on("2026-09-07"), 1380));
        let early = planned(&section(), "2026-09-07", 8, 990).unwrap();
        assert_eq!(early.closes_at, early.ends_at);
        for minute in [0, 990, 1439] {
            let closes_at = planned(&section(), "2026-09-07", 8, minute).unwrap().closes_at;
            assert_eq!(local::day(closes_at), on("2026-09-07"));
        }
    }

    #[test]
    fn a_register_closes_once_from_its_closing_moment_on() {
        let lesson = lesson();
        let before = lesson.closes_at - TimeDelta::microseconds(1);
        assert_eq!(close(&lesson, before), None);
        assert!(!lesson.is_closed(before) && lesson.is_closed(lesson.closes_at));
        let closed = close(&lesson, lesson.closes_at).unwrap();
        assert_eq!(closed, State::Closed { at: lesson.closes_at });
        let lesson = Lesson { state: closed, ..lesson };
        assert_eq!(close(&lesson, lesson.closes_at), None);
        assert!(lesson.is_closed(before));
    }

    #[test]
    fn a_lesson_is_not_marked_before_its_day() {
        let midnight = local::moment(on("2026-09-07"), 0);
        assert_eq!(begun(&lesson(), midnight), Ok(()));
        let eve = midnight - TimeDelta::microseconds(1);
        assert_eq!(begun(&lesson(), eve), Err(Error::ToCome { day: on("2026-09-07") }));
    }
}
