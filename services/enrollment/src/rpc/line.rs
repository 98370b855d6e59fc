//! A line as a message.

use proto::enrollment::v1 as message;

use crate::domain::line::Line;
use crate::event::timestamp;

/// How a line has moved.
pub fn line(line: &Line) -> message::Line {
    // Nobody has two thousand million children.
    let count = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    message::Line {
        waiting_count: line.waiting_count,
        joined_count: count(line.joined_count),
        freed_count: line.freed_count,
        offered_count: line.offered_count,
        last_offer_time: line.last_offered_at.map(timestamp),
        since_time: line.since.map(timestamp),
        past: line
            .past
            .iter()
            .map(|past| message::line::Past {
                term_id: past.term_id.to_string(),
                joined_count: count(past.joined_count),
                offered_count: past.offered_count,
            })
            .collect(),
    }
}
