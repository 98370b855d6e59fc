//! From the outcome of a draw to enrollments: seats for those admitted, places in line for those refused.
//!
//! | outcome | the pupil | becomes |
//! |---|---|---|
//! | admitted | can sit | a seat, as any application gets it: in review, held, or confirmed |
//! | admitted | stands in the section's line from before | that place is promoted |
//! | admitted | cannot sit any more ¹ | nothing; the seat is free for the line |
//! | refused | would stand in line and can ² | the next number of the line, in the order of the draw |
//! | refused | stands in the line from before | keeps that place |
//!
//! ¹ left the school, sits elsewhere at that time, or the section was cancelled since the closing.  ² of the school still.

use std::collections::{HashMap, HashSet};

use draw::{Input, Outcome};
use shared::value::{
    Enrollment as EnrollmentKind, Guardian, Id, Moment, Pupil as PupilKind, Section as SectionKind,
};
use uuid::Uuid;

use super::closing::{Listed, section_ids};
use crate::domain::admission::Place;
use crate::domain::enrollment::{self, Change, Enrollment, Event, State, Steps, Terms};
use crate::domain::pupil::Pupil;
use crate::domain::round::Round;
use crate::domain::section::{self, Section};
use crate::domain::term::Ruling;

/// Everything the outcome is held against, as locked. Seating moves it on.
#[derive(Debug)]
pub struct Hall<'a> {
    /// The round.
    pub round: &'a Round,
    /// What the term's policy says.
    pub ruling: &'a Ruling,
    /// The sections of the terms, with nothing promised any more.
    pub sections: &'a mut HashMap<Id<SectionKind>, Section>,
    /// The pupils on the lists.
    pub pupils: &'a HashMap<Id<PupilKind>, Pupil>,
    /// Who handed the wishes in.
    pub guardians: &'a HashMap<Id<PupilKind>, Id<Guardian>>,
    /// What the pupils have.
    pub places: &'a mut HashMap<Id<PupilKind>, Vec<Place>>,
    /// For whom the agreement in force is signed; only where the term asks for one.
    pub signed: &'a HashSet<Id<PupilKind>>,
    /// Places in the lines of these sections from before.
    pub waiting: &'a HashMap<(Id<PupilKind>, Id<SectionKind>), Enrollment>,
}

/// What a draw gives.
#[derive(Debug, Default)]
pub struct Seated {
    /// New enrollments with what others hear, sections in the order of the terms, in each the admitted first.
    pub new: Vec<(Enrollment, Event)>,
    /// Places in line that become seats.
    pub promoted: Vec<(Enrollment, Change)>,
    /// Who was admitted and cannot sit any more.
    pub unseated: HashSet<(Id<PupilKind>, Id<SectionKind>)>,
}

/// Seats a draw. `listed` are those of the input, in the order of its pupils. `ids` gives an id for each new enrollment and one for the
/// request it stands for.
pub fn seat(
    hall: &mut Hall<'_>,
    input: &Input,
    outcome: &Outcome,
    listed: &[Listed],
    mut ids: impl FnMut() -> (Id<EnrollmentKind>, Uuid),
    now: Moment,
) -> Seated {
    let mut seated = Seated::default();
    let sections = section_ids(input.terms());
    for (id, came_to) in sections.iter().zip(&outcome.sections) {
        let Some(id) = *id else { continue };
        for admitted in &came_to.admitted {
            let Some(listed) = listed.get(admitted.pupil.at()) else { continue };
            hall.admit(&mut seated, listed, id, &mut ids, now);
        }
    }
    // Lines are joined once all seats are given: nobody waits for a time just taken, and the order stays the draw's.
    for (id, came_to) in sections.iter().zip(&outcome.sections) {
        let Some(id) = *id else { continue };
        for waiting in &came_to.waitlist {
            let Some(listed) = listed.get(waiting.pupil.at()) else { continue };
            if listed.would_wait(id) {
                hall.join_line(&mut seated, listed, id, &mut ids, now);
            }
        }
    }
    seated
}

impl Hall<'_> {
    const fn terms(&self) -> Terms {
        Terms { fee: self.ruling.fee, waits: self.round.waits, asks_agreement: self.ruling.asks_agreement }
    }

    fn admit(
        &mut self,
        seated: &mut Seated,
        listed: &Listed,
        id: Id<SectionKind>,
        ids: &mut impl FnMut() -> (Id<EnrollmentKind>, Uuid),
        now: Moment,
    ) {
        let (key, terms) = ((listed.pupil_id, id), self.terms());
        let (Some(pupil), Some(section)) = (self.pupils.get(&listed.pupil_id), self.sections.get_mut(&id))
        else {
            seated.unseated.insert(key);
            return;
        };
        let places = self.places.entry(listed.pupil_id).or_default();
        let clashes = |place: &Place| {
            place.term_id == section.term_id
                && section::first_clash(&place.taken_slots, &section.slots).is_some()
        };
        let can_sit = section.state == section::State::Published
            && pupil.is_of(section.school_id)
            && section.seats.has_free()
            && !places.iter().any(clashes);
        if !can_sit {
            seated.unseated.insert(key);
            return;
        }
        let is_signed = self.signed.contains(&listed.pupil_id);
        if let Some(waiting) = self.waiting.get(&key) {
            // Whoever is `waiting` stands in line.
            if let Ok(change) = enrollment::promote(waiting, is_signed, now) {
                section.seats.taken_count += 1;
                section.seats.waitlisted_count -= 1;
                if let Some(place) = places.iter_mut().find(|place| place.enrollment_id == waiting.id) {
                    place.taken_slots.clone_from(&section.slots);
                }
                seated.promoted.push((waiting.clone(), change));
            }
            return;
        }
        let Some(guardian_id) = self.guardians.get(&listed.pupil_id) else {
            seated.unseated.insert(key);
            return;
        };
        section.seats.taken_count += 1;
        let steps = Steps::applied(&self.ruling.steps, now);
        let (state, event) = enrollment::seat(&steps, &terms, is_signed, false, now);
        let join_waitlist = listed.would_wait(id);
        let enrollment = made(section, pupil, *guardian_id, terms, steps, state, ids(), join_waitlist, now);
        places.push(place(&enrollment, section));
        seated.new.push((enrollment, event));
    }

    fn join_line(
        &mut self,
        seated: &mut Seated,
        listed: &Listed,
        id: Id<SectionKind>,
        ids: &mut impl FnMut() -> (Id<EnrollmentKind>, Uuid),
        now: Moment,
    ) {
        let terms = self.terms();
        let (Some(pupil), Some(section), Some(guardian_id)) = (
            self.pupils.get(&listed.pupil_id),
            self.sections.get_mut(&id),
            self.guardians.get(&listed.pupil_id),
        ) else {
            return;
        };
        let places = self.places.entry(listed.pupil_id).or_default();
        let has_place = places.iter().any(|place| place.section_id == id);
        if section.state != section::State::Published || !pupil.is_of(section.school_id) || has_place {
            return;
        }
        section.seats.waitlisted_count += 1;
        section.seats.last_waitlist_number += 1;
        let state = State::Waitlisted { number: section.seats.last_waitlist_number };
        let event = Event::Waitlisted { position: section.seats.waitlisted_count };
        let steps = Steps::applied(&self.ruling.steps, now);
        let enrollment = made(section, pupil, *guardian_id, terms, steps, state, ids(), true, now);
        places.push(place(&enrollment, section));
        seated.new.push((enrollment, event));
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "an enrollment has that many parts, and each is another's to know"
)]
fn made(
    section: &Section,
    pupil: &Pupil,
    guardian_id: Id<Guardian>,
    terms: Terms,
    steps: Steps,
    state: State,
    (id, request_id): (Id<EnrollmentKind>, Uuid),
    join_waitlist: bool,
    now: Moment,
) -> Enrollment {
    Enrollment {
        id,
        district_id: section.district_id,
        school_id: section.school_id,
        pupil_id: pupil.id,
        pupil_path: pupil.path.clone(),
        section_id: section.id,
        term_id: section.term_id,
        guardian_id,
        request_id,
        join_waitlist,
        terms,
        created_at: now,
        steps,
        state,
    }
}

fn place(enrollment: &Enrollment, section: &Section) -> Place {
    Place {
        enrollment_id: enrollment.id,
        section_id: section.id,
        term_id: section.term_id,
        section_title: section.title.clone(),
        taken_slots: if enrollment.state.holds_seat() { section.slots.clone() } else { Vec::new() },
    }
}

#[cfg(test)]
mod tests {
    use draw::Seed;

    use super::*;
    use crate::domain::admission::tests::{id, section, slot};
    use crate::domain::draw::closing::tests::{close_with, entrant, seat as seat_of, terms_of};
    use crate::domain::draw::closing::{Closed, Entrant};
    use crate::domain::draw::terms::tests::round;
    use crate::domain::enrollment::Fee;
    use crate::domain::enrollment::tests::at;
    use crate::domain::pupil::Standing;

    struct World {
        closed: Closed,
        outcome: Outcome,
        sections: HashMap<Id<SectionKind>, Section>,
        pupils: HashMap<Id<PupilKind>, Pupil>,
        places: HashMap<Id<PupilKind>, Vec<Place>>,
        guardians: HashMap<Id<PupilKind>, Id<Guardian>>,
    }

    fn world(menu: &[Section], entrants: &[Entrant]) -> World {
        let closed = close_with(terms_of(menu, &[]), menu, entrants);
        let outcome = draw::run(&closed.input, &Seed::rehearsal("seating"));
        World {
            closed,
            outcome,
            sections: menu.iter().map(|section| (section.id, section.clone())).collect(),
            pupils: entrants.iter().map(|one| (one.pupil.id, one.pupil.clone())).collect(),
            places: entrants.iter().map(|one| (one.pupil.id, one.places.clone())).collect(),
            guardians: entrants.iter().map(|one| (one.pupil.id, id(7))).collect(),
        }
    }

    fn seated(world: &mut World) -> Seated {
        let ruling = Ruling { steps: Vec::new(), fee: Fee::Free, asks_agreement: false };
        let mut next = 1_000_000;
        let ids = || {
            next += 1;
            (id(next), Uuid::from_u128(next))
        };
        let mut hall = Hall {
            round: &round(),
            ruling: &ruling,
            sections: &mut world.sections,
            pupils: &world.pupils,
            guardians: &world.guardians,
            places: &mut world.places,
            signed: &HashSet::new(),
            waiting: &HashMap::new(),
        };
        seat(&mut hall, &world.closed.input, &world.outcome, &world.closed.listed, ids, at(1))
    }

    #[test]
    fn seats_and_numbers_in_line_follow_the_draw() {
        let menu = [section(500, 2, &[slot(1, 960)])];
        let entrants: Vec<_> = (1..=5).map(|pupil| entrant(pupil, &[&[500]])).collect();
        let mut world = world(&menu, &entrants);

        let seated = seated(&mut world);

        let pupil = |at: draw::PupilIndex| world.closed.listed[at.at()].pupil_id;
        let admitted: Vec<_> =
            world.outcome.sections[0].admitted.iter().map(|one| pupil(one.pupil)).collect();
        let line: Vec<_> = world.outcome.sections[0].waitlist.iter().map(|one| pupil(one.pupil)).collect();
        let got = |wanted: bool| -> Vec<_> {
            let new = seated.new.iter().filter(|(one, _)| one.state.holds_seat() == wanted);
            new.map(|(one, _)| one.pupil_id).collect()
        };
        assert_eq!((got(true), got(false)), (admitted, line));
        let numbers = seated.new.iter().filter_map(|(one, _)| match one.state {
            State::Waitlisted { number } => Some(number),
            _ => None,
        });
        assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3]);
        let seats = world.sections[&id(500)].seats;
        assert_eq!((seats.taken_count, seats.waitlisted_count, seats.last_waitlist_number), (2, 3, 3));
    }

    #[test]
    fn who_got_a_dearer_wish_waits_in_no_line_of_a_lesser_one() {
        let menu = [section(500, 1, &[slot(1, 960)]), section(501, 9, &[slot(1, 960)])];
        let entrants: Vec<_> = (1..=3).map(|pupil| entrant(pupil, &[&[500, 501]])).collect();
        let mut world = world(&menu, &entrants);

        let seated = seated(&mut world);

        let in_line: Vec<_> = seated
            .new
            .iter()
            .filter(|(one, _)| one.state.is_waitlisted())
            .map(|(one, _)| one.section_id)
            .collect();
        assert_eq!(in_line, [id(500), id(500)]);
        assert_eq!(world.sections[&id(501)].seats.taken_count, 2);
    }

    #[test]
    fn a_family_that_would_not_stand_in_line_does_not() {
        let menu = [section(500, 1, &[slot(1, 960)])];
        let mut entrants: Vec<_> = (1..=3).map(|pupil| entrant(pupil, &[&[500]])).collect();
        for entrant in &mut entrants {
            entrant.wishes.as_mut().unwrap().lists[0].stand_in_line = false;
        }

        assert_eq!(seated(&mut world(&menu, &entrants)).new.len(), 1);
    }

    #[test]
    fn who_cannot_sit_any_more_leaves_the_seat_free() {
        let menu = [section(500, 1, &[slot(1, 960)])];
        let care = section(600, 30, &[slot(1, 990)]);
        let elsewhere = |world: &mut World| {
            world.places.insert(id(1), vec![seat_of(&care)]);
        };
        let left = |world: &mut World| {
            world.pupils.get_mut(&id(1)).unwrap().standing = Standing::Left;
        };
        let cancelled = |world: &mut World| {
            let state = section::State::Cancelled { reason: "停课".to_owned() };
            world.sections.get_mut(&id(500)).unwrap().state = state;
        };
        let changes: [&dyn Fn(&mut World); 3] = [&elsewhere, &left, &cancelled];
        for change in changes {
            let mut world = world(&menu, &[entrant(1, &[&[500]])]);
            change(&mut world);

            let seated = seated(&mut world);

            assert_eq!(seated.unseated, HashSet::from([(id(1), id(500))]));
            assert!(seated.new.is_empty());
            assert_eq!(world.sections[&id(500)].seats.taken_count, 0);
        }
    }
}
