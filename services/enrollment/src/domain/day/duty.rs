//! Who of the staff answers for what, from one day to another.

use chrono::{Days, NaiveDate};
use shared::value::{District, Duty as DutyKind, Id, Room, School, Section, Staff};
use uuid::Uuid;

/// A member of staff named for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The duty.
    pub id: Id<DutyKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The ids district, town, school.
    pub path: Vec<Uuid>,
    /// What for.
    pub post: Post,
    /// Who.
    pub staff_id: Id<Staff>,
    /// Their name, as colleagues and families are told it.
    pub staff_name: String,
    /// From this day on.
    pub first_day: NaiveDate,
    /// To this day; before `first_day` when it was ended before it began.
    pub last_day: NaiveDate,
}

/// What a member of staff answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Post {
    /// The whole school: every alert goes there.
    Leader,
    /// A section's lessons and the pupils in them.
    Section(Id<Section>),
    /// A waiting room and the pupils in it.
    Room(Id<Room>),
}

impl Duty {
    /// Says whether it holds on `day`.
    #[must_use]
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.first_day <= day && day <= self.last_day
    }

    /// Says whether `staff_id` is named for `post` on `day` by it.
    #[must_use]
    pub fn names(&self, staff_id: Id<Staff>, post: Post, day: NaiveDate) -> bool {
        self.staff_id == staff_id && self.post == post && self.holds_on(day)
    }
}

/// Ends a duty before `today`. One that is over stays as it is.
#[must_use]
pub fn end(duty: &Duty, today: NaiveDate) -> Duty {
    let yesterday = today.checked_sub_days(Days::new(1)).unwrap_or(today);
    let before_it = duty.first_day.checked_sub_days(Days::new(1)).unwrap_or(duty.first_day);
    Duty { last_day: duty.last_day.min(yesterday.max(before_it)), ..duty.clone() }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::day::lesson::tests::on;

    pub(crate) fn duty(post: Post, first: &str, last: &str) -> Duty {
        Duty {
            id: Id::new(Uuid::from_u128(1)),
            district_id: Id::new(Uuid::from_u128(2)),
            school_id: Id::new(Uuid::from_u128(3)),
            path: Vec::new(),
            post,
            staff_id: Id::new(Uuid::from_u128(70)),
            staff_name: "李老师".to_owned(),
            first_day: on(first),
            last_day: on(last),
        }
    }

    #[test]
    fn a_duty_holds_on_both_its_ends() {
        let duty = duty(Post::Leader, "2026-09-07", "2026-09-11");
        for (day, holds) in
            [("2026-09-06", false), ("2026-09-07", true), ("2026-09-11", true), ("2026-09-12", false)]
        {
            assert_eq!(duty.holds_on(on(day)), holds, "{day}");
        }
    }

    #[test]
    fn ending_keeps_the_days_that_were_and_takes_those_to_come() {
        let table = [
            ("2026-09-09", "2026-09-08"),
            ("2026-09-07", "2026-09-06"),
            ("2026-09-01", "2026-09-06"),
            ("2026-09-20", "2026-09-11"),
        ];
        for (today, last) in table {
            let ended = end(&duty(Post::Leader, "2026-09-07", "2026-09-11"), on(today));
            assert_eq!(ended.last_day, on(last), "{today}");
            assert_eq!(end(&ended, on(today)), ended, "again");
            assert!(!ended.holds_on(on(today)));
        }
    }
}
