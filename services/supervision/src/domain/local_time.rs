//! What people's clocks show: eight hours ahead of UTC, all year.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use shared::value::Moment;

/// How far people's clocks are ahead of UTC.
const AHEAD: TimeDelta = TimeDelta::hours(8);

/// What people's clocks show at a moment.
#[must_use]
pub fn of(moment: Moment) -> NaiveDateTime {
    (moment + AHEAD).naive_utc()
}

/// The moment at which people's clocks show `local`.
#[must_use]
pub fn moment(local: NaiveDateTime) -> Moment {
    local.and_utc() - AHEAD
}

/// When a day begins.
#[must_use]
pub fn day_begins_at(day: NaiveDate) -> Moment {
    moment(day.and_time(NaiveTime::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_sixteen_utc_of_the_day_before() {
        let begins: Moment = "2026-08-31T16:00:00Z".parse().unwrap();

        assert_eq!(day_begins_at("2026-09-01".parse().unwrap()), begins);
        assert_eq!(of(begins).to_string(), "2026-09-01 00:00:00");
        assert_eq!(of(begins - TimeDelta::microseconds(1)).date().to_string(), "2026-08-31");
    }
}
