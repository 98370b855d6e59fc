//! A seat changed for another from a later day on: until then the one is charged, from then the other.

use chrono::{NaiveDate, NaiveTime};
use shared::value::{Enrollment, Id, Moment};

use super::term::local_moment;

/// A change that enrollment told of. It counts as soon as the new seat is billed, and no longer once that is closed unpaid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatChange {
    /// Whose seat ends.
    pub from_enrollment_id: Id<Enrollment>,
    /// Whose seat begins.
    pub to_enrollment_id: Id<Enrollment>,
    /// The first day of the new seat; the day after the last of the old one.
    pub from_day: NaiveDate,
}

impl SeatChange {
    /// The moment it takes effect: lessons of the old seat that start before are charged.
    #[must_use]
    pub fn takes_effect_at(&self) -> Moment {
        local_moment(self.from_day.and_time(NaiveTime::MIN))
    }
}
