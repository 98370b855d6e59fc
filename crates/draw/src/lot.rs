//! Lots for seats that a draw left over: who of those that came first is ahead.

use crate::hash::{Encoder, Hash};

/// Gives a pupil's lot at a section; the smaller, read as bytes, is ahead. It follows from the seed of the draw and the pupil's pseudonym in
/// it, so that nobody chooses it and the family can work it out.
#[must_use]
pub fn lot(seed: &Hash, section: &str, pseudonym: &Hash) -> Hash {
    Encoder::tagged("left-over").hash(seed).text(section).hash(pseudonym).digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_is_the_hash_that_is_published_and_another_one_at_every_section() {
        let (seed, pseudonym) = (Hash::new([0; 32]), Hash::new([1; 32]));
        assert_eq!(
            lot(&seed, "围棋", &pseudonym).to_string(),
            "bba4712e28b2fb19f4c70fe46e2619232355633d6e86bcdabad1fa236179ba24"
        );
        assert_ne!(lot(&seed, "围棋", &pseudonym), lot(&seed, "合唱", &pseudonym));
        assert_ne!(lot(&seed, "围棋", &pseudonym), lot(&Hash::new([2; 32]), "围棋", &pseudonym));
    }
}
