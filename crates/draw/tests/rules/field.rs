//! Bad input is refused by the name of the field, and never panics.

use draw::input::{Fault, LIMITS};
use draw::seed::Kind;
use draw::{
    GroupIndex, Hash, Input, List, Mode, Pupil, Reserve, Root, SectionIndex, Siblings, SlotIndex, Terms,
};

use crate::support::{plain_terms, source, wishing};

fn terms() -> Terms {
    let mut terms = plain_terms(&[3, 2]);
    terms.slots.push("周二".to_owned());
    terms.groups = vec!["A".to_owned(), "B".to_owned()];
    terms.sections.push(terms.sections[0].clone());
    terms.sections[2].code = "S2".to_owned();
    terms.sections[2].slot = SlotIndex(1);
    terms
}

fn pupils() -> Vec<Pupil> {
    vec![wishing(0, &[0, 1]), wishing(1, &[1])]
}

#[test]
fn each_broken_rule_names_its_field() {
    type Change = fn(&mut Terms, &mut Vec<Pupil>);
    let cases: &[(&str, Fault, Change)] = &[
        ("terms.round_id", Fault::Text, |terms, _| terms.round_id.clear()),
        ("terms.round_id", Fault::Text, |terms, _| terms.round_id = "a\nb".to_owned()),
        ("terms.round_id", Fault::Text, |terms, _| terms.round_id = "x".repeat(LIMITS.text_bytes + 1)),
        ("terms.act", Fault::Zero, |terms, _| terms.act = 0),
        ("terms.previous_root", Fault::PreviousRoot, |terms, _| terms.act = 2),
        ("terms.previous_root", Fault::PreviousRoot, |terms, _| {
            terms.previous_root = Some(Root::new(Hash::new([1; 32])));
        }),
        ("terms.slots", Fault::Missing, |terms, _| {
            terms.slots.clear();
            terms.sections.clear();
        }),
        ("terms.slots", Fault::TooMany { found: 65, limit: 64 }, |terms, _| {
            terms.slots = (0..65).map(|at| at.to_string()).collect();
        }),
        ("terms.slots[1]", Fault::Repeated, |terms, _| terms.slots[1] = terms.slots[0].clone()),
        ("terms.groups[0]", Fault::Text, |terms, _| terms.groups[0].clear()),
        ("terms.sections[1].code", Fault::Repeated, |terms, _| {
            terms.sections[1].code = terms.sections[0].code.clone();
        }),
        ("terms.sections[0].slot", Fault::Unknown, |terms, _| terms.sections[0].slot = SlotIndex(2)),
        ("terms.sections[0].capacity", Fault::TooMany { found: 1_000_001, limit: 1_000_000 }, |terms, _| {
            terms.sections[0].capacity = 1_000_001;
        }),
        ("terms.sections[0].tiers[0]", Fault::Missing, |terms, _| terms.sections[0].tiers = vec![vec![]]),
        ("terms.sections[0].tiers[0][0]", Fault::Unknown, |terms, _| {
            terms.sections[0].tiers = vec![vec![GroupIndex(2)]];
        }),
        ("terms.sections[0].tiers[1][0]", Fault::Repeated, |terms, _| {
            terms.sections[0].tiers = vec![vec![GroupIndex(1)], vec![GroupIndex(1)]];
        }),
        ("terms.sections[0].reserves[1].group", Fault::Repeated, |terms, _| {
            terms.sections[0].reserves = vec![Reserve { group: GroupIndex(0), seats: 1 }; 2];
        }),
        ("terms.sections[0].reserves[0].seats", Fault::Zero, |terms, _| {
            terms.sections[0].reserves = vec![Reserve { group: GroupIndex(0), seats: 0 }];
        }),
        (
            "terms.sections[0].reserves",
            Fault::OverReserved { reserved: 8_589_934_590, capacity: 3 },
            |terms, _| {
                let all = |group| Reserve { group: GroupIndex(group), seats: u32::MAX };
                terms.sections[0].reserves = vec![all(0), all(1)];
            },
        ),
        ("terms.sources[1].name", Fault::Repeated, |terms, _| {
            terms.sources.push(source("beacon", 1, Kind::Hex { digit_count: 1 }));
        }),
        ("terms.sources[0].what", Fault::Text, |terms, _| terms.sources[0].what.clear()),
        ("pupils[1].pseudonym", Fault::Repeated, |_, pupils| pupils[1].pseudonym = pupils[0].pseudonym),
        ("pupils[1].pseudonym", Fault::OutOfOrder, |_, pupils| pupils.reverse()),
        ("pupils[0].family", Fault::Family, |_, pupils| pupils[0].family = Some(Hash::new([1; 32]))),
        ("pupils[0].groups[0]", Fault::Unknown, |_, pupils| pupils[0].groups = vec![GroupIndex(2)]),
        ("pupils[0].groups[1]", Fault::OutOfOrder, |_, pupils| {
            pupils[0].groups = vec![GroupIndex(1), GroupIndex(0)];
        }),
        ("pupils[0].settled[0]", Fault::Unknown, |_, pupils| pupils[0].settled = vec![SectionIndex(3)]),
        ("pupils[0].settled[1]", Fault::SlotSettled, |_, pupils| {
            pupils[0].lists.clear();
            pupils[0].settled = vec![SectionIndex(0), SectionIndex(1)];
        }),
        ("pupils[0].lists[0].slot", Fault::SlotSettled, |_, pupils| {
            pupils[0].settled = vec![SectionIndex(0)];
        }),
        ("pupils[0].lists[0].slot", Fault::Unknown, |_, pupils| pupils[0].lists[0].slot = SlotIndex(7)),
        ("pupils[0].lists[1].slot", Fault::OutOfOrder, |_, pupils| {
            let list = pupils[0].lists[0].clone();
            pupils[0].lists.push(list);
        }),
        ("pupils[0].lists[0]", Fault::EmptyList, |_, pupils| pupils[0].lists[0].ranked.clear()),
        ("pupils[0].lists[0].ranked[1]", Fault::Repeated, |_, pupils| {
            let list = &mut pupils[0].lists[0].ranked;
            *list = vec![list[0]; 2];
        }),
        ("pupils[0].lists[0].any_of[0]", Fault::Repeated, |_, pupils| {
            let list: &mut List = &mut pupils[0].lists[0];
            list.any_of = vec![list.ranked[0]];
        }),
        ("pupils[0].lists[0].ranked[0]", Fault::Unknown, |_, pupils| {
            pupils[0].lists[0].ranked = vec![SectionIndex(u32::MAX)];
        }),
        ("pupils[0].lists[0].ranked[0]", Fault::OtherSlot, |_, pupils| {
            pupils[0].lists[0].ranked = vec![SectionIndex(2)];
        }),
        ("pupils[0].lists[0].any_of[1]", Fault::OutOfOrder, |_, pupils| {
            pupils[0].lists[0].ranked.clear();
            pupils[0].lists[0].any_of = vec![SectionIndex(1), SectionIndex(0)];
        }),
        ("terms.sections[1].capacity", Fault::OverSettled { settled: 2, capacity: 1 }, |terms, pupils| {
            terms.sections[1].capacity = 1;
            for pupil in pupils {
                pupil.lists.clear();
                pupil.settled = vec![SectionIndex(1)];
            }
        }),
    ];

    for (field, fault, change) in cases {
        let mut terms = terms();
        let mut pupils = pupils();
        pupils.sort_by_key(|pupil| pupil.pseudonym);
        assert!(Input::in_order(terms.clone(), pupils.clone()).is_ok());
        change(&mut terms, &mut pupils);
        let problems = Input::in_order(terms, pupils).expect_err(field);
        let is_named = problems.iter().any(|problem| problem.field == *field && problem.fault == *fault);
        assert!(is_named, "{field} {fault}: {problems:?}");
    }
}

#[test]
fn a_lottery_takes_one_section_and_no_tail() {
    let check = |ranked: &[u32], any_of: &[u32]| {
        let mut terms = plain_terms(&[3, 2]);
        terms.mode = Mode::Lottery;
        let mut pupil = wishing(0, &[0]);
        pupil.lists[0].ranked = ranked.iter().copied().map(SectionIndex).collect();
        pupil.lists[0].any_of = any_of.iter().copied().map(SectionIndex).collect();
        Input::new(terms, vec![pupil]).map_err(|problems| problems[0].fault.clone()).map(drop)
    };

    assert_eq!(check(&[1], &[]), Ok(()));
    assert_eq!(check(&[0, 1], &[]), Err(Fault::OneSection));
    assert_eq!(check(&[0], &[1]), Err(Fault::OneSection));
    assert_eq!(check(&[], &[1]), Err(Fault::OneSection));
}

#[test]
fn all_bad_fields_are_named_together() {
    let mut terms = terms();
    terms.act = 0;
    terms.siblings = Siblings::Together;
    terms.groups[1].clear();
    terms.sections[1].slot = SlotIndex(9);

    let problems = Input::new(terms, pupils()).unwrap_err();

    let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["terms.act", "terms.groups[1]", "terms.sections[1].slot"]);
}
