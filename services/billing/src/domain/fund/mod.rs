//! Public money, staff pay and spending: proposed by one person, decided by another.
//!
//! | file | knows |
//! |---|---|
//! | [`disclosure`] | the sums of a term that anybody may see |
//! | [`grant`] | what government gives a school, by the region's rule |
//! | [`pay_sheet`] | what staff are paid for a month |
//! | [`spending`] | what money may be spent on |
//!
//! | state | leaves it by |
//! |---|---|
//! | proposed | a second person approves → approved; refuses → rejected |
//! | approved | taken back → reversed; a grant: arrives → received |
//! | received, rejected, reversed | nothing |

pub mod disclosure;
pub mod grant;
pub mod pay_sheet;
pub mod spending;

use shared::value::{District, Fen, FundEntry as FundEntryKind, Id, Moment, School, Staff, Term};

use self::grant::Grant;
use self::pay_sheet::PaySheet;
use self::spending::Spending;
use super::refusal::{Clause, Refusal};

/// One record of public money or spending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundEntry {
    /// Which record.
    pub id: Id<FundEntryKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The term whose policy rules it.
    pub term_id: Id<Term>,
    /// How far it is.
    pub state: State,
    /// What it is.
    pub content: Content,
    /// The amount, above zero.
    pub amount: Fen,
    /// The document it rests on; empty where none is asked for.
    pub document: String,
    /// What the amount rests on.
    pub clauses: Vec<Clause>,
    /// Who proposed it.
    pub proposed_by: Id<Staff>,
    /// When.
    pub created_at: Moment,
}

/// What a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Government money.
    Grant(Grant),
    /// Money spent.
    Spending(Spending),
    /// Staff pay.
    PaySheet(PaySheet),
}

/// How far a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for a second person.
    Proposed,
    /// Decided.
    Approved {
        /// By whom.
        by: Id<Staff>,
    },
    /// The grant has arrived.
    Received {
        /// Who decided it.
        by: Id<Staff>,
        /// The document it arrived with.
        document: String,
    },
    /// Refused.
    Rejected {
        /// By whom.
        by: Id<Staff>,
        /// Why.
        reason: String,
    },
    /// Taken back.
    Reversed {
        /// Who had approved it.
        approved_by: Id<Staff>,
        /// By whom.
        by: Id<Staff>,
        /// Why.
        reason: String,
    },
}

/// Decides a record. The same decision again changes nothing.
///
/// # Errors
/// [`Refusal::SecondPersonRequired`] for who proposed it, [`Refusal::FundEntryDecided`], [`Refusal::ReasonRequired`].
pub fn decide(entry: &FundEntry, by: Id<Staff>, is_approved: bool, reason: &str) -> Result<State, Refusal> {
    match (&entry.state, is_approved) {
        (State::Approved { .. } | State::Received { .. }, true) | (State::Rejected { .. }, false) => {
            Ok(entry.state.clone())
        }
        (State::Proposed, _) if by == entry.proposed_by => Err(Refusal::SecondPersonRequired),
        (State::Proposed, true) => Ok(State::Approved { by }),
        (State::Proposed, false) if reason.is_empty() => Err(Refusal::ReasonRequired),
        (State::Proposed, false) => Ok(State::Rejected { by, reason: reason.to_owned() }),
        (
            State::Approved { .. } | State::Received { .. } | State::Rejected { .. } | State::Reversed { .. },
            _,
        ) => Err(Refusal::FundEntryDecided),
    }
}

/// Notes that a grant has arrived. Again, it changes nothing.
///
/// # Errors
/// [`Refusal::FundEntryDecided`] when it is no approved grant.
pub fn receive(entry: &FundEntry, document: &str) -> Result<State, Refusal> {
    if !matches!(entry.content, Content::Grant(_)) {
        return Err(Refusal::FundEntryDecided);
    }
    match &entry.state {
        State::Received { .. } => Ok(entry.state.clone()),
        State::Approved { by } => Ok(State::Received { by: *by, document: document.to_owned() }),
        State::Proposed | State::Rejected { .. } | State::Reversed { .. } => Err(Refusal::FundEntryDecided),
    }
}

/// Takes back what was approved. Again, it changes nothing.
///
/// # Errors
/// [`Refusal::FundEntryDecided`] when it is not approved, or has arrived.
pub fn reverse(entry: &FundEntry, by: Id<Staff>, reason: &str) -> Result<State, Refusal> {
    match entry.state {
        State::Reversed { .. } => Ok(entry.state.clone()),
        State::Approved { by: approved_by } => {
            Ok(State::Reversed { approved_by, by, reason: reason.to_owned() })
        }
        State::Proposed | State::Received { .. } | State::Rejected { .. } => Err(Refusal::FundEntryDecided),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn person(number: u128) -> Id<Staff> {
        Id::new(Uuid::from_u128(number))
    }

    fn entry(state: State, content: Content) -> FundEntry {
        FundEntry {
            id: Id::new(Uuid::from_u128(1)),
            district_id: Id::new(Uuid::from_u128(2)),
            school_id: Id::new(Uuid::from_u128(3)),
            term_id: Id::new(Uuid::from_u128(4)),
            state,
            content,
            amount: Fen::new(1),
            document: String::new(),
            clauses: Vec::new(),
            proposed_by: person(7),
            created_at: "2026-09-01T00:00:00Z".parse().unwrap(),
        }
    }

    fn spending() -> Content {
        Content::Spending(Spending {
            purpose: "equipment".to_owned(),
            purpose_zh: "设备".to_owned(),
            payee: "某商店".to_owned(),
            day: "2026-09-01".parse().unwrap(),
        })
    }

    fn grant() -> Content {
        Content::Grant(Grant {
            rule: grant::Rule::PerHead,
            scope: String::new(),
            year: Some(2026),
            heads: grant::Heads { enrolled: 1, participants: 1 },
            base: Fen::ZERO,
            cost: Fen::ZERO,
        })
    }

    #[test]
    fn every_command_in_every_state() {
        let by = person(8);
        let states = [
            State::Proposed,
            State::Approved { by },
            State::Received { by, document: "d".to_owned() },
            State::Rejected { by, reason: "r".to_owned() },
            State::Reversed { approved_by: by, by, reason: "r".to_owned() },
        ];
        let word = |result: Result<State, Refusal>| match result {
            Ok(State::Proposed) => "proposed",
            Ok(State::Approved { .. }) => "approved",
            Ok(State::Received { .. }) => "received",
            Ok(State::Rejected { .. }) => "rejected",
            Ok(State::Reversed { .. }) => "reversed",
            Err(Refusal::FundEntryDecided) => "-",
            Err(_) => "?",
        };
        // approve, reject, receive, reverse; of a grant, then of spending
        let table = [
            ["approved", "rejected", "-", "-", "approved", "rejected", "-", "-"],
            ["approved", "-", "received", "reversed", "approved", "-", "-", "reversed"],
            ["received", "-", "received", "-", "received", "-", "-", "-"],
            ["-", "rejected", "-", "-", "-", "rejected", "-", "-"],
            ["-", "-", "-", "reversed", "-", "-", "-", "reversed"],
        ];
        for (state, row) in states.into_iter().zip(table) {
            let mut met = Vec::new();
            for content in [grant(), spending()] {
                let entry = entry(state.clone(), content);
                met.push(word(decide(&entry, by, true, "")));
                met.push(word(decide(&entry, by, false, "no")));
                met.push(word(receive(&entry, "d")));
                met.push(word(reverse(&entry, by, "r")));
            }
            assert_eq!(met, row, "{state:?}");
        }
    }

    #[test]
    fn who_proposed_never_decides() {
        let entry = entry(State::Proposed, spending());
        assert_eq!(decide(&entry, person(7), true, ""), Err(Refusal::SecondPersonRequired));
        assert_eq!(decide(&entry, person(7), false, "no"), Err(Refusal::SecondPersonRequired));
        assert_eq!(decide(&entry, person(8), false, ""), Err(Refusal::ReasonRequired));
    }
}
