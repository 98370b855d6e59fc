//! What a draw comes to: numbers, who is admitted, the last number of each line, waitlists, and why not.

use serde::{Deserialize, Serialize};

use crate::commitment::Root;
use crate::hash::{Encoder, Hash};
use crate::input::{Input, PupilIndex, Reserve, SectionIndex, SlotIndex, present};
use crate::matching::{Kept, Rank, assign, pupils_by_number};
use crate::number;
use crate::seed::Seed;

/// The outcome of one input and one seed; the same two always give the same outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The seed.
    pub seed: Seed,
    /// Each slot's numbers, in the order of the pupils: every number from 1 to the number of pupils once. Who has no list
    /// for the slot has a number too, so that nobody's number depends on a list.
    pub numbers: Vec<Vec<u32>>,
    /// The sections, in the order of the terms.
    pub sections: Vec<SectionOutcome>,
}

/// What a section came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SectionOutcome {
    /// Seats drawn: the capacity without the settled pupils.
    pub seats: u32,
    /// Who got one, by tier, then number.
    pub admitted: Vec<Admitted>,
    /// The last number of each line that got a seat: the reserves in their order, then the open seats; within each by
    /// tier.
    pub cutoffs: Vec<Cutoff>,
    /// Who asked and was refused, by tier, then number: the waitlist. Somebody who got a later wish stands here too.
    pub waitlist: Vec<Waiting>,
}

/// A pupil with a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admitted {
    /// The pupil.
    pub pupil: PupilIndex,
    /// The pupil's tier at the section, from 0; the number of tiers when in none.
    pub tier: u32,
    /// The pupil's number in the slot.
    pub number: u32,
    /// The position of the reserve the seat is of; absent for an open seat.
    #[serde(deserialize_with = "present")]
    pub reserve: Option<u32>,
}

/// The last number admitted of one line: a reserve or the open seats, and a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cutoff {
    /// The position of the reserve; absent for the open seats.
    #[serde(deserialize_with = "present")]
    pub reserve: Option<u32>,
    /// The tier.
    pub tier: u32,
    /// How many were admitted in this line, at least 1.
    pub admitted_count: u32,
    /// The largest number among them.
    pub last_number: u32,
}

/// A pupil on the waitlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// The pupil.
    pub pupil: PupilIndex,
    /// The pupil's tier at the section.
    pub tier: u32,
    /// The pupil's number in the slot.
    pub number: u32,
    /// Why the wish was refused.
    pub why: Why,
}

/// Why a wish was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// There was no seat to draw.
    NoSeats,
    /// Every seat went to those it was kept for.
    Reserved,
    /// Every open seat went to a tier before the pupil's.
    Priority,
    /// The seats went to smaller numbers of the pupil's tier.
    Number,
}

/// A refused wish with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The section.
    pub section: SectionIndex,
    /// All its seats.
    pub capacity: u32,
    /// Seats that were settled before the draw.
    pub settled_count: u32,
    /// Seats that went to those they were kept for.
    pub reserved_count: u32,
    /// The largest number of the pupil's tier with an open seat; absent unless `why` is `Number`.
    pub last_number: Option<u32>,
    /// The pupil's number.
    pub own_number: u32,
    /// Why.
    pub why: Why,
}

/// What the draw came to for one pupil.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PupilOutcome {
    /// The sections that admit the pupil, ascending; at most one per slot.
    pub admitted: Vec<SectionIndex>,
    /// The wishes that were refused, by section ascending.
    pub refusals: Vec<Refusal>,
}

/// Draws.
#[must_use]
pub fn run(input: &Input, seed: &Seed) -> Outcome {
    let numbers = number::draw(input, seed);
    let section_count = input.terms().sections.len();
    let mut kept = vec![Vec::new(); section_count];
    let mut refused: Vec<Vec<Rank>> = vec![Vec::new(); section_count];
    let mut by_slot = Vec::with_capacity(numbers.len());
    for (at, numbers) in numbers.iter().enumerate() {
        let matched = assign(input, seed, SlotIndex::from_at(at), numbers);
        for (section, ranks) in matched.kept {
            kept[section.at()] = ranks;
        }
        for (section, rank) in matched.refused {
            refused[section.at()].push(rank);
        }
        by_slot.push(pupils_by_number(numbers));
    }
    let of_section = |(at, (kept, refused))| {
        let section = SectionIndex::from_at(at);
        section_outcome(input, section, &by_slot[input.section(section).slot.at()], kept, refused)
    };
    let sections = kept.into_iter().zip(refused).enumerate().map(of_section).collect();
    Outcome { seed: *seed, numbers, sections }
}

fn section_outcome(
    input: &Input,
    section: SectionIndex,
    by_number: &[PupilIndex],
    mut kept: Vec<Kept>,
    mut refused: Vec<Rank>,
) -> SectionOutcome {
    kept.sort_unstable();
    refused.sort_unstable();
    let pupil = |rank: &Rank| by_number[rank.number as usize - 1];
    let admitted: Vec<Admitted> = kept
        .iter()
        .map(|Kept { rank, reserve }| Admitted {
            pupil: pupil(rank),
            tier: rank.tier,
            number: rank.number,
            reserve: *reserve,
        })
        .collect();
    let seats = input.quota(section).seats;
    let cutoffs = cutoffs(&admitted);
    let waitlist = refused
        .iter()
        .map(|rank| Waiting {
            pupil: pupil(rank),
            tier: rank.tier,
            number: rank.number,
            why: why(seats, &cutoffs, rank.tier),
        })
        .collect();
    SectionOutcome { seats, admitted, cutoffs, waitlist }
}

/// The last number of each line. `admitted` is by tier, then number.
pub(crate) fn cutoffs(admitted: &[Admitted]) -> Vec<Cutoff> {
    let mut cutoffs: Vec<Cutoff> = Vec::new();
    for one in admitted {
        let line = cutoffs.iter_mut().find(|line| line.reserve == one.reserve && line.tier == one.tier);
        if let Some(line) = line {
            line.admitted_count += 1;
            line.last_number = line.last_number.max(one.number);
        } else {
            let Admitted { tier, number, reserve, .. } = *one;
            cutoffs.push(Cutoff { reserve, tier, admitted_count: 1, last_number: number });
        }
    }
    cutoffs.sort_by_key(|line| (line.reserve.is_none(), line.reserve, line.tier));
    cutoffs
}

/// Why a section with these cutoffs refuses one of the tier.
pub(crate) fn why(seats: u32, cutoffs: &[Cutoff], tier: u32) -> Why {
    let last_open_tier = cutoffs.iter().rfind(|line| line.reserve.is_none()).map(|line| line.tier);
    match last_open_tier {
        _ if seats == 0 => Why::NoSeats,
        None => Why::Reserved,
        Some(last) if last < tier => Why::Priority,
        Some(_) => Why::Number,
    }
}

impl Outcome {
    /// What the draw came to for each pupil, in the order of the pupils. The input is the one drawn.
    #[must_use]
    pub fn by_pupil(&self, input: &Input) -> Vec<PupilOutcome> {
        let mut pupils = vec![PupilOutcome::default(); input.pupils().len()];
        for (at, outcome) in self.sections.iter().enumerate() {
            let section = SectionIndex::from_at(at);
            for admitted in &outcome.admitted {
                if let Some(pupil) = pupils.get_mut(admitted.pupil.at()) {
                    pupil.admitted.push(section);
                }
            }
            for waiting in &outcome.waitlist {
                if let Some(pupil) = pupils.get_mut(waiting.pupil.at()) {
                    pupil.refusals.extend(outcome.refusal(input, section, waiting));
                }
            }
        }
        pupils
    }

    /// The digest that is published with the outcome.
    #[must_use]
    pub fn digest(&self, root: &Root) -> Hash {
        Encoder::tagged("outcome")
            .hash(root.hash())
            .hash(self.seed.hash())
            .list(self.numbers.iter(), |to, numbers| to.list(numbers.iter(), |to, number| to.u32(*number)))
            .list(self.sections.iter(), section)
            .digest()
    }
}

impl SectionOutcome {
    /// A refused wish with its numbers. `waiting` is of this section's waitlist; the input is the one drawn. Nothing when
    /// the input has no such section.
    #[must_use]
    pub fn refusal(&self, input: &Input, section: SectionIndex, waiting: &Waiting) -> Option<Refusal> {
        let capacity = input.terms().sections.get(section.at())?.capacity;
        let quota = input.quota(section);
        let lines = || self.cutoffs.iter();
        let own_line = lines().find(|line| line.reserve.is_none() && line.tier == waiting.tier);
        let reserved_count =
            lines().filter(|line| line.reserve.is_some()).map(|line| line.admitted_count).sum();
        Some(Refusal {
            section,
            capacity,
            settled_count: quota.settled,
            reserved_count,
            last_number: own_line.filter(|_| waiting.why == Why::Number).map(|line| line.last_number),
            own_number: waiting.number,
            why: waiting.why,
        })
    }

    /// Who is next when `freed` gives the seat back: for a seat of a reserve the first of its group who still waits, when
    /// there is one; else the first who still waits. The input is the one drawn.
    pub fn next(
        &self,
        input: &Input,
        section: SectionIndex,
        freed: &Admitted,
        still_waits: impl Fn(PupilIndex) -> bool,
    ) -> Option<PupilIndex> {
        let known = |pupil: &PupilIndex| pupil.at() < input.pupils().len() && still_waits(*pupil);
        let waiting = || self.waitlist.iter().map(|one| one.pupil).filter(known);
        let reserves = &input.terms().sections.get(section.at())?.reserves;
        let reserve = freed.reserve.and_then(|at| reserves.get(at as usize));
        let of_group = |reserve: &Reserve| waiting().find(|pupil| input.belongs(*pupil, reserve.group));
        reserve.and_then(of_group).or_else(|| waiting().next())
    }
}

fn section(to: Encoder, section: &SectionOutcome) -> Encoder {
    to.u32(section.seats)
        .list(section.admitted.iter(), |to, one| {
            reserve(to.u32(one.pupil.0).u32(one.tier).u32(one.number), one.reserve)
        })
        .list(section.cutoffs.iter(), |to, line| {
            reserve(to, line.reserve).u32(line.tier).u32(line.admitted_count).u32(line.last_number)
        })
        .list(section.waitlist.iter(), |to, one| {
            let why = match one.why {
                Why::NoSeats => 1,
                Why::Reserved => 2,
                Why::Priority => 3,
                Why::Number => 4,
            };
            to.u32(one.pupil.0).u32(one.tier).u32(one.number).u8(why)
        })
}

fn reserve(to: Encoder, reserve: Option<u32>) -> Encoder {
    match reserve {
        None => to.u8(0),
        Some(at) => to.u8(1).u32(at),
    }
}
