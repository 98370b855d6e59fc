//! Time that a test sets.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use crate::clock::{Clock, SharedClock, SystemClock};
use crate::value::Moment;

/// A clock that stands still until it is told otherwise. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct FixedClock(Arc<Mutex<Moment>>);

impl FixedClock {
    /// A clock that shows `moment`.
    #[must_use]
    pub fn at(moment: Moment) -> Self {
        Self(Arc::new(Mutex::new(moment.trunc_subsecs(6))))
    }

    /// The same clock, as the code under test holds it.
    #[must_use]
    pub fn shared(&self) -> SharedClock {
        Arc::new(self.clone())
    }

    /// Lets time pass; backwards if negative.
    pub fn advance(&self, time: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }

    /// Jumps to `moment`.
    pub fn set(&self, moment: Moment) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = moment.trunc_subsecs(6);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_set_by_hand(&self) -> bool {
        true
    }
}

/// A machine's clock that is wrong by a fixed time: fast, or slow if negative.
#[derive(Clone, Copy, Debug)]
pub struct WrongClock(pub TimeDelta);

impl Clock for WrongClock {
    fn now(&self) -> Moment {
        SystemClock.now() + self.0
    }
}

/// Reads a moment as people write it, with its offset: `2026-09-01T12:00:00+08:00`.
#[must_use]
pub fn moment(text: &str) -> Moment {
    let moment = DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    moment.with_timezone(&Utc)
}
