//! What a draw starts from: the terms of the round, and one entry for each pupil. A value of [`Input`] is valid.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use crate::commitment::Root;
use crate::hash::{Hash, as_u32};
use crate::seed::{self, Source};

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The position in its list.
            #[must_use]
            pub const fn at(self) -> usize {
                self.0 as usize
            }

            /// The index of a position; positions are far below the edge of `u32` ([`LIMITS`]).
            #[must_use]
            pub fn from_at(at: usize) -> Self {
                Self(as_u32(at))
            }
        }
    };
}

index! {
    /// The position of a slot in [`Terms::slots`], from 0.
    SlotIndex
}
index! {
    /// The position of a group in [`Terms::groups`], from 0.
    GroupIndex
}
index! {
    /// The position of a section in [`Terms::sections`], from 0.
    SectionIndex
}
index! {
    /// The position of a pupil in [`Input::pupils`], from 0.
    PupilIndex
}

/// The most of each thing a draw takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Slots of a round.
    pub slot_count: usize,
    /// Groups of a round.
    pub group_count: usize,
    /// Sections of a round.
    pub section_count: usize,
    /// Pupils of a round, and seats of a section.
    pub pupil_count: usize,
    /// Sources of a seed.
    pub source_count: usize,
    /// Bytes of a code, name or description; the least is 1.
    pub text_bytes: usize,
}

/// The limits every draw is held to.
pub const LIMITS: Limits = Limits {
    slot_count: 64,
    group_count: 256,
    section_count: 10_000,
    pupil_count: 1_000_000,
    source_count: 64,
    text_bytes: 1024,
};

/// What pupils may hand in for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A list of any length, with an "any of these" tail.
    Ranked,
    /// One section.
    Lottery,
}

/// How siblings are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Siblings {
    /// Each pupil draws alone; no family is written down.
    Apart,
    /// A family draws once: its children stand next to each other in every slot's order.
    Together,
}

/// What is published about a round before anybody knows the seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The round's id, as published.
    pub round_id: String,
    /// The number of the act: 1 for the first draw of the round, one more for each draw that follows it.
    pub act: u32,
    /// The root of the act before. Absent exactly when `act` is 1.
    #[serde(deserialize_with = "present")]
    pub previous_root: Option<Root>,
    /// What pupils may hand in.
    pub mode: Mode,
    /// How siblings are numbered.
    pub siblings: Siblings,
    /// The codes of the week's slots, in their order; distinct, at least one.
    pub slots: Vec<String>,
    /// The codes of the groups pupils may belong to; distinct.
    pub groups: Vec<String>,
    /// The sections with seats to draw.
    pub sections: Vec<Section>,
    /// Where the seed will come from, in the order the values are combined.
    pub sources: Vec<Source>,
}

/// A section and how its seats are given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The section's id, as published; distinct within the round.
    pub code: String,
    /// The slot it is taught in.
    pub slot: SlotIndex,
    /// All its seats, those of settled pupils included.
    pub capacity: u32,
    /// Who comes first: a pupil stands in the first tier that holds one of the pupil's groups, and after all of them
    /// when none does. A group is in at most one tier.
    pub tiers: Vec<Vec<GroupIndex>>,
    /// Seats that go first to a group, in this order; those it leaves are open to all. One per group, together no
    /// more than `capacity`.
    pub reserves: Vec<Reserve>,
}

/// Seats kept for a group while it wants them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// The group.
    pub group: GroupIndex,
    /// How many seats, at least 1.
    pub seats: u32,
}

/// A pupil's entry, with nothing in it that names the pupil.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pupil {
    /// Stands for the pupil in this round only.
    pub pseudonym: Hash,
    /// Blinds the leaf, so that its hash gives nothing away.
    pub salt: Hash,
    /// Stands for the family. Absent when siblings draw apart, and for a pupil alone.
    #[serde(deserialize_with = "present")]
    pub family: Option<Hash>,
    /// The groups the pupil belongs to, ascending.
    pub groups: Vec<GroupIndex>,
    /// Sections already confirmed, ascending, at most one per slot. They are never taken away here.
    pub settled: Vec<SectionIndex>,
    /// What the pupil would like, by slot ascending; none for a slot with a settled section.
    pub lists: Vec<List>,
}

/// What a pupil would like in one slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The slot.
    pub slot: SlotIndex,
    /// Sections of the slot, the dearest first.
    pub ranked: Vec<SectionIndex>,
    /// Sections of the slot, ascending, any of which will do when none of `ranked` has a seat.
    pub any_of: Vec<SectionIndex>,
}

/// A field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {fault}")]
pub struct Problem {
    /// The path of the field, such as `terms.sections[3].reserves[0].seats`.
    pub field: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More than the limit.
    #[error("{found} are more than {limit}")]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// There must be one at least.
    #[error("there is none")]
    Missing,
    /// A text is empty, too long, or has a control character.
    #[error("not a text of 1 to {} bytes without control characters", LIMITS.text_bytes)]
    Text,
    /// It points at nothing.
    #[error("there is no such thing")]
    Unknown,
    /// It stands in the list already.
    #[error("stands there twice")]
    Repeated,
    /// It must be greater than the one before it.
    #[error("out of order")]
    OutOfOrder,
    /// Acts count from 1.
    #[error("must be 1 or more")]
    Zero,
    /// An act after the first names the root of the one before it; the first names none.
    #[error("must be given exactly from the second act on")]
    PreviousRoot,
    /// The seats kept for groups are more than there are.
    #[error("{reserved} seats are kept where there are {capacity}")]
    OverReserved {
        /// Seats of all reserves.
        reserved: u64,
        /// Seats of the section.
        capacity: u32,
    },
    /// More pupils are settled in the section than it has seats.
    #[error("{settled} pupils are settled where there are {capacity} seats")]
    OverSettled {
        /// Settled pupils.
        settled: u32,
        /// Seats of the section.
        capacity: u32,
    },
    /// The section is taught in another slot.
    #[error("is taught in another slot")]
    OtherSlot,
    /// The pupil has a section in this slot already.
    #[error("the slot is settled")]
    SlotSettled,
    /// A list without a section says nothing.
    #[error("the list is empty")]
    EmptyList,
    /// The mode allows one section and no tail.
    #[error("a lottery takes one section")]
    OneSection,
    /// Families are written down only when siblings draw together.
    #[error("siblings draw apart in this round")]
    Family,
    /// More entropy is claimed than the value can carry.
    #[error("{claimed} bits do not fit where {carried} do")]
    OverClaimed {
        /// Bits claimed.
        claimed: u32,
        /// Bits the value can carry.
        carried: u32,
    },
    /// What remains without the largest contribution is too little.
    #[error("{bits} bits remain without any one contribution; {} are needed", seed::NEEDED_BITS)]
    Entropy {
        /// Bits that remain.
        bits: u64,
    },
}

/// A valid input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    terms: Terms,
    pupils: Vec<Pupil>,
    quotas: Vec<Quota>,
}

/// The seats of a section that are there to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Seats without a settled pupil.
    pub(crate) seats: u32,
    /// How many of them each reserve has, in the order of the reserves; together no more than `seats`.
    pub(crate) reserved: Vec<u32>,
    /// Pupils settled.
    pub(crate) settled: u32,
}

impl Input {
    /// Takes terms and pupils; the pupils in any order.
    ///
    /// # Errors
    /// Every [`Problem`] found, fields in the order of the pseudonyms.
    pub fn new(terms: Terms, mut pupils: Vec<Pupil>) -> Result<Self, Vec<Problem>> {
        pupils.sort_by_key(|pupil| pupil.pseudonym);
        Self::in_order(terms, pupils)
    }

    /// Takes terms and pupils that must stand in the order of their pseudonyms, as they do in a bundle.
    ///
    /// # Errors
    /// Every [`Problem`] found.
    pub fn in_order(terms: Terms, pupils: Vec<Pupil>) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        problems.terms(&terms);
        problems.at_most("pupils", pupils.len(), LIMITS.pupil_count);
        // The pupils' fields point into the terms.
        if !problems.0.is_empty() {
            return Err(problems.0);
        }
        let mut before = None;
        for (at, pupil) in pupils.iter().enumerate() {
            problems.pupil(&terms, at, pupil, before);
            before = Some(pupil.pseudonym);
        }
        if !problems.0.is_empty() {
            return Err(problems.0);
        }
        let quotas = quotas(&terms, &pupils);
        for (at, (section, quota)) in terms.sections.iter().zip(&quotas).enumerate() {
            if quota.settled > section.capacity {
                problems.add(
                    format!("terms.sections[{at}].capacity"),
                    Fault::OverSettled { settled: quota.settled, capacity: section.capacity },
                );
            }
        }
        if problems.0.is_empty() { Ok(Self { terms, pupils, quotas }) } else { Err(problems.0) }
    }

    /// The terms.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The pupils, by pseudonym ascending.
    #[must_use]
    pub fn pupils(&self) -> &[Pupil] {
        &self.pupils
    }

    /// Finds a pupil by pseudonym.
    #[must_use]
    pub fn find(&self, pseudonym: &Hash) -> Option<PupilIndex> {
        self.pupils.binary_search_by_key(pseudonym, |pupil| pupil.pseudonym).ok().map(PupilIndex::from_at)
    }

    pub(crate) fn section(&self, section: SectionIndex) -> &Section {
        &self.terms.sections[section.at()]
    }

    pub(crate) fn pupil(&self, pupil: PupilIndex) -> &Pupil {
        &self.pupils[pupil.at()]
    }

    pub(crate) fn quota(&self, section: SectionIndex) -> &Quota {
        &self.quotas[section.at()]
    }

    /// The sections of a slot, ascending.
    pub(crate) fn sections_of(&self, slot: SlotIndex) -> Vec<SectionIndex> {
        let all = self.terms.sections.iter().enumerate();
        all.filter(|(_, section)| section.slot == slot).map(|(at, _)| SectionIndex::from_at(at)).collect()
    }

    /// The tier the pupil stands in at the section, from 0; the number of tiers when in none.
    pub(crate) fn tier_at(&self, section: SectionIndex, pupil: PupilIndex) -> u32 {
        let tiers = &self.section(section).tiers;
        let groups = &self.pupil(pupil).groups;
        let mine = |tier: &Vec<GroupIndex>| tier.iter().any(|group| groups.contains(group));
        let found = if groups.is_empty() { None } else { tiers.iter().position(mine) };
        as_u32(found.unwrap_or(tiers.len()))
    }

    /// Whether the pupil belongs to the group.
    pub(crate) fn belongs(&self, pupil: PupilIndex, group: GroupIndex) -> bool {
        self.pupil(pupil).groups.contains(&group)
    }
}

impl Pupil {
    /// What the pupil would like in the slot.
    #[must_use]
    pub fn list(&self, slot: SlotIndex) -> Option<&List> {
        self.lists.iter().find(|list| list.slot == slot)
    }
}

/// Takes the settled pupils' seats away: each, in the order of the pseudonyms, uses a seat of the first reserve with one
/// left whose group the pupil belongs to, else one of the others. A reserve then keeps what fits beside those before it.
fn quotas(terms: &Terms, pupils: &[Pupil]) -> Vec<Quota> {
    let mut left: Vec<Vec<u32>> = terms
        .sections
        .iter()
        .map(|section| section.reserves.iter().map(|reserve| reserve.seats).collect())
        .collect();
    let mut settled = vec![0_u32; terms.sections.len()];
    for pupil in pupils {
        for section in &pupil.settled {
            settled[section.at()] += 1;
            let reserves = &terms.sections[section.at()].reserves;
            let seats = reserves.iter().zip(&mut left[section.at()]);
            let mut own = seats.filter(|(reserve, left)| **left > 0 && pupil.groups.contains(&reserve.group));
            if let Some((_, left)) = own.next() {
                *left -= 1;
            }
        }
    }
    let of_section = |((section, mut reserved), settled): ((&Section, Vec<u32>), u32)| {
        let seats = section.capacity.saturating_sub(settled);
        let mut free = seats;
        for kept in &mut reserved {
            *kept = (*kept).min(free);
            free -= *kept;
        }
        Quota { seats, reserved, settled }
    };
    terms.sections.iter().zip(left).zip(settled).map(of_section).collect()
}

/// Reads a field that must be there, be it `null`.
pub(crate) fn present<'de, D, T>(input: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(input)
}

/// The problems found so far.
#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, field: impl Into<String>, fault: Fault) {
        self.0.push(Problem { field: field.into(), fault });
    }

    fn at_most(&mut self, field: &str, found: usize, limit: usize) {
        if found > limit {
            self.add(field, Fault::TooMany { found, limit });
        }
    }

    fn text(&mut self, field: impl Into<String>, text: &str) {
        if text.is_empty() || text.len() > LIMITS.text_bytes || text.chars().any(char::is_control) {
            self.add(field, Fault::Text);
        }
    }

    /// Each a text, no two alike.
    fn codes<'a>(&mut self, codes: impl Iterator<Item = (String, &'a str)>) {
        let mut seen = BTreeSet::new();
        for (field, code) in codes {
            if !seen.insert(code) {
                self.add(field.clone(), Fault::Repeated);
            }
            self.text(field, code);
        }
    }

    fn terms(&mut self, terms: &Terms) {
        self.text("terms.round_id", &terms.round_id);
        if terms.act == 0 {
            self.add("terms.act", Fault::Zero);
        }
        if terms.previous_root.is_some() != (terms.act > 1) {
            self.add("terms.previous_root", Fault::PreviousRoot);
        }
        if terms.slots.is_empty() {
            self.add("terms.slots", Fault::Missing);
        }
        self.at_most("terms.slots", terms.slots.len(), LIMITS.slot_count);
        self.at_most("terms.groups", terms.groups.len(), LIMITS.group_count);
        self.at_most("terms.sections", terms.sections.len(), LIMITS.section_count);
        self.at_most("terms.sources", terms.sources.len(), LIMITS.source_count);
        self.codes(numbered("terms.slots", "", terms.slots.iter().map(String::as_str)));
        self.codes(numbered("terms.groups", "", terms.groups.iter().map(String::as_str)));
        self.codes(numbered("terms.sections", ".code", terms.sections.iter().map(|one| one.code.as_str())));
        self.codes(numbered("terms.sources", ".name", terms.sources.iter().map(|one| one.name.as_str())));
        for (at, section) in terms.sections.iter().enumerate() {
            self.section(terms, &format!("terms.sections[{at}]"), section);
        }
        self.0.extend(seed::problems(&terms.sources));
        for (at, source) in terms.sources.iter().enumerate() {
            self.text(format!("terms.sources[{at}].what"), &source.what);
        }
    }

    fn section(&mut self, terms: &Terms, field: &str, section: &Section) {
        if section.slot.at() >= terms.slots.len() {
            self.add(format!("{field}.slot"), Fault::Unknown);
        }
        self.at_most(&format!("{field}.capacity"), section.capacity as usize, LIMITS.pupil_count);
        let mut seen = BTreeSet::new();
        for (tier_at, tier) in section.tiers.iter().enumerate() {
            if tier.is_empty() {
                self.add(format!("{field}.tiers[{tier_at}]"), Fault::Missing);
            }
            for (at, group) in tier.iter().enumerate() {
                self.group(terms, format!("{field}.tiers[{tier_at}][{at}]"), *group, &mut seen);
            }
        }
        seen.clear();
        for (at, reserve) in section.reserves.iter().enumerate() {
            self.group(terms, format!("{field}.reserves[{at}].group"), reserve.group, &mut seen);
            if reserve.seats == 0 {
                self.add(format!("{field}.reserves[{at}].seats"), Fault::Zero);
            }
        }
        let reserved: u64 = section.reserves.iter().map(|reserve| u64::from(reserve.seats)).sum();
        if reserved > u64::from(section.capacity) {
            let capacity = section.capacity;
            self.add(format!("{field}.reserves"), Fault::OverReserved { reserved, capacity });
        }
    }

    fn group(&mut self, terms: &Terms, field: String, group: GroupIndex, seen: &mut BTreeSet<GroupIndex>) {
        if group.at() >= terms.groups.len() {
            self.add(field, Fault::Unknown);
        } else if !seen.insert(group) {
            self.add(field, Fault::Repeated);
        }
    }

    fn pupil(&mut self, terms: &Terms, at: usize, pupil: &Pupil, before: Option<Hash>) {
        let field = |name: &str| format!("pupils[{at}].{name}");
        match before {
            Some(before) if before == pupil.pseudonym => self.add(field("pseudonym"), Fault::Repeated),
            Some(before) if before > pupil.pseudonym => self.add(field("pseudonym"), Fault::OutOfOrder),
            _ => {}
        }
        if pupil.family.is_some() && terms.siblings == Siblings::Apart {
            self.add(field("family"), Fault::Family);
        }
        self.ascending(&field("groups"), &pupil.groups, |group| group.at() < terms.groups.len());
        let known = |section: &SectionIndex| section.at() < terms.sections.len();
        self.ascending(&field("settled"), &pupil.settled, known);
        let mut settled = BTreeSet::new();
        for (position, section) in pupil.settled.iter().enumerate() {
            if terms.sections.get(section.at()).is_some_and(|section| !settled.insert(section.slot)) {
                self.add(field(&format!("settled[{position}]")), Fault::SlotSettled);
            }
        }
        let mut last = None;
        for (position, list) in pupil.lists.iter().enumerate() {
            let field = field(&format!("lists[{position}]"));
            if list.slot.at() >= terms.slots.len() {
                self.add(format!("{field}.slot"), Fault::Unknown);
            }
            if last.is_some_and(|last| last >= list.slot) {
                self.add(format!("{field}.slot"), Fault::OutOfOrder);
            }
            if settled.contains(&list.slot) {
                self.add(format!("{field}.slot"), Fault::SlotSettled);
            }
            last = Some(list.slot);
            self.list(terms, &field, list);
        }
    }

    fn list(&mut self, terms: &Terms, field: &str, list: &List) {
        if list.ranked.is_empty() && list.any_of.is_empty() {
            self.add(field, Fault::EmptyList);
        }
        if terms.mode == Mode::Lottery && (list.ranked.len() > 1 || !list.any_of.is_empty()) {
            self.add(field, Fault::OneSection);
        }
        let mut seen = BTreeSet::new();
        let parts = [("ranked", &list.ranked), ("any_of", &list.any_of)];
        for (part, sections) in parts {
            for (at, section) in sections.iter().enumerate() {
                let field = format!("{field}.{part}[{at}]");
                match terms.sections.get(section.at()) {
                    None => self.add(field.clone(), Fault::Unknown),
                    Some(found) if found.slot != list.slot => self.add(field.clone(), Fault::OtherSlot),
                    Some(_) => {}
                }
                if !seen.insert(*section) {
                    self.add(field, Fault::Repeated);
                }
            }
        }
        self.ascending(&format!("{field}.any_of"), &list.any_of, |_| true);
    }

    /// Strictly ascending, each known.
    fn ascending<T: Ord>(&mut self, field: &str, items: &[T], known: impl Fn(&T) -> bool) {
        for (at, item) in items.iter().enumerate() {
            if !known(item) {
                self.add(format!("{field}[{at}]"), Fault::Unknown);
            }
        }
        for (at, pair) in items.windows(2).enumerate() {
            if pair[0] >= pair[1] {
                self.add(format!("{field}[{}]", at + 1), Fault::OutOfOrder);
            }
        }
    }
}

fn numbered<'a>(
    list: &'a str,
    part: &'a str,
    codes: impl Iterator<Item = &'a str> + 'a,
) -> impl Iterator<Item = (String, &'a str)> + 'a {
    codes.enumerate().map(move |(at, code)| (format!("{list}[{at}]{part}"), code))
}
