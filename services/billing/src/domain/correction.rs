//! A correction of the ledger: an entry that reverses another, or moves what a difference was about. One person wants it, another decides.
//!
//! | from ↓ command → | decide, by who wanted it | decide, by another | decide the same again, by the same |
//! |------------------|--------------------------|--------------------|------------------------------------|
//! | Proposed         | `SecondPersonRequired`   | Booked or Rejected | –                                  |
//! | Booked, Rejected | `CorrectionDecided`      | `CorrectionDecided`| no change                          |

use shared::value::{Case, Correction as CorrectionKind, District, Fen, Id, Journal, Moment, School, Staff};

use super::ledger::Account;
use super::refusal::Refusal;

/// What a correction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The reverse of an entry.
    Reversal {
        /// Which entry.
        journal_id: Id<Journal>,
    },
    /// An amount from one account to another.
    Transfer {
        /// What is debited.
        debit: Account,
        /// What is credited; another one.
        credit: Account,
        /// 1 or more.
        amount: Fen,
    },
}

/// Where a correction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for a second person.
    Proposed,
    /// It is in the ledger.
    Booked {
        /// Who agreed.
        by: Id<Staff>,
        /// When.
        at: Moment,
    },
    /// A second person did not agree.
    Rejected {
        /// Who.
        by: Id<Staff>,
        /// When.
        at: Moment,
    },
}

/// A correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Which one.
    pub id: Id<CorrectionKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school whose books it is in.
    pub school_id: Id<School>,
    /// What it does.
    pub content: Content,
    /// Why.
    pub reason: String,
    /// The difference it resolves, if any.
    pub case_id: Option<Id<Case>>,
    /// Who wants it.
    pub proposed_by: Id<Staff>,
    /// Where it stands.
    pub state: State,
    /// When it was wanted.
    pub created_at: Moment,
}

/// Decides a correction.
///
/// # Errors
/// [`Refusal::SecondPersonRequired`], [`Refusal::CorrectionDecided`].
pub fn decide(
    state: State,
    proposed_by: Id<Staff>,
    by: Id<Staff>,
    is_approved: bool,
    now: Moment,
) -> Result<State, Refusal> {
    match state {
        State::Proposed if by == proposed_by => Err(Refusal::SecondPersonRequired),
        State::Proposed if is_approved => Ok(State::Booked { by, at: now }),
        State::Proposed => Ok(State::Rejected { by, at: now }),
        State::Booked { by: first, .. } if first == by && is_approved => Ok(state),
        State::Rejected { by: first, .. } if first == by && !is_approved => Ok(state),
        State::Booked { .. } | State::Rejected { .. } => Err(Refusal::CorrectionDecided),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn every_cell_of_the_table_holds() {
        let [one, other, third] = [1, 2, 3].map(|number| Id::new(Uuid::from_u128(number)));
        let at = Moment::from_timestamp(1_800_000_000, 0).unwrap();
        let (booked, rejected) = (State::Booked { by: other, at }, State::Rejected { by: other, at });
        let over = Err(Refusal::CorrectionDecided);
        let table = [
            (State::Proposed, one, true, Err(Refusal::SecondPersonRequired)),
            (State::Proposed, one, false, Err(Refusal::SecondPersonRequired)),
            (State::Proposed, other, true, Ok(booked)),
            (State::Proposed, other, false, Ok(rejected)),
            (booked, other, true, Ok(booked)),
            (booked, other, false, over.clone()),
            (booked, third, true, over.clone()),
            (booked, one, true, over.clone()),
            (rejected, other, false, Ok(rejected)),
            (rejected, other, true, over.clone()),
            (rejected, third, false, over),
        ];
        for (from, by, is_approved, expected) in table {
            assert_eq!(decide(from, one, by, is_approved, at), expected, "{from:?} {by} {is_approved}");
        }
    }
}
