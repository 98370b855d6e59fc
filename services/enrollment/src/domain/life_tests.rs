//! Whole lives of many enrollments at once, under random commands: what the rules promise together.

use proptest::prelude::*;

use super::admission::tests::{application, section, slot, snapshot};
use super::admission::{Outcome, Place, Snapshot, decide};
use super::enrollment::tests::at;
use super::enrollment::{self, Change, Enrollment, Event, ReleaseReason, State};
use super::section::{Section, Slot, first_clash};
use super::waitlist::{self, Waiter};

#[derive(Clone, Copy, Debug)]
enum Command {
    Apply { pupil: u128, section: u128, join_waitlist: bool },
    Withdraw(usize),
    Expire(usize),
    Closed(usize),
    Settled(usize),
    Lose(usize),
}

fn command() -> impl Strategy<Value = Command> {
    let apply = (1_u128..=8, 500_u128..506, any::<bool>());
    prop_oneof![
        4 => apply.prop_map(|(pupil, section, join_waitlist)| Command::Apply { pupil, section, join_waitlist }),
        1 => (0_usize..64).prop_map(Command::Withdraw),
        1 => (0_usize..64).prop_map(Command::Expire),
        2 => (0_usize..64).prop_map(Command::Closed),
        1 => (0_usize..64).prop_map(Command::Settled),
        1 => (0_usize..64).prop_map(Command::Lose),
    ]
}

/// What the store keeps, kept in memory.
struct Kept {
    snapshot: Snapshot,
    enrollments: Vec<Enrollment>,
    told: Vec<Vec<Event>>,
}

impl Kept {
    fn new() -> Self {
        let hours = [960, 990];
        let sections = (0..6_u8).map(|n| {
            section(500 + u128::from(n), 2, &[slot(1 + i32::from(n % 3), hours[usize::from(n / 3)])])
        });
        Self { snapshot: snapshot(sections.collect()), enrollments: Vec::new(), told: Vec::new() }
    }

    fn obey(&mut self, command: Command, number: usize) {
        let indexed = |index: usize| self.enrollments.get(index % self.enrollments.len().max(1)).cloned();
        let (Command::Withdraw(index)
        | Command::Expire(index)
        | Command::Closed(index)
        | Command::Settled(index)
        | Command::Lose(index)) = command
        else {
            return self.apply(command, number);
        };
        let Some(chosen) = indexed(index) else { return };
        let change = match command {
            Command::Withdraw(_) => Ok(enrollment::withdraw(&chosen)),
            Command::Expire(_) => Ok(enrollment::hold_expired(&chosen, at(100_000))),
            Command::Closed(_) => enrollment::closed(&chosen),
            Command::Settled(_) => enrollment::settled(&chosen, self.can_seat_again(&chosen)),
            Command::Lose(_) => Ok(enrollment::lose(&chosen, ReleaseReason::PupilLeft.into())),
            Command::Apply { .. } => return,
        };
        if let Ok(change) = change {
            self.keep(&chosen, change);
        }
        self.promote();
    }

    fn apply(&mut self, command: Command, number: usize) {
        let Command::Apply { pupil, section, join_waitlist } = command else { return };
        let number = u128::try_from(number).unwrap();
        let decided = decide(&mut self.snapshot, &application(number, pupil, section, join_waitlist), at(1));
        if let Ok(Outcome::Admitted { enrollment, event, .. }) = decided {
            self.enrollments.push(*enrollment);
            self.told.push(vec![event]);
        }
    }

    fn section(&self, enrollment: &Enrollment) -> &Section {
        &self.snapshot.sections[&enrollment.section_id]
    }

    fn taken_slots(&self, enrollment: &Enrollment) -> Vec<Slot> {
        let places = self.snapshot.places.get(&enrollment.pupil_id).into_iter().flatten();
        places.flat_map(|place| place.taken_slots.clone()).collect()
    }

    fn can_seat_again(&self, enrollment: &Enrollment) -> bool {
        let section = self.section(enrollment);
        let mut places = self.snapshot.places.get(&enrollment.pupil_id).into_iter().flatten();
        let is_elsewhere = places.any(|place| place.section_id == section.id);
        let pupil = &self.snapshot.pupils[&enrollment.pupil_id];
        section.seats.has_free()
            && !is_elsewhere
            && waitlist::may_sit(section, pupil, &self.taken_slots(enrollment))
    }

    fn keep(&mut self, before: &Enrollment, change: Change) {
        let index = self.enrollments.iter().position(|enrollment| enrollment.id == before.id).unwrap();
        let section = self.snapshot.sections.get_mut(&before.section_id).unwrap();
        section.seats.taken_count +=
            i32::from(change.state.holds_seat()) - i32::from(before.state.holds_seat());
        section.seats.waitlisted_count +=
            i32::from(change.state.is_waitlisted()) - i32::from(before.state.is_waitlisted());
        let places = self.snapshot.places.entry(before.pupil_id).or_default();
        places.retain(|place| place.enrollment_id != before.id);
        if change.state.is_live() {
            places.push(Place {
                enrollment_id: before.id,
                section_id: before.section_id,
                term_id: before.term_id,
                section_title: section.title.clone(),
                taken_slots: if change.state.holds_seat() { section.slots.clone() } else { Vec::new() },
            });
        }
        self.told[index].extend(change.event);
        self.enrollments[index].state = change.state;
    }

    /// Gives every free seat to the next who can sit, one at a time: each seat taken may keep a waiter from another.
    fn promote(&mut self) {
        while let Some(next) = self.next() {
            let change = enrollment::promote(&next, true, at(1)).unwrap();
            self.keep(&next, change);
        }
    }

    fn next(&self) -> Option<Enrollment> {
        let mut sections: Vec<_> = self.snapshot.sections.values().collect();
        sections.sort_by_key(|section| section.id);
        sections.into_iter().find_map(|section| {
            let line: Vec<_> = self
                .enrollments
                .iter()
                .filter(|enrollment| enrollment.section_id == section.id && enrollment.state.is_waitlisted())
                .map(|enrollment| Waiter {
                    enrollment: enrollment.clone(),
                    pupil: self.snapshot.pupils[&enrollment.pupil_id].clone(),
                    taken_slots: self.taken_slots(enrollment),
                    is_signed: true,
                    is_affordable: true,
                })
                .collect();
            waitlist::next(section, &line).first().map(|waiter| waiter.enrollment.clone())
        })
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for section in self.snapshot.sections.values() {
            let of = |wanted: fn(&State) -> bool| {
                let here = self.enrollments.iter().filter(|enrollment| enrollment.section_id == section.id);
                i32::try_from(here.filter(|enrollment| wanted(&enrollment.state)).count()).unwrap()
            };
            prop_assert_eq!(section.seats.taken_count, of(State::holds_seat));
            prop_assert!(section.seats.taken_count <= section.seats.capacity_count);
            prop_assert_eq!(section.seats.waitlisted_count, of(State::is_waitlisted));
        }
        for (index, one) in self.enrollments.iter().enumerate() {
            let others = self.enrollments[..index].iter().filter(|other| other.pupil_id == one.pupil_id);
            for other in others {
                if one.state.is_live() && other.state.is_live() {
                    prop_assert_ne!(one.section_id, other.section_id);
                }
                if one.state.holds_seat() && other.state.holds_seat() {
                    prop_assert!(first_clash(&self.section(one).slots, &self.section(other).slots).is_none());
                }
            }
        }
        for (enrollment, told) in self.enrollments.iter().zip(&self.told) {
            self.check_told(enrollment, told)?;
        }
        prop_assert_eq!(self.next().map(|next| next.id), None, "a free seat, and somebody who could sit");
        Ok(())
    }

    /// What others heard last is where it stands, and whoever settles is confirmed or asks for the money back.
    fn check_told(&self, enrollment: &Enrollment, told: &[Event]) -> Result<(), TestCaseError> {
        let last = told.last().unwrap();
        let agrees = match &enrollment.state {
            State::Waitlisted { .. } => matches!(last, Event::Waitlisted { .. }),
            State::AwaitingAgreement { .. } => matches!(last, Event::AgreementAwaited { .. }),
            State::InReview { .. } => matches!(last, Event::ReviewBegun { .. }),
            State::Held { .. } | State::Releasing { .. } => matches!(last, Event::SeatHeld { .. }),
            State::Confirmed => matches!(last, Event::SeatConfirmed),
            State::Released { was_settled: false, .. } => {
                matches!(last, Event::SeatReleased { was_confirmed: false, .. })
            }
            State::Released { was_settled: true, .. } => {
                matches!(last, Event::SeatReleased { was_confirmed: true, .. } | Event::SettlementUnseated)
            }
        };
        prop_assert!(agrees, "{:?} after {:?}", enrollment.state, told);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_no_seat_is_given_twice_and_none_stays_empty_while_somebody_could_sit(
        commands in prop::collection::vec(command(), 1..120),
    ) {
        let mut kept = Kept::new();
        for (number, command) in commands.into_iter().enumerate() {
            kept.obey(command, number);
            kept.check()?;
        }
    }
}
