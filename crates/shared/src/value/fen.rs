//! Money.

use std::fmt;
use std::ops::Neg;

use serde::{Deserialize, Serialize};

/// An amount of money in whole fen (1 yuan = 100 fen). Signed 64 bits; nothing rounds, nothing wraps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fen(i64);

/// Arithmetic left the range of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an amount of money left the range of 64 bits")]
pub struct FenError;

impl Fen {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// Takes whole fen.
    #[must_use]
    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// Gives whole fen.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Says whether there is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Says whether it is below nothing.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Adds.
    ///
    /// # Errors
    /// [`FenError`] when the sum does not fit.
    pub fn plus(self, other: Self) -> Result<Self, FenError> {
        self.0.checked_add(other.0).map(Self).ok_or(FenError)
    }

    /// Takes away.
    ///
    /// # Errors
    /// [`FenError`] when the difference does not fit.
    pub fn minus(self, other: Self) -> Result<Self, FenError> {
        self.0.checked_sub(other.0).map(Self).ok_or(FenError)
    }

    /// Multiplies by a count.
    ///
    /// # Errors
    /// [`FenError`] when the product does not fit.
    pub fn times(self, count: i64) -> Result<Self, FenError> {
        self.0.checked_mul(count).map(Self).ok_or(FenError)
    }

    /// Adds all up; nothing gives [`Fen::ZERO`].
    ///
    /// # Errors
    /// [`FenError`] when the sum does not fit.
    pub fn total(amounts: impl IntoIterator<Item = Self>) -> Result<Self, FenError> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }
}

impl Neg for Fen {
    type Output = Self;
    /// Turns a debit into a credit. Saturates at the one value that has no opposite.
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl fmt::Display for Fen {
    /// Writes yuan with two decimals: `500.00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c04_a_large_sum_refuses_to_wrap() {
        assert_eq!(Fen::new(i64::MAX).plus(Fen::new(1)), Err(FenError));
        assert_eq!(Fen::new(i64::MIN).minus(Fen::new(1)), Err(FenError));
        assert_eq!(Fen::new(i64::MAX).times(2), Err(FenError));
    }

    #[test]
    fn c04_a_province_budget_is_exact_in_fen() {
        let yuan_353_million = Fen::new(353_000_000).times(100);
        assert_eq!(yuan_353_million, Ok(Fen::new(35_300_000_000)));
    }

    #[test]
    fn yuan_are_written_with_two_decimals() {
        assert_eq!(Fen::new(50_000).to_string(), "500.00");
        assert_eq!(Fen::new(-7).to_string(), "-0.07");
    }
}
