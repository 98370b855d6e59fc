//! Who gets which seat of one slot: deferred acceptance. Pupils ask, sections keep the first of those who asked.
//!
//! Every pupil asks the dearest section. A section keeps, of all who asked so far, whom it puts first, and sends the rest
//! on to their next wish. What comes out does not depend on who asks when, no pupil can gain by asking otherwise, and
//! nobody is passed over for one who stands behind.
//!
//! Whom a section puts first: each reserve in turn keeps the first of its group among those who asked and are not kept
//! yet; the other seats, those a reserve could not fill included, keep the first of all who are left.

use std::collections::BinaryHeap;

use crate::input::{GroupIndex, Input, PupilIndex, SectionIndex, SlotIndex};
use crate::number;
use crate::seed::Seed;

/// A pupil's place in a section's order: tier, then number. Smaller stands ahead; no two of a slot are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) tier: u32,
    pub(crate) number: u32,
}

/// One a section kept. Compared by rank.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kept {
    pub(crate) rank: Rank,
    /// The position of the reserve; none for an open seat.
    pub(crate) reserve: Option<u32>,
}

/// The seats of a section while pupils ask.
struct Seats {
    /// Seats to draw.
    count: usize,
    kept: usize,
    reserves: Vec<ReservedSeats>,
    open: BinaryHeap<Rank>,
}

struct ReservedSeats {
    group: GroupIndex,
    count: usize,
    kept: BinaryHeap<Rank>,
}

/// What one slot came to.
pub(crate) struct Matched {
    /// Each section of the slot with those it kept, in no order.
    pub(crate) kept: Vec<(SectionIndex, Vec<Kept>)>,
    /// Each refused wish, as (section, rank), in no order.
    pub(crate) refused: Vec<(SectionIndex, Rank)>,
}

impl Seats {
    fn of(input: &Input, section: SectionIndex) -> Self {
        let quota = input.quota(section);
        let reserves = input.section(section).reserves.iter().zip(&quota.reserved);
        Self {
            count: quota.seats as usize,
            kept: 0,
            reserves: reserves
                .map(|(reserve, count)| ReservedSeats {
                    group: reserve.group,
                    count: *count as usize,
                    kept: BinaryHeap::new(),
                })
                .collect(),
            open: BinaryHeap::new(),
        }
    }

    /// Takes one who asks and gives back whom the section cannot keep. One who enters a reserve may push another out of
    /// it, who then tries what comes after.
    fn ask(&mut self, rank: Rank, belongs: impl Fn(Rank, GroupIndex) -> bool) -> Option<Rank> {
        let mut moving = Some(rank);
        for reserve in &mut self.reserves {
            let Some(rank) = moving.filter(|_| reserve.count > 0) else { continue };
            if belongs(rank, reserve.group) {
                reserve.kept.push(rank);
                moving = if reserve.kept.len() > reserve.count { reserve.kept.pop() } else { None };
            }
        }
        self.open.extend(moving);
        self.kept += 1;
        if self.kept <= self.count {
            return None;
        }
        self.kept -= 1;
        self.open.pop()
    }

    fn into_kept(self) -> Vec<Kept> {
        let reserved = self.reserves.into_iter().zip(0..).flat_map(|(reserve, at)| {
            reserve.kept.into_iter().map(move |rank| Kept { rank, reserve: Some(at) })
        });
        reserved.chain(self.open.into_iter().map(|rank| Kept { rank, reserve: None })).collect()
    }
}

/// Gives out the seats of a slot. `numbers` are the slot's, in the order of the pupils.
pub(crate) fn assign(input: &Input, seed: &Seed, slot: SlotIndex, numbers: &[u32]) -> Matched {
    let sections = input.sections_of(slot);
    let by_number = pupils_by_number(numbers);
    let pupil_of = |rank: Rank| by_number[rank.number as usize - 1];
    let belongs = |rank: Rank, group| input.belongs(pupil_of(rank), group);
    let mut wishes: Vec<_> = (0..numbers.len())
        .map(|at| number::preferences(input, seed, PupilIndex::from_at(at), slot, &sections))
        .collect();
    let mut seats: Vec<Seats> = sections.iter().map(|section| Seats::of(input, *section)).collect();
    let mut refused = Vec::new();
    for first in by_number.iter().copied() {
        let mut asking = Some(first);
        while let Some(pupil) = asking.take() {
            let Some(section) = wishes[pupil.at()].next() else { break };
            let rank = Rank { tier: input.tier_at(section, pupil), number: numbers[pupil.at()] };
            // The section is one of the slot's: the input is valid.
            let Ok(at) = sections.binary_search(&section) else { break };
            if let Some(refusal) = seats[at].ask(rank, belongs) {
                refused.push((section, refusal));
                asking = Some(pupil_of(refusal));
            }
        }
    }
    let kept = sections.iter().copied().zip(seats.into_iter().map(Seats::into_kept)).collect();
    Matched { kept, refused }
}

/// The pupils in the order of their numbers.
pub(crate) fn pupils_by_number(numbers: &[u32]) -> Vec<PupilIndex> {
    let mut pupils: Vec<PupilIndex> = (0..numbers.len()).map(PupilIndex::from_at).collect();
    pupils.sort_unstable_by_key(|pupil| numbers[pupil.at()]);
    pupils
}
