//! Fields that many messages share.

use chrono::{DateTime, Datelike as _, NaiveDate};
use proto::enrollment::v1::mark::State as MarkState;
use shared::value::{Id, Moment, Section, Slot, Violations};

use crate::domain::day::lesson::Key;
use crate::domain::day::register::Standing;

/// Years in which schools are open: beyond them lie slips of the keyboard, and days no calendar can add to.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2199;

/// A day, `YYYY-MM-DD`.
pub fn day(violations: &mut Violations, field: &str, text: &str) -> Option<NaiveDate> {
    let day = text.parse::<NaiveDate>().ok().filter(|day| text.len() == 10 && YEARS.contains(&day.year()));
    violations.field(field, day.ok_or("must be a day, YYYY-MM-DD"))
}

/// A moment. Both databases keep microseconds.
pub fn moment(
    violations: &mut Violations,
    field: &str,
    time: Option<&prost_types::Timestamp>,
) -> Option<Moment> {
    let moment = time.map(|time| {
        let nanoseconds = u32::try_from(time.nanos).ok()?;
        DateTime::from_timestamp(time.seconds, nanoseconds / 1_000 * 1_000)
    });
    let moment = match moment {
        None => Err("is missing"),
        // A device's clock may be at its factory's day.
        Some(Some(moment)) if (1970..=2199).contains(&moment.year()) => Ok(moment),
        Some(_) => Err("is no moment"),
    };
    violations.field(field, moment)
}

/// What names a lesson.
pub fn lesson(violations: &mut Violations, section_id: &str, on: &str, slot_id: &str) -> Option<Key> {
    let section_id = violations.field("section_id", section_id.parse::<Id<Section>>());
    let day = day(violations, "day", on);
    let slot_id = violations.field("slot_id", slot_id.parse::<Id<Slot>>());
    Some(Key { section_id: section_id?, day: day?, slot_id: slot_id? })
}

/// An id, or nothing where the field may be empty.
pub fn optional_id<K>(violations: &mut Violations, field: &str, text: &str) -> Option<Option<Id<K>>> {
    if text.is_empty() {
        return Some(None);
    }
    violations.field(field, text.parse()).map(Some)
}

/// How a pupil stands; none for the value that is never sent and for what no contract has.
pub fn standing(state: i32) -> Option<Standing> {
    match MarkState::try_from(state).ok()? {
        MarkState::Unspecified => None,
        MarkState::Present => Some(Standing::Present),
        MarkState::Absent => Some(Standing::Absent),
        MarkState::Late => Some(Standing::Late),
        MarkState::Leave => Some(Standing::Leave),
        MarkState::LeftEarly => Some(Standing::LeftEarly),
    }
}
