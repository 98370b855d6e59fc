//! The register as a table, and as a promise over any two devices: whatever the order, the same register, and nothing lost.

use std::collections::{BTreeSet, HashMap};

use chrono::TimeDelta;
use proptest::prelude::*;
use shared::value::{Device, Id, Mark as MarkKind, Moment, Pupil};
use uuid::Uuid;

use super::leave::tests::leave;
use super::lesson::tests::lesson;
use super::lesson::{Lesson, State};
use super::register::{AsideReason, Line, Mark, Outcome, Source, Stamp, Standing, Tally, record, register};

const PUPIL: u128 = 50;

fn id<K>(number: u128) -> Id<K> {
    Id::new(Uuid::from_u128(number))
}

fn at(minute: i64) -> Moment {
    lesson().starts_at + TimeDelta::minutes(minute)
}

/// A mark for [`PUPIL`] by the device, made at the minute after the start.
fn mark(number: u128, device: u128, sequence: i64, minute: i64, standing: Standing) -> Mark {
    let stamp = Stamp { device_id: id(device), sequence, device_at: at(minute), taken_at: at(minute) };
    Mark {
        id: id(number),
        lesson_id: lesson().id,
        pupil_id: id(PUPIL),
        standing,
        source: Source::Roll(stamp),
        recorder: "staff:1".to_owned(),
        created_at: at(60),
    }
}

fn correction(number: u128, minute: i64, standing: Standing) -> Mark {
    let source = Source::Correction { reason: "看错了".to_owned() };
    Mark { source, created_at: at(minute), ..mark(number, 0, 0, 0, standing) }
}

fn line_of(marks: &[Mark]) -> Line {
    let pupils = BTreeSet::from([id(PUPIL)]);
    let mut lines = register(&lesson(), &pupils, marks, &[]);
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

#[test]
fn of_several_marks_the_documented_one_counts() {
    use Standing::{Absent, Late, LeftEarly, Present};
    let table = [
        ("one mark", vec![mark(1, 1, 1, 0, Present)], Present, false),
        ("the later sequence", vec![mark(1, 1, 1, 0, Absent), mark(2, 1, 2, 5, Late)], Late, false),
        (
            "the later sequence though its clock was set back",
            vec![mark(1, 1, 1, 30, Absent), mark(2, 1, 2, 5, Late)],
            Late,
            false,
        ),
        ("the later device", vec![mark(1, 1, 9, 0, Absent), mark(2, 2, 1, 5, Late)], Late, true),
        ("two devices of one mind", vec![mark(1, 1, 1, 0, Late), mark(2, 2, 1, 5, Late)], Late, false),
        (
            "a clock set back does not hide a device's last word from another's",
            vec![mark(1, 1, 1, 30, Absent), mark(2, 1, 2, 5, Present), mark(3, 2, 1, 20, Late)],
            Present,
            true,
        ),
        (
            "the higher device at one moment",
            vec![mark(1, 2, 1, 5, Late), mark(2, 1, 1, 5, Absent)],
            Late,
            true,
        ),
        (
            "a correction, whenever it was made",
            vec![correction(1, -30, Absent), mark(2, 2, 1, 5, Present), mark(3, 1, 1, 50, Late)],
            Absent,
            false,
        ),
        (
            "the last correction",
            vec![correction(1, 90, Absent), correction(2, 95, LeftEarly)],
            LeftEarly,
            false,
        ),
    ];
    for (why, marks, standing, disputed) in table {
        let line = line_of(&marks);
        assert_eq!((line.standing, line.disputed), (Some(standing), disputed), "{why}");
        let backwards: Vec<_> = marks.into_iter().rev().collect();
        assert_eq!(line_of(&backwards), line, "{why}, the other way round");
    }
}

#[test]
fn a_leave_counts_until_somebody_marks_the_pupil() {
    let pupils = BTreeSet::from([id(PUPIL), id(PUPIL + 1)]);
    let leaves = [leave(at(-60))];

    let before = register(&lesson(), &pupils, &[], &leaves);
    let after = register(&lesson(), &pupils, &[mark(1, 1, 1, 5, Standing::Late)], &leaves);

    assert_eq!(before[0].standing, Some(Standing::Leave));
    assert_eq!(before[1].standing, None, "another pupil's leave");
    assert_eq!(after[0].standing, Some(Standing::Late), "came after all");
    let tally = Tally::of(&before);
    assert_eq!((tally.leave_count, tally.unmarked_count, tally.expected_count()), (1, 1, 2));
}

#[test]
fn every_mark_is_written_or_waits_for_a_person_with_the_reason() {
    let open = lesson();
    let closed = Lesson { state: State::Closed { at: open.closes_at }, ..open.clone() };
    let here = |pupil: Id<Pupil>| pupil == id(PUPIL);
    let new = mark(1, 1, 1, 5, Standing::Present);
    let sent_again = Mark { created_at: at(90), ..new.clone() };
    let other = Mark { standing: Standing::Absent, ..new.clone() };
    let stranger = Mark { pupil_id: id(99), ..new.clone() };
    let now = at(70);
    let table = [
        (&open, &new, None, now, Outcome::Kept),
        (&open, &sent_again, Some(&new), now, Outcome::KeptBefore),
        (&closed, &sent_again, Some(&new), now, Outcome::KeptBefore),
        (&open, &other, Some(&new), now, Outcome::SetAside(AsideReason::IdReused)),
        (&open, &stranger, None, now, Outcome::SetAside(AsideReason::NotOnRegister)),
        (&closed, &new, None, now, Outcome::SetAside(AsideReason::RegisterClosed)),
        (&open, &new, None, open.closes_at, Outcome::SetAside(AsideReason::RegisterClosed)),
        (&open, &new, None, open.closes_at - TimeDelta::microseconds(1), Outcome::Kept),
    ];
    for (lesson, mark, known, now, outcome) in table {
        assert_eq!(record(lesson, mark, known, here, now), outcome, "{mark:?}");
    }
}

#[test]
fn a_clock_is_put_right_by_what_it_showed_when_the_mark_arrived() {
    let device = id::<Device>(1);
    // The device is an hour behind.
    let made = Stamp::of(device, 1, at(-55), at(-40), at(20));
    assert_eq!(made.taken_at, at(5));
    // A mark its own device dates after sending it was made no later than it arrived.
    assert_eq!(Stamp::of(device, 1, at(30), at(-40), at(20)).taken_at, at(20));
}

/// What one device has to send: its marks in batches, each sent at a time of the device's own clock.
#[derive(Clone, Debug)]
struct Phone {
    device: u128,
    /// How far its clock is ahead, in seconds.
    ahead_seconds: i64,
    /// When each mark is made, in seconds after the start; which pupil; how they stand. In the order of the device's count.
    marks: Vec<(i64, u128, Standing)>,
    batch_size: usize,
}

impl Phone {
    fn batches(&self) -> Vec<Vec<Mark>> {
        let device_id = id(self.device);
        let marks = self.marks.iter().zip(1_i64..).map(|((second, pupil, standing), sequence)| {
            let true_at = lesson().starts_at + TimeDelta::seconds(*second);
            let ahead = TimeDelta::seconds(self.ahead_seconds);
            // Sent an hour after the lesson: however long that took, the clock is as far off as it was.
            let arrives_at = at(120);
            let stamp = Stamp::of(device_id, sequence, true_at + ahead, arrives_at + ahead, arrives_at);
            Mark {
                id: id(self.device * 1_000 + u128::from(sequence.unsigned_abs())),
                pupil_id: id(*pupil),
                source: Source::Roll(stamp),
                ..mark(0, self.device, sequence, 0, *standing)
            }
        });
        marks.collect::<Vec<_>>().chunks(self.batch_size).map(<[Mark]>::to_vec).collect()
    }
}

fn phone(device: u128) -> impl Strategy<Value = Phone> {
    use Standing::{Absent, Late, LeftEarly, Present};
    let standing = prop_oneof![Just(Present), Just(Absent), Just(Late), Just(LeftEarly)];
    let marks = proptest::collection::vec((0_i64..600, PUPIL..PUPIL + 6, standing), 0..12);
    (marks, 1_usize..5, -90_000_i64..90_000).prop_map(move |(marks, batch_size, ahead_seconds)| Phone {
        device,
        ahead_seconds,
        marks,
        batch_size,
    })
}

/// Receives batches one after another, as the service does; gives what is written and what was set aside.
fn receive(batches: &[Vec<Mark>]) -> (Vec<Mark>, Vec<Mark>) {
    let lesson = lesson();
    let (mut kept, mut aside): (HashMap<Id<MarkKind>, Mark>, Vec<Mark>) = Default::default();
    for mark in batches.iter().flatten() {
        // Pupil PUPIL + 5 is on nobody's register.
        let may_mark = |pupil: Id<Pupil>| pupil != id(PUPIL + 5);
        match record(&lesson, mark, kept.get(&mark.id), may_mark, at(120)) {
            Outcome::Kept => drop(kept.insert(mark.id, mark.clone())),
            Outcome::KeptBefore => {}
            Outcome::SetAside(_) => aside.push(mark.clone()),
        }
    }
    (kept.into_values().collect(), aside)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_interleaving_of_two_devices_batches_gives_the_same_register_and_loses_no_mark(
        one in phone(1),
        other in phone(2),
        order in proptest::collection::vec(any::<u32>(), 48),
        repeats in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let in_turn = [one.batches(), other.batches()].concat();
        let mut shuffled: Vec<_> = in_turn.iter().cloned().zip(order).collect();
        // Any order at all: also batches of one device that overtake each other.
        shuffled.sort_by_key(|(_, at)| *at);
        let mut shuffled: Vec<_> = shuffled.into_iter().map(|(batch, _)| batch).collect();
        for repeat in repeats {
            if !in_turn.is_empty() {
                shuffled.push(repeat.get(&in_turn).clone());
            }
        }

        let pupils: BTreeSet<_> = (PUPIL..PUPIL + 5).map(id).collect();
        let (kept, _) = receive(&in_turn);
        let (kept_shuffled, aside) = receive(&shuffled);
        let expected = register(&lesson(), &pupils, &kept, &[]);
        let found = register(&lesson(), &pupils, &kept_shuffled, &[]);

        prop_assert_eq!(&found, &expected);
        // Nobody lost: every mark that was made is written, or waits.
        let written: BTreeSet<_> = kept_shuffled.iter().chain(&aside).map(|mark| mark.id).collect();
        let made: BTreeSet<_> = in_turn.iter().flatten().map(|mark| mark.id).collect();
        prop_assert_eq!(written, made);
        // Nobody invented: the register is the pupils', each once, and who stands somehow was marked so.
        prop_assert_eq!(found.iter().map(|line| line.pupil_id).collect::<BTreeSet<_>>(), pupils);
        prop_assert_eq!(Tally::of(&found).expected_count(), 5);
        for line in &found {
            let said = kept.iter().any(|mark| mark.pupil_id == line.pupil_id && Some(mark.standing) == line.standing);
            prop_assert_eq!(line.standing.is_some(), said);
        }
    }
}
