//! Who waits in the queue: how many of one guardian and of one pupil, and how fast the queue is served.
//!
//! Fairness is the order of arrival, so what one family has waiting is bounded: whoever sends fifty at once, from fifty sessions,
//! has no more places in the queue than anybody else.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use shared::pace::Pace;
use shared::status;
use shared::value::{Guardian, Id, Pupil};
use tonic::Status;

use crate::config::Admission;

/// Everybody who waits.
#[derive(Debug)]
pub struct Line {
    guardian_max: usize,
    pupil_max: usize,
    counts: Mutex<Counts>,
    /// How fast it moves.
    pub pace: Pace,
}

#[derive(Debug, Default)]
struct Counts {
    guardians: HashMap<Id<Guardian>, usize>,
    pupils: HashMap<Id<Pupil>, usize>,
}

/// A place in the queue; given back when dropped.
#[derive(Debug)]
pub struct Place {
    line: Arc<Line>,
    guardian_id: Id<Guardian>,
    pupil_id: Id<Pupil>,
}

impl Line {
    /// Nobody waits yet.
    pub fn new(config: &Admission) -> Self {
        Self {
            guardian_max: config.guardian_waiting_count.max(1),
            pupil_max: config.pupil_waiting_count.max(1),
            counts: Mutex::default(),
            pace: Pace::default(),
        }
    }

    /// Takes a place for a guardian's application for a pupil; `waiting_count` wait in all.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED `TOO_MANY_WAITING` (limit_count) when as many of the guardian or of the pupil wait as may.
    pub fn enter(
        self: &Arc<Self>,
        guardian_id: Id<Guardian>,
        pupil_id: Id<Pupil>,
        waiting_count: usize,
    ) -> Result<Place, Status> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let refuse = |limit: usize| {
            let facts = [("limit_count", limit.to_string())];
            Err(status::exhausted_with("TOO_MANY_WAITING", self.pace.retry_after(waiting_count), &facts))
        };
        if count(&counts.guardians, guardian_id) >= self.guardian_max {
            return refuse(self.guardian_max);
        }
        if count(&counts.pupils, pupil_id) >= self.pupil_max {
            return refuse(self.pupil_max);
        }
        *counts.guardians.entry(guardian_id).or_default() += 1;
        *counts.pupils.entry(pupil_id).or_default() += 1;
        Ok(Place { line: self.clone(), guardian_id, pupil_id })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.line.counts.lock().unwrap_or_else(PoisonError::into_inner);
        leave(&mut counts.guardians, self.guardian_id);
        leave(&mut counts.pupils, self.pupil_id);
    }
}

fn count<K: Eq + Hash>(counts: &HashMap<K, usize>, key: K) -> usize {
    counts.get(&key).copied().unwrap_or(0)
}

/// One less; whoever has none left is forgotten.
fn leave<K: Eq + Hash + Copy>(counts: &mut HashMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}
