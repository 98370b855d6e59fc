//! Names that stand for pupils in one round, and what ties them to a family's own child.
//!
//! | value | is the hash of | known to |
//! |---|---|---|
//! | key | round salt, pupil id | the platform, the family |
//! | pseudonym | key, pupil id | whoever has the lists |
//! | leaf salt | round salt, pseudonym | whoever has the lists |
//! | family pseudonym | round salt, family id | whoever has the lists |
//!
//! The key lets a family check that the pseudonym was made of its own child's id: two families cannot be shown one entry.
//! The round salt never leaves the platform, so nobody can try out ids.

use std::fmt;

use crate::hash::{Encoder, Hash};

/// The secret of a round: 32 random bytes, made for it alone and never published.
#[derive(Clone)]
pub struct RoundSalt([u8; 32]);

impl fmt::Debug for RoundSalt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoundSalt(…)")
    }
}

/// A pupil as one round knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alias {
    /// Given to the family only.
    pub key: Hash,
    /// Stands for the pupil.
    pub pseudonym: Hash,
    /// Blinds the pupil's leaf.
    pub salt: Hash,
}

impl RoundSalt {
    /// Takes the secret bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Gives a pupil's alias. `pupil_id` is the 16 bytes of the UUID.
    #[must_use]
    pub fn alias(&self, pupil_id: &[u8; 16]) -> Alias {
        let key = Encoder::tagged("pupil-key").bytes(&self.0).bytes(pupil_id).digest();
        let pseudonym = pseudonym(&key, pupil_id);
        let salt = Encoder::tagged("salt").bytes(&self.0).hash(&pseudonym).digest();
        Alias { key, pseudonym, salt }
    }

    /// Gives what stands for a family. `family_id` is the 16 bytes of the UUID.
    #[must_use]
    pub fn family(&self, family_id: &[u8; 16]) -> Hash {
        Encoder::tagged("family").bytes(&self.0).bytes(family_id).digest()
    }
}

/// The pseudonym a key gives a pupil.
#[must_use]
pub fn pseudonym(key: &Hash, pupil_id: &[u8; 16]) -> Hash {
    Encoder::tagged("pupil").hash(key).bytes(pupil_id).digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pupil_has_another_pseudonym_in_another_round() {
        let pupil = [7; 16];

        let first = RoundSalt::new([1; 32]).alias(&pupil);
        let second = RoundSalt::new([2; 32]).alias(&pupil);

        assert_ne!(first.pseudonym, second.pseudonym);
        assert_eq!(first, RoundSalt::new([1; 32]).alias(&pupil));
    }

    #[test]
    fn the_salt_of_a_round_is_not_printed() {
        assert_eq!(format!("{:?}", RoundSalt::new([1; 32])), "RoundSalt(…)");
    }
}
