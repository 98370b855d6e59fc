//! Numbers: even in each slot, spread over the week, and blind to lists.

use std::collections::BTreeMap;

use draw::{Hash, Input, Pupil, PupilIndex, Siblings, run};

use crate::support::{Dice, SMALL, index_of, plain_terms, rehearsal, round, wishing};

fn week(slot_count: usize, pupil_count: u32) -> Input {
    let mut terms = plain_terms(&[]);
    terms.slots = (0..slot_count).map(|at| format!("周{at}")).collect();
    Input::new(terms, (0..pupil_count).map(|at| wishing(at, &[])).collect()).unwrap()
}

#[test]
fn in_each_slot_every_order_of_four_pupils_is_as_likely_as_another() {
    let input = week(3, 4);
    let mut counts = vec![BTreeMap::new(); 3];

    for seed in 0..4800 {
        for (counts, numbers) in counts.iter_mut().zip(run(&input, &rehearsal(seed)).numbers) {
            *counts.entry(numbers).or_insert(0_i64) += 1;
        }
    }

    // Chi-square with 23 degrees of freedom is above 60 once in 30,000 times; the seeds are fixed.
    for counts in counts {
        assert_eq!(counts.len(), 24);
        let square: i64 = counts.values().map(|count| (count - 200) * (count - 200)).sum();
        assert!(square < 60 * 200, "{counts:?}");
    }
}

#[test]
fn a_weeks_numbers_add_up_more_evenly_than_five_separate_draws() {
    let (slot_count, pupil_count) = (5_u32, 200_i64);
    let together = week(slot_count as usize, 200);
    let alone = week(1, 200);
    let mean = i64::from(slot_count) * (pupil_count + 1) / 2;
    let spread = |sums: Vec<i64>| -> i64 { sums.iter().map(|sum| (sum - mean) * (sum - mean)).sum() };
    let mut stratified = 0;
    let mut separate = 0;

    for seed in 0..20 {
        let sum_up = |weeks: &[Vec<u32>]| {
            let sum = |at: usize| weeks.iter().map(|numbers| i64::from(numbers[at])).sum();
            spread((0..200).map(sum).collect())
        };
        stratified += sum_up(&run(&together, &rehearsal(seed)).numbers);
        // A draw of one slot has no strata: five of them are independent numbers.
        let five: Vec<Vec<u32>> = (0..u64::from(slot_count))
            .flat_map(|slot| run(&alone, &rehearsal(1000 + seed * 5 + slot)).numbers)
            .collect();
        separate += sum_up(&five);
    }

    // A twenty-fifth in theory, and a little for counting off.
    assert!(stratified * 15 < separate, "{stratified} against {separate}");
    assert!(stratified * 40 > separate, "{stratified} against {separate}");
}

#[test]
fn nobody_stands_in_the_same_fifth_all_week() {
    let input = week(5, 500);
    let numbers = run(&input, &rehearsal(7)).numbers;

    // Strata are counted, not cut, so a number may lie a little over the edge of its fifth.
    for at in 0..500 {
        let mut week: Vec<u32> = numbers.iter().map(|slot| slot[at]).collect();
        week.sort_unstable();
        for (number, fifth) in week.iter().zip(0..) {
            assert!(
                (fifth * 100..=fifth * 100 + 100).contains(number) || number.abs_diff(fifth * 100 + 50) < 95,
                "{week:?}"
            );
        }
    }
}

#[test]
fn numbers_do_not_depend_on_lists_groups_or_sections() {
    for first in 0..50 {
        let (input, _) = round(&mut Dice(first), SMALL);
        let bare = |pupil: &Pupil| Pupil {
            groups: Vec::new(),
            settled: Vec::new(),
            lists: Vec::new(),
            ..pupil.clone()
        };
        let mut terms = input.terms().clone();
        terms.sections.clear();

        let stripped = Input::new(terms, input.pupils().iter().map(bare).collect()).unwrap();

        let seed = rehearsal(first);
        assert_eq!(run(&stripped, &seed).numbers, run(&input, &seed).numbers);
    }
}

#[test]
fn siblings_stand_next_to_each_other_and_neither_is_favoured() {
    let mut terms = plain_terms(&[]);
    terms.siblings = Siblings::Together;
    terms.slots = vec!["一".to_owned(), "二".to_owned()];
    let mut pupils: Vec<Pupil> = (0..30).map(|at| wishing(at, &[])).collect();
    for pupil in &mut pupils[..3] {
        pupil.family = Some(Hash::new([5; 32]));
    }
    let siblings = [pupils[0].clone(), pupils[1].clone(), pupils[2].clone()];
    let input = Input::new(terms, pupils).unwrap();
    let siblings = siblings.map(|pupil| index_of(&input, &pupil));
    let mut ahead = [0; 3];

    for seed in 0..300 {
        for numbers in run(&input, &rehearsal(seed)).numbers {
            let theirs = siblings.map(|pupil| numbers[pupil.at()]);
            let first = *theirs.iter().min().unwrap();
            assert_eq!(theirs.iter().max(), Some(&(first + 2)));
            ahead[theirs.iter().position(|number| *number == first).unwrap()] += 1;
        }
    }

    assert!(ahead.iter().all(|count| (150..250).contains(count)), "{ahead:?}");
}

#[test]
fn any_of_these_is_tried_in_a_drawn_order_alike_for_siblings() {
    let mut terms = plain_terms(&[9, 9, 9]);
    terms.siblings = Siblings::Together;
    let mut pupils = vec![wishing(0, &[0]), wishing(1, &[0]), wishing(2, &[0])];
    for pupil in &mut pupils {
        let list = &mut pupil.lists[0];
        list.any_of = (0..3).map(draw::SectionIndex).collect();
        list.ranked.clear();
    }
    pupils[0].family = Some(Hash::new([5; 32]));
    pupils[1].family = Some(Hash::new([5; 32]));
    let named = [pupils[0].clone(), pupils[1].clone(), pupils[2].clone()];
    let input = Input::new(terms, pupils).unwrap();
    let named = named.map(|pupil| index_of(&input, &pupil));
    let mut seats = BTreeMap::new();
    let mut apart = 0;

    for seed in 0..300 {
        let outcome = run(&input, &rehearsal(seed));
        let seat = |pupil: PupilIndex| {
            outcome.sections.iter().position(|section| section.admitted.iter().any(|one| one.pupil == pupil))
        };
        assert_eq!(seat(named[0]), seat(named[1]));
        apart += usize::from(seat(named[0]) != seat(named[2]));
        *seats.entry(seat(named[0])).or_insert(0) += 1;
    }

    assert_eq!(seats.len(), 3);
    assert!(seats.values().all(|count| (60..140).contains(count)), "{seats:?}");
    assert!(apart > 120);
}
