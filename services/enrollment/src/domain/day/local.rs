//! The school's days and times of day. Everybody lives in the time of Shanghai: eight hours ahead of UTC, all year.

use chrono::{Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, Timelike as _};
use shared::value::Moment;

/// How far local time is ahead of UTC.
const AHEAD: TimeDelta = TimeDelta::hours(8);

/// The moment `minute` minutes after the local midnight with which `day` begins.
#[must_use]
pub fn moment(day: NaiveDate, minute: i32) -> Moment {
    day.and_time(NaiveTime::MIN).and_utc() - AHEAD + TimeDelta::minutes(i64::from(minute))
}

/// The local day of a moment.
#[must_use]
pub fn day(moment: Moment) -> NaiveDate {
    (moment + AHEAD).date_naive()
}

/// The local time of day of a moment, in whole minutes after midnight.
#[must_use]
pub fn minute(moment: Moment) -> i32 {
    let local = (moment + AHEAD).time();
    i32::try_from(local.num_seconds_from_midnight() / 60).unwrap_or(0)
}

/// 1 (Monday) to 7 (Sunday).
#[must_use]
pub fn weekday(day: NaiveDate) -> i32 {
    i32::try_from(day.weekday().number_from_monday()).unwrap_or(0)
}

/// The first and the last day of the month `YYYY-MM`; none when the text is no month.
#[must_use]
pub fn month(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let first: NaiveDate = format!("{text}-01").parse().ok().filter(|_| text.len() == 7)?;
    let next = first.checked_add_months(chrono::Months::new(1))?;
    Some((first, next.checked_sub_days(Days::new(1))?))
}

/// Reads `HH:MM`, as minutes after midnight.
#[must_use]
pub fn time(text: &str) -> Option<i32> {
    let time = NaiveTime::parse_from_str(text, "%H:%M").ok().filter(|_| text.len() == 5)?;
    i32::try_from(time.num_seconds_from_midnight() / 60).ok()
}

/// Writes minutes after midnight as `HH:MM`.
#[must_use]
pub fn time_text(minute: i32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_local_day_begins_eight_hours_before_the_same_day_in_utc() {
        let begin = moment(on("2026-09-07"), 0);
        assert_eq!(begin.to_rfc3339(), "2026-09-06T16:00:00+00:00");
        assert_eq!(day(begin), on("2026-09-07"));
        assert_eq!(day(begin - TimeDelta::microseconds(1)), on("2026-09-06"));
        assert_eq!(minute(moment(on("2026-09-07"), 1079)), 1079);
        assert_eq!((weekday(on("2026-09-07")), weekday(on("2026-09-13"))), (1, 7));
    }

    #[test]
    fn months_and_times_are_read_as_they_are_written_and_no_other_way() {
        assert_eq!(month("2028-02"), Some((on("2028-02-01"), on("2028-02-29"))));
        for text in ["2026-13", "2026-9", "2026", "", "2026-09-01"] {
            assert_eq!(month(text), None, "{text}");
        }
        assert_eq!(time("17:20"), Some(1040));
        for text in ["24:00", "7:20", "17:2", "17:60", "", "17:20:00"] {
            assert_eq!(time(text), None, "{text}");
        }
        assert_eq!(time_text(1040), "17:20");
    }
}
