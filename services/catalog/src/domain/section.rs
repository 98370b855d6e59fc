//! A section's life, and what a timetable allows.
//!
//! | from ↓ command → | publish      | cancel            |
//! |------------------|--------------|-------------------|
//! | Arranged         | Published ¹  | Cancelled ²       |
//! | Published        | no change    | Cancelled         |
//! | Cancelled        | Cancelled    | no change         |
//!
//! ¹ only when its course is approved and the menu as a whole may be offered, see [`super::menu`].
//! ² nobody was told of it, so nobody is told now.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use policy::vocabulary::{ContentKind, Stage};
use shared::value::{self, Id};

use super::course::{self, Course};
use super::slot::Slot;
use super::term::Term;

/// A course given to one group in given slots of one term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its id.
    pub id: Id<value::Section>,
    /// The term.
    pub term_id: Id<value::Term>,
    /// What is given.
    pub course: Course,
    /// How it is arranged.
    pub arrangement: Arrangement,
    /// Where it stands.
    pub state: State,
}

impl Section {
    /// Says whether it is basic care, which is never refused for capacity.
    #[must_use]
    pub fn is_basic_care(&self) -> bool {
        self.course.content.kind == ContentKind::BasicCare
    }
}

/// For whom, when, where and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrangement {
    /// How many pupils at most, 1 to 500.
    pub capacity_count: u32,
    /// The grades it is for, each 1 to 9.
    pub grades: BTreeSet<u32>,
    /// Its weekly slots, by weekday and start.
    pub slots: Vec<Slot>,
    /// Where; empty when that is not fixed.
    pub room: String,
    /// By whom, as shown to parents; empty when that is not fixed.
    pub instructor_name: String,
}

/// Where a section stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not yet on the menu.
    Arranged,
    /// On the menu.
    Published,
    /// Given up.
    Cancelled {
        /// Why, for the families.
        reason: String,
    },
}

impl State {
    /// Says whether it still takes up its room and its instructor.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        match self {
            Self::Arranged | Self::Published => true,
            Self::Cancelled { .. } => false,
        }
    }
}

/// What a cancellation tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// Whether it was on the menu, which has changed then.
    pub was_published: bool,
}

/// Why a section may not be arranged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Its course is not approved.
    #[error("the course is not approved")]
    CourseNotApproved {
        /// The course.
        course_id: Id<value::Course>,
    },
    /// A grade is not taught at the school.
    #[error("grade {grade} is not of {stage:?}")]
    GradeOfOtherStage {
        /// The grade.
        grade: u32,
        /// The school's stage.
        stage: Stage,
    },
    /// A slot is not one of the term.
    #[error("slot {slot_id} is of another term")]
    SlotOfOtherTerm {
        /// The slot.
        slot_id: Id<value::Slot>,
    },
    /// Two of its own slots share a minute.
    #[error("slots {one} and {other} overlap")]
    SlotsOverlap {
        /// One of them.
        one: Id<value::Slot>,
        /// The other.
        other: Id<value::Slot>,
    },
    /// The room has another section at that time.
    #[error("the room is taken by section {section_id}")]
    RoomTaken {
        /// That section.
        section_id: Id<value::Section>,
        /// The slot of the new section that meets it.
        slot_id: Id<value::Slot>,
    },
    /// The instructor has another section at that time.
    #[error("the instructor is taken by section {section_id}")]
    InstructorTaken {
        /// That section.
        section_id: Id<value::Section>,
        /// The slot of the new section that meets it.
        slot_id: Id<value::Slot>,
    },
}

/// The grades a stage teaches, first and last.
#[must_use]
pub const fn grades_of(stage: Stage) -> (u32, u32) {
    match stage {
        Stage::Primary => (1, 6),
        Stage::Junior => (7, 9),
    }
}

/// Judges whether a section may be arranged. `wanted` are the slots asked for; `term_slots` those of the term; `timetable` what is
/// booked in it so far.
///
/// Gives the slots by weekday and start.
///
/// # Errors
/// [`Error`], the first that applies: the course, grades, slots, room, instructor.
pub fn arrange(
    course: &Course,
    term: &Term,
    arrangement: Arrangement,
    timetable: &Timetable,
) -> Result<Arrangement, Error> {
    if course.state != course::State::Approved {
        return Err(Error::CourseNotApproved { course_id: course.id });
    }
    fit(term, &arrangement)?;
    timetable.has_room_for(&arrangement)?;
    Ok(arrangement)
}

/// Finds slots of a term by their ids, and puts them in the order of the week.
///
/// # Errors
/// [`Error::SlotOfOtherTerm`] for the first that is not there.
pub fn choose(wanted: &[Id<value::Slot>], term_slots: &[Slot]) -> Result<Vec<Slot>, Error> {
    let by_id: BTreeMap<_, _> = term_slots.iter().map(|slot| (slot.id, *slot)).collect();
    let find = |slot_id: &Id<value::Slot>| {
        by_id.get(slot_id).copied().ok_or(Error::SlotOfOtherTerm { slot_id: *slot_id })
    };
    let mut slots: Vec<Slot> = wanted.iter().map(find).collect::<Result<_, _>>()?;
    slots.sort_by_key(|slot| slot.period.order());
    Ok(slots)
}

/// Judges what a section asks for by itself: grades within the stage, no two slots at once.
///
/// # Errors
/// [`Error::GradeOfOtherStage`] or [`Error::SlotsOverlap`].
pub fn fit(term: &Term, arrangement: &Arrangement) -> Result<(), Error> {
    let (first, last) = grades_of(term.stage);
    if let Some(grade) = arrangement.grades.iter().find(|grade| !(first..=last).contains(*grade)) {
        return Err(Error::GradeOfOtherStage { grade: *grade, stage: term.stage });
    }
    for (index, one) in arrangement.slots.iter().enumerate() {
        let later = arrangement.slots.iter().skip(index + 1);
        if let Some(other) = later.into_iter().find(|other| one.period.overlaps(&other.period)) {
            return Err(Error::SlotsOverlap { one: one.id, other: other.id });
        }
    }
    Ok(())
}

/// Who and what is booked when, over the live sections of one term.
#[derive(Clone, Debug, Default)]
pub struct Timetable {
    rooms: HashMap<String, Vec<(Slot, Id<value::Section>)>>,
    instructors: HashMap<String, Vec<(Slot, Id<value::Section>)>>,
}

impl Timetable {
    /// Puts the live ones of `sections` into a timetable.
    #[must_use]
    pub fn of<'a>(sections: impl IntoIterator<Item = &'a Section>) -> Self {
        let mut timetable = Self::default();
        for section in sections.into_iter().filter(|section| section.state.is_live()) {
            timetable.book(section.id, &section.arrangement);
        }
        timetable
    }

    /// Books a section.
    pub fn book(&mut self, id: Id<value::Section>, arrangement: &Arrangement) {
        let Arrangement { slots, room, instructor_name, .. } = arrangement;
        for (name, bookings) in [(room, &mut self.rooms), (instructor_name, &mut self.instructors)] {
            if !name.is_empty() {
                bookings.entry(name.clone()).or_default().extend(slots.iter().map(|slot| (*slot, id)));
            }
        }
    }

    /// Judges whether room and instructor are free. A name that is empty stands for nobody and is always free.
    ///
    /// # Errors
    /// [`Error::RoomTaken`] or [`Error::InstructorTaken`].
    pub fn has_room_for(&self, arrangement: &Arrangement) -> Result<(), Error> {
        if let Some((slot_id, section_id)) = meeting(&self.rooms, &arrangement.room, &arrangement.slots) {
            return Err(Error::RoomTaken { section_id, slot_id });
        }
        match meeting(&self.instructors, &arrangement.instructor_name, &arrangement.slots) {
            Some((slot_id, section_id)) => Err(Error::InstructorTaken { section_id, slot_id }),
            None => Ok(()),
        }
    }
}

fn meeting(
    bookings: &HashMap<String, Vec<(Slot, Id<value::Section>)>>,
    name: &str,
    slots: &[Slot],
) -> Option<(Id<value::Slot>, Id<value::Section>)> {
    let booked = bookings.get(name)?;
    let meets = |slot: &Slot| {
        let other = booked.iter().find(|(other, _)| other.period.overlaps(&slot.period))?;
        Some((slot.id, other.1))
    };
    slots.iter().find_map(meets)
}

/// Cancels a section. Without a [`Cancelled`] it was so already, and its first reason stays.
#[must_use]
pub fn cancel(state: &State, reason: &str) -> (State, Option<Cancelled>) {
    let cancelled = || State::Cancelled { reason: reason.to_owned() };
    match state {
        State::Arranged => (cancelled(), Some(Cancelled { was_published: false })),
        State::Published => (cancelled(), Some(Cancelled { was_published: true })),
        State::Cancelled { .. } => (state.clone(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancelling_tells_once_and_keeps_the_first_reason() {
        let cancelled = State::Cancelled { reason: "停课".to_owned() };
        let table = [
            (State::Arranged, (cancelled.clone(), Some(Cancelled { was_published: false }))),
            (State::Published, (cancelled.clone(), Some(Cancelled { was_published: true }))),
        ];
        for (state, expected) in table {
            assert_eq!(cancel(&state, "停课"), expected, "{state:?}");
        }
        assert_eq!(cancel(&cancelled, "另一原因"), (cancelled.clone(), None));
    }
}
