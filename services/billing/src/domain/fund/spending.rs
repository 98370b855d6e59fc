//! What money may be spent on.

use chrono::NaiveDate;
use policy::Policy;
use policy::funds::{UseRefusal, check_use};

use crate::domain::refusal::{Clause, Refusal};

/// Money spent on something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    /// The purpose's key.
    pub purpose: String,
    /// What the region calls it.
    pub purpose_zh: String,
    /// Whom it is paid to.
    pub payee: String,
    /// The day.
    pub day: NaiveDate,
}

/// Judges a purpose, by its key or by what the region calls it: both, and what they rest on.
///
/// # Errors
/// [`Refusal::PurposeNotAllowed`]; [`Refusal::PolicySilent`] where nobody has said what money is for.
pub fn judge(policy: &Policy, purpose: &str) -> Result<(String, String, Vec<Clause>), Refusal> {
    let (allowed, clause) = policy.funds.fund_use_allowed.demand()?;
    let named = allowed.iter().find(|one| one.key == purpose || one.name_zh == purpose);
    let key = named.map_or(purpose, |one| one.key.as_str());
    match check_use(policy, key) {
        Ok(clause) => {
            let name = named.map_or(purpose, |one| one.name_zh.as_str());
            Ok((key.to_owned(), name.to_owned(), vec![Clause::from(&clause)]))
        }
        Err(UseRefusal::NotAllowed { .. }) => Err(Refusal::PurposeNotAllowed {
            purposes: allowed.iter().map(|one| one.name_zh.clone()).collect(),
            clause: Box::new(Clause::from(&clause)),
        }),
        Err(UseRefusal::Silent(silent)) => Err(silent.into()),
    }
}
