//! What this service tells: domain events as messages of the feed.

use prost_types::Timestamp;
use proto::enrollment::v1 as message;
use shared::db::{Error, Tx};
use shared::feed::{self, NewEvent};
use shared::value::Moment;

use crate::domain::enrollment::{Enrollment, Event, ReleaseReason};

/// Tells events of enrollments, in the order given, in the transaction that makes them true.
///
/// # Errors
/// When the database refuses.
pub async fn tell(tx: &Tx, events: &[(&Enrollment, Event)], now: Moment) -> Result<(), Error> {
    let payloads: Vec<_> = events.iter().map(|(enrollment, event)| payload(enrollment, event)).collect();
    let told: Vec<_> = events
        .iter()
        .zip(&payloads)
        .map(|((enrollment, event), payload)| NewEvent {
            district_id: enrollment.district_id,
            subject_id: enrollment.id.uuid(),
            name: name(event),
            payload,
            happened_at: now,
        })
        .collect();
    Ok(feed::append_all(tx, &told).await?)
}

/// A moment as messages carry it.
#[must_use]
pub fn timestamp(moment: Moment) -> Timestamp {
    // Below a second there are fewer nanoseconds than an i32 holds.
    Timestamp {
        seconds: moment.timestamp(),
        nanos: i32::try_from(moment.timestamp_subsec_nanos()).unwrap_or_default(),
    }
}

/// A reason as messages carry it.
#[must_use]
pub fn release_reason(reason: ReleaseReason) -> message::enrollment::ReleaseReason {
    use message::enrollment::ReleaseReason as Message;
    match reason {
        ReleaseReason::HoldExpired => Message::HoldExpired,
        ReleaseReason::ReviewExpired => Message::ReviewExpired,
        ReleaseReason::Declined => Message::Declined,
        ReleaseReason::Withdrawn => Message::Withdrawn,
        ReleaseReason::SectionCancelled => Message::SectionCancelled,
        ReleaseReason::PupilLeft => Message::PupilLeft,
    }
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::Waitlisted { .. } => "waitlisted",
        Event::ReviewBegun { .. } => "review_begun",
        Event::SeatHeld { .. } => "seat_held",
        Event::SeatConfirmed => "seat_confirmed",
        Event::SeatReleased { .. } => "seat_released",
        Event::SettlementUnseated => "settlement_unseated",
    }
}

fn payload(enrollment: &Enrollment, event: &Event) -> message::Event {
    use message::event::Kind;
    let kind = match event {
        Event::Waitlisted { position } => Kind::Waitlisted(message::Waitlisted { position: *position }),
        Event::ReviewBegun { expires_at, from_waitlist } => Kind::ReviewBegun(message::ReviewBegun {
            hold_expire_time: Some(timestamp(*expires_at)),
            from_waitlist: *from_waitlist,
        }),
        Event::SeatHeld { expires_at, from_waitlist } => Kind::SeatHeld(message::SeatHeld {
            hold_expire_time: Some(timestamp(*expires_at)),
            from_waitlist: *from_waitlist,
        }),
        Event::SeatConfirmed => Kind::SeatConfirmed(message::SeatConfirmed {}),
        Event::SeatReleased { reason, was_confirmed } => Kind::SeatReleased(message::SeatReleased {
            reason: release_reason(*reason).into(),
            was_confirmed: *was_confirmed,
        }),
        Event::SettlementUnseated => Kind::SettlementUnseated(message::SettlementUnseated {}),
    };
    message::Event {
        enrollment_id: enrollment.id.to_string(),
        pupil_id: enrollment.pupil_id.to_string(),
        section_id: enrollment.section_id.to_string(),
        term_id: enrollment.term_id.to_string(),
        guardian_id: enrollment.guardian_id.to_string(),
        pupil_path: enrollment.pupil_path.iter().map(ToString::to_string).collect(),
        kind: Some(kind),
    }
}
