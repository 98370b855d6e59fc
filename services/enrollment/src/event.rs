//! What this service tells: domain events as messages of the feed.

use prost_types::Timestamp;
use proto::enrollment::v1 as message;
use shared::db::{Error, Tx};
use shared::feed::{self, NewEvent};
use shared::value::{Id, Moment, Staff};

use crate::domain::day::custody::{Custody, Holder, Way};
use crate::domain::day::duty::Post;
use crate::domain::day::lesson::Lesson;
use crate::domain::day::register::Tally;
use crate::domain::enrollment::{Enrollment, Event, ReleaseReason};
use crate::domain::round::Round;
use crate::domain::seat_change::SeatChange;

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

/// Tells that a seat ends for another one on a later day: as the first fact of that one.
///
/// # Errors
/// When the database refuses.
pub async fn tell_change(tx: &Tx, from: &Enrollment, change: &SeatChange, now: Moment) -> Result<(), Error> {
    let planned = message::ChangePlanned {
        to_enrollment_id: change.to_enrollment_id.to_string(),
        from_day: change.from_day.to_string(),
    };
    let payload = message::Event {
        enrollment_id: from.id.to_string(),
        pupil_id: from.pupil_id.to_string(),
        section_id: from.section_id.to_string(),
        term_id: from.term_id.to_string(),
        guardian_id: from.guardian_id.to_string(),
        pupil_path: from.pupil_path.iter().map(ToString::to_string).collect(),
        kind: Some(message::event::Kind::ChangePlanned(planned)),
    };
    let told = NewEvent {
        district_id: from.district_id,
        subject_id: change.to_enrollment_id.uuid(),
        name: "change_planned",
        payload: &payload,
        happened_at: now,
    };
    Ok(feed::append(tx, told).await?)
}

/// Tells that a register closed, and how its pupils stood: numbers, never who.
///
/// # Errors
/// When the database refuses.
pub async fn tell_closed(tx: &Tx, lesson: &Lesson, sum: Tally, now: Moment) -> Result<(), Error> {
    let closed = message::RegisterClosed {
        day: lesson.key.day.to_string(),
        slot_id: lesson.key.slot_id.to_string(),
        school_path: lesson.path.iter().map(ToString::to_string).collect(),
        tally: Some(tally(sum)),
    };
    let payload = message::Event {
        section_id: lesson.key.section_id.to_string(),
        term_id: lesson.term_id.to_string(),
        kind: Some(message::event::Kind::RegisterClosed(closed)),
        ..message::Event::default()
    };
    let told = NewEvent {
        district_id: lesson.district_id,
        subject_id: lesson.id.uuid(),
        name: "register_closed",
        payload: &payload,
        happened_at: now,
    };
    Ok(feed::append(tx, told).await?)
}

/// Tells that a pupil arrived: to whoever lets the family know.
///
/// # Errors
/// When the database refuses.
pub async fn tell_checked_in(tx: &Tx, custody: &Custody, holder: Holder, now: Moment) -> Result<(), Error> {
    let (post, place_id) = match holder {
        Holder::Nobody => (message::duty::Post::Unspecified, String::new()),
        Holder::Staff { post: Post::Leader, .. } => (message::duty::Post::Leader, String::new()),
        Holder::Staff { post: Post::Section(id), .. } => (message::duty::Post::Section, id.to_string()),
        Holder::Staff { post: Post::Room(id), .. } => (message::duty::Post::Room, id.to_string()),
    };
    let kind = message::event::Kind::PupilCheckedIn(message::PupilCheckedIn {
        day: custody.day.to_string(),
        check_in_time: Some(timestamp(custody.since)),
        post: post.into(),
        place_id,
    });
    tell_pupil(tx, custody, "pupil_checked_in", kind, now).await
}

/// Tells that a pupil left, and how: to whoever lets the family know.
///
/// # Errors
/// When the database refuses.
pub async fn tell_checked_out(tx: &Tx, custody: &Custody, way: Way, now: Moment) -> Result<(), Error> {
    let kind = message::event::Kind::PupilCheckedOut(message::PupilCheckedOut {
        day: custody.day.to_string(),
        check_out_time: Some(timestamp(custody.since)),
        way: check_out_way(way).into(),
    });
    tell_pupil(tx, custody, "pupil_checked_out", kind, now).await
}

/// Tells that a pupil is still here after their service has ended: to whoever lets the leaders know.
///
/// # Errors
/// When the database refuses.
pub async fn tell_overdue(
    tx: &Tx,
    custody: &Custody,
    leaders: &[Id<Staff>],
    now: Moment,
) -> Result<(), Error> {
    let kind = message::event::Kind::PupilOverdue(message::PupilOverdue {
        day: custody.day.to_string(),
        due_time: Some(timestamp(custody.due_at)),
        leader_staff_ids: leaders.iter().map(ToString::to_string).collect(),
    });
    tell_pupil(tx, custody, "pupil_overdue", kind, now).await
}

/// What is told of a round.
#[derive(Clone, Debug)]
pub enum RoundEvent {
    /// It closes later: at `close_at` now.
    Extended,
    /// It was called off.
    Cancelled,
    /// The lists of an act are closed and committed.
    ListsClosed {
        /// The number of the act.
        act: u32,
        /// The root.
        root: draw::Hash,
    },
    /// An act is drawn.
    Drawn {
        /// The number of the act.
        act: u32,
        /// The digest of the outcome.
        outcome_digest: draw::Hash,
    },
}

/// Tells of a round: once, whoever it concerns.
///
/// # Errors
/// When the database refuses.
pub async fn tell_round(tx: &Tx, round: &Round, event: RoundEvent, now: Moment) -> Result<(), Error> {
    let round_id = round.id.to_string();
    // Acts are far below the edge.
    let number = |act: u32| i32::try_from(act).unwrap_or(i32::MAX);
    let (name, kind) = match event {
        RoundEvent::Extended => {
            let close_time = Some(timestamp(round.close_at));
            let extended = message::RoundExtended { round_id, close_time };
            ("round_extended", message::event::Kind::RoundExtended(extended))
        }
        RoundEvent::Cancelled => {
            let cancelled = message::RoundCancelled { round_id };
            ("round_cancelled", message::event::Kind::RoundCancelled(cancelled))
        }
        RoundEvent::ListsClosed { act, root } => {
            let closed = message::ListsClosed { round_id, act: number(act), root: root.to_string() };
            ("lists_closed", message::event::Kind::ListsClosed(closed))
        }
        RoundEvent::Drawn { act, outcome_digest } => {
            let outcome_digest = outcome_digest.to_string();
            let drawn = message::RoundDrawn { round_id, act: number(act), outcome_digest };
            ("round_drawn", message::event::Kind::RoundDrawn(drawn))
        }
    };
    let payload =
        message::Event { term_id: round.term_id.to_string(), kind: Some(kind), ..message::Event::default() };
    let told = NewEvent {
        district_id: round.district_id,
        subject_id: round.id.uuid(),
        name,
        payload: &payload,
        happened_at: now,
    };
    Ok(feed::append(tx, told).await?)
}

async fn tell_pupil(
    tx: &Tx,
    custody: &Custody,
    name: &'static str,
    kind: message::event::Kind,
    now: Moment,
) -> Result<(), Error> {
    let payload = message::Event {
        pupil_id: custody.pupil_id.to_string(),
        pupil_path: custody.pupil_path.iter().map(ToString::to_string).collect(),
        kind: Some(kind),
        ..message::Event::default()
    };
    let told = NewEvent {
        district_id: custody.district_id,
        subject_id: custody.pupil_id.uuid(),
        name,
        payload: &payload,
        happened_at: now,
    };
    Ok(feed::append(tx, told).await?)
}

/// How a pupil leaves, as messages carry it.
#[must_use]
pub const fn check_out_way(way: Way) -> message::CheckOutWay {
    match way {
        Way::Guardian(_) => message::CheckOutWay::Guardian,
        Way::Collector(_) => message::CheckOutWay::Collector,
        Way::Alone(_) => message::CheckOutWay::Alone,
        Way::NotHere => message::CheckOutWay::NotHere,
    }
}

/// Sums as messages carry them.
#[must_use]
pub fn tally(tally: Tally) -> message::Tally {
    message::Tally {
        expected_count: tally.expected_count(),
        present_count: tally.present_count,
        absent_count: tally.absent_count,
        late_count: tally.late_count,
        leave_count: tally.leave_count,
        left_early_count: tally.left_early_count,
        unmarked_count: tally.unmarked_count,
    }
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
        ReleaseReason::AgreementExpired => Message::AgreementExpired,
        ReleaseReason::ReviewExpired => Message::ReviewExpired,
        ReleaseReason::Declined => Message::Declined,
        ReleaseReason::Withdrawn => Message::Withdrawn,
        ReleaseReason::Changed => Message::Changed,
        ReleaseReason::SectionCancelled => Message::SectionCancelled,
        ReleaseReason::PupilLeft => Message::PupilLeft,
    }
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::Waitlisted { .. } => "waitlisted",
        Event::AgreementAwaited { .. } => "agreement_awaited",
        Event::ReviewBegun { .. } => "review_begun",
        Event::SeatHeld { .. } => "seat_held",
        Event::SeatConfirmed => "seat_confirmed",
        Event::SeatReleased { .. } => "seat_released",
        Event::SettlementUnseated => "settlement_unseated",
        Event::RefundRuleMissing { .. } => "refund_rule_missing",
    }
}

fn payload(enrollment: &Enrollment, event: &Event) -> message::Event {
    use message::event::Kind;
    let kind = match event {
        Event::Waitlisted { position } => Kind::Waitlisted(message::Waitlisted { position: *position }),
        Event::AgreementAwaited { expires_at, from_waitlist } => {
            Kind::AgreementAwaited(message::AgreementAwaited {
                hold_expire_time: Some(timestamp(*expires_at)),
                from_waitlist: *from_waitlist,
            })
        }
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
        Event::RefundRuleMissing { key, guardian_id } => {
            Kind::RefundRuleMissing(message::RefundRuleMissing {
                key: key.clone(),
                guardian_id: guardian_id.to_string(),
            })
        }
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
