//! Terms, sections, and when their lessons are.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use policy::fee::LessonDay;
use policy::vocabulary::Stage;
use shared::value::{District, Fen, Id, Moment, School, Section as SectionKind, Term as TermKind};
use uuid::Uuid;

/// How far the clocks of people are ahead of UTC: Asia/Shanghai, which has no summer time.
const LOCAL_OFFSET: TimeDelta = TimeDelta::hours(8);

/// The local calendar day of a moment.
#[must_use]
pub fn local_day(at: Moment) -> NaiveDate {
    (at.naive_utc() + LOCAL_OFFSET).date()
}

/// The moment of a local wall-clock time.
#[must_use]
pub fn local_moment(at: NaiveDateTime) -> Moment {
    (at - LOCAL_OFFSET).and_utc()
}

/// A moment as local wall-clock time with its offset.
#[must_use]
pub fn local(at: Moment) -> chrono::DateTime<FixedOffset> {
    // Eight hours are always a valid offset; UTC would only be said where it could not be.
    FixedOffset::east_opt(8 * 3_600).map_or_else(|| at.fixed_offset(), |offset| at.with_timezone(&offset))
}

/// A term of one school, as the catalog told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Which term.
    pub id: Id<TermKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The ids district, town, school.
    pub path: Vec<Uuid>,
    /// The first day of service, inclusive.
    pub first_day: NaiveDate,
    /// The last day of service, inclusive.
    pub last_day: NaiveDate,
    /// Days within the term without service, ascending.
    pub off_days: Vec<NaiveDate>,
    /// The policy the term is pinned to.
    pub policy_version: String,
    /// The school's stage.
    pub stage: Stage,
}

impl Term {
    /// The school: the last id of the path.
    #[must_use]
    pub fn school_id(&self) -> Id<School> {
        Id::new(self.path.last().copied().unwrap_or_default())
    }

    /// The days of service, ascending.
    fn days(&self) -> impl Iterator<Item = NaiveDate> {
        let days = self.first_day.iter_days().take_while(|day| *day <= self.last_day);
        days.filter(|day| self.off_days.binary_search(day).is_err())
    }
}

/// A weekly lesson of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// 1 (Monday) to 7 (Sunday).
    pub weekday: u32,
    /// When it starts, local time.
    pub starts: NaiveTime,
    /// When it ends, local time; none for sections that were heard of before ends were kept.
    pub ends: Option<NaiveTime>,
    /// Class hours, 1 to 8; 0 for extended care, which is never priced.
    pub class_hours: u32,
}

/// A section, as the catalog told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Which section.
    pub id: Id<SectionKind>,
    /// The district.
    pub district_id: Id<District>,
    /// Its term.
    pub term_id: Id<TermKind>,
    /// The course's title.
    pub title: String,
    /// Its weekly lessons.
    pub lessons: Vec<Lesson>,
}

impl Section {
    /// The priced lessons on each day of the term, ascending by day; extended care is none of them.
    pub fn lessons(&self, term: &Term) -> impl Iterator<Item = (NaiveDate, &Lesson)> {
        term.days().flat_map(|date| {
            let weekday = date.weekday().number_from_monday();
            let held = move |lesson: &&Lesson| lesson.weekday == weekday && lesson.class_hours > 0;
            self.lessons.iter().filter(held).map(move |lesson| (date, lesson))
        })
    }

    /// Class hours on each day of the term, only of lessons that start before `until`; all of them when it is absent.
    ///
    /// Ascending, one entry a day, none with 0 hours.
    #[must_use]
    pub fn lesson_days(&self, term: &Term, until: Option<Moment>) -> Vec<LessonDay> {
        let mut hours: BTreeMap<NaiveDate, u32> = BTreeMap::new();
        for (date, lesson) in self.lessons(term) {
            if until.is_none_or(|until| local_moment(date.and_time(lesson.starts)) < until) {
                *hours.entry(date).or_default() += lesson.class_hours;
            }
        }
        let day = |(date, class_hours)| LessonDay { date, class_hours, already_charged: Fen::ZERO };
        hours.into_iter().map(day).collect()
    }

    /// Whether a lesson of the section has started by `now`.
    #[must_use]
    pub fn has_begun(&self, term: &Term, now: Moment) -> bool {
        let until = now + TimeDelta::microseconds(1);
        !self.lesson_days(term, Some(until)).is_empty()
    }
}

/// The Monday of the week `day` lies in.
#[must_use]
pub fn monday(day: NaiveDate) -> NaiveDate {
    day - Days::new(u64::from(day.weekday().num_days_from_monday()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// Two weeks from Monday 7 September 2026, Thursday of the first week off.
    pub(crate) fn term() -> Term {
        Term {
            id: Id::new(Uuid::from_u128(1)),
            district_id: Id::new(Uuid::from_u128(2)),
            path: vec![Uuid::from_u128(2), Uuid::from_u128(3), Uuid::from_u128(4)],
            first_day: date("2026-09-07"),
            last_day: date("2026-09-20"),
            off_days: vec![date("2026-09-10")],
            policy_version: String::new(),
            stage: Stage::Primary,
        }
    }

    pub(crate) fn section(number: u128, lessons: &[(u32, u32)]) -> Section {
        let lesson = |&(weekday, class_hours): &(u32, u32)| Lesson {
            weekday,
            starts: NaiveTime::from_hms_opt(16, 0, 0).unwrap(),
            ends: NaiveTime::from_hms_opt(17, 0, 0),
            class_hours,
        };
        Section {
            id: Id::new(Uuid::from_u128(number)),
            district_id: Id::new(Uuid::from_u128(2)),
            term_id: Id::new(Uuid::from_u128(1)),
            title: "篮球".to_owned(),
            lessons: lessons.iter().map(lesson).collect(),
        }
    }

    #[test]
    fn lessons_fall_on_their_weekday_but_not_on_days_off() {
        let days = section(9, &[(4, 2), (1, 1)]).lesson_days(&term(), None);

        let days: Vec<_> = days.iter().map(|day| (day.date, day.class_hours)).collect();
        assert_eq!(days, [(date("2026-09-07"), 1), (date("2026-09-14"), 1), (date("2026-09-17"), 2)]);
    }

    #[test]
    fn two_lessons_of_a_day_add_up() {
        let days = section(9, &[(1, 1), (1, 2)]).lesson_days(&term(), None);
        assert_eq!(days.first().map(|day| day.class_hours), Some(3));
    }

    #[test]
    fn c77_extended_care_has_no_hours() {
        assert!(section(9, &[(1, 0)]).lesson_days(&term(), None).is_empty());
    }

    #[test]
    fn a_section_has_begun_at_the_start_of_its_first_lesson() {
        let starts = local_moment(date("2026-09-07").and_hms_opt(16, 0, 0).unwrap());
        let section = section(9, &[(1, 1)]);

        assert!(!section.has_begun(&term(), starts - TimeDelta::microseconds(1)));
        assert!(section.has_begun(&term(), starts));
        assert_eq!(section.lesson_days(&term(), Some(starts)).len(), 0);
        assert_eq!(section.lesson_days(&term(), Some(starts + TimeDelta::days(1))).len(), 1);
    }

    #[test]
    fn the_local_day_changes_at_16_utc() {
        let at = |text: &str| text.parse::<Moment>().unwrap();
        assert_eq!(local_day(at("2026-09-07T15:59:59Z")), date("2026-09-07"));
        assert_eq!(local_day(at("2026-09-07T16:00:00Z")), date("2026-09-08"));
    }
}
