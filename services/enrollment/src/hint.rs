//! Which sections are known to be full, so that whoever comes next can be told without asking the database.
//!
//! Only the database says that a section is full; a hint repeats it. After [`FRESH`] one application is let through to look again, so
//! that a crowd does not go and look with it, and the others are refused until that one's answer renews the
//! hint or ends it, or [`LIFETIME`] is over. So a hint can refuse for that long after another process gave a seat back, and it can never give a seat. It knows
//! everybody who ever got something in the section: their repeats have an answer of their own, so they are never refused by a hint.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use shared::value::{Id, Pupil, School, Section as SectionKind};

use crate::domain::admission::Application;
use crate::domain::section::{Seats, Section};

/// How long a hint is believed by everybody.
const FRESH: Duration = Duration::from_secs(1);

/// How long a hint is believed at all: while one application looks, too. A seat given back by another process is seen after this.
pub const LIFETIME: Duration = Duration::from_secs(2);

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
    /// When somebody has to look again.
    fresh_until: Instant,
    /// Whether somebody went to.
    is_looked_after: bool,
    /// When this is believed no more.
    ends_at: Instant,
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
        self.refusal_at(Instant::now(), application, school_id)
    }

    fn refusal_at(
        &self,
        now: Instant,
        application: &Application,
        school_id: Option<Id<School>>,
    ) -> Option<Seats> {
        if application.join_waitlist {
            return None;
        }
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let known = full.get_mut(&application.section_id)?;
        let holds = now < known.ends_at
            && school_id == Some(known.school_id)
            && !known.pupils.contains(&application.pupil_id);
        if !holds {
            return None;
        }
        if now >= known.fresh_until && !known.is_looked_after {
            known.is_looked_after = true;
            return None;
        }
        Some(known.seats)
    }

    /// Notes that reading begins; what is read from here on may be kept if no seat is given back meanwhile.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading(self.releases.load(Ordering::SeqCst))
    }

    /// Says whether there is a hint about the section, believed or not.
    #[must_use]
    pub fn is_known(&self, section_id: Id<SectionKind>) -> bool {
        self.full.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&section_id)
    }

    /// Says whether a new hint about the section would tell anything.
    #[must_use]
    pub fn is_missing(&self, section_id: Id<SectionKind>) -> bool {
        let full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        full.get(&section_id).is_none_or(|known| Instant::now() >= known.fresh_until)
    }

    /// Keeps that the section was full, unless a seat was given back since `reading`.
    ///
    /// `open_for` is how long the round lasts from now on, by the clock that decided: what is refused after it has another reason.
    pub fn keep(&self, section: &Section, pupils: HashSet<Id<Pupil>>, open_for: TimeDelta, reading: Reading) {
        let now = Instant::now();
        let open_for = open_for.to_std().unwrap_or_default();
        let known = Full {
            school_id: section.school_id,
            seats: section.seats,
            pupils,
            fresh_until: now + open_for.min(FRESH),
            is_looked_after: false,
            ends_at: now + open_for.min(LIFETIME),
        };
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at under the lock: `forget` counts before it takes it.
        if self.releases.load(Ordering::SeqCst) != reading.0 {
            return;
        }
        full.retain(|_, known| now < known.ends_at);
        full.insert(section.id, known);
    }

    /// Ends the hint about a section that was seen to have a free seat.
    pub fn end(&self, section_id: Id<SectionKind>) {
        self.full.lock().unwrap_or_else(PoisonError::into_inner).remove(&section_id);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::admission::tests::{application, section};

    const HOUR: TimeDelta = TimeDelta::hours(1);

    #[test]
    fn one_looks_again_after_a_second_and_the_others_are_refused_until_it_is_back() {
        let (hints, section) = (Hints::default(), section(1, 0, &[]));
        let ask = |at: Instant, pupil| {
            hints.refusal_at(at, &application(pupil, pupil, 1, false), Some(section.school_id)).is_some()
        };
        hints.keep(&section, HashSet::new(), HOUR, hints.reading());
        let now = Instant::now();
        assert!(ask(now, 1) && !hints.is_missing(section.id));

        let later = now + FRESH;
        assert_eq!([1, 2, 3].map(|pupil| ask(later, pupil)), [false, true, true], "one looks");
        hints.keep(&section, HashSet::new(), HOUR, hints.reading());
        assert!(ask(Instant::now(), 4), "its answer renews the hint");

        let never_back = Instant::now() + LIFETIME;
        assert!([1, 2].iter().all(|pupil| !ask(never_back, *pupil)), "and nobody waits for one that is lost");
    }

    #[test]
    fn a_hint_ends_with_the_round_a_free_seat_and_a_seat_given_back() {
        let (hints, section) = (Hints::default(), section(1, 0, &[]));
        let ask = |at: Instant| {
            hints.refusal_at(at, &application(1, 1, 1, false), Some(section.school_id)).is_some()
        };
        hints.keep(&section, HashSet::new(), TimeDelta::milliseconds(1), hints.reading());
        assert!(!ask(Instant::now() + Duration::from_millis(1)), "the round is over");

        hints.keep(&section, HashSet::new(), HOUR, hints.reading());
        hints.end(section.id);
        assert!(!ask(Instant::now()) && !hints.is_known(section.id));

        let reading = hints.reading();
        hints.forget([section.id]);
        hints.keep(&section, HashSet::new(), HOUR, reading);
        assert!(!ask(Instant::now()), "what was read before the seat came back is not kept");
    }

    #[test]
    fn whoever_has_something_there_is_never_refused_by_a_hint() {
        let (hints, section) = (Hints::default(), section(1, 0, &[]));
        let own = application(1, 1, 1, false);
        hints.keep(&section, HashSet::from([own.pupil_id]), HOUR, hints.reading());
        let ask = |asked: &Application| hints.refusal(asked, Some(section.school_id)).is_some();

        assert!(!ask(&own));
        assert!(ask(&application(2, 2, 1, false)));
        assert!(!ask(&application(2, 2, 1, true)));
        assert!(hints.refusal(&application(2, 2, 1, false), None).is_none(), "not a pupil of the school");
    }
}
