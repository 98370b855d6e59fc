//! How long a city's draw takes, in milliseconds of one core. Measured, never asserted.

use std::fs;

use draw::{
    Bundle, Commitment, GroupIndex, Input, List, Pupil, Reserve, RoundSalt, Section, SectionIndex, Seed,
    SlotIndex, audit, run, verify,
};

use crate::support::{Dice, id, plain_terms};

/// 100,000 pupils, five slots, 40 sections in each, 90 seats for 100 pupils, a taste shared by many, lists of eight and a
/// tail, three tiers, and a reserve in every section.
fn city(pupil_count: u32) -> Input {
    let mut dice = Dice(1);
    let mut terms = plain_terms(&[]);
    terms.slots = (1..=5).map(|day| format!("周{day}")).collect();
    terms.groups = vec!["A".to_owned(), "B".to_owned()];
    let capacity = pupil_count * 9 / 400;
    for at in 0..200 {
        terms.sections.push(Section {
            code: format!("S{at}"),
            slot: SlotIndex(at / 40),
            capacity,
            tiers: vec![vec![GroupIndex(0)], vec![GroupIndex(1)]],
            reserves: vec![Reserve { group: GroupIndex(1), seats: capacity / 10 }],
        });
    }
    let salt = RoundSalt::new([3; 32]);
    let pupil = |at| {
        let alias = salt.alias(&id(at));
        let list = |slot: u32, dice: &mut Dice| {
            // The smaller of two throws: the first sections of a slot are the most wanted.
            let mut ranked: Vec<SectionIndex> = Vec::new();
            while ranked.len() < 8 {
                let section = SectionIndex(slot * 40 + dice.below(40).min(dice.below(40)));
                if !ranked.contains(&section) {
                    ranked.push(section);
                }
            }
            let mut any_of = ranked.split_off(6);
            any_of.sort();
            List { slot: SlotIndex(slot), ranked, any_of }
        };
        Pupil {
            pseudonym: alias.pseudonym,
            salt: alias.salt,
            family: None,
            groups: (0..2).filter(|_| dice.once_in(10)).map(GroupIndex).collect(),
            settled: Vec::new(),
            lists: (0..5).map(|slot| list(slot, &mut dice)).collect(),
        }
    };
    Input::new(terms, (0..pupil_count).map(pupil).collect()).unwrap()
}

/// The time this thread has had a core, in milliseconds: others may be busy on the machine meanwhile. Linux says it here.
fn core_ms() -> u64 {
    let spent = fs::read_to_string("/proc/thread-self/schedstat").expect("a measurement needs Linux");
    spent.split(' ').next().unwrap().parse::<u64>().unwrap() / 1_000_000
}

#[test]
#[ignore = "a measurement; run with --release --nocapture"]
fn a_citys_draw_measured() {
    let mut at = core_ms();
    let mut lap = |what: &str| {
        println!("{what:<28}{:>8} ms", core_ms() - at);
        at = core_ms();
    };

    let input = city(100_000);
    lap("making up the lists");
    let commitment = Commitment::of(&input);
    lap("committing");
    let seed = Seed::rehearsal("speed");
    let outcome = run(&input, &seed);
    lap("drawing");
    audit(&input, &outcome).unwrap();
    lap("auditing");
    let digest = outcome.digest(&commitment.root());
    lap("digest");
    let bundle = Bundle::draw(&input, &["0".repeat(64)]).unwrap();
    lap("committing, drawing, digest");
    let json = bundle.to_json().unwrap();
    lap("writing JSON");
    let again = Bundle::parse(&json).unwrap();
    lap("reading JSON");
    let report = verify(&again).unwrap();
    lap("verifying");

    println!("{} MB of JSON, {report:?}, {digest}", json.len() / 1_000_000);
}

#[test]
#[ignore = "a measurement; run with --release --nocapture"]
fn a_schools_draw_measured() {
    let input = city(2_000);
    let at = core_ms();
    let bundle = Bundle::draw(&input, &["0".repeat(64)]).unwrap();
    verify(&bundle).unwrap();
    let proof = Commitment::of(&input).prove(7).unwrap();
    println!("drawn and verified in {} ms, proof of {} hashes", core_ms() - at, proof.path.len());
}
