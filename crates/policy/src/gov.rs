//! What government gives, to the fen.
//!
//! | question | counted by | per |
//! |---|---|---|
//! | [`per_head`] | the heads the region names | year; never halved to a term |
//! | [`scoped`] | the heads the grant names, for the parts of the region a district lies in | year |
//! | [`floor_per_term`] | those who take part | term, at least |
//! | [`matching`] | a share of what the region names as its base | as the base |
//! | [`shortfall`] | cost less fees | as both |
//!
//! A share of an amount may end in a fraction of a fen. Which way it goes no document says: `gov_rounding` does, and
//! without it the answer is [`Silent`].

use shared::value::{Fen, FenError};

use crate::policy::Policy;
use crate::value::{Clause, Silent};
use crate::vocabulary::{BasisPoints, HeadCount, MatchBase, Rounding};

/// The heads of a school or a district.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Pupils enrolled.
    pub enrolled: u32,
    /// Pupils who take part.
    pub participants: u32,
}

/// An amount of public money and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The amount, 0 fen or more.
    pub amount: Fen,
    /// The clauses, the amount's own first.
    pub clauses: Vec<Clause>,
}

/// A grant for a part of the region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopedMoney {
    /// The part, in snake_case.
    pub scope: String,
    /// What it is called.
    pub name_zh: String,
    /// The money.
    pub grant: Grant,
}

/// Why an amount cannot be worked out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GovRefusal {
    /// The subsidy is a share of something else.
    #[error("the subsidy is a share of {stated:?}, not of {asked:?}")]
    WrongBase {
        /// What it is a share of.
        stated: MatchBase,
        /// What was given.
        asked: MatchBase,
        /// What says so.
        clause: Box<Clause>,
    },
    /// Government does not cover what fees leave open.
    #[error("the shortfall is not covered")]
    NotCovered {
        /// What says so.
        clause: Box<Clause>,
    },
    /// The amount given is below zero.
    #[error("{amount} is below zero")]
    Negative {
        /// The amount.
        amount: Fen,
    },
    /// The region is silent on what is needed.
    #[error(transparent)]
    Silent(#[from] Silent),
    /// The amount left the range of 64 bits.
    #[error(transparent)]
    Fen(#[from] FenError),
}

/// Gives the money of a year for so many heads.
///
/// # Errors
/// [`Silent`] on the amount, on which heads are counted, on the share of them, or on rounding.
pub fn per_head(policy: &Policy, heads: Heads) -> Result<Grant, GovRefusal> {
    let gov = &policy.gov;
    let (amount, clause) = gov.gov_fen_per_pupil_per_year.demand()?;
    let (basis, counted) = gov.gov_head_count_basis.demand()?;
    let mut clauses = vec![clause, counted];
    let share = match basis {
        HeadCount::EnrolledShare => {
            let (share, clause) = gov.enrolled_share_bp.demand()?;
            clauses.push(clause);
            Some(*share)
        }
        HeadCount::Participants | HeadCount::Enrolled => None,
    };
    let of_all = of_heads(*amount, *basis, heads)?;
    share_of(policy, of_all, share.unwrap_or(BasisPoints::WHOLE), clauses)
}

/// Gives the money of a year by every grant for a part of the region in which the district lies, in the order of the
/// document. None when it lies in no such part.
///
/// # Errors
/// [`Silent`] on the grants, on where the district lies, or on rounding.
pub fn scoped(policy: &Policy, heads: Heads) -> Result<Vec<ScopedMoney>, GovRefusal> {
    let (grants, clause) = policy.gov.gov_scoped_grants.demand()?;
    let (scopes, within) = policy.gov.gov_scopes.demand()?;
    let own = grants.iter().filter(|grant| scopes.contains(&grant.scope));
    own.map(|grant| {
        let of_all = of_heads(grant.fen_per_pupil_per_year, grant.head_count, heads)?;
        let share = grant.share_bp.unwrap_or(BasisPoints::WHOLE);
        let money = share_of(policy, of_all, share, vec![clause.clone(), within.clone()])?;
        Ok(ScopedMoney { scope: grant.scope.clone(), name_zh: grant.name_zh.clone(), grant: money })
    })
    .collect()
}

/// Gives the least money of a term for those who take part.
///
/// # Errors
/// [`Silent`] on the amount.
pub fn floor_per_term(policy: &Policy, participants: u32) -> Result<Grant, GovRefusal> {
    let (floor, clause) = policy.gov.gov_floor_fen_per_participant_per_term.demand()?;
    Ok(Grant { amount: floor.times(i64::from(participants))?, clauses: vec![clause] })
}

/// Gives the subsidy on an amount of `base`.
///
/// # Errors
/// [`GovRefusal::WrongBase`] when the region names another base; [`Silent`] on the share, on the base, or on rounding;
/// [`GovRefusal::Negative`].
pub fn matching(policy: &Policy, base: MatchBase, amount: Fen) -> Result<Grant, GovRefusal> {
    let (share, clause) = policy.gov.gov_match_bp.demand()?;
    let (stated, of) = policy.gov.gov_match_base.demand()?;
    if *stated != base {
        return Err(GovRefusal::WrongBase { stated: *stated, asked: base, clause: Box::new(of) });
    }
    let amount = not_negative(amount)?;
    share_of(policy, amount, *share, vec![clause, of])
}

/// Gives what government adds where fees do not cover the cost: never below zero.
///
/// # Errors
/// [`GovRefusal::NotCovered`]; [`Silent`] when nobody says whether it does; [`GovRefusal::Negative`].
pub fn shortfall(policy: &Policy, cost: Fen, fees: Fen) -> Result<Grant, GovRefusal> {
    let (is_covered, clause) = policy.gov.gov_shortfall_covered.demand()?;
    if !is_covered {
        return Err(GovRefusal::NotCovered { clause: Box::new(clause) });
    }
    let gap = not_negative(cost)?.minus(not_negative(fees)?)?;
    Ok(Grant { amount: gap.max(Fen::ZERO), clauses: vec![clause] })
}

fn not_negative(amount: Fen) -> Result<Fen, GovRefusal> {
    if amount.is_negative() { Err(GovRefusal::Negative { amount }) } else { Ok(amount) }
}

/// An amount for every counted head. A share of the enrolled is taken of the money, not of the heads: heads have no
/// fractions.
fn of_heads(amount: Fen, counted: HeadCount, heads: Heads) -> Result<Fen, FenError> {
    let count = match counted {
        HeadCount::Participants => heads.participants,
        HeadCount::Enrolled | HeadCount::EnrolledShare => heads.enrolled,
    };
    amount.times(i64::from(count))
}

/// A share of an amount of 0 fen or more, exactly; a fraction of a fen as the district decided.
fn share_of(
    policy: &Policy,
    amount: Fen,
    share: BasisPoints,
    mut clauses: Vec<Clause>,
) -> Result<Grant, GovRefusal> {
    let (mut part, is_whole) = share.of(amount)?;
    if !is_whole {
        let (rounding, clause) = policy.gov.gov_rounding.demand()?;
        clauses.push(clause);
        part = match rounding {
            Rounding::Down => part,
            Rounding::Up => part.plus(Fen::new(1))?,
        };
    }
    Ok(Grant { amount: part, clauses })
}
