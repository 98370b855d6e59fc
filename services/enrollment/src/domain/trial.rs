//! Trials (体验): one lesson of a section that families may try before they choose. A place in it is no seat; nothing is charged for it,
//! whatever comes of it.
//!
//! | from ↓ command → | book | cancel |
//! |---|---|---|
//! | (none), Cancelled, Declined | Booked ¹ | – |
//! | Booked | no change | Cancelled ² or Declined |
//! | Cancelled, Declined | – | no change |
//!
//! ¹ a booking of its own; before the lesson starts.  ² before the lesson starts, which frees the place; Declined from then on.

use chrono::NaiveDate;
use shared::value::{
    Booking as BookingKind, District, Enrollment as EnrollmentKind, Guardian, Id, Moment, Pupil as PupilKind,
    School, Section as SectionKind, Slot as SlotKind, Term, Trial as TrialKind,
};
use uuid::Uuid;

use super::admission::Place;
use super::pupil::Pupil;
use super::section::{self, Section};

/// A lesson offered for trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The trial.
    pub id: Id<TrialKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The ids district, town, school.
    pub path: Vec<Uuid>,
    /// The term.
    pub term_id: Id<Term>,
    /// The section.
    pub section_id: Id<SectionKind>,
    /// The day.
    pub day: NaiveDate,
    /// The slot.
    pub slot_id: Id<SlotKind>,
    /// When the lesson starts.
    pub starts_at: Moment,
    /// When it ends.
    pub ends_at: Moment,
    /// How many places there are, 1 to 500.
    pub place_count: i32,
    /// How many are booked.
    pub booked_count: i32,
}

/// A pupil's place in a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// The booking.
    pub id: Id<BookingKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The trial.
    pub trial_id: Id<TrialKind>,
    /// The pupil.
    pub pupil_id: Id<PupilKind>,
    /// Who booked it.
    pub guardian_id: Id<Guardian>,
    /// When it was booked.
    pub created_at: Moment,
    /// Where it stands.
    pub state: State,
}

/// Where a booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The pupil has the place.
    Booked,
    /// Given back before the lesson.
    Cancelled,
    /// Tried, and not wanted.
    Declined,
}

/// Why a trial is not offered or booked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The lesson has begun.
    #[error("begun at {starts_at}")]
    Past {
        /// When.
        starts_at: Moment,
    },
    /// Every place is booked.
    #[error("all of {place_count} places are booked")]
    Full {
        /// How many there are.
        place_count: i32,
    },
    /// The section is not on the menu.
    #[error("not on the menu")]
    NotPublished,
    /// The section is another school's.
    #[error("not of this school")]
    NotOfThisSchool,
    /// The section is for other grades.
    #[error("for other grades")]
    GradeNotAdmitted {
        /// These, ascending.
        grades: Vec<i32>,
    },
    /// The pupil has a place in the section: there is nothing to try.
    #[error("already enrolled by {enrollment_id}")]
    AlreadyEnrolled {
        /// That enrollment.
        enrollment_id: Id<EnrollmentKind>,
    },
    /// The pupil sits elsewhere at that time.
    #[error("the time is taken by a seat")]
    SlotTaken {
        /// That section's title.
        section_title: String,
    },
    /// The pupil tries something else at that time.
    #[error("the time is taken by another trial")]
    Clashes {
        /// That section's title.
        section_title: String,
    },
}

/// Another trial the pupil has a place in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its section's title.
    pub section_title: String,
    /// When its lesson starts.
    pub starts_at: Moment,
    /// When its lesson ends.
    pub ends_at: Moment,
}

/// Lets a lesson be offered.
///
/// # Errors
/// [`Error::Past`].
pub fn offer(starts_at: Moment, now: Moment) -> Result<(), Error> {
    if now < starts_at { Ok(()) } else { Err(Error::Past { starts_at }) }
}

/// Books a place in a locked trial for a pupil who has none in it. `places` is what the pupil has in the term, `others` the pupil's
/// other trials. Gives how many places are booked from now on.
///
/// # Errors
/// The first that holds, in the order of [`Error`].
pub fn book(
    trial: &Trial,
    section: &Section,
    pupil: &Pupil,
    places: &[Place],
    others: &[Other],
    now: Moment,
) -> Result<i32, Error> {
    offer(trial.starts_at, now)?;
    if trial.booked_count >= trial.place_count {
        return Err(Error::Full { place_count: trial.place_count });
    }
    if section.state != section::State::Published {
        return Err(Error::NotPublished);
    }
    if !pupil.is_of(trial.school_id) {
        return Err(Error::NotOfThisSchool);
    }
    if !section.grades.contains(&pupil.grade) {
        return Err(Error::GradeNotAdmitted { grades: section.grades.clone() });
    }
    if let Some(place) = places.iter().find(|place| place.section_id == section.id) {
        return Err(Error::AlreadyEnrolled { enrollment_id: place.enrollment_id });
    }
    let tried: Vec<_> = section.slots.iter().filter(|slot| slot.id == trial.slot_id).copied().collect();
    let clashes = |place: &&Place| {
        place.term_id == trial.term_id && section::first_clash(&tried, &place.taken_slots).is_some()
    };
    if let Some(place) = places.iter().find(clashes) {
        return Err(Error::SlotTaken { section_title: place.section_title.clone() });
    }
    let meets = |other: &&Other| trial.starts_at < other.ends_at && other.starts_at < trial.ends_at;
    if let Some(other) = others.iter().find(meets) {
        return Err(Error::Clashes { section_title: other.section_title.clone() });
    }
    Ok(trial.booked_count + 1)
}

/// Gives a place back; gives its state from now on and how many places are booked then. None: nothing changes.
#[must_use]
pub fn cancel(trial: &Trial, booking: &Booking, now: Moment) -> Option<(State, i32)> {
    match booking.state {
        State::Booked if now < trial.starts_at => Some((State::Cancelled, trial.booked_count - 1)),
        State::Booked => Some((State::Declined, trial.booked_count)),
        State::Cancelled | State::Declined => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::admission::tests::{id, section, slot, snapshot};
    use crate::domain::enrollment::tests::at;

    fn trial(booked_count: i32) -> Trial {
        let section = section(500, 30, &[slot(1, 960)]);
        Trial {
            id: id(1),
            district_id: section.district_id,
            school_id: section.school_id,
            path: Vec::new(),
            term_id: section.term_id,
            section_id: section.id,
            day: NaiveDate::default(),
            slot_id: section.slots[0].id,
            starts_at: at(100),
            ends_at: at(200),
            place_count: 2,
            booked_count,
        }
    }

    fn place(number: u128, start_minute: i32) -> Place {
        Place {
            enrollment_id: id(7),
            section_id: id(number),
            term_id: trial(0).term_id,
            section_title: "合唱".to_owned(),
            taken_slots: vec![slot(1, start_minute)],
        }
    }

    #[test]
    fn c43_a_place_is_booked_until_the_lesson_starts_and_while_there_is_one() {
        let own = section(500, 30, &[slot(1, 960)]);
        let pupil = snapshot(Vec::new()).pupils[&id(1)].clone();
        let book = |trial: &Trial, places: &[Place], others: &[Other], now| {
            book(trial, &own, &pupil, places, others, now)
        };
        assert_eq!(book(&trial(1), &[], &[], at(99)), Ok(2));
        assert_eq!(book(&trial(1), &[], &[], at(100)), Err(Error::Past { starts_at: at(100) }));
        assert_eq!(book(&trial(2), &[], &[], at(0)), Err(Error::Full { place_count: 2 }));
        let here = Err(Error::AlreadyEnrolled { enrollment_id: id(7) });
        assert_eq!(book(&trial(0), &[place(500, 960)], &[], at(0)), here);
        let title = || "合唱".to_owned();
        let taken = Err(Error::SlotTaken { section_title: title() });
        assert_eq!(book(&trial(0), &[place(501, 990)], &[], at(0)), taken);
        assert_eq!(book(&trial(0), &[place(501, 1020)], &[], at(0)), Ok(1));
        let other =
            |from: i64, to: i64| Other { section_title: title(), starts_at: at(from), ends_at: at(to) };
        let clash = Err(Error::Clashes { section_title: title() });
        assert_eq!(book(&trial(0), &[], &[other(199, 300)], at(0)), clash);
        assert_eq!(book(&trial(0), &[], &[other(200, 300), other(0, 100)], at(0)), Ok(1));
    }

    #[test]
    fn c43_before_the_lesson_a_place_is_cancelled_and_from_its_start_on_declined() {
        let booked = Booking {
            id: id(1),
            district_id: id(2),
            trial_id: id(1),
            pupil_id: id(1),
            guardian_id: id(3),
            created_at: at(0),
            state: State::Booked,
        };
        let before = at(100) - TimeDelta::microseconds(1);
        assert_eq!(cancel(&trial(2), &booked, before), Some((State::Cancelled, 1)));
        assert_eq!(cancel(&trial(2), &booked, at(100)), Some((State::Declined, 2)));
        for state in [State::Cancelled, State::Declined] {
            assert_eq!(cancel(&trial(2), &Booking { state, ..booked.clone() }, at(0)), None);
        }
    }
}
