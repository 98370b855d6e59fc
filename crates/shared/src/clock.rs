//! The time of day. The only place that asks the operating system for it.

use std::sync::Arc;

use chrono::{SubsecRound as _, Utc};

use crate::value::Moment;

/// Tells the time. An argument of whatever needs it, so that a test can set it.
pub trait Clock: Send + Sync {
    /// The present moment, to the microsecond: what both databases keep, so that a value read back equals the
    /// one written.
    fn now(&self) -> Moment;

    /// Whether somebody sets it by hand, as a test does. Such a clock is believed; any other is a machine's, and where several
    /// machines must agree on the moment they ask the database they share ([`crate::db::Tx::now`]).
    fn is_set_by_hand(&self) -> bool {
        false
    }
}

/// A clock that many tasks hold.
pub type SharedClock = Arc<dyn Clock>;

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The operating system's clock, to be held by many.
    #[must_use]
    pub fn shared() -> SharedClock {
        Arc::new(Self)
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one home of the time of day")]
    fn now(&self) -> Moment {
        Utc::now().trunc_subsecs(6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_has_no_more_than_microseconds() {
        for _ in 0..1_000 {
            assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
        }
    }
}
