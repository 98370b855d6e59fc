//! Wishes: what a family would like in a round, and which wishes are taken.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use draw::{Mode, Siblings, Terms};
use shared::value::{
    Enrollment as EnrollmentKind, Guardian, Id, Moment, Pupil as PupilKind, Section as SectionKind,
};

use crate::domain::admission::Place;
use crate::domain::pupil::Pupil;
use crate::domain::section::{self, Section};

/// What a pupil's family would like in a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// The pupil.
    pub pupil_id: Id<PupilKind>,
    /// The guardian who handed them in.
    pub guardian_id: Id<Guardian>,
    /// One list for each draw slot wished for, in the order handed in.
    pub lists: Vec<WishList>,
    /// Whether the pupil draws together with siblings who say so too.
    pub together: bool,
    /// When they were handed in.
    pub updated_at: Moment,
}

/// What is wished for in one draw slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WishList {
    /// The dearest first.
    pub ranked: Vec<Id<SectionKind>>,
    /// Any of which will do when none of the ranked has a seat.
    pub any_of: Vec<Id<SectionKind>>,
    /// Whether the pupil stands in line for what is refused.
    pub stand_in_line: bool,
}

impl WishList {
    /// All its sections, the ranked ones first.
    pub fn sections(&self) -> impl Iterator<Item = Id<SectionKind>> {
        self.ranked.iter().chain(&self.any_of).copied()
    }
}

/// Why wishes are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Fields break rules: each its path and the rule.
    #[error("{} fields break rules", .0.len())]
    Fields(Vec<(String, &'static str)>),
    /// The pupil does not belong to the round's school.
    #[error("not of this school")]
    NotOfThisSchool,
    /// There is no such section.
    #[error("no section {0}")]
    SectionUnknown(Id<SectionKind>),
    /// It is basic care, which is applied for and never drawn.
    #[error("section {0} is basic care")]
    BasicCare(Id<SectionKind>),
    /// It is not drawn in this round.
    #[error("section {0} is not of the round")]
    NotInRound(Id<SectionKind>),
    /// It was cancelled.
    #[error("section {0} is not on the menu")]
    NotPublished(Id<SectionKind>),
    /// It is for other grades.
    #[error("section {section_id} is for other grades")]
    GradeNotAdmitted {
        /// The section.
        section_id: Id<SectionKind>,
        /// These, ascending.
        grades: Vec<i32>,
    },
    /// The pupil sits elsewhere at that time, or in the section itself.
    #[error("the time of section {section_id} is taken by {enrollment_id}")]
    SlotTaken {
        /// The section wished for.
        section_id: Id<SectionKind>,
        /// The enrollment that takes the time.
        enrollment_id: Id<EnrollmentKind>,
        /// Its section's title.
        section_title: String,
        /// The weekday of the first clash, 1 (Monday) to 7 (Sunday).
        weekday: i32,
        /// When the taken slot starts: minutes after midnight.
        start_minute: i32,
    },
}

/// Takes wishes into a round with these terms. `sections` are all those named that are known, `places` what the pupil has.
///
/// # Errors
/// What is true of the lists alone first, then of the pupil, then of each section in the order of the lists.
pub fn take(
    wishes: &Wishes,
    terms: &Terms,
    round_school: Id<shared::value::School>,
    pupil: &Pupil,
    sections: &HashMap<Id<SectionKind>, Section>,
    places: &[Place],
) -> Result<(), Error> {
    let fields = broken_fields(wishes, terms);
    if !fields.is_empty() {
        return Err(Error::Fields(fields));
    }
    if !pupil.is_of(round_school) {
        return Err(Error::NotOfThisSchool);
    }
    let drawn: BTreeSet<&str> = terms.sections.iter().map(|section| section.code.as_str()).collect();
    for id in wishes.lists.iter().flat_map(WishList::sections) {
        let section = sections.get(&id).filter(|section| section.district_id == pupil.district_id);
        let section = section.ok_or(Error::SectionUnknown(id))?;
        if section.seats.basic_care {
            return Err(Error::BasicCare(id));
        }
        if !drawn.contains(id.to_string().as_str()) {
            return Err(Error::NotInRound(id));
        }
        if section.state != section::State::Published {
            return Err(Error::NotPublished(id));
        }
        if !section.grades.contains(&pupil.grade) {
            return Err(Error::GradeNotAdmitted { section_id: id, grades: section.grades.clone() });
        }
        check_time(section, places)?;
    }
    Ok(())
}

fn check_time(section: &Section, places: &[Place]) -> Result<(), Error> {
    for place in places.iter().filter(|place| place.term_id == section.term_id) {
        if let Some(slot) = section::first_clash(&place.taken_slots, &section.slots) {
            return Err(Error::SlotTaken {
                section_id: section.id,
                enrollment_id: place.enrollment_id,
                section_title: place.section_title.clone(),
                weekday: slot.weekday,
                start_minute: slot.start_minute,
            });
        }
    }
    Ok(())
}

fn broken_fields(wishes: &Wishes, terms: &Terms) -> Vec<(String, &'static str)> {
    let mut broken = Vec::new();
    if wishes.lists.is_empty() {
        broken.push(("lists".to_owned(), "must have a list; to have none, clear the wishes"));
    }
    if wishes.together && terms.siblings == Siblings::Apart {
        broken.push(("together".to_owned(), "siblings draw apart in this round"));
    }
    let slots: BTreeMap<&str, u32> =
        terms.sections.iter().map(|section| (section.code.as_str(), section.slot.0)).collect();
    let (mut seen, mut seen_slots) = (BTreeSet::new(), BTreeSet::new());
    for (at, list) in wishes.lists.iter().enumerate() {
        let field = format!("lists[{at}]");
        if list.ranked.is_empty() && list.any_of.is_empty() {
            broken.push((field.clone(), "must name a section"));
        }
        if terms.mode == Mode::Lottery && (list.ranked.len() > 1 || !list.any_of.is_empty()) {
            broken.push((field.clone(), "a lottery takes one section for each draw slot"));
        }
        let mut own_slot = None;
        let parts = [("ranked_section_ids", &list.ranked), ("any_of_section_ids", &list.any_of)];
        for (part, ids) in parts {
            for (position, id) in ids.iter().enumerate() {
                let field = || format!("{field}.{part}[{position}]");
                if !seen.insert(*id) {
                    broken.push((field(), "stands there twice"));
                }
                // One that is not of the round is refused by name later.
                let Some(slot) = slots.get(id.to_string().as_str()) else { continue };
                if *own_slot.get_or_insert(*slot) != *slot {
                    broken.push((field(), "is of another draw slot than the first of the list"));
                }
            }
        }
        if own_slot.is_some_and(|slot| !seen_slots.insert(slot)) {
            broken.push((field, "another list is for the same draw slot"));
        }
    }
    broken
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::admission::tests::{id, section, slot, snapshot};
    use crate::domain::draw::terms;
    use crate::domain::enrollment::tests::at;

    pub fn wishes(pupil: u128, lists: &[&[u128]]) -> Wishes {
        let list = |sections: &&[u128]| WishList {
            ranked: sections.iter().copied().map(id).collect(),
            any_of: Vec::new(),
            stand_in_line: true,
        };
        Wishes {
            pupil_id: id(pupil),
            guardian_id: id(300_000 + pupil),
            lists: lists.iter().map(list).collect(),
            together: false,
            updated_at: at(0),
        }
    }

    /// Three sections on Monday, one of them basic care; one on Tuesday.
    fn menu() -> Vec<Section> {
        let care = section(502, 30, &[slot(1, 960)]);
        let care = Section { seats: section::Seats { basic_care: true, ..care.seats }, ..care };
        vec![
            section(500, 2, &[slot(1, 960)]),
            section(501, 2, &[slot(1, 990)]),
            care,
            section(503, 2, &[slot(2, 960)]),
        ]
    }

    fn terms_of(mode: Mode) -> Terms {
        let drawn: Vec<_> = menu().into_iter().filter(|section| !section.seats.basic_care).collect();
        let terms = terms::open(
            &terms::tests::round(),
            Siblings::Apart,
            vec![terms::tests::beacon()],
            &drawn,
            &[],
            &[],
        );
        Terms { mode, ..terms.unwrap() }
    }

    fn taken(wishes: &Wishes, mode: Mode, menu: Vec<Section>, places: &[Place]) -> Result<(), Error> {
        let pupil = snapshot(Vec::new()).pupils[&wishes.pupil_id].clone();
        let sections = menu.into_iter().map(|section| (section.id, section)).collect();
        take(wishes, &terms_of(mode), pupil.school_id, &pupil, &sections, places)
    }

    #[test]
    fn lists_of_any_length_are_taken_one_for_each_draw_slot() {
        let all = wishes(1, &[&[501, 500], &[503]]);
        assert_eq!(taken(&all, Mode::Ranked, menu(), &[]), Ok(()));
    }

    #[test]
    fn every_broken_field_is_told() {
        let table: [(Wishes, Mode, &[&str]); 6] = [
            (wishes(1, &[]), Mode::Ranked, &["lists"]),
            (wishes(1, &[&[]]), Mode::Ranked, &["lists[0]"]),
            (wishes(1, &[&[500, 500]]), Mode::Ranked, &["lists[0].ranked_section_ids[1]"]),
            (wishes(1, &[&[500, 503]]), Mode::Ranked, &["lists[0].ranked_section_ids[1]"]),
            (wishes(1, &[&[500], &[501]]), Mode::Ranked, &["lists[1]"]),
            (wishes(1, &[&[500, 501]]), Mode::Lottery, &["lists[0]"]),
        ];
        for (wishes, mode, fields) in table {
            let Err(Error::Fields(broken)) = taken(&wishes, mode, menu(), &[]) else { panic!("{fields:?}") };
            assert_eq!(broken.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), fields);
        }
        let together = Wishes { together: true, ..wishes(1, &[&[500]]) };
        assert!(matches!(taken(&together, Mode::Ranked, menu(), &[]), Err(Error::Fields(_))));
    }

    #[test]
    fn c40_basic_care_is_never_drawn_and_other_refusals_name_the_section() {
        assert_eq!(taken(&wishes(1, &[&[502]]), Mode::Ranked, menu(), &[]), Err(Error::BasicCare(id(502))));
        let unknown = taken(&wishes(1, &[&[599]]), Mode::Ranked, menu(), &[]);
        assert_eq!(unknown, Err(Error::SectionUnknown(id(599))));
        let mut more = menu();
        more.push(section(504, 2, &[slot(4, 960)]));
        assert_eq!(taken(&wishes(1, &[&[504]]), Mode::Ranked, more, &[]), Err(Error::NotInRound(id(504))));
        let mut off = menu();
        off[0].state = section::State::Cancelled { reason: "停课".to_owned() };
        assert_eq!(taken(&wishes(1, &[&[500]]), Mode::Ranked, off, &[]), Err(Error::NotPublished(id(500))));
        let mut older = menu();
        older[0].grades = vec![5, 6];
        let refused = taken(&wishes(1, &[&[500]]), Mode::Ranked, older, &[]);
        assert_eq!(refused, Err(Error::GradeNotAdmitted { section_id: id(500), grades: vec![5, 6] }));
    }

    #[test]
    fn c41_a_wish_for_a_time_that_is_taken_is_refused() {
        let place = Place {
            enrollment_id: id(9),
            section_id: id(502),
            term_id: menu()[0].term_id,
            section_title: "托管".to_owned(),
            taken_slots: vec![slot(1, 960)],
        };
        let refused = taken(&wishes(1, &[&[501]]), Mode::Ranked, menu(), std::slice::from_ref(&place));
        assert!(
            matches!(refused, Err(Error::SlotTaken { weekday: 1, start_minute: 960, .. })),
            "{refused:?}"
        );
        assert_eq!(taken(&wishes(1, &[&[503]]), Mode::Ranked, menu(), &[place]), Ok(()));
    }
}
