//! Between the contracts' messages and the documents people's programs read.

use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use shared::value::{Moment, Violations};

use crate::problem::Refusal;

/// A contract's time as ours; none when it is absent or out of range.
#[must_use]
pub fn moment(time: Option<Timestamp>) -> Option<Moment> {
    let time = time?;
    DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).ok()?)
}

/// A time as the contracts carry it.
#[must_use]
pub fn timestamp(moment: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: moment.timestamp(),
        nanos: i32::try_from(moment.timestamp_subsec_nanos()).unwrap_or(0),
    }
}

/// An enum's value as a lower-case word, without the enum's own name: `STATE_IN_REVIEW` gives `in_review`. The value that
/// is never sent gives an empty text.
#[must_use]
pub fn word(name: &str, prefix: &str) -> String {
    let word = name.strip_prefix(prefix).unwrap_or(name).to_lowercase();
    if word == "unspecified" { String::new() } else { word }
}

/// Reads such a word back into the enum's number.
///
/// # Errors
/// `INVALID_FIELDS` naming the field, for a word the enum does not have.
pub fn number(
    field: &str,
    text: &str,
    prefix: &str,
    from_name: impl Fn(&str) -> Option<i32>,
) -> Result<i32, Refusal> {
    let name = format!("{prefix}{}", text.to_uppercase());
    match from_name(&name) {
        Some(number) if number != 0 && text.to_lowercase() == text => Ok(number),
        _ => {
            let mut violations = Violations::default();
            violations.note(field, format!("no such value `{text}`"));
            Err(Refusal::fields(&violations))
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::enrollment::v1::enrollment::State;

    use super::*;

    fn state(name: &str) -> Option<i32> {
        State::from_str_name(name).map(Into::into)
    }

    #[test]
    fn a_state_is_a_lower_case_word_and_back() {
        assert_eq!(word(State::InReview.as_str_name(), "STATE_"), "in_review");
        assert_eq!(number("state", "in_review", "STATE_", state).unwrap(), i32::from(State::InReview));
    }

    #[test]
    fn what_is_never_sent_is_no_word() {
        assert_eq!(word(State::Unspecified.as_str_name(), "STATE_"), "");
        assert_eq!(number("state", "unspecified", "STATE_", state).unwrap_err().reason(), "INVALID_FIELDS");
        assert_eq!(number("state", "HELD", "STATE_", state).unwrap_err().reason(), "INVALID_FIELDS");
    }
}
