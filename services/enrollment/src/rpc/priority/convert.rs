//! Priorities as messages.

use chrono::NaiveDate;
use proto::enrollment::v1 as message;
use shared::value::{Guardian, Id};

use crate::domain::priority::{Origin, Period, Priority, State};
use crate::event::timestamp;

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// One of the pupil's guardians; sees the documents they brought themselves.
    Guardian(Id<Guardian>),
    /// Somebody who decides.
    Decider,
}

/// A priority as messages carry it on a day.
pub fn priority(one: &Priority, reader: Reader, today: NaiveDate) -> message::Priority {
    use message::priority::{Origin as OriginMessage, State as Message};
    let is_over = |period: &Period| period.last < today;
    let (state, by, period, reason, appeal) = match &one.state {
        State::Submitted => (Message::Submitted, None, None, None, None),
        State::Approved { by, period } if is_over(period) => {
            (Message::Ended, Some(by), Some(period), None, None)
        }
        State::Approved { by, period } => (Message::Approved, Some(by), Some(period), None, None),
        State::Refused(refusal) => (Message::Refused, Some(&refusal.by), None, Some(&refusal.reason), None),
        State::Appealed { refusal, appeal } => {
            (Message::Appealed, Some(&refusal.by), None, Some(&refusal.reason), Some(appeal))
        }
        State::RefusedOnAppeal { refusal, appeal } => {
            (Message::RefusedOnAppeal, Some(&refusal.by), None, Some(&refusal.reason), Some(appeal))
        }
        State::Ended { by, period, reason } => (Message::Ended, Some(by), Some(period), Some(reason), None),
    };
    let (origin, evidence_ids, ground) = match &one.origin {
        Origin::Claim { guardian_id, evidence_ids } => {
            let is_shown = match reader {
                Reader::Guardian(reader) => reader == *guardian_id,
                Reader::Decider => true,
            };
            (OriginMessage::Claim, if is_shown { evidence_ids.as_slice() } else { &[] }, None)
        }
        Origin::School { reason } => (OriginMessage::School, [].as_slice(), Some(reason)),
    };
    message::Priority {
        id: one.id.to_string(),
        pupil_id: one.pupil_id.to_string(),
        group_key: one.group.key.clone(),
        group_name_zh: one.group.name_zh.clone(),
        state: state.into(),
        origin: origin.into(),
        evidence_ids: evidence_ids.iter().map(ToString::to_string).collect(),
        valid_from: period.map(|period| period.first.to_string()).unwrap_or_default(),
        valid_to: period.map(|period| period.last.to_string()).unwrap_or_default(),
        reason: reason.or(ground).cloned().unwrap_or_default(),
        appeal_reason: appeal.cloned().unwrap_or_default(),
        decider_staff_id: match reader {
            Reader::Guardian(_) => String::new(),
            Reader::Decider => by.map(ToString::to_string).unwrap_or_default(),
        },
        create_time: Some(timestamp(one.created_at)),
    }
}

/// The answer that is kept for repeats: it names nothing but the id.
pub fn kept(one: &Priority) -> message::Priority {
    message::Priority { id: one.id.to_string(), ..Default::default() }
}
