//! Every refusal of a rule of the school day as a status.

use shared::status;
use shared::value::{Id, Pupil};
use tonic::Status;

use crate::domain::day::{aside, collector, custody, dismissal, leave, lesson, local, room};
use crate::rpc::error::{by_clause, silent};

/// Refuses for want of a lesson.
pub fn lesson(error: &lesson::Error) -> Status {
    match error {
        lesson::Error::None => status::refused("NO_LESSON", &[]),
        lesson::Error::ToCome { day } => status::refused("LESSON_TO_COME", &[("day", day.to_string())]),
    }
}

/// Refuses to excuse.
pub fn leave(error: &leave::Error) -> Status {
    match error {
        leave::Error::NoLesson => status::refused("NO_LESSON", &[]),
        leave::Error::TooLate => status::refused("LEAVE_TOO_LATE", &[]),
    }
}

/// Refuses to settle the other way.
pub fn settled(_: aside::Settled) -> Status {
    status::refused("ASIDE_MARK_SETTLED", &[])
}

/// Refuses to hand over or to check out.
pub fn custody(error: custody::Error, pupil_id: Id<Pupil>) -> Status {
    match error {
        custody::Error::NotHeld => status::refused("PUPIL_NOT_HELD", &[("pupil_id", pupil_id.to_string())]),
    }
}

/// Refuses to give a pupil to a collector, or to decide on one.
pub fn collector(error: &collector::Error) -> Status {
    use collector::Error;
    match error {
        Error::Forbidden => status::refused("COLLECTOR_FORBIDDEN", &[]),
        Error::Removed => status::refused("COLLECTOR_REMOVED", &[]),
        Error::NotToday { day } => status::refused("COLLECTOR_NOT_TODAY", &[("day", day.to_string())]),
        Error::Used => status::refused("COLLECTOR_USED", &[]),
        Error::CodeWrong => status::refused("CODE_WRONG", &[]),
        Error::CodeLocked => status::refused("CODE_LOCKED", &[]),
    }
}

/// Refuses a time at which a pupil is to leave, or until which a pupil is to stay.
pub fn dismissal(error: &dismissal::Error) -> Status {
    use dismissal::Error;
    let end = |minute: &i32| [("end_time", local::time_text(*minute))];
    match error {
        Error::NoService => status::refused("NO_LESSON", &[]),
        Error::AfterEnd { end_minute } => status::refused("AFTER_SERVICE_END", &end(end_minute)),
        Error::BeforeEnd { end_minute } => status::refused("BEFORE_SERVICE_END", &end(end_minute)),
        Error::Past => status::refused("TIME_PAST", &[]),
        Error::Forced { clause } => by_clause("FORCED_LEAVE", clause, &[]),
        Error::Silent(error) => silent(error),
    }
}

/// Refuses to force a pupil out: says whom, when, and until when the service would be.
pub fn forced(error: &dismissal::Error, pupil_id: Id<Pupil>, minute: i32, end_minute: i32) -> Status {
    match error {
        dismissal::Error::Forced { clause } => by_clause(
            "FORCED_LEAVE",
            clause,
            &[
                ("pupil_id", pupil_id.to_string()),
                ("time", local::time_text(minute)),
                ("end_time", local::time_text(end_minute)),
            ],
        ),
        dismissal::Error::NoService
        | dismissal::Error::AfterEnd { .. }
        | dismissal::Error::BeforeEnd { .. }
        | dismissal::Error::Past
        | dismissal::Error::Silent(_) => dismissal(error),
    }
}

/// Refuses to leave pupils alone in a room.
pub fn unattended(error: room::Unattended) -> Status {
    status::refused("ROOM_WITHOUT_DUTY", &[("pupil_count", error.pupil_count.to_string())])
}
