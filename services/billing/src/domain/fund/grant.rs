//! What government gives a school, by the region's rule.

use policy::Policy;
use policy::gov::{self, GovRefusal};
use policy::vocabulary::MatchBase;
use shared::value::Fen;

use crate::domain::refusal::{Clause, Refusal};

pub use policy::gov::Heads;

/// By which rule money is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// So much a head and year.
    PerHead,
    /// So much a head and year in a part of the region.
    Scoped,
    /// At least so much a participant and term.
    Floor,
    /// A share of what parents paid, or of what the district gave.
    Matching,
    /// What fees leave open of the cost.
    Shortfall,
    /// What the bureau awards by its evaluation.
    Award,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 6] =
        [Self::PerHead, Self::Scoped, Self::Floor, Self::Matching, Self::Shortfall, Self::Award];

    /// Whether somebody must give a figure, with a document: the cost, or the award.
    #[must_use]
    pub const fn takes_a_figure(self) -> bool {
        matches!(self, Self::Shortfall | Self::Award)
    }

    /// Whether the region has it: by the year, by the term, or not at all.
    #[must_use]
    pub fn period(self, policy: &Policy) -> Option<Period> {
        let gov = &policy.gov;
        match self {
            Self::PerHead => gov.gov_fen_per_pupil_per_year.get().map(|_| Period::Year),
            Self::Scoped => gov.gov_scoped_grants.get().map(|_| Period::Year),
            Self::Floor => gov.gov_floor_fen_per_participant_per_term.get().map(|_| Period::Term),
            Self::Matching => gov.gov_match_bp.get().map(|_| match gov.gov_match_base.get() {
                Some(MatchBase::DistrictMoney) => Period::Year,
                Some(MatchBase::ParentPayments) | None => Period::Term,
            }),
            Self::Shortfall => {
                gov.gov_shortfall_covered.get().filter(|covers| **covers).map(|_| Period::Term)
            }
            Self::Award => {
                gov.gov_subsidy_tied_to_evaluation.get().filter(|tied| **tied).map(|_| Period::Term)
            }
        }
    }
}

/// What money is given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A year.
    Year,
    /// A term.
    Term,
}

/// Government money for a school.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// By which rule.
    pub rule: Rule,
    /// The part of the region, for [`Rule::Scoped`]; empty otherwise.
    pub scope: String,
    /// The year, where it is by the year.
    pub year: Option<i32>,
    /// Whom it was worked out for.
    pub heads: Heads,
    /// What it was worked out from; zero where heads alone count.
    pub base: Fen,
    /// The cost that was given; zero where none was.
    pub cost: Fen,
}

/// What is known of a school when a grant is worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its heads.
    pub heads: Heads,
    /// What parents paid for the term, less what went back.
    pub parents_paid: Fen,
    /// What was let off and is borne by whoever funds it.
    pub waived: Fen,
    /// What the district gives for the year by the head.
    pub district_money: Fen,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// By which rule.
    pub rule: Rule,
    /// The part of the region.
    pub scope: String,
    /// The year.
    pub year: Option<i32>,
    /// The cost, or the award.
    pub given: Fen,
}

/// Works a grant out: the grant, the amount, and what it rests on.
///
/// # Errors
/// [`Refusal::PolicySilent`], [`Refusal::GrantNotOfThisRegion`], [`Refusal::ScopeNotListed`].
pub fn work_out(policy: &Policy, facts: &Facts, asked: &Asked) -> Result<(Grant, Fen, Vec<Clause>), Refusal> {
    let grant = |base, cost| Grant {
        rule: asked.rule,
        scope: asked.scope.clone(),
        year: asked.year,
        heads: facts.heads,
        base,
        cost,
    };
    let none = Fen::ZERO;
    let (grant, money) = match asked.rule {
        Rule::PerHead => (grant(none, none), gov::per_head(policy, facts.heads)?),
        Rule::Scoped => {
            let all = gov::scoped(policy, facts.heads)?;
            let scopes = all.iter().map(|money| money.scope.clone()).collect();
            let own = all.into_iter().find(|money| money.scope == asked.scope);
            (grant(none, none), own.ok_or(Refusal::ScopeNotListed { scopes })?.grant)
        }
        Rule::Floor => (grant(none, none), gov::floor_per_term(policy, facts.heads.participants)?),
        Rule::Matching => {
            let (base, _) = policy.gov.gov_match_base.demand()?;
            let from = match base {
                MatchBase::ParentPayments => facts.parents_paid,
                MatchBase::DistrictMoney => facts.district_money,
            };
            (grant(from, none), gov::matching(policy, *base, from)?)
        }
        Rule::Shortfall => {
            // What somebody bears for a family is income of the school as much as what the family pays.
            let borne = if policy.gov.gov_funded_by.get().is_some() { facts.waived } else { none };
            let fees = facts.parents_paid.plus(borne)?;
            (grant(fees, asked.given), gov::shortfall(policy, asked.given, fees)?)
        }
        Rule::Award => {
            let (is_tied, clause) = policy.gov.gov_subsidy_tied_to_evaluation.demand()?;
            if !is_tied {
                return Err(Refusal::GrantNotOfThisRegion { clause: Box::new(Clause::from(&clause)) });
            }
            (grant(none, none), gov::Grant { amount: asked.given, clauses: vec![clause] })
        }
    };
    let funder = policy.gov.gov_funded_by.clause();
    let clauses = money.clauses.iter().chain(&funder).map(Clause::from).collect();
    Ok((grant, money.amount, clauses))
}

impl From<GovRefusal> for Refusal {
    fn from(refusal: GovRefusal) -> Self {
        match refusal {
            GovRefusal::WrongBase { clause, .. } | GovRefusal::NotCovered { clause } => {
                Self::GrantNotOfThisRegion { clause: Box::new(Clause::from(&*clause)) }
            }
            GovRefusal::Negative { .. } => Self::Unworkable { why: "an amount is below zero" },
            GovRefusal::Silent(silent) => silent.into(),
            GovRefusal::Fen(error) => error.into(),
        }
    }
}
