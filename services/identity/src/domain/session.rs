//! How long a sign-in lasts: it ends when it has not been used for its lifetime. Each use moves the end.

use chrono::TimeDelta;
use shared::value::Moment;

/// The end after a use at `now`, or none when it would move by less than a hundredth of the lifetime: not worth a write.
#[must_use]
pub fn extend(expires_at: Moment, lifetime: TimeDelta, now: Moment) -> Option<Moment> {
    let end = now + lifetime;
    (end - expires_at > lifetime / 100).then_some(end)
}

/// Says whether a session has ended. At `expires_at` it has.
#[must_use]
pub fn has_ended(expires_at: Moment, now: Moment) -> bool {
    expires_at <= now
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_use_moves_the_end_when_it_moves_far_enough() {
        let begun_at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let lifetime = TimeDelta::hours(8);
        let expires_at = begun_at + lifetime;

        assert_eq!(extend(expires_at, lifetime, begun_at + TimeDelta::minutes(4)), None);
        let used_at = begun_at + TimeDelta::minutes(5);
        assert_eq!(extend(expires_at, lifetime, used_at), Some(used_at + lifetime));
    }

    #[test]
    fn a_session_ends_at_its_moment() {
        let expires_at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();

        assert!(!has_ended(expires_at, expires_at - TimeDelta::microseconds(1)));
        assert!(has_ended(expires_at, expires_at));
    }
}
