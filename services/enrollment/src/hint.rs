//! Which sections are known to be full, so that whoever comes next can be told without asking the database.
//!
//! Only the database says that a section is full; a hint repeats it for at most [`LIFETIME`]. It can refuse for that long after
//! another process gave a seat back, and it can never give a seat. It knows everybody who ever got something in the section: their
//! repeats have an answer of their own, so they are never refused by a hint.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use shared::value::{Id, Pupil, School, Section as SectionKind};

use crate::domain::admission::Application;
use crate::domain::section::{Seats, Section};

/// How long a hint is believed. A seat given back by another process is seen after this.
pub const LIFETIME: Duration = Duration::from_secs(1);

/// What is known of full sections, for the whole process.
#[derive(Debug, Default)]
pub struct Hints {
    full: Mutex<HashMap<Id<SectionKind>, Full>>,
    /// How often seats were given back here. A hint made from what was read before the last time is not kept.
    releases: AtomicU64,
}

#[derive(Debug)]
struct Full {
    school_id: Id<School>,
    seats: Seats,
    /// Everybody who ever got something here.
    pupils: HashSet<Id<Pupil>>,
    /// When this is believed no more.
    ends_at: Instant,
}

impl Full {
    fn is_believed(&self) -> bool {
        Instant::now() < self.ends_at
    }
}

/// How often seats had been given back when something was read: see [`Hints::reading`].
#[derive(Clone, Copy, Debug)]
pub struct Reading(u64);

impl Hints {
    /// Says how full the section is, if this application is certain to be refused for that.
    ///
    /// `school_id` is the pupil's, as the caller's token has it.
    #[must_use]
    pub fn refusal(&self, application: &Application, school_id: Option<Id<School>>) -> Option<Seats> {
        if application.join_waitlist {
            return None;
        }
        let full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let known = full.get(&application.section_id)?;
        let holds = known.is_believed()
            && school_id == Some(known.school_id)
            && !known.pupils.contains(&application.pupil_id);
        holds.then_some(known.seats)
    }

    /// Notes that reading begins; what is read from here on may be kept if no seat is given back meanwhile.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading(self.releases.load(Ordering::SeqCst))
    }

    /// Says whether a new hint about the section would tell anything.
    #[must_use]
    pub fn is_missing(&self, section_id: Id<SectionKind>) -> bool {
        let full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        full.get(&section_id).is_none_or(|known| !known.is_believed())
    }

    /// Keeps that the section was full, unless a seat was given back since `reading`.
    ///
    /// `open_for` is how long the round lasts from now on, by the clock that decided: what is refused after it has another reason.
    pub fn keep(&self, section: &Section, pupils: HashSet<Id<Pupil>>, open_for: TimeDelta, reading: Reading) {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at under the lock: `forget` counts before it takes it.
        if self.releases.load(Ordering::SeqCst) != reading.0 {
            return;
        }
        full.retain(|_, known| known.is_believed());
        let known = Full {
            school_id: section.school_id,
            seats: section.seats,
            pupils,
            ends_at: Instant::now() + open_for.to_std().unwrap_or_default().min(LIFETIME),
        };
        full.insert(section.id, known);
    }

    /// Forgets sections in which a seat may have come free. Called after the commit that freed it.
    pub fn forget(&self, sections: impl IntoIterator<Item = Id<SectionKind>>) {
        self.releases.fetch_add(1, Ordering::SeqCst);
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        for section in sections {
            full.remove(&section);
        }
    }
}
