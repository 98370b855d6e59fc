//! Domain values as messages, and the fields many messages share.

use proto::enrollment::v1 as message;
use shared::value::{Id, Section as SectionKind};

use crate::domain::enrollment::{Enrollment, Release, State};
use crate::domain::round::{self, Mode, Round};
use crate::domain::section::Seats;
use crate::event::{release_reason, timestamp};
use crate::store::draw::Act;
use crate::store::round::RoundChange;

/// Who reads an enrollment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The pupil's guardian: the pupil's path is left out.
    Guardian,
    /// Staff or a service.
    Staff,
}

/// An enrollment with what readers need beside it. `position` is 0 unless it stands in line.
pub fn enrollment(
    enrollment: &Enrollment,
    section_title: &str,
    position: i32,
    reader: Reader,
) -> message::Enrollment {
    let expires_at = match &enrollment.state {
        State::AwaitingAgreement { expires_at }
        | State::InReview { expires_at }
        | State::Held { expires_at } => Some(*expires_at),
        State::Waitlisted { .. } | State::Releasing { .. } | State::Confirmed | State::Released { .. } => {
            None
        }
    };
    let release: Option<&Release> = match &enrollment.state {
        State::Releasing { release } | State::Released { release, .. } => Some(release),
        State::Waitlisted { .. }
        | State::AwaitingAgreement { .. }
        | State::InReview { .. }
        | State::Held { .. }
        | State::Confirmed => None,
    };
    let steps = enrollment.steps.list().iter().map(|step| message::enrollment::Step {
        key: step.key.clone(),
        name_zh: step.name_zh.clone(),
        role: step.role.clone(),
        approve_time: step.approved_at.map(timestamp),
    });
    message::Enrollment {
        id: enrollment.id.to_string(),
        pupil_id: enrollment.pupil_id.to_string(),
        section_id: enrollment.section_id.to_string(),
        term_id: enrollment.term_id.to_string(),
        section_title: section_title.to_owned(),
        state: state(&enrollment.state).into(),
        steps: steps.collect(),
        waitlist_position: position,
        hold_expire_time: expires_at.map(timestamp),
        release_reason: release
            .map_or(message::enrollment::ReleaseReason::Unspecified, |release| release_reason(release.reason))
            .into(),
        release_note: release.map(|release| release.note.clone()).unwrap_or_default(),
        create_time: Some(timestamp(enrollment.created_at)),
        pupil_path: match reader {
            Reader::Guardian => Vec::new(),
            Reader::Staff => enrollment.pupil_path.iter().map(ToString::to_string).collect(),
        },
        withdrawal_ask_time: None,
        line: None,
    }
}

/// A state's name.
pub fn state(state: &State) -> message::enrollment::State {
    use message::enrollment::State as Message;
    match state {
        State::Waitlisted { .. } => Message::Waitlisted,
        State::AwaitingAgreement { .. } => Message::AwaitingAgreement,
        State::InReview { .. } => Message::InReview,
        State::Held { .. } => Message::Held,
        State::Releasing { .. } => Message::Releasing,
        State::Confirmed => Message::Confirmed,
        State::Released { .. } => Message::Released,
    }
}

/// How full a section is.
pub fn seats(section_id: Id<SectionKind>, seats: &Seats) -> message::Seats {
    message::Seats {
        section_id: section_id.to_string(),
        capacity_count: seats.capacity_count,
        taken_count: seats.taken_count,
        waitlisted_count: seats.waitlisted_count,
    }
}

/// A round. `path` is its term's; `act` the last of its draw, where it is drawn.
pub fn round(
    round: &Round,
    path: &[uuid::Uuid],
    act: Option<&Act>,
    changes: &[RoundChange],
) -> message::Round {
    message::Round {
        id: round.id.to_string(),
        term_id: round.term_id.to_string(),
        path: path.iter().map(ToString::to_string).collect(),
        mode: match round.mode {
            Mode::FirstCome => message::round::Mode::FirstCome,
            Mode::Ranked => message::round::Mode::Ranked,
            Mode::Lottery => message::round::Mode::Lottery,
        }
        .into(),
        open_time: Some(timestamp(round.open_at)),
        close_time: Some(timestamp(round.close_at)),
        review_seconds: round.waits.review_seconds,
        payment_seconds: round.waits.payment_seconds,
        tie_seconds: round.ties.map_or(0, |ties| ties.seconds),
        tie_end_time: round.ties.map(|ties| timestamp(ties.until)),
        ties_decided: round.ties.is_some_and(|ties| ties.is_decided),
        state: match round.state {
            round::State::Opened => message::round::State::Opened,
            round::State::Closed => message::round::State::Closed,
            round::State::Drawn => message::round::State::Drawn,
            round::State::Cancelled { .. } => message::round::State::Cancelled,
        }
        .into(),
        draw: act.map(|act| super::round::convert::settings(&act.terms)),
        changes: changes.iter().map(super::round::convert::change).collect(),
    }
}
