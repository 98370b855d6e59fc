//! By which policy a place is ruled.

use std::sync::Arc;

use chrono::NaiveDate;
use policy::{Packs, Policy, Silent};

/// A pack and, where there is one, the district's supplement to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRef {
    /// The pack's id; empty where nobody has set one.
    pub pack_id: String,
    /// The supplement's name.
    pub supplement_id: Option<String>,
}

impl PolicyRef {
    /// Finds the policy that holds now.
    ///
    /// # Errors
    /// [`Silent`] on `pack_id` when no pack is set here or the one set is not among `packs`.
    pub fn current(&self, packs: &Packs) -> Result<Arc<Policy>, Silent> {
        packs.policy(&self.pack_id, self.supplement_id.as_deref()).ok_or_else(|| self.silence())
    }

    /// Finds the edition of the policy that is in force on a day; the one that holds now where no edition kept is known to be, which
    /// may say itself that it is not.
    ///
    /// # Errors
    /// [`Silent`] on `pack_id` when no pack is set here or the one set is not among `packs`.
    pub fn on(&self, packs: &Packs, day: NaiveDate) -> Result<Arc<Policy>, Silent> {
        match packs.on(&self.pack_id, self.supplement_id.as_deref(), day) {
            Some(policy) => Ok(policy),
            None => self.current(packs),
        }
    }

    fn silence(&self) -> Silent {
        Silent { pack_id: self.pack_id.clone(), key: "pack_id" }
    }
}
