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

/// How much the newest measurement counts.
const WEIGHT: f64 = 0.3;

/// The pace at which a queue is served.
#[derive(Debug, Default)]
pub struct Pace {
    /// Served per second; none before the first measurement.
    per_second: Mutex<Option<f64>>,
}

impl Pace {
    /// Notes that serving `count` took `busy`.
    pub fn served(&self, count: usize, busy: Duration) {
        let seconds = busy.as_secs_f64().max(1e-6);
        #[expect(clippy::cast_precision_loss, reason = "a queue is far shorter than 2^52")]
        let measured = count as f64 / seconds;
        let mut per_second = self.per_second.lock().unwrap_or_else(PoisonError::into_inner);
        *per_second = Some(match *per_second {
            Some(before) => before + WEIGHT * (measured - before),
            None => measured,
        });
    }

    /// How many are served per second; none while nothing has been measured.
    #[must_use]
    pub fn per_second(&self) -> Option<f64> {
        *self.per_second.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long until `waiting_count` who wait have been served: at least half a second, at most half a minute.
    #[must_use]
    pub fn clears_in(&self, waiting_count: usize) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a queue is far shorter than 2^52")]
        let seconds = self.per_second().map(|per_second| waiting_count as f64 / per_second.max(1e-3));
        match seconds {
            Some(seconds) => {
                Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64())).clamp(SHORTEST, LONGEST)
            }
            None => UNKNOWN,
        }
    }

    /// How long one who came when `waiting_count` waited should stay away: until these have been served, and up to half as long
    /// again, by chance, so that those turned away together do not come back together.
    #[must_use]
    pub fn retry_after(&self, waiting_count: usize) -> Duration {
        let clear = self.clears_in(waiting_count);
        clear + clear.mul_f64(f64::from(u16::from_be_bytes(random::bytes())) / f64::from(u16::MAX) / 2.0)
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

        assert!((pace.per_second().unwrap() - 1_000.0).abs() < 10.0);
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
