//! One number for each pupil in each slot, and the order of "any of these".
//!
//! Each that draws (a pupil, or a family when siblings draw together) gets a *stratum* for every slot: the slots' strata
//! are a shuffle of 0, 1, …, last, so that over the week everybody stands once in every part of the range. Within the
//! stratum a random word decides. Sorting all pupils of a slot by (stratum, word, …) gives the numbers 1, 2, ….
//!
//! In one slot, strata and words of those that draw are independent and alike, so every order of them is equally likely.
//! Over the slots of one pupil the strata exclude each other, so that a bad number on one day is made up on another.
//! Numbers depend on the seed and on who draws; never on what anybody wishes.

use crate::hash::{Hash, as_u32};
use crate::input::{Input, PupilIndex, SectionIndex, SlotIndex};
use crate::seed::Seed;
use crate::stream::{Purpose, Stream};

/// Where a pupil stands in a slot, before counting. Compared field by field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Standing<'a> {
    stratum: u32,
    word: u64,
    /// Who draws: keeps siblings next to each other, and decides should two words be the same.
    unit: &'a Hash,
    /// Among siblings; 0 for a pupil who draws alone.
    own_word: u64,
    pupil: PupilIndex,
}

/// Numbers all pupils in all slots. Gives, for each slot, the numbers in the order of the pupils: every number from 1 to
/// the number of pupils once.
pub(crate) fn draw(input: &Input, seed: &Seed) -> Vec<Vec<u32>> {
    let slot_count = input.terms().slots.len();
    let mut standings = vec![Vec::with_capacity(input.pupils().len()); slot_count];
    for (at, pupil) in input.pupils().iter().enumerate() {
        let unit = pupil.family.as_ref().unwrap_or(&pupil.pseudonym);
        let mut stream = Stream::new(seed, Purpose::Numbers, unit, SlotIndex(0));
        let mut own =
            pupil.family.map(|_| Stream::new(seed, Purpose::Siblings, &pupil.pseudonym, SlotIndex(0)));
        let mut strata: Vec<u32> = (0..as_u32(slot_count)).collect();
        stream.shuffle(&mut strata);
        for (standings, stratum) in standings.iter_mut().zip(strata) {
            let word = stream.word();
            let own_word = own.as_mut().map_or(0, Stream::word);
            standings.push(Standing { stratum, word, unit, own_word, pupil: PupilIndex::from_at(at) });
        }
    }
    standings.into_iter().map(count_off).collect()
}

/// Counts off from 1 in ascending order. Gives the numbers in the order of the pupils.
fn count_off(mut standings: Vec<Standing<'_>>) -> Vec<u32> {
    standings.sort_unstable();
    let mut numbers = vec![0; standings.len()];
    for (standing, number) in standings.iter().zip(1..) {
        numbers[standing.pupil.at()] = number;
    }
    numbers
}

/// What a pupil would like in a slot, one section after the other: the ranked ones, then "any of these" in an order drawn
/// for the one that draws. That order is a shuffle of all sections of the slot, so siblings try theirs alike; it is drawn
/// only when the ranked ones are used up.
pub(crate) fn preferences<'a>(
    input: &'a Input,
    seed: &'a Seed,
    pupil: PupilIndex,
    slot: SlotIndex,
    sections_of_slot: &'a [SectionIndex],
) -> impl Iterator<Item = SectionIndex> + 'a {
    let entry = input.pupil(pupil);
    entry.list(slot).into_iter().flat_map(move |list| {
        let tail = std::iter::once_with(move || {
            let unit = entry.family.as_ref().unwrap_or(&entry.pseudonym);
            any_of(seed, unit, slot, sections_of_slot, &list.any_of)
        });
        list.ranked.iter().copied().chain(tail.flatten())
    })
}

/// A tail in the order it is tried. `tail` is ascending.
fn any_of(
    seed: &Seed,
    unit: &Hash,
    slot: SlotIndex,
    sections_of_slot: &[SectionIndex],
    tail: &[SectionIndex],
) -> Vec<SectionIndex> {
    if tail.is_empty() {
        return Vec::new();
    }
    let mut order = sections_of_slot.to_vec();
    Stream::new(seed, Purpose::AnyOf, unit, slot).shuffle(&mut order);
    order.retain(|section| tail.binary_search(section).is_ok());
    order
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::hash::sha256;

    /// Every order of `0..n`.
    fn orders(n: u32) -> Vec<Vec<u32>> {
        if n == 0 {
            return vec![vec![]];
        }
        let mut all = Vec::new();
        for shorter in orders(n - 1) {
            for at in 0..=shorter.len() {
                let mut order = shorter.clone();
                order.insert(at, n - 1);
                all.push(order);
            }
        }
        all
    }

    /// Every way of choosing one of `choices` for each of `n`.
    fn products<T: Clone>(choices: &[T], n: usize) -> Vec<Vec<T>> {
        (0..n).fold(vec![vec![]], |all, _| {
            let longer = |one: &Vec<T>| {
                let one = one.clone();
                choices.iter().map(move |choice| [one.clone(), vec![choice.clone()]].concat())
            };
            all.iter().flat_map(longer).collect()
        })
    }

    /// With every shuffle of the strata and every order of the words taken once, each slot's orders come out equally
    /// often. This is a proof for three pupils and three slots, not a sample.
    #[test]
    fn each_slots_order_is_uniform_over_all_strata_and_words() {
        let (pupils, slots) = (3_u32, 3_u32);
        let units: Vec<Hash> = (0..pupils).map(|n| sha256(&n.to_be_bytes())).collect();
        let mut counts = vec![BTreeMap::new(); slots as usize];

        for strata in products(&orders(slots), pupils as usize) {
            for words in orders(pupils) {
                for (slot, counts) in counts.iter_mut().enumerate() {
                    let standings = (0..pupils as usize).map(|at| Standing {
                        stratum: strata[at][slot],
                        word: u64::from(words[at]),
                        unit: &units[at],
                        own_word: 0,
                        pupil: PupilIndex::from_at(at),
                    });
                    *counts.entry(count_off(standings.collect())).or_insert(0_u32) += 1;
                }
            }
        }

        for counts in counts {
            assert_eq!(counts.len(), 6);
            assert!(counts.values().all(|count| *count == 6 * 6 * 6), "{counts:?}");
        }
    }
}
