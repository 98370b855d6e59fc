//! Reading a message with all its errors at once.

use std::fmt::Display;

/// One field that broke one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field's path in the message, as the proto names it: `sections[2].capacity_count`.
    pub field: String,
    /// The rule it broke, for the engineer who sent it.
    pub rule: String,
}

/// The violations met so far while a message is read.
///
/// ```
/// # use shared::value::{Id, Pupil, Violations};
/// let mut violations = Violations::default();
/// let pupil = violations.field("pupil_id", "x".parse::<Id<Pupil>>());
/// let count = violations.field("count", u32::try_from(-1_i32));
/// assert_eq!(violations.list().len(), 2);
/// assert!(pupil.is_none() && count.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Keeps the value, or notes the field and the rule it broke.
    pub fn field<T, E: Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.note(field, error.to_string());
                None
            }
        }
    }

    /// Notes that `field` broke `rule`.
    pub fn note(&mut self, field: impl Into<String>, rule: impl Into<String>) {
        self.0.push(Violation { field: field.into(), rule: rule.into() });
    }

    /// Notes `rule` unless `holds`.
    pub fn check(&mut self, field: &str, holds: bool, rule: &str) {
        if !holds {
            self.note(field, rule);
        }
    }

    /// Trims `text` and takes it when it has `min` to `max` characters (characters, not bytes).
    pub fn text(&mut self, field: &str, text: &str, min: usize, max: usize) -> Option<String> {
        let trimmed = text.trim();
        let count = trimmed.chars().count();
        if (min..=max).contains(&count) {
            return Some(trimmed.to_owned());
        }
        self.note(field, format!("must have {min} to {max} characters, has {count}"));
        None
    }

    /// Says whether nothing was noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was noted, in the order it was met.
    #[must_use]
    pub fn list(&self) -> &[Violation] {
        &self.0
    }
}
