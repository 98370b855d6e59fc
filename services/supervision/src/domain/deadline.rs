//! When a span of working or calendar hours ends.
//!
//! Working hours are those in which the district's office is open, Monday to Friday, at people's local time (UTC+8 all year).
//! Public holidays are not known here: a limit that spans one ends earlier than the office would reckon, never later.

use chrono::{Datelike as _, Days, NaiveTime, TimeDelta, Weekday};
use policy::Policy;
use policy::vocabulary::{Deadline, OfficeHours};
use shared::value::Moment;

use super::local_time;

/// More days than any limit spans: an office that is never open has no deadline.
const DAYS_MAX: u32 = 3660;

/// When a ticket that came in at `from` must be accepted. None where the district has set no limit.
#[must_use]
pub fn accept_due_at(policy: &Policy, from: Moment) -> Option<Moment> {
    due_at(policy, policy.supervise.ticket_accept_deadline.get(), from)
}

/// When a ticket that was accepted or reopened at `from` must be answered. None where the district has set no limit.
#[must_use]
pub fn reply_due_at(policy: &Policy, from: Moment) -> Option<Moment> {
    due_at(policy, policy.supervise.ticket_reply_deadline.get(), from)
}

fn due_at(policy: &Policy, deadline: Option<&Deadline>, from: Moment) -> Option<Moment> {
    let office_hours = policy.supervise.office_hours.get().map_or(&[][..], Vec::as_slice);
    ends_at(*deadline?, office_hours, from)
}

/// Gives the moment a span that begins at `from` ends.
///
/// None when the span is in working hours and the office is never open.
#[must_use]
pub fn ends_at(deadline: Deadline, office_hours: &[OfficeHours], from: Moment) -> Option<Moment> {
    match deadline {
        Deadline::CalendarHours(hours) => from.checked_add_signed(TimeDelta::hours(i64::from(hours))),
        Deadline::WorkingHours(hours) => working(TimeDelta::hours(i64::from(hours)), office_hours, from),
    }
}

fn working(mut left: TimeDelta, office_hours: &[OfficeHours], from: Moment) -> Option<Moment> {
    let start = local_time::of(from);
    let mut spans: Vec<(NaiveTime, NaiveTime)> =
        office_hours.iter().map(|open| (open.from, open.to)).collect();
    spans.sort();
    let mut day = start.date();
    for _ in 0..DAYS_MAX {
        if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            for (opens, closes) in &spans {
                let opens = day.and_time(*opens).max(start);
                let closes = day.and_time(*closes);
                let open = closes - opens;
                if open <= TimeDelta::zero() {
                    continue;
                }
                if open >= left {
                    return Some(local_time::moment(opens + left));
                }
                left -= open;
            }
        }
        day = day.checked_add_days(Days::new(1))?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office() -> Vec<OfficeHours> {
        let time = |text: &str| text.parse().unwrap();
        let hours = |from, to| OfficeHours { from: time(from), to: time(to) };
        vec![hours("13:30:00", "17:00:00"), hours("08:30:00", "12:00:00")]
    }

    /// Local time in, local time out.
    fn end(hours: u32, from: &str) -> String {
        let from = local_time::moment(format!("{from}:00").parse().unwrap());
        let end = ends_at(Deadline::WorkingHours(hours), &office(), from).unwrap();
        local_time::of(end).format("%Y-%m-%dT%H:%M").to_string()
    }

    #[test]
    fn only_the_hours_the_office_is_open_count() {
        // 2026-11-23 is a Monday. An office day has seven hours.
        for (hours, from, to) in [
            (1, "2026-11-23T09:00", "2026-11-23T10:00"),
            (4, "2026-11-23T09:00", "2026-11-23T14:30"),
            (7, "2026-11-23T08:30", "2026-11-23T17:00"),
            (8, "2026-11-23T08:30", "2026-11-24T09:30"),
            (1, "2026-11-23T12:30", "2026-11-23T14:30"),
            (1, "2026-11-23T18:00", "2026-11-24T09:30"),
            (8, "2026-11-27T16:00", "2026-11-30T17:00"),
            (1, "2026-11-28T10:00", "2026-11-30T09:30"),
        ] {
            assert_eq!(end(hours, from), to, "{hours} hours from {from}");
        }
    }

    #[test]
    fn calendar_hours_run_through_nights_and_weekends() {
        let from = "2026-11-27T10:00:00Z".parse().unwrap();
        let end = ends_at(Deadline::CalendarHours(48), &[], from);
        assert_eq!(end, Some("2026-11-29T10:00:00Z".parse().unwrap()));
    }

    #[test]
    fn an_office_that_is_never_open_has_no_deadline() {
        let from = "2026-11-27T10:00:00Z".parse().unwrap();
        assert_eq!(ends_at(Deadline::WorkingHours(1), &[], from), None);
    }
}
