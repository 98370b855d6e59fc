//! Rounds to draw: small random ones, all following from a number, and builders for those a test spells out.

use draw::seed::{Kind, seal};
use draw::{
    GroupIndex, Hash, Input, List, Mode, Pupil, PupilIndex, Reserve, Root, RoundSalt, Section, SectionIndex,
    Seed, Siblings, SlotIndex, Source, Terms,
};

/// Numbers that follow from a first one (splitmix64): a failing round can be made again.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound)).unwrap()
    }

    /// True once in `n`.
    pub(crate) fn once_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    /// Some of the items, in a random order.
    pub(crate) fn some<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        let mut left = items.to_vec();
        let count = self.below(u32::try_from(items.len()).unwrap() + 1);
        (0..count).map(|_| left.remove(self.below(u32::try_from(left.len()).unwrap()) as usize)).collect()
    }

    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes());
        }
        bytes
    }
}

/// The most of each thing a random round has.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) pupils: u32,
    pub(crate) slots: u32,
    pub(crate) sections_of_slot: u32,
    pub(crate) groups: u32,
    pub(crate) seats: u32,
    pub(crate) with_settled: bool,
}

pub(crate) const SMALL: Size =
    Size { pupils: 14, slots: 4, sections_of_slot: 4, groups: 3, seats: 4, with_settled: true };

/// A random round with everything a round can have, and the values of its sources.
pub(crate) fn round(dice: &mut Dice, size: Size) -> (Input, Vec<String>) {
    let (terms, values) = terms(dice, size);
    let salt = RoundSalt::new(dice.bytes());
    let mut room: Vec<u32> = terms.sections.iter().map(|section| section.capacity).collect();
    if !size.with_settled {
        room.fill(0);
    }
    let pupils =
        (0..dice.below(size.pupils + 1)).map(|at| pupil(dice, &terms, &salt, at, &mut room)).collect();
    (Input::new(terms, pupils).expect("the round is valid"), values)
}

/// The same round with every tail ranked, and more than one section in a list allowed.
pub(crate) fn without_tails(input: &Input) -> Input {
    let mut terms = input.terms().clone();
    terms.mode = Mode::Ranked;
    let mut pupils = input.pupils().to_vec();
    for list in pupils.iter_mut().flat_map(|pupil| &mut pupil.lists) {
        list.ranked.append(&mut list.any_of);
    }
    Input::new(terms, pupils).expect("the round is valid")
}

fn terms(dice: &mut Dice, size: Size) -> (Terms, Vec<String>) {
    let slot_count = 1 + dice.below(size.slots);
    let groups: Vec<GroupIndex> = (0..dice.below(size.groups + 1)).map(GroupIndex).collect();
    let act = 1 + u32::from(dice.once_in(4));
    let mut sections = Vec::new();
    for slot in (0..slot_count).map(SlotIndex) {
        for at in 0..dice.below(size.sections_of_slot + 1) {
            let capacity = dice.below(size.seats + 1);
            let mut left = dice.some(&groups);
            let mut tiers = Vec::new();
            while !left.is_empty() {
                let rest = left.split_off(1 + dice.below(u32::try_from(left.len()).unwrap()) as usize);
                tiers.push(std::mem::replace(&mut left, rest));
            }
            let mut free = capacity;
            let mut reserves = Vec::new();
            for group in dice.some(&groups) {
                let seats = dice.below(free + 1);
                if seats > 0 {
                    reserves.push(Reserve { group, seats });
                }
                free -= seats;
            }
            let code = format!("周{}-{at}", slot.0 + 1);
            sections.push(Section { code, slot, capacity, tiers, reserves });
        }
    }
    let round_id = format!("round-{}", dice.below(1000));
    let (sources, values) = sources(dice, &round_id, act);
    let terms = Terms {
        round_id,
        act,
        previous_root: (act > 1).then(|| Root::new(Hash::new(dice.bytes()))),
        mode: if dice.once_in(4) { Mode::Lottery } else { Mode::Ranked },
        siblings: if dice.once_in(2) { Siblings::Together } else { Siblings::Apart },
        slots: (0..slot_count).map(|at| format!("周{}", at + 1)).collect(),
        groups: groups.iter().map(|group| format!("G{}", group.0)).collect(),
        sections,
        sources,
    };
    (terms, values)
}

fn sources(dice: &mut Dice, round_id: &str, act: u32) -> (Vec<Source>, Vec<String>) {
    let mut sources = Vec::new();
    let mut values = Vec::new();
    let digits = |dice: &mut Dice, base: u32, count: u32| -> String {
        (0..count).map(|_| char::from_digit(dice.below(base), base).unwrap()).collect()
    };
    if dice.once_in(2) {
        sources.push(source("公证摇号", 132, Kind::Decimal { digit_count: 40 }));
        values.push(digits(dice, 10, 40));
    } else {
        sources.push(source("beacon", 128, Kind::Hex { digit_count: 64 }));
        values.push(digits(dice, 16, 64));
    }
    for at in 0..dice.below(3) {
        let name = format!("家长代表{at}");
        let value = Hash::new(dice.bytes());
        let sealed = seal(round_id, act, &name, &value);
        sources.push(source(&name, 256, Kind::Contribution { seal: sealed }));
        values.push(value.to_string());
    }
    (sources, values)
}

pub(crate) fn source(name: &str, bits: u32, kind: Kind) -> Source {
    Source { name: name.to_owned(), what: "what is announced on 1 September".to_owned(), bits, kind }
}

fn pupil(dice: &mut Dice, terms: &Terms, salt: &RoundSalt, at: u32, room: &mut [u32]) -> Pupil {
    let alias = salt.alias(&id(at));
    let all: Vec<GroupIndex> = (0..u32::try_from(terms.groups.len()).unwrap()).map(GroupIndex).collect();
    let mut groups = if dice.once_in(2) { dice.some(&all) } else { Vec::new() };
    groups.sort();
    let family = (terms.siblings == Siblings::Together && dice.once_in(2)).then(|| salt.family(&id(at / 3)));
    let mut pupil = Pupil {
        pseudonym: alias.pseudonym,
        salt: alias.salt,
        family,
        groups,
        settled: Vec::new(),
        lists: Vec::new(),
    };
    for slot in (0..u32::try_from(terms.slots.len()).unwrap()).map(SlotIndex) {
        let here: Vec<SectionIndex> = (0_u32..)
            .zip(&terms.sections)
            .filter(|(_, section)| section.slot == slot)
            .map(|(at, _)| SectionIndex(at))
            .collect();
        let with_room = here.iter().find(|section| room[section.at()] > 0);
        if let Some(section) = with_room.filter(|_| dice.once_in(6)) {
            room[section.at()] -= 1;
            pupil.settled.push(*section);
            continue;
        }
        let mut ranked = dice.some(&here);
        let mut any_of = Vec::new();
        match terms.mode {
            Mode::Lottery => ranked.truncate(1),
            Mode::Ranked if dice.once_in(3) => {
                any_of = ranked.split_off(ranked.len() / 2);
                any_of.sort();
            }
            Mode::Ranked => {}
        }
        if !ranked.is_empty() || !any_of.is_empty() {
            pupil.lists.push(List { slot, ranked, any_of });
        }
    }
    pupil
}

/// A pupil's or a family's id.
pub(crate) fn id(at: u32) -> [u8; 16] {
    let mut id = [0; 16];
    id[12..].copy_from_slice(&at.to_be_bytes());
    id
}

/// A round of one slot whose sections have these capacities, without groups.
pub(crate) fn plain_terms(capacities: &[u32]) -> Terms {
    let section = |(at, capacity): (usize, &u32)| Section {
        code: format!("S{at}"),
        slot: SlotIndex(0),
        capacity: *capacity,
        tiers: Vec::new(),
        reserves: Vec::new(),
    };
    Terms {
        round_id: "2026 autumn".to_owned(),
        act: 1,
        previous_root: None,
        mode: Mode::Ranked,
        siblings: Siblings::Apart,
        slots: vec!["周一".to_owned()],
        groups: Vec::new(),
        sections: capacities.iter().enumerate().map(section).collect(),
        sources: vec![source("beacon", 128, Kind::Hex { digit_count: 64 })],
    }
}

/// A pupil who would like these sections of slot 0, in this order.
pub(crate) fn wishing(at: u32, ranked: &[u32]) -> Pupil {
    let alias = RoundSalt::new([9; 32]).alias(&id(at));
    let list = List {
        slot: SlotIndex(0),
        ranked: ranked.iter().copied().map(SectionIndex).collect(),
        any_of: Vec::new(),
    };
    Pupil {
        pseudonym: alias.pseudonym,
        salt: alias.salt,
        family: None,
        groups: Vec::new(),
        settled: Vec::new(),
        lists: if ranked.is_empty() { Vec::new() } else { vec![list] },
    }
}

/// Where the pupil of this pseudonym stands.
pub(crate) fn index_of(input: &Input, pupil: &Pupil) -> PupilIndex {
    input.find(&pupil.pseudonym).expect("the pupil is in the round")
}

/// The section of a slot a pupil was admitted to.
pub(crate) fn seat_of(
    input: &Input,
    outcome: &draw::Outcome,
    pupil: PupilIndex,
    slot: SlotIndex,
) -> Option<SectionIndex> {
    let sections = (0_u32..).zip(&outcome.sections);
    let mut here = sections.filter(|(at, section)| {
        input.terms().sections[*at as usize].slot == slot
            && section.admitted.iter().any(|admitted| admitted.pupil == pupil)
    });
    here.next().map(|(at, _)| SectionIndex(at))
}

pub(crate) fn rehearsal(at: u64) -> Seed {
    Seed::rehearsal(&at.to_string())
}
