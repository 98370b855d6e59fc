//! What becomes of one application, given all that is locked for its group.
//!
//! Applications are decided one after another in the order of arrival; each sees what the ones before it took. What is true of
//! the section and its term is looked at before what is true of the pupil, so that whoever remembers a full section gives the
//! same reason without asking:
//!
//! | # | looked at | refused with |
//! |---|---|---|
//! | 1 | the request id | the first answer again, or `RequestReused` |
//! | 2 | pupil and section are known | `PupilUnknown`, `SectionUnknown` |
//! | 3 | the school | `NotOfThisSchool` |
//! | 4 | the menu | `NotPublished` |
//! | 5 | the round | `Round` |
//! | 6 | the policy | `Silent` |
//! | 7 | the pupil's place in this section | `AlreadyEnrolled` |
//! | 8 | seats, if the guardian would not stand in line | `Full`, or `Round` while the first applications are collected |
//! | 9 | the grade | `GradeNotAdmitted` |
//! | 10 | the pupil's other seats | `SlotTaken` |
//! | 11 | what the pupil's courses cost together | `Ceiling` |
//!
//! Basic care is never full (C40): beyond its capacity it overflows. Where a round collects its first applications all but basic care
//! goes into the line, free seats or not: what becomes of them is decided together ([`tie`](super::draw::tie)).

use std::collections::{HashMap, HashSet};

use policy::Silent;
use shared::value::{
    self, District, Enrollment as EnrollmentKind, Guardian, Id, Moment, Pupil as PupilKind, Term as TermKind,
};
use uuid::Uuid;

use super::enrollment::{self, Enrollment, Event, Fee, State, Steps, Terms};
use super::pupil::Pupil;
use super::round::{self, Round};
use super::section::{self, Seats, Section, Slot};
use super::term::Ruling;
use super::term_ceiling::{self, OwnPrices, Reached};

/// One application, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The id its enrollment will have.
    pub enrollment_id: Id<EnrollmentKind>,
    /// The request.
    pub request_id: Uuid,
    /// Who applies.
    pub guardian_id: Id<Guardian>,
    /// The district of the pupil, as the guardian's token has it.
    pub district_id: Id<District>,
    /// For whom.
    pub pupil_id: Id<PupilKind>,
    /// For what.
    pub section_id: Id<value::Section>,
    /// Whether the guardian would stand in line.
    pub join_waitlist: bool,
}

/// Everything a group's applications are decided on, as locked. Deciding moves it on.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The pupils applied for.
    pub pupils: HashMap<Id<PupilKind>, Pupil>,
    /// The sections applied for.
    pub sections: HashMap<Id<value::Section>, Section>,
    /// The terms of these sections.
    pub terms: HashMap<Id<TermKind>, Term>,
    /// What these pupils have already.
    pub places: HashMap<Id<PupilKind>, Vec<Place>>,
    /// What came of the guardians' earlier requests with the same ids.
    pub requests: HashMap<(Id<Guardian>, Uuid), Prior>,
    /// For whom the agreement in force in which term is signed; only of terms that ask for one.
    pub signed: HashSet<(Id<TermKind>, Id<PupilKind>)>,
    /// What sections with a price of their own cost: those applied for, and those the pupils have.
    pub prices: OwnPrices,
}

/// A term, as far as applications need it.
#[derive(Clone, Debug)]
pub struct Term {
    /// Its rounds, in any order.
    pub rounds: Vec<Round>,
    /// What its policy says.
    pub ruling: Result<Ruling, Silent>,
}

/// A live enrollment of a pupil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The enrollment.
    pub enrollment_id: Id<EnrollmentKind>,
    /// The section.
    pub section_id: Id<value::Section>,
    /// The term.
    pub term_id: Id<TermKind>,
    /// The section's title.
    pub section_title: String,
    /// When it takes the pupil's time: the section's slots while a seat is held, none while in line.
    pub taken_slots: Vec<Slot>,
}

/// What an earlier request asked for, and got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prior {
    /// The enrollment it got.
    pub enrollment_id: Id<EnrollmentKind>,
    /// For whom.
    pub pupil_id: Id<PupilKind>,
    /// For what.
    pub section_id: Id<value::Section>,
    /// Whether the guardian would stand in line.
    pub join_waitlist: bool,
}

/// What became of an application that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It got a seat or a place in line.
    Admitted {
        /// The enrollment as it begins.
        enrollment: Box<Enrollment>,
        /// What others hear.
        event: Event,
        /// How full the section is now.
        seats: Seats,
    },
    /// It was sent before and got this enrollment.
    Again(Id<EnrollmentKind>),
}

/// Why an application is refused. Nothing is kept of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The request id was used for another application.
    #[error("the request id was used for another application")]
    RequestReused,
    /// Nothing is known of the pupil.
    #[error("no such pupil")]
    PupilUnknown,
    /// There is no such section in the pupil's district.
    #[error("no such section")]
    SectionUnknown,
    /// The section is another school's.
    #[error("not of this school")]
    NotOfThisSchool,
    /// The section is not on the menu.
    #[error("not on the menu")]
    NotPublished,
    /// Choices are not taken now.
    #[error(transparent)]
    Round(#[from] round::Error),
    /// The policy leaves open what must be known.
    #[error(transparent)]
    Silent(#[from] Silent),
    /// The pupil has a seat or a place in line here.
    #[error("already enrolled by {enrollment_id}")]
    AlreadyEnrolled {
        /// That enrollment.
        enrollment_id: Id<EnrollmentKind>,
    },
    /// Every seat is taken, and the guardian would not stand in line.
    #[error("full: {} of {}", .seats.taken_count, .seats.capacity_count)]
    Full {
        /// How full.
        seats: Seats,
    },
    /// The section is for other grades.
    #[error("for other grades")]
    GradeNotAdmitted {
        /// These, ascending.
        grades: Vec<i32>,
    },
    /// The pupil's courses would cost more together than the region lets a term cost.
    #[error(transparent)]
    Ceiling(#[from] Reached),
    /// The pupil sits elsewhere at that time.
    #[error("the time is taken by {enrollment_id}")]
    SlotTaken {
        /// The enrollment that takes it.
        enrollment_id: Id<EnrollmentKind>,
        /// Its section's title.
        section_title: String,
        /// The weekday of the first clash, 1 (Monday) to 7 (Sunday).
        weekday: i32,
        /// When the taken slot starts: minutes after midnight.
        start_minute: i32,
    },
}

/// Decides one application and, if it is taken, moves the snapshot on.
///
/// # Errors
/// The first reason of the table above.
pub fn decide(snapshot: &mut Snapshot, application: &Application, now: Moment) -> Result<Outcome, Error> {
    let request = (application.guardian_id, application.request_id);
    if let Some(prior) = snapshot.requests.get(&request) {
        return prior.answer(application);
    }
    let pupil = snapshot.pupils.get(&application.pupil_id).ok_or(Error::PupilUnknown)?;
    let section = snapshot.sections.get_mut(&application.section_id).ok_or(Error::SectionUnknown)?;
    let term = snapshot.terms.get(&section.term_id).ok_or(Error::SectionUnknown)?;
    let places = snapshot.places.entry(pupil.id).or_default();

    if section.district_id != pupil.district_id {
        return Err(Error::SectionUnknown);
    }
    if !pupil.is_of(section.school_id) {
        return Err(Error::NotOfThisSchool);
    }
    if section.state != section::State::Published {
        return Err(Error::NotPublished);
    }
    let round = round::current(&term.rounds, section.course(), now)?;
    let ruling = term.ruling.as_ref().map_err(Silent::clone)?;
    if let Some(place) = places.iter().find(|place| place.section_id == section.id) {
        return Err(Error::AlreadyEnrolled { enrollment_id: place.enrollment_id });
    }
    let is_collected = round.is_collecting(now) && !section.seats.basic_care;
    if !application.join_waitlist {
        if !section.seats.has_free() {
            return Err(Error::Full { seats: section.seats });
        }
        if let Some(ties) = round.ties.filter(|_| is_collected) {
            return Err(Error::Round(round::Error::Collecting { until: ties.until }));
        }
    }
    if !section.grades.contains(&pupil.grade) {
        return Err(Error::GradeNotAdmitted { grades: section.grades.clone() });
    }
    check_time(section, places)?;
    let seated =
        places.iter().filter(|place| place.term_id == section.term_id && !place.taken_slots.is_empty());
    term_ceiling::check(&snapshot.prices, section.id, seated.map(|place| place.section_id))?;

    let steps = Steps::applied(&ruling.steps, now);
    let fee = if section.extended_care { Fee::Free } else { ruling.fee };
    let terms = Terms { fee, waits: round.waits, asks_agreement: ruling.asks_agreement };
    let is_signed = snapshot.signed.contains(&(section.term_id, pupil.id));
    let (state, event) = if section.seats.has_free() && !is_collected {
        section.seats.taken_count += 1;
        enrollment::seat(&steps, &terms, is_signed, false, now)
    } else {
        stand_in_line(section)
    };
    let enrollment = Enrollment {
        id: application.enrollment_id,
        district_id: section.district_id,
        school_id: section.school_id,
        pupil_id: pupil.id,
        pupil_path: pupil.path.clone(),
        section_id: section.id,
        term_id: section.term_id,
        guardian_id: application.guardian_id,
        request_id: application.request_id,
        join_waitlist: application.join_waitlist,
        terms,
        created_at: now,
        steps,
        state,
    };
    places.push(Place {
        enrollment_id: enrollment.id,
        section_id: section.id,
        term_id: section.term_id,
        section_title: section.title.clone(),
        taken_slots: if enrollment.state.holds_seat() { section.slots.clone() } else { Vec::new() },
    });
    snapshot.requests.insert(request, Prior::of(&enrollment));
    Ok(Outcome::Admitted { enrollment: Box::new(enrollment), event, seats: section.seats })
}

impl Prior {
    /// What an enrollment was asked for with.
    #[must_use]
    pub fn of(enrollment: &Enrollment) -> Self {
        Self {
            enrollment_id: enrollment.id,
            pupil_id: enrollment.pupil_id,
            section_id: enrollment.section_id,
            join_waitlist: enrollment.join_waitlist,
        }
    }

    /// Answers the same request sent again.
    ///
    /// # Errors
    /// [`Error::RequestReused`] when it asks for something else.
    pub(super) fn answer(&self, again: &Application) -> Result<Outcome, Error> {
        let is_same = self.pupil_id == again.pupil_id
            && self.section_id == again.section_id
            && self.join_waitlist == again.join_waitlist;
        if is_same { Ok(Outcome::Again(self.enrollment_id)) } else { Err(Error::RequestReused) }
    }
}

fn check_time(section: &Section, places: &[Place]) -> Result<(), Error> {
    for place in places.iter().filter(|place| place.term_id == section.term_id) {
        // Of the two that clash, the family knows the one it has.
        if let Some(slot) = section::first_clash(&place.taken_slots, &section.slots) {
            return Err(Error::SlotTaken {
                enrollment_id: place.enrollment_id,
                section_title: place.section_title.clone(),
                weekday: slot.weekday,
                start_minute: slot.start_minute,
            });
        }
    }
    Ok(())
}

/// Takes the next number in line.
fn stand_in_line(section: &mut Section) -> (State, Event) {
    section.seats.waitlisted_count += 1;
    section.seats.last_waitlist_number += 1;
    let state = State::Waitlisted { number: section.seats.last_waitlist_number };
    (state, Event::Waitlisted { position: section.seats.waitlisted_count })
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use shared::value::School;

    use super::*;
    use crate::domain::enrollment::tests::at;
    use crate::domain::pupil::Standing;
    use crate::domain::round::{Mode, Waits};

    pub fn id<K>(number: u128) -> Id<K> {
        Id::new(Uuid::from_u128(number))
    }

    const SCHOOL: u128 = 1_000;
    const DISTRICT: u128 = 2_000;
    pub const TERM: u128 = 3_000;

    fn pupil(number: u128) -> Pupil {
        Pupil {
            id: id(number),
            district_id: id(DISTRICT),
            school_id: id(SCHOOL),
            path: [DISTRICT, 2_001, SCHOOL, 1_001].map(Uuid::from_u128).to_vec(),
            grade: 3,
            standing: Standing::Enrolled,
        }
    }

    pub fn slot(weekday: i32, start_minute: i32) -> Slot {
        let number =
            5_000 + u128::from(weekday.unsigned_abs()) * 2_000 + u128::from(start_minute.unsigned_abs());
        Slot { weekday, start_minute, end_minute: start_minute + 60, id: id(number) }
    }

    pub fn section(number: u128, capacity_count: i32, slots: &[Slot]) -> Section {
        Section {
            id: id(number),
            district_id: id(DISTRICT),
            school_id: id(SCHOOL),
            path: Vec::new(),
            term_id: id(TERM),
            title: format!("课程{number}"),
            provider_id: None,
            grades: vec![1, 2, 3],
            slots: slots.to_vec(),
            seats: Seats {
                capacity_count,
                taken_count: 0,
                waitlisted_count: 0,
                last_waitlist_number: 0,
                promised_count: 0,
                basic_care: false,
            },
            extended_care: false,
            left_over: false,
            state: section::State::Published,
        }
    }

    pub fn snapshot(sections: Vec<Section>) -> Snapshot {
        let round = Round {
            id: id(4_000),
            district_id: id(DISTRICT),
            school_id: id(SCHOOL),
            term_id: id(TERM),
            mode: Mode::FirstCome,
            open_at: at(0),
            close_at: at(1_000),
            waits: Waits { review_seconds: 600, payment_seconds: 60 },
            ties: None,
            state: round::State::Opened,
        };
        let term = Term {
            rounds: vec![round],
            ruling: Ok(Ruling { steps: Vec::new(), fee: Fee::Charged, asks_agreement: false }),
        };
        Snapshot {
            pupils: (1..=60).map(|number| (id(number), pupil(number))).collect(),
            sections: sections.into_iter().map(|section| (section.id, section)).collect(),
            terms: HashMap::from([(id(TERM), term)]),
            ..Snapshot::default()
        }
    }

    pub fn application(number: u128, pupil: u128, section: u128, join_waitlist: bool) -> Application {
        Application {
            enrollment_id: id(100_000 + number),
            request_id: Uuid::from_u128(200_000 + number),
            guardian_id: id(300_000 + pupil),
            district_id: id(DISTRICT),
            pupil_id: id(pupil),
            section_id: id(section),
            join_waitlist,
        }
    }

    fn refusal(snapshot: &mut Snapshot, application: &Application) -> Error {
        decide(snapshot, application, at(1)).unwrap_err()
    }

    #[test]
    fn seats_go_in_order_of_arrival_then_numbers_in_line() {
        let mut snapshot = snapshot(vec![section(500, 2, &[slot(1, 960)])]);

        let states: Vec<_> = (1..=4)
            .map(|pupil| match decide(&mut snapshot, &application(pupil, pupil, 500, true), at(1)).unwrap() {
                Outcome::Admitted { enrollment, .. } => enrollment.state,
                Outcome::Again(_) => panic!("nobody asked twice"),
            })
            .collect();

        let held = State::Held { expires_at: at(61) };
        let waiting = [State::Waitlisted { number: 1 }, State::Waitlisted { number: 2 }];
        assert_eq!(states[..2], [held.clone(), held]);
        assert_eq!(states[2..], waiting);
        let seats = snapshot.sections[&id(500)].seats;
        assert_eq!((seats.taken_count, seats.waitlisted_count, seats.last_waitlist_number), (2, 2, 2));
    }

    #[test]
    fn c45_a_seat_in_extended_care_is_free_whatever_the_term_charges() {
        let evening = Section { extended_care: true, ..section(500, 2, &[slot(1, 1080)]) };
        let mut snapshot = snapshot(vec![evening, section(501, 2, &[slot(2, 960)])]);

        let mut seat = |number, section| {
            let application = application(number, 1, section, false);
            match decide(&mut snapshot, &application, at(1)).unwrap() {
                Outcome::Admitted { enrollment, .. } => (enrollment.terms.fee, enrollment.state),
                Outcome::Again(_) => panic!("nobody asked twice"),
            }
        };

        assert_eq!(seat(1, 500), (Fee::Free, State::Confirmed));
        assert_eq!(seat(2, 501), (Fee::Charged, State::Held { expires_at: at(61) }));
    }

    #[test]
    fn a_full_section_refuses_with_its_numbers_whoever_would_not_stand_in_line() {
        let mut snapshot = snapshot(vec![section(500, 1, &[slot(1, 960)])]);
        decide(&mut snapshot, &application(1, 1, 500, false), at(1)).unwrap();

        let Error::Full { seats } = refusal(&mut snapshot, &application(2, 2, 500, false)) else { panic!() };

        assert_eq!((seats.capacity_count, seats.taken_count, seats.waitlisted_count), (1, 1, 0));
    }

    #[test]
    fn c40_the_thirty_first_child_gets_basic_care() {
        let care = section(500, 30, &[slot(1, 960)]);
        let care = Section { seats: Seats { basic_care: true, ..care.seats }, ..care };
        let mut snapshot = snapshot(vec![care]);

        for pupil in 1..=31 {
            decide(&mut snapshot, &application(pupil, pupil, 500, false), at(1)).unwrap();
        }

        assert_eq!(snapshot.sections[&id(500)].seats.overflow_count(), 1);
    }

    #[test]
    fn a_repeat_gets_the_same_enrollment_and_another_content_is_refused() {
        let mut snapshot = snapshot(vec![section(500, 1, &[slot(1, 960)]), section(501, 1, &[slot(2, 960)])]);
        let first = application(1, 1, 500, false);
        decide(&mut snapshot, &first, at(1)).unwrap();

        let repeat = Application { enrollment_id: id(7), ..first.clone() };
        assert_eq!(decide(&mut snapshot, &repeat, at(2)), Ok(Outcome::Again(first.enrollment_id)));
        let other = Application { section_id: id(501), ..first.clone() };
        assert_eq!(refusal(&mut snapshot, &other), Error::RequestReused);
        let other = Application { join_waitlist: true, ..first };
        assert_eq!(refusal(&mut snapshot, &other), Error::RequestReused);
    }

    #[test]
    fn reasons_come_in_their_fixed_order() {
        let mut snapshot = snapshot(vec![section(500, 1, &[slot(1, 960)])]);
        let applicant = application(1, 1, 500, false);
        let set = |snapshot: &mut Snapshot, change: fn(&mut Section)| {
            change(snapshot.sections.get_mut(&id(500)).unwrap());
        };
        // Everything is wrong at once; each right turn uncovers the next reason.
        let elsewhere = Place {
            enrollment_id: id(77),
            section_id: id(501),
            term_id: id(TERM),
            section_title: "合唱".to_owned(),
            taken_slots: vec![slot(1, 930)],
        };
        let here = Place { section_id: id(500), taken_slots: Vec::new(), ..elsewhere.clone() };
        snapshot.places.insert(id(1), vec![here, elsewhere]);
        set(&mut snapshot, |section| {
            section.school_id = id::<School>(9);
            section.state = section::State::Cancelled { reason: String::new() };
            section.seats.taken_count = 1;
            section.grades = vec![9];
        });
        let term = snapshot.terms.get_mut(&id(TERM)).unwrap();
        term.ruling = Err(Silent { pack_id: "p".to_owned(), key: "parent_fee_mode" });
        term.rounds[0].close_at = at(1);

        assert_eq!(refusal(&mut snapshot, &application(1, 99, 500, false)), Error::PupilUnknown);
        assert_eq!(refusal(&mut snapshot, &application(1, 1, 999, false)), Error::SectionUnknown);
        assert_eq!(refusal(&mut snapshot, &applicant), Error::NotOfThisSchool);
        set(&mut snapshot, |section| section.school_id = id(SCHOOL));
        assert_eq!(refusal(&mut snapshot, &applicant), Error::NotPublished);
        set(&mut snapshot, |section| section.state = section::State::Published);
        assert_eq!(
            refusal(&mut snapshot, &applicant),
            Error::Round(round::Error::Closed { close_at: at(1) })
        );
        snapshot.terms.get_mut(&id(TERM)).unwrap().rounds[0].close_at = at(1_000);
        assert!(matches!(refusal(&mut snapshot, &applicant), Error::Silent(_)));
        snapshot.terms.get_mut(&id(TERM)).unwrap().ruling =
            Ok(Ruling { steps: Vec::new(), fee: Fee::Free, asks_agreement: false });
        assert_eq!(refusal(&mut snapshot, &applicant), Error::AlreadyEnrolled { enrollment_id: id(77) });
        snapshot.places.get_mut(&id(1)).unwrap().remove(0);
        assert!(matches!(refusal(&mut snapshot, &applicant), Error::Full { .. }));
        set(&mut snapshot, |section| section.seats.taken_count = 0);
        assert_eq!(refusal(&mut snapshot, &applicant), Error::GradeNotAdmitted { grades: vec![9] });
        set(&mut snapshot, |section| section.grades = vec![3]);
        let taken = Error::SlotTaken {
            enrollment_id: id(77),
            section_title: "合唱".to_owned(),
            weekday: 1,
            start_minute: 930,
        };
        assert_eq!(refusal(&mut snapshot, &applicant), taken);
        snapshot.places.clear();
        assert!(decide(&mut snapshot, &applicant, at(1)).is_ok());
    }

    #[test]
    fn c41_a_place_in_line_takes_no_time() {
        let sections = vec![section(500, 1, &[slot(1, 960)]), section(501, 1, &[slot(1, 990)])];
        let mut snapshot = snapshot(sections);
        decide(&mut snapshot, &application(1, 1, 500, true), at(1)).unwrap();
        decide(&mut snapshot, &application(2, 2, 500, true), at(1)).unwrap();

        assert!(decide(&mut snapshot, &application(3, 2, 501, true), at(1)).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is asked in whatever order: never more seats than there are, numbers in line without gaps, nobody twice in
        /// one section, nobody in two places at one time, a repeat the same enrollment.
        #[test]
        fn whatever_is_asked_nothing_is_given_twice(
            asks in prop::collection::vec((1_u128..=12, 500_u128..506, any::<bool>(), 0_u128..40), 1..160),
        ) {
            let sections = (0..6).map(|n| section(500 + n, 3, &[slot(1 + i32::try_from(n % 3).unwrap(), 960 + 30 * i32::try_from(n / 3).unwrap())]));
            let mut snapshot = snapshot(sections.collect());
            let mut given: Vec<Enrollment> = Vec::new();
            let mut by_request: HashMap<(u128, u128), Id<EnrollmentKind>> = HashMap::new();
            for (number, (pupil, section, join_waitlist, request)) in asks.into_iter().enumerate() {
                let ask = Application {
                    request_id: Uuid::from_u128(request),
                    ..application(u128::try_from(number).unwrap(), pupil, section, join_waitlist)
                };
                match decide(&mut snapshot, &ask, at(1)) {
                    Ok(Outcome::Admitted { enrollment, .. }) => {
                        prop_assert!(by_request.insert((pupil, request), enrollment.id).is_none());
                        given.push(*enrollment);
                    }
                    Ok(Outcome::Again(id)) => prop_assert_eq!(by_request.get(&(pupil, request)), Some(&id)),
                    Err(_) => {}
                }
            }
            for section in snapshot.sections.values() {
                let of = |e: &&Enrollment| e.section_id == section.id;
                let seated = given.iter().filter(of).filter(|e| e.state.holds_seat()).count();
                prop_assert!(seated <= 3);
                prop_assert_eq!(i32::try_from(seated).unwrap(), section.seats.taken_count);
                let numbers: Vec<_> = given.iter().filter(of).filter_map(|e| match e.state {
                    State::Waitlisted { number } => Some(number),
                    _ => None,
                }).collect();
                prop_assert_eq!(numbers, (1..=section.seats.last_waitlist_number).collect::<Vec<_>>());
            }
            for (index, one) in given.iter().enumerate() {
                for other in given[..index].iter().filter(|other| other.pupil_id == one.pupil_id) {
                    prop_assert_ne!(one.section_id, other.section_id);
                    if one.state.holds_seat() && other.state.holds_seat() {
                        let slots = |e: &Enrollment| snapshot.sections[&e.section_id].slots.clone();
                        prop_assert!(section::first_clash(&slots(one), &slots(other)).is_none());
                    }
                }
            }
        }
    }
}
