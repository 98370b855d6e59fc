//! Random words that follow byte for byte from a seed: SHA-256 over a counter.

use crate::hash::{Encoder, Hash, sha256};
use crate::input::SlotIndex;
use crate::seed::Seed;

/// What a stream is read for. No two purposes share words.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// The numbers of one that draws, over all slots.
    Numbers = 1,
    /// The order of the children of one family, a word for each slot.
    Siblings = 2,
    /// The order of the sections of one slot, for "any of these".
    AnyOf = 3,
}

/// Words of 64 bits. Block `n`, from 0, is the hash of the message ending in `n` as a `u64`; a block is four words,
/// each big-endian.
pub(crate) struct Stream {
    message: Vec<u8>,
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Stream {
    /// The stream of one that draws (`unit`) for a purpose; the slot is 0 where the purpose spans all slots.
    pub(crate) fn new(seed: &Seed, purpose: Purpose, unit: &Hash, slot: SlotIndex) -> Self {
        let message =
            Encoder::tagged("stream").hash(seed.hash()).u8(purpose as u8).hash(unit).u32(slot.0).done();
        Self { message, counter: 0, block: [0; 32], used: 32 }
    }

    /// The next word.
    pub(crate) fn word(&mut self) -> u64 {
        if self.used == self.block.len() {
            let end = self.message.len();
            self.message.extend_from_slice(&self.counter.to_be_bytes());
            self.block = *sha256(&self.message).bytes();
            self.message.truncate(end);
            self.counter += 1;
            self.used = 0;
        }
        let mut word = [0; 8];
        word.copy_from_slice(&self.block[self.used..self.used + 8]);
        self.used += 8;
        u64::from_be_bytes(word)
    }

    /// A number below `bound`, each equally likely; `bound` is at least 1. Words from the largest multiple of `bound` up
    /// are thrown away, as they would favour small numbers.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let surplus = (u64::MAX % bound + 1) % bound;
        loop {
            let word = self.word();
            if word <= u64::MAX - surplus {
                return word % bound;
            }
        }
    }

    /// Puts the items in an order, each order equally likely: from the last position down to the second, swaps with a
    /// position up to it.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for (last, bound) in (1..items.len()).zip(2_u64..).collect::<Vec<_>>().into_iter().rev() {
            let other = usize::try_from(self.below(bound)).unwrap_or(last);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(label: &str) -> Stream {
        Stream::new(&Seed::rehearsal(label), Purpose::Numbers, &sha256(b"unit"), SlotIndex(0))
    }

    #[test]
    fn the_words_are_the_hashes_of_the_counted_messages() {
        let seed = Seed::rehearsal("words");
        let message = |counter: u64| {
            let head = [b"kehou/draw/1/stream\0".as_slice(), seed.hash().bytes(), &[1]].concat();
            [&head, sha256(b"unit").bytes().as_slice(), &[0; 4], &counter.to_be_bytes()].concat()
        };

        let mut stream = stream("words");
        let words: Vec<u8> = (0..8).flat_map(|_| stream.word().to_be_bytes()).collect();

        let blocks = [*sha256(&message(0)).bytes(), *sha256(&message(1)).bytes()].concat();
        assert_eq!(words, blocks);
    }

    /// The same values stand in `docs/draw.md`.
    #[test]
    fn the_documented_stream_gives_the_documented_numbers() {
        let zero: Seed = serde_json::from_value(serde_json::json!("00".repeat(32))).unwrap();
        let stream = || Stream::new(&zero, Purpose::Numbers, &Hash::new([1; 32]), SlotIndex(0));
        let mut words = stream();
        let mut below = stream();
        let mut order = [0, 1, 2, 3, 4];

        stream().shuffle(&mut order);

        assert_eq!([words.word(), words.word()], [0x0955_c18e_4473_77db, 0xfff7_3999_6ab0_6bdd]);
        let bound = (1 << 63) + 1;
        let drawn = [below.below(bound), below.below(bound), below.below(bound)];
        assert_eq!(drawn, [672_656_536_139_691_995, 4_670_715_552_123_535_599, 3_589_929_829_964_873_358]);
        assert_eq!(order, [2, 3, 4, 1, 0]);
    }

    #[test]
    fn words_that_would_favour_small_numbers_are_thrown_away() {
        // Above half of all words: every second word or so must be refused.
        let bound = (1_u64 << 63) + 1;
        let mut words = stream("reject");
        let mut numbers = stream("reject");

        let kept: Vec<u64> = (0..200).map(|_| words.word()).filter(|word| *word < bound).collect();
        let drawn: Vec<u64> = kept.iter().map(|_| numbers.below(bound)).collect();

        assert!(kept.len() > 50 && kept.len() < 150);
        assert_eq!(drawn, kept);
    }

    #[test]
    fn a_bound_that_divides_all_words_refuses_none() {
        for bound in [1, 2, 4, 1 << 40] {
            let mut words = stream("divides");
            let mut numbers = stream("divides");
            for _ in 0..100 {
                assert_eq!(numbers.below(bound), words.word() % bound);
            }
        }
    }

    #[test]
    fn every_order_of_four_is_as_likely_as_another() {
        let mut counts = std::collections::BTreeMap::new();
        let mut stream = stream("orders");
        for _ in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            stream.shuffle(&mut items);
            *counts.entry(items).or_insert(0_i64) += 1;
        }

        // Chi-square with 23 degrees of freedom is above 60 once in 30,000 times.
        let square: i64 = counts.values().map(|count| (count - 1000) * (count - 1000)).sum();
        assert_eq!(counts.len(), 24);
        assert!(square < 60 * 1000, "{counts:?}");
    }
}
