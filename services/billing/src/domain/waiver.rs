//! Who need not pay, and who decides that.
//!
//! | from ↓ command → | approve by school | approve by bureau | reject      |
//! |------------------|-------------------|-------------------|-------------|
//! | Submitted        | Endorsed          | role refused      | Rejected ¹  |
//! | Endorsed         | no change         | Granted ²         | Rejected ³  |
//! | Granted          | no change         | no change         | refused     |
//! | Rejected         | refused           | refused           | no change   |
//!
//! ¹ by the school.  ² by another person than the one who endorsed.  ³ by the bureau.

use chrono::NaiveDate;
use policy::Policy;
use policy::waiver::{Effect, apply, effect};
use shared::value::{District, Evidence, Fen, Id, Moment, Pupil, Staff, Waiver as WaiverKind};
use uuid::Uuid;

use super::refusal::Refusal;

/// Where a waiver stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for the school.
    Submitted,
    /// Waits for the bureau.
    Endorsed {
        /// Who approved for the school.
        by: Id<Staff>,
    },
    /// Holds.
    Granted {
        /// Who approved for the school.
        endorsed_by: Id<Staff>,
        /// Who approved for the bureau; somebody else.
        by: Id<Staff>,
        /// The last day it holds.
        last_day: NaiveDate,
    },
    /// Does not hold.
    Rejected {
        /// Who rejected.
        by: Id<Staff>,
        /// Why.
        reason: String,
    },
}

/// A waiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Which waiver.
    pub id: Id<WaiverKind>,
    /// The district.
    pub district_id: Id<District>,
    /// Whose.
    pub pupil_id: Id<Pupil>,
    /// The ids district, town, school, class of the pupil when it was applied for.
    pub path: Vec<Uuid>,
    /// The category in the policy's words.
    pub category: String,
    /// Where it stands.
    pub state: State,
    /// The documents.
    pub evidence_ids: Vec<Id<Evidence>>,
    /// When it was applied for.
    pub created_at: Moment,
}

impl Waiver {
    /// Whether it holds on `today`.
    #[must_use]
    pub fn is_in_force(&self, today: NaiveDate) -> bool {
        match self.state {
            State::Granted { last_day, .. } => today <= last_day,
            State::Submitted | State::Endorsed { .. } | State::Rejected { .. } => false,
        }
    }
}

/// What is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is approved; the bureau says until when.
    Approve {
        /// The last day it is to hold.
        last_day: Option<NaiveDate>,
    },
    /// It is rejected.
    Reject {
        /// Why, for the family.
        reason: String,
    },
}

/// Who decides: a person with a say at the school, at the bureau, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decider {
    /// Who.
    pub id: Id<Staff>,
    /// Decides for the school.
    pub for_school: bool,
    /// Decides for the bureau.
    pub for_bureau: bool,
}

/// Decides.
///
/// # Errors
/// [`Refusal::RoleNotAllowed`], [`Refusal::SecondPersonRequired`], [`Refusal::WaiverDecided`],
/// [`Refusal::ReasonRequired`], [`Refusal::LastDayRequired`].
pub fn decide(
    state: State,
    decider: Decider,
    decision: Decision,
    today: NaiveDate,
) -> Result<State, Refusal> {
    match (state, decision) {
        (State::Submitted, _) if !decider.for_school => Err(Refusal::RoleNotAllowed),
        (State::Submitted, Decision::Approve { .. }) => Ok(State::Endorsed { by: decider.id }),
        (State::Endorsed { by }, Decision::Approve { last_day }) if decider.for_bureau => {
            if by == decider.id {
                return Err(Refusal::SecondPersonRequired);
            }
            let last_day = last_day.filter(|day| *day >= today).ok_or(Refusal::LastDayRequired)?;
            Ok(State::Granted { endorsed_by: by, by: decider.id, last_day })
        }
        // The school approves what it has approved.
        (state @ State::Endorsed { .. }, Decision::Approve { .. }) => Ok(state),
        (State::Endorsed { .. }, Decision::Reject { .. }) if !decider.for_bureau => {
            Err(Refusal::RoleNotAllowed)
        }
        (State::Submitted | State::Endorsed { .. }, Decision::Reject { reason }) if reason.is_empty() => {
            Err(Refusal::ReasonRequired)
        }
        (State::Submitted | State::Endorsed { .. }, Decision::Reject { reason }) => {
            Ok(State::Rejected { by: decider.id, reason })
        }
        (state @ State::Granted { .. }, Decision::Approve { .. }) => Ok(state),
        (state @ State::Rejected { .. }, Decision::Reject { .. }) => Ok(state),
        (State::Granted { .. }, Decision::Reject { .. })
        | (State::Rejected { .. }, Decision::Approve { .. }) => Err(Refusal::WaiverDecided),
    }
}

/// Says whether a category can be applied for.
///
/// # Errors
/// [`Refusal::CategoryNotListed`]; [`Refusal::PolicySilent`] when there is no list, no rate, or nobody said which way
/// fractions of a fen go.
pub fn applicable(policy: &Policy, category: &str) -> Result<(), Refusal> {
    let effect = effect(policy, category)?;
    if let Effect::NotListed { .. } = effect {
        let listed = policy.waiver.waivers.require()?;
        return Err(Refusal::CategoryNotListed {
            categories: listed
                .iter()
                .map(|waiver| (waiver.category.clone(), waiver.name_zh.clone()))
                .collect(),
        });
    }
    // One fen shows at once whether a fraction would stay undecided.
    apply(policy, Fen::new(1), &effect)?;
    Ok(())
}

/// What a charge comes to under a category: the part that is waived. Zero without one.
///
/// # Errors
/// [`Refusal::PolicySilent`] when the policy of this term does not say.
pub fn waived(policy: &Policy, category: Option<&str>, charge: Fen) -> Result<Fen, Refusal> {
    let Some(category) = category else { return Ok(Fen::ZERO) };
    Ok(apply(policy, charge, &effect(policy, category)?)?.waived)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(number: u128, for_school: bool, for_bureau: bool) -> Decider {
        Decider { id: Id::new(Uuid::from_u128(number)), for_school, for_bureau }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn two_different_people_grant_a_waiver() {
        let (school, bureau) = (person(1, true, false), person(2, false, true));
        let today = day("2026-09-01");
        let approve = |last_day: &str| Decision::Approve { last_day: last_day.parse().ok() };

        let endorsed = decide(State::Submitted, school, approve(""), today).unwrap();
        assert_eq!(endorsed, State::Endorsed { by: school.id });
        assert_eq!(decide(endorsed.clone(), school, approve(""), today), Ok(endorsed.clone()));
        assert_eq!(decide(endorsed.clone(), bureau, approve(""), today), Err(Refusal::LastDayRequired));
        assert_eq!(
            decide(endorsed.clone(), bureau, approve("2026-08-31"), today),
            Err(Refusal::LastDayRequired)
        );
        let both = person(1, true, true);
        assert_eq!(
            decide(endorsed.clone(), both, approve("2027-01-31"), today),
            Err(Refusal::SecondPersonRequired)
        );

        let granted = decide(endorsed, bureau, approve("2026-09-01"), today).unwrap();
        assert_eq!(granted, State::Granted { endorsed_by: school.id, by: bureau.id, last_day: today });
        assert_eq!(decide(granted.clone(), school, approve(""), today), Ok(granted.clone()));
        let reject = Decision::Reject { reason: "材料不全".to_owned() };
        assert_eq!(decide(granted, bureau, reject, today), Err(Refusal::WaiverDecided));
    }

    #[test]
    fn each_level_decides_at_its_own_point_only() {
        let (school, bureau) = (person(1, true, false), person(2, false, true));
        let today = day("2026-09-01");
        let reject = |reason: &str| Decision::Reject { reason: reason.to_owned() };
        let endorsed = State::Endorsed { by: school.id };

        assert_eq!(decide(State::Submitted, bureau, reject("x"), today), Err(Refusal::RoleNotAllowed));
        assert_eq!(
            decide(State::Submitted, bureau, Decision::Approve { last_day: None }, today),
            Err(Refusal::RoleNotAllowed)
        );
        assert_eq!(decide(State::Submitted, school, reject(""), today), Err(Refusal::ReasonRequired));
        assert_eq!(decide(endorsed.clone(), school, reject("x"), today), Err(Refusal::RoleNotAllowed));
        let rejected = decide(endorsed, bureau, reject("x"), today).unwrap();
        assert_eq!(decide(rejected.clone(), bureau, reject("y"), today), Ok(rejected.clone()));
        let approve = Decision::Approve { last_day: None };
        assert_eq!(decide(rejected, school, approve, today), Err(Refusal::WaiverDecided));
    }
}
