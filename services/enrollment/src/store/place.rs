//! What pupils have already: their live enrollments, with the time their seats take.

use std::collections::{HashMap, HashSet};

use sea_orm::ConnectionTrait;
use shared::db::Error;
use shared::value::{Id, Pupil};

use super::section;
use crate::domain::admission::Place;
use crate::domain::enrollment::Enrollment;
use crate::domain::section::{Section, Slot};

/// Turns live enrollments into places, by pupil. `known` are sections read already; the others are read now.
///
/// # Errors
/// When the database refuses, or an enrollment's section is missing.
pub async fn of(
    db: &impl ConnectionTrait,
    enrollments: &[Enrollment],
    known: &[Section],
) -> Result<HashMap<Id<Pupil>, Vec<Place>>, Error> {
    let mut sections: HashMap<_, _> =
        known.iter().map(|section| (section.id, (section.title.clone(), section.slots.clone()))).collect();
    let missing: HashSet<_> = enrollments
        .iter()
        .map(|enrollment| enrollment.section_id)
        .filter(|id| !sections.contains_key(id))
        .collect();
    for section in section::find_all(db, missing).await? {
        sections.insert(section.id, (section.title, section.slots));
    }
    let mut places: HashMap<_, Vec<Place>> = HashMap::new();
    for enrollment in enrollments.iter().filter(|enrollment| enrollment.state.is_live()) {
        let (title, slots) = sections
            .get(&enrollment.section_id)
            .ok_or_else(|| Error::inconsistent("enrollment", enrollment.id, "its section is missing"))?;
        places.entry(enrollment.pupil_id).or_default().push(Place {
            enrollment_id: enrollment.id,
            section_id: enrollment.section_id,
            term_id: enrollment.term_id,
            section_title: title.clone(),
            taken_slots: if enrollment.state.takes_time() { slots.clone() } else { Vec::new() },
        });
    }
    Ok(places)
}

/// The slots that seats among `places` take in the section's term.
#[must_use]
pub fn taken_slots(places: Option<&Vec<Place>>, section: &Section) -> Vec<Slot> {
    let places = places.into_iter().flatten().filter(|place| place.term_id == section.term_id);
    places.flat_map(|place| place.taken_slots.iter().copied()).collect()
}
