//! What staff are paid, and how much of what is collected.

use shared::value::{Fen, FenError};

use crate::policy::Policy;
use crate::value::{Clause, Silent};

/// Who gives the lessons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Staffing {
    /// The school's own staff: the stated rate and no other.
    Internal,
    /// Professionals from outside: any rate up to the stated one.
    External,
}

/// Pay for class hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pay {
    /// For one class hour.
    pub rate: Fen,
    /// For all of them.
    pub amount: Fen,
    /// What it rests on, the rate's own clause first.
    pub clauses: Vec<Clause>,
}

/// An amount a total may reach, and what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    /// The most, in whole fen.
    pub most: Fen,
    /// What says so.
    pub clause: Clause,
}

/// Why staff may not be paid so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StaffRefusal {
    /// The rate is not the stated one.
    #[error("{asked} a class hour is not the stated {stated}")]
    NotTheStatedRate {
        /// The stated rate.
        stated: Fen,
        /// The rate asked for.
        asked: Fen,
        /// What says so.
        clause: Box<Clause>,
    },
    /// The rate is above the ceiling.
    #[error("{asked} a class hour is above {limit}")]
    AboveCeiling {
        /// The ceiling.
        limit: Fen,
        /// The rate asked for.
        asked: Fen,
        /// What says so.
        clause: Box<Clause>,
    },
    /// Only a ceiling is stated, so a rate must be given.
    #[error("a rate up to {limit} must be given")]
    RateMissing {
        /// The ceiling.
        limit: Fen,
        /// What says so.
        clause: Box<Clause>,
    },
    /// An amount must not be below zero.
    #[error("{amount} is below zero")]
    Negative {
        /// The amount.
        amount: Fen,
    },
    /// What is paid out is not the stated share of what was collected.
    #[error("{planned} is not the stated share of the fees, {due}")]
    NotTheShare {
        /// What is due, in whole fen; a fraction of a fen is left out.
        due: Fen,
        /// What is planned.
        planned: Fen,
        /// What says so.
        clause: Box<Clause>,
    },
    /// The region is silent on what is needed.
    #[error(transparent)]
    Silent(#[from] Silent),
    /// The amount left the range of 64 bits.
    #[error(transparent)]
    Fen(#[from] FenError),
}

/// Works out the pay for class hours.
///
/// `asked_rate` is the rate agreed, in fen a class hour: needed for outside staff; for the school's own it may be left out.
///
/// # Errors
/// [`StaffRefusal`]; [`Silent`] on the rate or the ceiling.
pub fn pay(
    policy: &Policy,
    staffing: Staffing,
    class_hours: u32,
    asked_rate: Option<Fen>,
) -> Result<Pay, StaffRefusal> {
    if let Some(amount) = asked_rate.filter(|rate| rate.is_negative()) {
        return Err(StaffRefusal::Negative { amount });
    }
    let (rate, clause) = match staffing {
        Staffing::Internal => {
            let (stated, clause) = policy.staff.internal_pay_fen_per_class_hour.demand()?;
            let (stated, asked) = (*stated, asked_rate.unwrap_or(*stated));
            if asked != stated {
                return Err(StaffRefusal::NotTheStatedRate { stated, asked, clause: Box::new(clause) });
            }
            (stated, clause)
        }
        Staffing::External => {
            let (limit, clause) = policy.staff.external_pay_cap_fen_per_class_hour.demand()?;
            let limit = *limit;
            match asked_rate {
                None => return Err(StaffRefusal::RateMissing { limit, clause: Box::new(clause) }),
                Some(asked) if asked > limit => {
                    return Err(StaffRefusal::AboveCeiling { limit, asked, clause: Box::new(clause) });
                }
                Some(asked) => (asked, clause),
            }
        }
    };
    let clauses = [Some(clause), policy.staff.staff_pay_basis.clause()].into_iter().flatten().collect();
    Ok(Pay { rate, amount: rate.times(i64::from(class_hours))?, clauses })
}

/// Judges whether what is to be paid out to staff is the stated share of the fees collected.
///
/// It must be met exactly. Where the share ends in a fraction of a fen, the whole fen on either side meets it.
///
/// # Errors
/// [`StaffRefusal::NotTheShare`], [`StaffRefusal::Negative`]; [`Silent`] on the share.
pub fn pay_out(policy: &Policy, collected: Fen, planned: Fen) -> Result<Clause, StaffRefusal> {
    let (share, clause) = policy.staff.fees_to_staff_bp.demand()?;
    for amount in [collected, planned] {
        if amount.is_negative() {
            return Err(StaffRefusal::Negative { amount });
        }
    }
    let (due, is_whole) = share.of(collected)?;
    let is_met = planned == due || (!is_whole && planned == due.plus(Fen::new(1))?);
    if is_met {
        Ok(clause)
    } else {
        Err(StaffRefusal::NotTheShare { due, planned, clause: Box::new(clause) })
    }
}

/// Gives the most that may be paid out to staff of the fees collected: the stated share, up to the next whole fen.
///
/// # Errors
/// [`Silent`] on the share; [`StaffRefusal::Negative`].
pub fn pay_out_cap(policy: &Policy, collected: Fen) -> Result<Cap, StaffRefusal> {
    let (share, clause) = policy.staff.fees_to_staff_bp.demand()?;
    if collected.is_negative() {
        return Err(StaffRefusal::Negative { amount: collected });
    }
    let (due, is_whole) = share.of(collected)?;
    let most = if is_whole { due } else { due.plus(Fen::new(1))? };
    Ok(Cap { most, clause })
}

/// Gives the most the performance-pay total may be where the local guidance line is `guidance`.
///
/// The greatest whole fen that does not exceed the stated multiple.
///
/// # Errors
/// [`Silent`] on the multiple; [`StaffRefusal::Negative`].
pub fn performance_cap(policy: &Policy, guidance: Fen) -> Result<Cap, StaffRefusal> {
    let (multiple, clause) = policy.staff.performance_total_cap_bp_of_guidance.demand()?;
    if guidance.is_negative() {
        return Err(StaffRefusal::Negative { amount: guidance });
    }
    let (most, _) = multiple.of(guidance)?;
    Ok(Cap { most, clause })
}
