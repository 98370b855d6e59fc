//! What the service of a school, or one of its courses, costs in a term (成本核算): the sheet a price rests on.
//!
//! | from ↓ command → | approve          | reject           |
//! |------------------|------------------|------------------|
//! | Submitted        | Approved ¹       | Rejected ¹       |
//! | Approved         | no change        | refused          |
//! | Rejected         | refused          | no change        |
//!
//! ¹ by the bureau, and by another person than the one who submitted.

use shared::value::{
    CostSheet as CostSheetKind, District, Fen, FenError, Id, Moment, School, Section, Staff, Term,
};
use uuid::Uuid;

use super::refusal::Refusal;

/// Where a sheet stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for the bureau.
    Submitted,
    /// Prices may rest on it.
    Approved {
        /// Who approved.
        by: Id<Staff>,
    },
    /// Prices may not rest on it.
    Rejected {
        /// Who rejected.
        by: Id<Staff>,
        /// Why, for the school.
        reason: String,
    },
}

/// One item of a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What the money is for, such as `教师课时补助`.
    pub name: String,
    /// How much in the term, above zero.
    pub amount: Fen,
}

/// A cost sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostSheet {
    /// Which sheet.
    pub id: Id<CostSheetKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The ids district, town, school.
    pub path: Vec<Uuid>,
    /// The term.
    pub term_id: Id<Term>,
    /// The section it is for; none when it is for the school's service as a whole.
    pub section_id: Option<Id<Section>>,
    /// What is spent, in the school's order; at least one.
    pub items: Vec<Item>,
    /// How many pupils it was worked out for, 1 or more.
    pub pupil_count: u32,
    /// Who submitted.
    pub submitted_by: Id<Staff>,
    /// Where it stands.
    pub state: State,
    /// When it was submitted.
    pub created_at: Moment,
}

impl CostSheet {
    /// What is spent in all.
    ///
    /// # Errors
    /// [`FenError`] when it does not fit.
    pub fn total(&self) -> Result<Fen, FenError> {
        Fen::total(self.items.iter().map(|item| item.amount))
    }

    /// Whether prices may rest on it.
    #[must_use]
    pub const fn is_approved(&self) -> bool {
        matches!(self.state, State::Approved { .. })
    }
}

/// What is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Prices may rest on it.
    Approve,
    /// They may not.
    Reject {
        /// Why, for the school; not empty.
        reason: String,
    },
}

/// Decides a sheet.
///
/// # Errors
/// [`Refusal::SecondPersonRequired`], [`Refusal::ReasonRequired`], [`Refusal::CostSheetDecided`].
pub fn decide(sheet: &CostSheet, by: Id<Staff>, decision: Decision) -> Result<State, Refusal> {
    match (&sheet.state, decision) {
        (State::Submitted, _) if sheet.submitted_by == by => Err(Refusal::SecondPersonRequired),
        (State::Submitted, Decision::Approve) => Ok(State::Approved { by }),
        (State::Submitted, Decision::Reject { reason }) if reason.is_empty() => Err(Refusal::ReasonRequired),
        (State::Submitted, Decision::Reject { reason }) => Ok(State::Rejected { by, reason }),
        (state @ State::Approved { .. }, Decision::Approve)
        | (state @ State::Rejected { .. }, Decision::Reject { .. }) => Ok(state.clone()),
        (State::Approved { .. }, Decision::Reject { .. }) | (State::Rejected { .. }, Decision::Approve) => {
            Err(Refusal::CostSheetDecided)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(state: State) -> CostSheet {
        let id = |number| Uuid::from_u128(number);
        CostSheet {
            id: Id::new(id(1)),
            district_id: Id::new(id(2)),
            school_id: Id::new(id(4)),
            path: vec![id(2), id(3), id(4)],
            term_id: Id::new(id(5)),
            section_id: None,
            items: vec![Item { name: "教师课时补助".to_owned(), amount: Fen::new(100) }],
            pupil_count: 10,
            submitted_by: Id::new(id(7)),
            state,
            created_at: Moment::from_timestamp(1_800_000_000, 0).unwrap(),
        }
    }

    #[test]
    fn c78_every_cell_of_the_table_holds_and_nobody_approves_what_they_submitted() {
        let (own, other) = (Id::new(Uuid::from_u128(7)), Id::new(Uuid::from_u128(8)));
        let reject = |reason: &str| Decision::Reject { reason: reason.to_owned() };
        let approved = State::Approved { by: other };
        let rejected = State::Rejected { by: other, reason: "缺明细".to_owned() };

        for (state, by, decision, expected) in [
            (State::Submitted, own, Decision::Approve, Err(Refusal::SecondPersonRequired)),
            (State::Submitted, own, reject("x"), Err(Refusal::SecondPersonRequired)),
            (State::Submitted, other, Decision::Approve, Ok(approved.clone())),
            (State::Submitted, other, reject(""), Err(Refusal::ReasonRequired)),
            (State::Submitted, other, reject("缺明细"), Ok(rejected.clone())),
            (approved.clone(), other, Decision::Approve, Ok(approved.clone())),
            (approved, other, reject("x"), Err(Refusal::CostSheetDecided)),
            (rejected.clone(), other, reject("y"), Ok(rejected.clone())),
            (rejected, other, Decision::Approve, Err(Refusal::CostSheetDecided)),
        ] {
            assert_eq!(
                decide(&sheet(state.clone()), by, decision.clone()),
                expected,
                "{state:?} {decision:?}"
            );
        }
    }
}
