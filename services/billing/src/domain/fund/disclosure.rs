//! The sums of a term that anybody may see, and no family in them.

use std::collections::BTreeMap;

use shared::value::{Fen, FenError};

use super::grant::Rule;
use super::{Content, FundEntry, State};

/// Below so many waived pupils nothing is said of them.
pub const SMALL_COUNT: u32 = 3;

/// What settled invoices of a term come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// What parents paid.
    pub paid: Fen,
    /// What went back to them, or is on its way.
    pub refunded: Fen,
    /// What was let off.
    pub waived: Fen,
    /// What the service was charged at: what parents bear, and what was let off.
    pub charged: Fen,
    /// How many pupils something was let off for.
    pub waived_pupils: u32,
}

impl Fees {
    /// Whether so few are waived that what is waived says who. None waived is no secret.
    #[must_use]
    pub const fn is_waived_withheld(&self) -> bool {
        self.waived_pupils > 0 && self.waived_pupils < SMALL_COUNT
    }
}

/// What records that stand come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Funds {
    /// What was spent, by purpose: what the region calls it, and how much.
    pub spent: BTreeMap<String, (String, Fen)>,
    /// What staff were paid.
    pub staff_pay: Fen,
    /// What government gave, in the order of [`Rule::ALL`]: approved, and arrived of it.
    pub granted: Vec<(Rule, Fen, Fen)>,
}

/// Sums records that stand.
///
/// # Errors
/// [`FenError`] when a sum does not fit.
pub fn sum(entries: &[FundEntry]) -> Result<Funds, FenError> {
    let mut funds = Funds::default();
    let mut granted: Vec<_> = Rule::ALL.into_iter().map(|rule| (rule, Fen::ZERO, Fen::ZERO)).collect();
    for entry in entries {
        match &entry.content {
            Content::Spending(spending) => {
                let spent = funds.spent.entry(spending.purpose.clone());
                let (_, sum) = spent.or_insert_with(|| (spending.purpose_zh.clone(), Fen::ZERO));
                *sum = sum.plus(entry.amount)?;
            }
            Content::PaySheet(_) => funds.staff_pay = funds.staff_pay.plus(entry.amount)?,
            Content::Grant(grant) => {
                for (_, approved, received) in granted.iter_mut().filter(|(rule, ..)| *rule == grant.rule) {
                    *approved = approved.plus(entry.amount)?;
                    if matches!(entry.state, State::Received { .. }) {
                        *received = received.plus(entry.amount)?;
                    }
                }
            }
        }
    }
    funds.granted = granted.into_iter().filter(|(_, approved, _)| !approved.is_zero()).collect();
    Ok(funds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c105_one_or_two_waived_pupils_are_withheld_none_and_three_are_not() {
        let withheld = |waived_pupils| {
            let fees = Fees {
                paid: Fen::ZERO,
                refunded: Fen::ZERO,
                waived: Fen::ZERO,
                charged: Fen::ZERO,
                waived_pupils,
            };
            fees.is_waived_withheld()
        };
        assert_eq!([0, 1, 2, 3].map(withheld), [false, true, true, false]);
    }
}
