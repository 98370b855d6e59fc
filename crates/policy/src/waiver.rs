//! Who need not pay, and how much is let off.

use shared::value::{Fen, FenError};

use crate::policy::Policy;
use crate::value::{Clause, Silent};
use crate::vocabulary::{BasisPoints, WaiverLevel, WaiverRounding};

/// What belonging to a category does to a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is to be paid.
    Full {
        /// What it rests on.
        clauses: Vec<Clause>,
    },
    /// A share is let off.
    Partial {
        /// The share let off, 0 to 10,000.
        rate_bp: BasisPoints,
        /// What it rests on.
        clauses: Vec<Clause>,
    },
    /// The region lists its categories and this is none of them.
    NotListed {
        /// The list.
        clause: Box<Clause>,
    },
}

/// A charge after a waiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waived {
    /// Before.
    pub charge: Fen,
    /// What is let off, 0 to `charge`.
    pub waived: Fen,
    /// What is left to pay: `charge` less `waived`.
    pub payable: Fen,
    /// What it rests on.
    pub clauses: Vec<Clause>,
}

/// Why a waiver cannot be worked out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaiverRefusal {
    /// The charge is below zero.
    #[error("a charge of {charge} cannot be waived")]
    NotACharge {
        /// The charge.
        charge: Fen,
    },
    /// The region is silent on the list, on the rate, or on what to do with fractions of a fen.
    #[error(transparent)]
    Silent(#[from] Silent),
    /// The amount left the range of 64 bits.
    #[error(transparent)]
    Fen(#[from] FenError),
}

/// Finds what a category does. `category` is the region's own word, in snake_case.
///
/// A rate the document states comes first, then the district's decision.
///
/// # Errors
/// [`Silent`] on `waivers` when no document lists any, on `partial_waiver_rates` when a partial waiver has no rate.
pub fn effect(policy: &Policy, category: &str) -> Result<Effect, Silent> {
    let (waivers, clause) = policy.waiver.waivers.demand()?;
    let Some(waiver) = waivers.iter().find(|waiver| waiver.category == category) else {
        return Ok(Effect::NotListed { clause: Box::new(clause) });
    };
    match (waiver.level, waiver.rate_bp) {
        (WaiverLevel::Full, _) => Ok(Effect::Full { clauses: vec![clause] }),
        (WaiverLevel::Partial, Some(rate_bp)) => Ok(Effect::Partial { rate_bp, clauses: vec![clause] }),
        (WaiverLevel::Partial, None) => {
            let (rates, decided) = policy.waiver.partial_waiver_rates.demand()?;
            let rate = rates.iter().find(|rate| rate.category == category);
            let rate_bp = rate.ok_or_else(|| policy.waiver.partial_waiver_rates.silence())?.rate_bp;
            Ok(Effect::Partial { rate_bp, clauses: vec![clause, decided] })
        }
    }
}

/// Applies an effect to a charge of 0 fen or more. A waiver never raises a charge.
///
/// # Errors
/// [`WaiverRefusal::NotACharge`]; [`Silent`] on `partial_waiver_rounding` when a fraction of a fen arises and nobody
/// said which way it goes.
pub fn apply(policy: &Policy, charge: Fen, effect: &Effect) -> Result<Waived, WaiverRefusal> {
    if charge.is_negative() {
        return Err(WaiverRefusal::NotACharge { charge });
    }
    let (waived, clauses) = match effect {
        Effect::Full { clauses } => (charge, clauses.clone()),
        Effect::Partial { rate_bp, clauses } => part(policy, charge, *rate_bp, clauses)?,
        Effect::NotListed { clause } => (Fen::ZERO, vec![Clause::clone(clause)]),
    };
    Ok(Waived { charge, waived, payable: charge.minus(waived)?, clauses })
}

fn part(
    policy: &Policy,
    charge: Fen,
    rate_bp: BasisPoints,
    clauses: &[Clause],
) -> Result<(Fen, Vec<Clause>), WaiverRefusal> {
    let (mut waived, is_whole) = rate_bp.min(BasisPoints::WHOLE).of(charge)?;
    let mut clauses = clauses.to_vec();
    if !is_whole {
        let (rounding, clause) = policy.waiver.partial_waiver_rounding.demand()?;
        clauses.push(clause);
        waived = match rounding {
            WaiverRounding::FamilyPaysLess => waived.plus(Fen::new(1))?,
            WaiverRounding::FamilyPaysMore => waived,
        };
    }
    Ok((waived, clauses))
}
