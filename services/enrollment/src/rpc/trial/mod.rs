//! Trials: `kehou.enrollment.v1.TrialService`. One file per changing method; the reads share one.

mod book;
mod cancel;
mod offer;
mod read;
mod trial_service;

use proto::enrollment::v1 as message;
use shared::status;
use tonic::Status;

use super::EnrollmentRpc;
use crate::domain::trial::{Booking, Error, State, Trial};
use crate::event::timestamp;

/// `kehou.enrollment.v1.TrialService`, with what its methods need.
#[derive(Clone)]
pub struct TrialRpc(pub EnrollmentRpc);

/// A trial as messages carry it.
fn trial(trial: &Trial, section_title: &str) -> message::Trial {
    message::Trial {
        id: trial.id.to_string(),
        section_id: trial.section_id.to_string(),
        section_title: section_title.to_owned(),
        term_id: trial.term_id.to_string(),
        day: trial.day.to_string(),
        slot_id: trial.slot_id.to_string(),
        start_time: Some(timestamp(trial.starts_at)),
        end_time: Some(timestamp(trial.ends_at)),
        place_count: trial.place_count,
        booked_count: trial.booked_count,
    }
}

/// A booking as messages carry it.
fn booking(booking: &Booking) -> message::Booking {
    use message::booking::State as Message;
    message::Booking {
        id: booking.id.to_string(),
        trial_id: booking.trial_id.to_string(),
        pupil_id: booking.pupil_id.to_string(),
        state: match booking.state {
            State::Booked => Message::Booked,
            State::Cancelled => Message::Cancelled,
            State::Declined => Message::Declined,
        }
        .into(),
        create_time: Some(timestamp(booking.created_at)),
    }
}

/// Refuses for a trial's sake.
fn refused(error: &Error) -> Status {
    let title = |section_title: &String| [("section_title", section_title.clone())];
    match error {
        Error::Past { starts_at } => {
            let starts_at = starts_at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
            status::refused("TRIAL_PAST", &[("start_time", starts_at)])
        }
        Error::Full { place_count } => {
            status::refused("TRIAL_FULL", &[("place_count", place_count.to_string())])
        }
        Error::NotPublished => status::refused("SECTION_NOT_PUBLISHED", &[]),
        Error::NotOfThisSchool => status::refused("NOT_OF_THIS_SCHOOL", &[]),
        Error::GradeNotAdmitted { grades } => {
            let grades: Vec<_> = grades.iter().map(ToString::to_string).collect();
            status::refused("GRADE_NOT_ADMITTED", &[("grades", grades.join(","))])
        }
        Error::AlreadyEnrolled { enrollment_id } => super::error::already_enrolled(*enrollment_id),
        Error::SlotTaken { section_title } => status::refused("SLOT_TAKEN", &title(section_title)),
        Error::Clashes { section_title } => status::refused("TRIAL_CLASHES", &title(section_title)),
    }
}
