//! Fields that several messages share.

use chrono::NaiveDate;
use shared::value::{Evidence, Id, Violations};

use crate::domain::priority::Period;
use crate::rpc::day::parse::day;

/// The longest reason, in characters.
pub const REASON_LENGTH: usize = 400;

/// The most documents of one claim.
const EVIDENCE_COUNT: usize = 10;

/// Ids of documents, at most ten, each once, in the order of bringing.
pub fn evidence_ids(violations: &mut Violations, ids: &[String]) -> Vec<Id<Evidence>> {
    violations.check("evidence_ids", ids.len() <= EVIDENCE_COUNT, "must be at most 10");
    let ids = ids.iter().take(EVIDENCE_COUNT).enumerate();
    let mut ids: Vec<Id<Evidence>> = ids
        .filter_map(|(index, id)| violations.field(&format!("evidence_ids[{index}]"), id.parse()))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// From the first to the last day, the last today or later.
pub fn period(violations: &mut Violations, from: &str, to: &str, today: NaiveDate) -> Option<Period> {
    let first = day(violations, "valid_from", from);
    let last = day(violations, "valid_to", to);
    if let Some(last) = last {
        violations.check("valid_to", today <= last, "must be today or later");
        let is_span = first.is_none_or(|first| first <= last);
        violations.check("valid_to", is_span, "must not be before valid_from");
    }
    Some(Period { first: first?, last: last? })
}
