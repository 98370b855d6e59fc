//! What two policies say differently.

use crate::policy::Policy;
use crate::value::{Clause, Key};

/// A key on which two policies differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key.
    pub key: &'static Key,
    /// What the first says; nothing when it is silent.
    pub one: Option<Clause>,
    /// What the second says; nothing when it is silent.
    pub other: Option<Clause>,
}

/// Compares two policies, of two regions or two editions of one.
///
/// Gives the keys whose value or binding differs, in the order of the schema. The same value from another document is no
/// difference.
#[must_use]
pub fn diff(one: &Policy, other: &Policy) -> Vec<Difference> {
    let clause = |policy: &Policy, key: &Key| policy.clause(key.name).and_then(Result::ok);
    one.keys_unlike(other)
        .into_iter()
        .map(|key| Difference { key, one: clause(one, key), other: clause(other, key) })
        .collect()
}
