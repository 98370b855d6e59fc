//! Money on its way back.
//!
//! | from ↓ WeChat says → | processing | success   | closed, abnormal |
//! |----------------------|------------|-----------|------------------|
//! | Requested            | Submitted  | Succeeded | Failed           |
//! | Submitted            | no change  | Succeeded | Failed           |
//! | Failed               | no change  | Succeeded | no change        |
//! | Succeeded            | no change  | no change | no change        |
//!
//! A failed refund that succeeds after all was put right by a person at WeChat.

use chrono::TimeDelta;
use shared::value::{District, Enrollment, Fen, Id, Invoice, Moment, Payment, Pupil, Refund as RefundKind};

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Decided; not sent, or sent and not known.
    Requested,
    /// WeChat has accepted it.
    Submitted,
    /// The money is back.
    Succeeded {
        /// Since then.
        at: Moment,
    },
    /// A person must decide.
    Failed,
}

/// Why the money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The place was given back.
    Released,
    /// It was paid after the seat was given away.
    Late,
    /// It was paid a second time.
    Surplus,
    /// The section was cancelled.
    SectionCancelled,
}

/// A refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Which refund.
    pub id: Id<RefundKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The invoice whose money it is.
    pub invoice_id: Id<Invoice>,
    /// The payment it is taken from.
    pub payment_id: Id<Payment>,
    /// The invoice's enrollment.
    pub enrollment_id: Id<Enrollment>,
    /// The invoice's pupil.
    pub pupil_id: Id<Pupil>,
    /// Our number at WeChat; never replaced.
    pub out_refund_no: String,
    /// The exact text of the request: every repeat sends these bytes.
    pub request_json: String,
    /// How much.
    pub amount: Fen,
    /// Why.
    pub reason: Reason,
    /// Where it stands.
    pub state: State,
    /// When it was decided.
    pub created_at: Moment,
    /// When WeChat is told, or asked, next; none once it has ended.
    pub next_attempt_at: Option<Moment>,
    /// How often WeChat was told or asked.
    pub attempt_count: u32,
}

/// What WeChat says of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Accepted, under way.
    Processing,
    /// The money is back.
    Succeeded {
        /// Since then.
        at: Moment,
    },
    /// Given up by WeChat.
    Closed,
    /// The payer's account cannot take it.
    Abnormal,
}

/// Takes in what WeChat says.
#[must_use]
pub const fn answered(state: State, answer: Answer) -> State {
    match (state, answer) {
        (State::Requested | State::Submitted | State::Failed, Answer::Succeeded { at }) => {
            State::Succeeded { at }
        }
        (State::Requested | State::Submitted, Answer::Processing) => State::Submitted,
        (State::Requested | State::Submitted, Answer::Closed | Answer::Abnormal) => State::Failed,
        (State::Failed, Answer::Processing | Answer::Closed | Answer::Abnormal) => State::Failed,
        (
            State::Succeeded { at },
            Answer::Processing | Answer::Succeeded { .. } | Answer::Closed | Answer::Abnormal,
        ) => State::Succeeded { at },
    }
}

/// When WeChat is asked again: each minute, after five minutes at 5, 10, 20 and then every 30 minutes.
///
/// Source: WeChat Pay, refund best practice.
#[must_use]
pub fn next_attempt_at(attempt_count: u32, now: Moment) -> Moment {
    let minutes = match attempt_count {
        0..=5 => 1,
        6 => 5,
        7 => 10,
        8 => 20,
        _ => 30,
    };
    now + TimeDelta::minutes(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_of_the_table_holds() {
        let at = Moment::from_timestamp(1_800_000_000, 0).unwrap();
        let back = State::Succeeded { at };
        let table = [
            (State::Requested, State::Submitted, back, State::Failed),
            (State::Submitted, State::Submitted, back, State::Failed),
            (State::Failed, State::Failed, back, State::Failed),
            (back, back, back, back),
        ];
        for (from, processing, success, given_up) in table {
            assert_eq!(answered(from, Answer::Processing), processing);
            assert_eq!(answered(from, Answer::Succeeded { at }), success);
            assert_eq!(answered(from, Answer::Closed), given_up);
            assert_eq!(answered(from, Answer::Abnormal), given_up);
        }
    }
}
