//! What must be true of every outcome, checked without repeating how it was found.
//!
//! Fairness is one sentence: of all who would rather be in a section than where they are, and those who are in it, the
//! section puts first exactly those who are in it. It says at once that nobody is passed over for somebody behind, that
//! reserves are kept, and that no seat is wasted.

use std::collections::BTreeSet;

use crate::hash::as_u32;
use crate::input::{Input, PupilIndex, SectionIndex, SlotIndex};
use crate::matching::Rank;
use crate::number;
use crate::outcome::{Admitted, Outcome, SectionOutcome, Waiting, cutoffs, why};

/// A promise an outcome breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// Slots, pupils or sections are missing or left over; nothing else was checked.
    #[error("the outcome is of another input")]
    Shape,
    /// The numbers of a slot are not 1, 2, … each once; nothing else was checked.
    #[error("the numbers of slot {} are not each given once", .slot.0)]
    Numbers {
        /// The slot.
        slot: SlotIndex,
    },
    /// More admitted than there are seats, or the seats are counted wrongly.
    #[error("section {} admits {admitted} to {seats} seats", .section.0)]
    Capacity {
        /// The section.
        section: SectionIndex,
        /// Pupils admitted.
        admitted: usize,
        /// Seats to draw.
        seats: u32,
    },
    /// A pupil has two sections of one slot, a settled one counted.
    #[error("pupil {} has two sections in slot {}", .pupil.0, .slot.0)]
    TwoInOneSlot {
        /// The pupil.
        pupil: PupilIndex,
        /// The slot.
        slot: SlotIndex,
    },
    /// A pupil is admitted to a section that was not wished for.
    #[error("pupil {} never asked for section {}", .pupil.0, .section.0)]
    NotWished {
        /// The pupil.
        pupil: PupilIndex,
        /// The section.
        section: SectionIndex,
    },
    /// A seat is free while somebody waits for it.
    #[error("section {} has a free seat and a waitlist", .section.0)]
    WastedSeat {
        /// The section.
        section: SectionIndex,
    },
    /// The section does not admit those it puts first.
    #[error("section {} passes over pupil {}", .section.0, .pupil.0)]
    PassedOver {
        /// The section.
        section: SectionIndex,
        /// The first pupil who should be there, or should be there under another reserve.
        pupil: PupilIndex,
    },
    /// The waitlist is not those refused, in their order, each with the reason.
    #[error("the waitlist of section {} is wrong", .section.0)]
    Waitlist {
        /// The section.
        section: SectionIndex,
    },
    /// The admitted are out of order, or the last numbers are not theirs.
    #[error("the last numbers of section {} are wrong", .section.0)]
    Cutoffs {
        /// The section.
        section: SectionIndex,
    },
}

/// Checks an outcome against its input.
///
/// # Errors
/// Every [`Breach`] found.
pub fn audit(input: &Input, outcome: &Outcome) -> Result<(), Vec<Breach>> {
    let shape = shape(input, outcome);
    if !shape.is_empty() {
        return Err(shape);
    }
    let (wanted, mut breaches) = wanted(input, outcome);
    for (at, (found, wanted)) in outcome.sections.iter().zip(wanted).enumerate() {
        section(input, SectionIndex::from_at(at), found, wanted, &mut breaches);
    }
    if breaches.is_empty() { Ok(()) } else { Err(breaches) }
}

fn shape(input: &Input, outcome: &Outcome) -> Vec<Breach> {
    let pupil_count = input.pupils().len();
    let is_known = |pupil: PupilIndex| pupil.at() < pupil_count;
    let fits = outcome.numbers.len() == input.terms().slots.len()
        && outcome.sections.len() == input.terms().sections.len()
        && outcome.sections.iter().all(|section| {
            section.admitted.iter().all(|one| is_known(one.pupil))
                && section.waitlist.iter().all(|one| is_known(one.pupil))
        });
    if !fits {
        return vec![Breach::Shape];
    }
    let once = |numbers: &Vec<u32>| {
        let distinct: BTreeSet<u32> = numbers.iter().copied().collect();
        numbers.len() == pupil_count
            && distinct.len() == pupil_count
            && distinct.first().is_none_or(|first| *first == 1)
            && distinct.last().is_none_or(|last| *last == as_u32(pupil_count))
    };
    let wrong = outcome.numbers.iter().enumerate().filter(|(_, numbers)| !once(numbers));
    wrong.map(|(at, _)| Breach::Numbers { slot: SlotIndex::from_at(at) }).collect()
}

/// For each section, all who would rather be there than where they are, and those who are there.
fn wanted(input: &Input, outcome: &Outcome) -> (Vec<Vec<(Rank, PupilIndex)>>, Vec<Breach>) {
    let mut breaches = Vec::new();
    let mut wanted = vec![Vec::new(); outcome.sections.len()];
    for slot in (0..outcome.numbers.len()).map(SlotIndex::from_at) {
        let sections = input.sections_of(slot);
        let mut seat_of: Vec<Option<SectionIndex>> = vec![None; input.pupils().len()];
        for section in input.pupils().iter().enumerate().flat_map(|(at, pupil)| {
            pupil.settled.iter().map(move |section| (PupilIndex::from_at(at), *section))
        }) {
            if input.section(section.1).slot == slot {
                seat_of[section.0.at()] = Some(section.1);
            }
        }
        for section in &sections {
            for Admitted { pupil, .. } in &outcome.sections[section.at()].admitted {
                if seat_of[pupil.at()].replace(*section).is_some() {
                    breaches.push(Breach::TwoInOneSlot { pupil: *pupil, slot });
                }
            }
        }
        for (at, seat) in seat_of.into_iter().enumerate() {
            let pupil = PupilIndex::from_at(at);
            let is_settled = seat.is_some_and(|section| input.pupil(pupil).settled.contains(&section));
            if is_settled {
                continue;
            }
            let list = input.pupil(pupil).list(slot);
            let is_wished = |section: &SectionIndex| {
                list.is_some_and(|list| list.ranked.contains(section) || list.any_of.contains(section))
            };
            if let Some(section) = seat.filter(|section| !is_wished(section)) {
                breaches.push(Breach::NotWished { pupil, section });
            }
            for section in number::preferences(input, &outcome.seed, pupil, slot, &sections) {
                let number = outcome.numbers[slot.at()][at];
                wanted[section.at()].push((Rank { tier: input.tier_at(section, pupil), number }, pupil));
                if seat == Some(section) {
                    break;
                }
            }
        }
    }
    (wanted, breaches)
}

fn section(
    input: &Input,
    section: SectionIndex,
    found: &SectionOutcome,
    mut wanted: Vec<(Rank, PupilIndex)>,
    breaches: &mut Vec<Breach>,
) {
    wanted.sort_unstable();
    let seats = input.quota(section).seats;
    if found.seats != seats || found.admitted.len() > seats as usize {
        breaches.push(Breach::Capacity { section, admitted: found.admitted.len(), seats: found.seats });
    }
    if found.admitted.len() < seats as usize && wanted.len() > found.admitted.len() {
        breaches.push(Breach::WastedSeat { section });
    }
    let (first, rest) = put_first(input, section, wanted);
    if let Some(passed) = first.iter().find(|one| !found.admitted.contains(one)) {
        breaches.push(Breach::PassedOver { section, pupil: passed.pupil });
    }
    if found.admitted != first || found.cutoffs != cutoffs(&first) {
        breaches.push(Breach::Cutoffs { section });
    }
    let waiting = rest.into_iter().map(|(rank, pupil)| Waiting {
        pupil,
        tier: rank.tier,
        number: rank.number,
        why: why(seats, &found.cutoffs, rank.tier),
    });
    if !found.waitlist.iter().copied().eq(waiting) {
        breaches.push(Breach::Waitlist { section });
    }
}

/// Whom a section puts first of these, and the rest; both by rank.
fn put_first(
    input: &Input,
    section: SectionIndex,
    mut left: Vec<(Rank, PupilIndex)>,
) -> (Vec<Admitted>, Vec<(Rank, PupilIndex)>) {
    let quota = input.quota(section);
    let mut first = Vec::new();
    let reserves = input.section(section).reserves.iter().zip(&quota.reserved).zip(0..);
    for ((reserve, count), at) in reserves {
        let mut free = *count;
        left.retain(|(rank, pupil)| {
            let is_taken = free > 0 && input.belongs(*pupil, reserve.group);
            if is_taken {
                free -= 1;
                first.push(admitted(*rank, *pupil, Some(at)));
            }
            !is_taken
        });
    }
    let open = (quota.seats as usize).saturating_sub(first.len()).min(left.len());
    first.extend(left.drain(..open).map(|(rank, pupil)| admitted(rank, pupil, None)));
    first.sort_by_key(|one| (one.tier, one.number));
    (first, left)
}

const fn admitted(rank: Rank, pupil: PupilIndex, reserve: Option<u32>) -> Admitted {
    Admitted { pupil, tier: rank.tier, number: rank.number, reserve }
}
