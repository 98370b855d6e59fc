//! Who in line is next.
//!
//! Order is the number drawn, lowest first. Who cannot sit at the moment (left, another school's by now, at the ceiling of the term, or seated elsewhere at
//! the same time) is passed over and keeps the place in line.

use super::enrollment::{Enrollment, State};
use super::pupil::Pupil;
use super::section::{self, Section, Slot};

/// One who stands in line, with what decides whether a seat can be taken now.
#[derive(Clone, Debug)]
pub struct Waiter {
    /// The enrollment, waitlisted.
    pub enrollment: Enrollment,
    /// The pupil.
    pub pupil: Pupil,
    /// The slots of the pupil's seats in the term.
    pub taken_slots: Vec<Slot>,
    /// Whether the agreement in force is signed for the pupil.
    pub is_signed: bool,
    /// Whether the pupil's courses and this one together cost no more than the region lets a term cost.
    pub is_affordable: bool,
}

impl Waiter {
    /// Says whether the pupil could take a seat of `section` now.
    #[must_use]
    pub fn can_sit(&self, section: &Section) -> bool {
        self.is_affordable && may_sit(section, &self.pupil, &self.taken_slots)
    }
}

/// Says whether `pupil`, seated in `taken_slots`, could take a seat of `section`, were one free.
#[must_use]
pub fn may_sit(section: &Section, pupil: &Pupil, taken_slots: &[Slot]) -> bool {
    section.state == section::State::Published
        && pupil.is_of(section.school_id)
        && section::first_clash(&section.slots, taken_slots).is_none()
}

/// Gives those who get the section's free seats, in order.
#[must_use]
pub fn next<'line>(section: &Section, line: &'line [Waiter]) -> Vec<&'line Waiter> {
    let number = |waiter: &&Waiter| match waiter.enrollment.state {
        State::Waitlisted { number } => Some(number),
        State::AwaitingAgreement { .. }
        | State::InReview { .. }
        | State::Held { .. }
        | State::Releasing { .. }
        | State::Confirmed
        | State::Released { .. } => None,
    };
    let mut waiting: Vec<_> =
        line.iter().filter(|waiter| number(waiter).is_some() && waiter.can_sit(section)).collect();
    waiting.sort_by_key(number);
    let free = section.seats.free_count();
    waiting.truncate(usize::try_from(free).unwrap_or(0));
    waiting
}

#[cfg(test)]
mod tests {
    use shared::value::Id;
    use uuid::Uuid;

    use super::*;
    use crate::domain::enrollment::tests::enrollment;
    use crate::domain::pupil::Standing;
    use crate::domain::section::Seats;

    fn slot(id: u128, start_minute: i32) -> Slot {
        Slot { weekday: 1, start_minute, end_minute: start_minute + 60, id: Id::new(Uuid::from_u128(id)) }
    }

    fn section(taken_count: i32) -> Section {
        Section {
            id: Id::new(Uuid::from_u128(6)),
            district_id: Id::new(Uuid::from_u128(2)),
            school_id: Id::new(Uuid::from_u128(3)),
            path: Vec::new(),
            term_id: Id::new(Uuid::from_u128(7)),
            title: "围棋".to_owned(),
            provider_id: None,
            grades: vec![1, 2, 3],
            slots: vec![slot(1, 960)],
            seats: Seats {
                capacity_count: 10,
                taken_count,
                waitlisted_count: 3,
                last_waitlist_number: 3,
                promised_count: 0,
                basic_care: false,
            },
            extended_care: false,
            left_over: false,
            state: section::State::Published,
        }
    }

    fn waiter(number: i64) -> Waiter {
        let enrollment = Enrollment {
            id: Id::new(Uuid::from_u128(number.unsigned_abs().into())),
            ..enrollment(State::Waitlisted { number }, &[])
        };
        let pupil = Pupil {
            id: enrollment.pupil_id,
            district_id: enrollment.district_id,
            school_id: enrollment.school_id,
            path: enrollment.pupil_path.clone(),
            grade: 3,
            standing: Standing::Enrolled,
        };
        Waiter { enrollment, pupil, taken_slots: Vec::new(), is_signed: true, is_affordable: true }
    }

    fn numbers(next: &[&Waiter]) -> Vec<State> {
        next.iter().map(|waiter| waiter.enrollment.state.clone()).collect()
    }

    #[test]
    fn the_lowest_numbers_get_the_free_seats() {
        let line = [waiter(3), waiter(1), waiter(2)];

        let two = next(&section(8), &line);

        assert_eq!(numbers(&two), [State::Waitlisted { number: 1 }, State::Waitlisted { number: 2 }]);
        assert!(next(&section(10), &line).is_empty());
    }

    #[test]
    fn who_cannot_sit_is_passed_over() {
        let clashing = Waiter { taken_slots: vec![slot(9, 990)], ..waiter(1) };
        let mut left = waiter(2);
        left.pupil.standing = Standing::Left;
        let line = [clashing, left, waiter(3)];

        assert_eq!(numbers(&next(&section(8), &line)), [State::Waitlisted { number: 3 }]);
    }

    #[test]
    fn nobody_gets_a_seat_in_a_cancelled_section() {
        let cancelled =
            Section { state: section::State::Cancelled { reason: "停课".to_owned() }, ..section(0) };
        assert!(next(&cancelled, &[waiter(1)]).is_empty());
    }
}
