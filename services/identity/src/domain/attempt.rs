//! How often somebody may fail: at most so many times in any window that ends now.
//!
//! | what | failures | in |
//! |---|---|---|
//! | [`SIGN_IN`]: signing in with one name | 5 | 15 minutes |
//! | [`BINDING`]: binding a pupil, by one guardian | 5 | 1 hour |
//!
//! A failure is in the window until its window has passed: at exactly 15 minutes it no longer counts.

use chrono::TimeDelta;
use shared::value::Moment;

/// A rule about failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The failures that lock.
    pub failure_count: usize,
    /// How long each counts.
    pub window: TimeDelta,
}

/// Staff signing in with one name. Source: MLPS 2.0 level 3 (a failure lock); 5 failures lock for 15 minutes.
pub const SIGN_IN: Limit = Limit { failure_count: 5, window: TimeDelta::minutes(15) };

/// A guardian guessing at pupils.
pub const BINDING: Limit = Limit { failure_count: 5, window: TimeDelta::hours(1) };

/// A failure, with a tag by which a repeat of the same request is known and not counted twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When.
    pub at: Moment,
    /// Of which request; empty for one that has no id.
    pub tag: String,
}

/// Too many failures: nothing is tried until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("locked until {until}")]
pub struct Locked {
    /// When the oldest failure that counts no longer does.
    pub until: Moment,
}

/// Gives the failures that still count, oldest first, if one more try is allowed.
///
/// # Errors
/// [`Locked`] when it is not.
pub fn admit(limit: Limit, failures: Vec<Failure>, now: Moment) -> Result<Vec<Failure>, Locked> {
    let counting: Vec<_> = failures.into_iter().filter(|failure| now < failure.at + limit.window).collect();
    // The oldest of the last `failure_count` opens the door again when it no longer counts.
    let oldest = counting.len().checked_sub(limit.failure_count).and_then(|index| counting.get(index));
    match oldest {
        Some(failure) => Err(Locked { until: failure.at + limit.window }),
        None => Ok(counting),
    }
}

/// The failures with one more. The same request failing again is no second failure.
#[must_use]
pub fn fail(mut counting: Vec<Failure>, tag: &str, now: Moment) -> Vec<Failure> {
    if tag.is_empty() || !counting.iter().any(|failure| failure.tag == tag) {
        counting.push(Failure { at: now, tag: tag.to_owned() });
    }
    counting
}

/// The failures without that of the request with `tag`: it was none.
#[must_use]
pub fn take_back(mut counting: Vec<Failure>, tag: &str) -> Vec<Failure> {
    counting.retain(|failure| failure.tag != tag);
    counting
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn at(seconds: i64) -> Moment {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn failures(seconds: &[i64]) -> Vec<Failure> {
        seconds.iter().map(|seconds| Failure { at: at(*seconds), tag: String::new() }).collect()
    }

    #[test]
    fn the_sixth_try_within_the_window_is_refused_until_the_first_failure_is_over() {
        let table: [(&[i64], i64, Result<usize, i64>); 7] = [
            (&[], 0, Ok(0)),
            (&[0, 1, 2, 3], 4, Ok(4)),
            (&[0, 1, 2, 3, 4], 5, Err(900)),
            (&[0, 1, 2, 3, 4], 899, Err(900)),
            (&[0, 1, 2, 3, 4], 900, Ok(4)),
            (&[0, 0, 0, 0, 0], 900, Ok(0)),
            (&[0, 1, 2, 3, 4, 5], 6, Err(901)),
        ];
        for (past, now, expected) in table {
            let admitted = admit(SIGN_IN, failures(past), at(now));
            assert_eq!(
                admitted.map(|counting| counting.len()),
                expected.map_err(|until| Locked { until: at(until) }),
                "{past:?} {now}"
            );
        }
    }

    #[test]
    fn the_same_request_fails_once() {
        let once = fail(Vec::new(), "a", at(0));
        let twice = fail(once.clone(), "a", at(1));

        assert_eq!(once, twice);
        assert_eq!(fail(twice.clone(), "b", at(1)).len(), 2);
        assert_eq!(take_back(twice, "a"), []);
        assert_eq!(fail(fail(Vec::new(), "", at(0)), "", at(1)).len(), 2);
    }
}
