//! A difference before people.
//!
//! | from ↓ command →     | take, by one | resolve, by one    | correct        |
//! |----------------------|--------------|--------------------|----------------|
//! | Open                 | Taken        | `CaseNotTaken`     | `CaseNotTaken` |
//! | Taken, by the same   | no change    | Resolved           | Resolved ¹     |
//! | Taken, by another    | `CaseTaken`  | `CaseTaken`        | `CaseTaken`    |
//! | Resolved             | `CaseResolved` | `CaseResolved` ² | `CaseResolved` |
//! | Explained, Repaired  | `CaseResolved` | `CaseResolved`   | `CaseResolved` |
//!
//! ¹ when a second person has decided for the correction.  ² no change when the same person says the same again.
//! A note alone moves no money; what moves money is a correction of the ledger, which two people decide.

use shared::value::{Id, Moment, Staff};

use super::refusal::Refusal;

/// Where a case stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// How things are; nobody need look.
    Explained,
    /// WeChat confirmed it and it was settled as any payment is.
    Repaired,
    /// Waits for a person.
    Open,
    /// A person looks into it.
    Taken {
        /// Who.
        by: Id<Staff>,
    },
    /// A person has said what it was.
    Resolved {
        /// Who took it.
        by: Id<Staff>,
        /// What it was.
        note: String,
        /// Since then.
        at: Moment,
    },
}

/// Takes a case in hand.
///
/// # Errors
/// [`Refusal::CaseTaken`], [`Refusal::CaseResolved`].
pub fn take(state: State, by: Id<Staff>) -> Result<State, Refusal> {
    match state {
        State::Open => Ok(State::Taken { by }),
        State::Taken { by: holder } if holder == by => Ok(state),
        State::Taken { .. } => Err(Refusal::CaseTaken),
        State::Resolved { .. } | State::Explained | State::Repaired => Err(Refusal::CaseResolved),
    }
}

/// Says what a case was.
///
/// # Errors
/// [`Refusal::CaseNotTaken`], [`Refusal::CaseTaken`], [`Refusal::CaseResolved`].
pub fn resolve(state: State, by: Id<Staff>, note: String, now: Moment) -> Result<State, Refusal> {
    match state {
        State::Open => Err(Refusal::CaseNotTaken),
        State::Taken { by: holder } if holder == by => Ok(State::Resolved { by, note, at: now }),
        State::Taken { .. } => Err(Refusal::CaseTaken),
        State::Resolved { by: first, note: ref said, .. } if first == by && *said == note => Ok(state),
        State::Resolved { .. } | State::Explained | State::Repaired => Err(Refusal::CaseResolved),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn every_cell_of_the_table_holds() {
        let [one, other] = [1, 2].map(|number| Id::new(Uuid::from_u128(number)));
        let at = Moment::from_timestamp(1_800_000_000, 0).unwrap();
        let taken = State::Taken { by: one };
        let resolved = State::Resolved { by: one, note: "x".to_owned(), at };
        let over = Err(Refusal::CaseResolved);
        let table = [
            (State::Open, Ok(State::Taken { by: one }), Err(Refusal::CaseNotTaken)),
            (taken.clone(), Ok(taken), Ok(resolved.clone())),
            (State::Taken { by: other }, Err(Refusal::CaseTaken), Err(Refusal::CaseTaken)),
            (resolved.clone(), over.clone(), Ok(resolved)),
            (State::Resolved { by: other, note: "x".to_owned(), at }, over.clone(), over.clone()),
            (State::Explained, over.clone(), over.clone()),
            (State::Repaired, over.clone(), over),
        ];
        for (from, on_take, on_resolve) in table {
            assert_eq!(take(from.clone(), one), on_take, "{from:?}");
            assert_eq!(resolve(from.clone(), one, "x".to_owned(), at), on_resolve, "{from:?}");
        }
    }
}
