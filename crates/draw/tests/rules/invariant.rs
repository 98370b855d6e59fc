//! What is true of every outcome, and that the audit sees it when it is not.

use draw::outcome::Admitted;
use draw::{
    Breach, GroupIndex, Input, Outcome, Pupil, PupilIndex, Reserve, SectionIndex, SlotIndex, Why, audit, run,
};

use crate::support::{
    Dice, SMALL, Size, index_of, plain_terms, rehearsal, round, seat_of, wishing, without_tails,
};

#[test]
fn every_round_keeps_every_promise() {
    let mut with_reserve = 0;
    let mut refused = 0;

    for first in 0..1500 {
        let (input, _) = round(&mut Dice(first), SMALL);
        let outcome = run(&input, &rehearsal(first));

        assert_eq!(audit(&input, &outcome), Ok(()), "round {first}");
        for section in &outcome.sections {
            with_reserve += section.admitted.iter().filter(|one| one.reserve.is_some()).count();
            refused += section.waitlist.len();
        }
    }

    assert!(
        with_reserve > 100 && refused > 1000,
        "the rounds are not worth drawing: {with_reserve}, {refused}"
    );
}

#[test]
fn the_order_of_the_entries_changes_nothing() {
    for first in 0..100 {
        let (input, _) = round(&mut Dice(first), SMALL);
        let mut backward = input.pupils().to_vec();
        backward.reverse();

        let again = Input::new(input.terms().clone(), backward).unwrap();

        assert_eq!(run(&again, &rehearsal(first)), run(&input, &rehearsal(first)));
    }
}

#[test]
fn a_list_in_one_slot_changes_nothing_in_another() {
    let mut changed = 0;
    for first in 0..300 {
        let (input, _) = round(&mut Dice(first), Size { slots: 3, ..SMALL });
        let before = run(&input, &rehearsal(first));
        let mut pupils = input.pupils().to_vec();
        let Some(pupil) = pupils.iter_mut().find(|pupil| !pupil.lists.is_empty()) else { continue };
        let slot = pupil.lists.remove(0).slot;

        let input = Input::new(input.terms().clone(), pupils).unwrap();
        let after = run(&input, &rehearsal(first));

        assert_eq!(after.numbers, before.numbers, "round {first}");
        let sections = input.terms().sections.iter().zip(after.sections.iter().zip(&before.sections));
        for (section, (after, before)) in sections {
            assert!(section.slot == slot || after == before, "round {first}, {}", section.code);
            changed += usize::from(after != before);
        }
    }
    assert!(changed > 50);
}

/// Of all stable ways to seat the pupils, the draw is the best for each: found by trying every way.
#[test]
fn no_pupil_is_better_off_in_any_other_stable_seating() {
    let size = Size { pupils: 5, slots: 1, sections_of_slot: 3, groups: 2, seats: 2, with_settled: false };
    let mut several = 0;
    for first in 0..400 {
        let input = without_tails(&round(&mut Dice(first), size).0);
        let outcome = run(&input, &rehearsal(first));
        let list = |pupil: &Pupil| pupil.list(SlotIndex(0)).map_or(Vec::new(), |list| list.ranked.clone());
        let wishes: Vec<Vec<SectionIndex>> = input.pupils().iter().map(list).collect();
        let place = |at: usize| {
            let seat = seat_of(&input, &outcome, PupilIndex::from_at(at), SlotIndex(0));
            seat.map_or(wishes[at].len(), |seat| wishes[at].iter().position(|wish| *wish == seat).unwrap())
        };
        let drawn: Vec<usize> = (0..wishes.len()).map(place).collect();
        let mut stable = 0;

        let mut seating = vec![0; wishes.len()];
        loop {
            if is_stable(&input, &outcome, &wishes, &seating) {
                stable += 1;
                let better = seating.iter().zip(&drawn).position(|(other, drawn)| other < drawn);
                assert_eq!(better, None, "round {first}: {seating:?} instead of {drawn:?}");
            }
            // Counts through all seatings: a pupil's digit is a wish, or the number of wishes for no seat.
            let Some(at) = (0..seating.len()).find(|at| seating[*at] < wishes[*at].len()) else { break };
            seating[at] += 1;
            seating[..at].fill(0);
        }

        assert!(stable >= 1, "round {first}");
        several += usize::from(stable > 1);
    }
    assert!(several > 0, "no round has a second stable seating");
}

/// Whether each section would choose exactly those seated there, of them and all who would rather be there. Written
/// without the crate's own words for it.
fn is_stable(input: &Input, outcome: &Outcome, wishes: &[Vec<SectionIndex>], seating: &[usize]) -> bool {
    (0_u32..).zip(&input.terms().sections).all(|(at, section)| {
        let section_at = SectionIndex(at);
        let mut asking: Vec<usize> = (0..wishes.len())
            .filter(|pupil| {
                wishes[*pupil].iter().position(|wish| *wish == section_at) <= Some(seating[*pupil])
            })
            .filter(|pupil| wishes[*pupil].contains(&section_at))
            .collect();
        let tier = |pupil: usize| {
            let groups = &input.pupils()[pupil].groups;
            let first = section.tiers.iter().position(|tier| tier.iter().any(|one| groups.contains(one)));
            first.unwrap_or(section.tiers.len())
        };
        asking.sort_by_key(|pupil| (tier(*pupil), outcome.numbers[0][*pupil]));
        let mut chosen: Vec<usize> = Vec::new();
        for reserve in &section.reserves {
            let groups = |pupil: usize| &input.pupils()[pupil].groups;
            let own = asking.iter().filter(|pupil| groups(**pupil).contains(&reserve.group));
            let own: Vec<usize> =
                own.filter(|pupil| !chosen.contains(pupil)).copied().take(reserve.seats as usize).collect();
            chosen.extend(own);
        }
        let rest: Vec<usize> = asking.iter().filter(|pupil| !chosen.contains(pupil)).copied().collect();
        chosen.extend(rest.into_iter().take(section.capacity as usize - chosen.len()));
        chosen.sort_unstable();
        let seated =
            (0..wishes.len()).filter(|pupil| wishes[*pupil].get(seating[*pupil]) == Some(&section_at));
        seated.eq(chosen)
    })
}

#[test]
fn c39_a_reserve_goes_to_its_group_first_and_then_to_all() {
    let mut terms = plain_terms(&[3]);
    terms.groups = vec!["留守儿童".to_owned()];
    terms.sections[0].reserves = vec![Reserve { group: GroupIndex(0), seats: 2 }];
    for members in 0..=4_u32 {
        let mut pupils: Vec<_> = (0..8).map(|at| wishing(at, &[0])).collect();
        for pupil in pupils.iter_mut().take(members as usize) {
            pupil.groups = vec![GroupIndex(0)];
        }
        let input = Input::new(terms.clone(), pupils).unwrap();
        for first in 0..20 {
            let outcome = run(&input, &rehearsal(first));

            let section = &outcome.sections[0];
            let reserved = section.admitted.iter().filter(|one| one.reserve == Some(0));
            assert_eq!(section.admitted.len(), 3);
            assert_eq!(reserved.count(), members.min(2) as usize);
        }
    }
}

#[test]
fn c39_a_tier_comes_before_every_number() {
    let mut terms = plain_terms(&[2]);
    terms.groups = vec!["A".to_owned(), "B".to_owned()];
    terms.sections[0].tiers = vec![vec![GroupIndex(1)], vec![GroupIndex(0)]];
    let mut pupils: Vec<_> = (0..6).map(|at| wishing(at, &[0])).collect();
    pupils[0].groups = vec![GroupIndex(0)];
    pupils[1].groups = vec![GroupIndex(1)];
    // In both tiers' groups: the first tier counts.
    pupils[2].groups = vec![GroupIndex(0), GroupIndex(1)];
    let first_tier = [pupils[1].pseudonym, pupils[2].pseudonym];
    let input = Input::new(terms, pupils).unwrap();

    for first in 0..20 {
        let outcome = run(&input, &rehearsal(first));

        let admitted = &outcome.sections[0].admitted;
        assert!(admitted.iter().all(|one| first_tier.contains(&input.pupils()[one.pupil.at()].pseudonym)));
        assert!(outcome.sections[0].waitlist.iter().all(|one| one.why == Why::Priority));
    }
}

#[test]
fn c39_settled_pupils_keep_their_seats_and_use_their_groups_reserve() {
    let mut terms = plain_terms(&[4]);
    terms.groups = vec!["A".to_owned()];
    terms.sections[0].reserves = vec![Reserve { group: GroupIndex(0), seats: 2 }];
    let mut pupils: Vec<_> = (0..8).map(|at| wishing(at, &[0])).collect();
    for pupil in &mut pupils[..5] {
        pupil.groups = vec![GroupIndex(0)];
    }
    // One of the group and one without are settled: one reserved and one open seat are left.
    for at in [0, 7] {
        pupils[at].lists.clear();
        pupils[at].settled = vec![SectionIndex(0)];
    }
    let settled = [pupils[0].pseudonym, pupils[7].pseudonym];
    let input = Input::new(terms, pupils).unwrap();

    for first in 0..20 {
        let outcome = run(&input, &rehearsal(first));

        let section = &outcome.sections[0];
        assert_eq!(section.seats, 2);
        assert_eq!(section.admitted.iter().filter(|one| one.reserve == Some(0)).count(), 1);
        let named = |one: &Admitted| input.pupils()[one.pupil.at()].pseudonym;
        assert!(section.admitted.iter().all(|one| !settled.contains(&named(one))));
        let mut moved = outcome.clone();
        moved.sections[0].admitted[0].pupil = input.find(&settled[0]).unwrap();
        let breaches = audit(&input, &moved).unwrap_err();
        assert!(breaches.iter().any(|breach| matches!(breach, Breach::TwoInOneSlot { .. })));
        let refusal = section.refusal(&input, SectionIndex(0), &section.waitlist[0]).unwrap();
        assert_eq!((refusal.capacity, refusal.settled_count, refusal.reserved_count), (4, 2, 1));
    }
}

#[test]
fn every_refused_wish_has_one_reason_with_its_numbers() {
    let mut seen = std::collections::BTreeMap::new();
    for first in 0..400 {
        let (input, _) = round(&mut Dice(first), SMALL);
        let outcome = run(&input, &rehearsal(first));
        for (at, (pupil, result)) in input.pupils().iter().zip(outcome.by_pupil(&input)).enumerate() {
            for list in &pupil.lists {
                let seat =
                    result.admitted.iter().find(|one| input.terms().sections[one.at()].slot == list.slot);
                let before = list.ranked.iter().take_while(|wish| Some(*wish) != seat);
                for wish in before {
                    let reasons: Vec<_> = result.refusals.iter().filter(|one| one.section == *wish).collect();
                    assert_eq!(reasons.len(), 1, "round {first}");
                    let reason = reasons[0];
                    assert_eq!(reason.own_number, outcome.numbers[list.slot.at()][at]);
                    assert_eq!(reason.last_number.is_some(), reason.why == Why::Number);
                    assert!(reason.last_number.is_none_or(|last| last < reason.own_number), "round {first}");
                    *seen.entry(format!("{:?}", reason.why)).or_insert(0) += 1;
                }
            }
        }
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[test]
fn a_freed_seat_goes_down_the_waitlist_and_a_reserved_one_to_its_group_first() {
    let mut terms = plain_terms(&[2]);
    terms.groups = vec!["A".to_owned()];
    terms.sections[0].reserves = vec![Reserve { group: GroupIndex(0), seats: 1 }];
    let mut pupils: Vec<_> = (0..8).map(|at| wishing(at, &[0])).collect();
    for pupil in &mut pupils[..2] {
        pupil.groups = vec![GroupIndex(0)];
    }
    let members = [pupils[0].clone(), pupils[1].clone()];
    let input = Input::new(terms, pupils).unwrap();
    let members = members.map(|pupil| index_of(&input, &pupil));
    let mut jumped = 0;

    for first in 0..40 {
        let outcome = run(&input, &rehearsal(first));
        let section = &outcome.sections[0];
        let reserved = section.admitted.iter().find(|one| one.reserve.is_some()).unwrap();
        let open = section.admitted.iter().find(|one| one.reserve.is_none()).unwrap();
        let other =
            members.into_iter().find(|member| section.waitlist.iter().any(|one| one.pupil == *member));
        let at = SectionIndex(0);

        let after_open = section.next(&input, at, open, |_| true);
        let after_reserved = section.next(&input, at, reserved, |_| true);
        let after_all = section.next(&input, at, reserved, |_| false);

        assert_eq!(after_open, Some(section.waitlist[0].pupil));
        assert_eq!(after_reserved, other.or(after_open));
        assert_eq!(after_all, None);
        jumped += usize::from(after_reserved != after_open);
        let without = section.next(&input, at, reserved, |pupil| Some(pupil) != other);
        assert!(without.is_some_and(|pupil| !members.contains(&pupil)));
    }
    assert!(jumped > 5);
}

#[test]
fn the_audit_names_each_broken_promise() {
    // Two seats in the first section, one in the second; four pupils; a list each.
    let mut terms = plain_terms(&[2, 1]);
    terms.groups = vec!["A".to_owned()];
    let mut pupils: Vec<_> = (0..4).map(|at| wishing(at, &[0, 1])).collect();
    pupils.push(wishing(4, &[1]));
    let input = Input::new(terms, pupils).unwrap();
    let wishes = |at: PupilIndex| &input.pupils()[at.at()].lists[0].ranked;
    let one_wish = (0..5).map(PupilIndex).find(|at| wishes(*at).len() == 1).unwrap();
    let outcomes = (0..).map(|seed| run(&input, &rehearsal(seed)));
    let mut without_seat = outcomes.filter(|one| one.sections[1].admitted[0].pupil != one_wish);
    let good = without_seat.next().unwrap();
    let (first, second) = (SectionIndex(0), SectionIndex(1));
    let says = |name: &str, change: &dyn Fn(&mut Outcome), wanted: &dyn Fn(&Breach) -> bool| {
        let mut outcome = good.clone();
        change(&mut outcome);
        let breaches = audit(&input, &outcome).expect_err(name);
        assert!(breaches.iter().any(wanted), "{name}: {breaches:?}");
    };

    assert_eq!(audit(&input, &good), Ok(()));
    says("slot missing", &|to| to.numbers.clear(), &|breach| *breach == Breach::Shape);
    says("section missing", &|to| drop(to.sections.pop()), &|breach| *breach == Breach::Shape);
    says("unknown pupil", &|to| to.sections[0].admitted[0].pupil = PupilIndex(99), &|breach| {
        *breach == Breach::Shape
    });
    for (one, other) in (0..5).flat_map(|one| (0..5).map(move |other| (one, other))).filter(|(a, b)| a != b) {
        let twice = move |to: &mut Outcome| to.numbers[0][one] = to.numbers[0][other];
        says("number twice", &twice, &|breach| *breach == Breach::Numbers { slot: SlotIndex(0) });
    }
    says(
        "one too many",
        &|to| {
            let next = to.sections[0].waitlist.remove(0);
            let more = Admitted { pupil: next.pupil, tier: next.tier, number: next.number, reserve: None };
            to.sections[0].admitted.push(more);
        },
        &|breach| *breach == Breach::Capacity { section: first, admitted: 3, seats: 2 },
    );
    says(
        "seats invented",
        &|to| to.sections[0].seats = 3,
        &|breach| matches!(breach, Breach::Capacity { section, .. } if *section == first),
    );
    says(
        "two seats in one slot",
        &|to| to.sections[1].admitted[0].pupil = to.sections[0].admitted[0].pupil,
        &|breach| matches!(breach, Breach::TwoInOneSlot { slot, .. } if slot.0 == 0),
    );
    says("never asked", &|to| to.sections[0].admitted[0].pupil = one_wish, &|breach| {
        *breach == Breach::NotWished { pupil: one_wish, section: first }
    });
    says("seat left free", &|to| to.sections[0].admitted.truncate(1), &|breach| {
        *breach == Breach::WastedSeat { section: first }
    });
    says(
        "passed over",
        &|to| {
            let (admitted, waiting) = (to.sections[0].admitted[1], to.sections[0].waitlist[1]);
            to.sections[0].admitted[1].pupil = waiting.pupil;
            to.sections[0].admitted[1].number = waiting.number;
            to.sections[0].waitlist[1].pupil = admitted.pupil;
        },
        &|breach| matches!(breach, Breach::PassedOver { section, .. } if *section == first),
    );
    says("waitlist turned", &|to| to.sections[0].waitlist.reverse(), &|breach| {
        *breach == Breach::Waitlist { section: first }
    });
    says("waitlist shortened", &|to| to.sections[1].waitlist.truncate(1), &|breach| {
        *breach == Breach::Waitlist { section: second }
    });
    says("other reason", &|to| to.sections[0].waitlist[0].why = Why::Priority, &|breach| {
        *breach == Breach::Waitlist { section: first }
    });
    says("other last number", &|to| to.sections[0].cutoffs[0].last_number += 1, &|breach| {
        *breach == Breach::Cutoffs { section: first }
    });
}
