//! How fast a queue is served, as measured, and so how long whoever finds it full should stay away.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::random;

/// Nobody is sent away for less: coming back costs both sides something.
const SHORTEST: Duration = Duration::from_millis(500);

/// Nor for longer: what is measured now says little about a minute from now.
const LONGEST: Duration = Duration::from_secs(30);

/// The wait while nothing has been measured.
const UNKNOWN: Duration = Duration::from_millis(600);

/// The pace at which a queue is served.
#[derive(Debug, Default)]
pub struct Pace {
    /// How long one takes, in nanoseconds; none before the first measurement.
    each: Mutex<Option<u64>>,
}

impl Pace {
    /// Notes that serving `count` took `busy`. The newest measurement counts three parts in ten.
    pub fn served(&self, count: usize, busy: Duration) {
        let count = u128::try_from(count).unwrap_or(u128::MAX).max(1);
        let measured = u64::try_from(busy.as_nanos() / count).unwrap_or(u64::MAX);
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        *each = Some(match *each {
            Some(before) => before.saturating_mul(7).saturating_add(measured.saturating_mul(3)) / 10,
            None => measured,
        });
    }

    /// How long until `waiting_count` who wait have been served: at least half a second, at most half a minute.
    #[must_use]
    pub fn clears_in(&self, waiting_count: usize) -> Duration {
        let each = *self.each.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = u64::try_from(waiting_count).unwrap_or(u64::MAX);
        match each {
            Some(each) => Duration::from_nanos(each.saturating_mul(waiting)).clamp(SHORTEST, LONGEST),
            None => UNKNOWN,
        }
    }

    /// How long one who came when `waiting_count` waited should stay away: until these have been served, and up to half as long
    /// again, by chance, so that those turned away together do not come back together.
    #[must_use]
    pub fn retry_after(&self, waiting_count: usize) -> Duration {
        let clear = self.clears_in(waiting_count);
        let chance = u32::from(u16::from_be_bytes(random::bytes()));
        clear + clear * chance / (2 * u32::from(u16::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_what_the_queue_needs_at_the_pace_it_was_served() {
        let pace = Pace::default();
        pace.served(100, Duration::from_millis(50));

        assert_eq!(pace.clears_in(4_000), Duration::from_secs(2));
        for _ in 0..100 {
            let wait = pace.retry_after(4_000);
            assert!(wait >= Duration::from_secs(2) && wait <= Duration::from_secs(3), "{wait:?}");
        }
    }

    #[test]
    fn those_turned_away_together_do_not_come_back_together() {
        let pace = Pace::default();
        pace.served(1_000, Duration::from_secs(1));

        let waits: std::collections::BTreeSet<_> = (0..50).map(|_| pace.retry_after(10_000)).collect();

        assert!(waits.len() > 25, "{waits:?}");
    }

    #[test]
    fn a_slower_database_is_noticed() {
        let pace = Pace::default();
        pace.served(1_000, Duration::from_millis(100));
        for _ in 0..30 {
            pace.served(1_000, Duration::from_secs(1));
        }

        // at 1,000 a second
        let clears = pace.clears_in(5_000);
        assert!(clears > Duration::from_millis(4_950) && clears <= Duration::from_secs(5), "{clears:?}");
    }

    #[test]
    fn the_wait_has_a_floor_and_a_ceiling_and_a_guess_before_the_first_measurement() {
        let pace = Pace::default();
        assert_eq!(pace.clears_in(9), UNKNOWN);
        pace.served(1, Duration::from_secs(10));

        assert_eq!(pace.clears_in(0), SHORTEST);
        assert_eq!(pace.clears_in(usize::MAX), LONGEST);
    }
}
