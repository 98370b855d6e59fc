//! What the money may be used for.

use crate::policy::Policy;
use crate::value::{Clause, Silent};

/// Why money may not be used so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UseRefusal {
    /// The documents list the purposes, and this is none of them.
    #[error("`{purpose}` is not among the allowed uses")]
    NotAllowed {
        /// The purpose asked for.
        purpose: String,
        /// The list.
        clause: Box<Clause>,
    },
    /// No document lists any.
    #[error(transparent)]
    Silent(#[from] Silent),
}

/// Judges a purpose by its key, the region's own word in snake_case.
///
/// # Errors
/// [`UseRefusal`].
pub fn check_use(policy: &Policy, purpose_key: &str) -> Result<Clause, UseRefusal> {
    let (allowed, clause) = policy.funds.fund_use_allowed.demand()?;
    if allowed.iter().any(|purpose| purpose.key == purpose_key) {
        Ok(clause)
    } else {
        Err(UseRefusal::NotAllowed { purpose: purpose_key.to_owned(), clause: Box::new(clause) })
    }
}
