//! The lists as they are closed: what was wished for, what is left out of it and why, who is settled, how many seats are drawn.
//!
//! | of a pupil at the closing | on the lists |
//! |---|---|
//! | has no wish that takes part in a draw slot, and a seat of the round in it | settled there |
//! | has wishes in it | those whose time is free; a seat elsewhere in the draw slot is outside the draw, and so is its capacity |
//! | is of another school by now, or for another grade | no wish takes part |

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use draw::{GroupIndex, Input, List, Pupil as Entry, PupilIndex, RoundSalt, SectionIndex, Terms};
use shared::value::{Id, Pupil as PupilKind, School, Section as SectionKind};
use uuid::Uuid;

use super::wish::Wishes;
use crate::domain::admission::Place;
use crate::domain::pupil::Pupil;
use crate::domain::section::{self, Section};

/// A pupil at the closing of the lists.
#[derive(Clone, Debug)]
pub struct Entrant {
    /// The pupil.
    pub pupil: Pupil,
    /// The wishes; none for one who only has a seat.
    pub wishes: Option<Wishes>,
    /// What the pupil has in the round's term.
    pub places: Vec<Place>,
    /// The keys of the priority groups the pupil belongs to on that day.
    pub groups: BTreeSet<String>,
    /// Stands for the family, where siblings draw together.
    pub family_id: Option<Uuid>,
}

/// A wish at the closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The section.
    pub section_id: Id<SectionKind>,
    /// Its position in the terms; none where it takes no part.
    pub drawn_as: Option<SectionIndex>,
    /// Whether the pupil stands in line should it be refused.
    pub stand_in_line: bool,
}

/// A pupil on the lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The pupil.
    pub pupil_id: Id<PupilKind>,
    /// The position among the entries.
    pub index: PupilIndex,
    /// Every wish handed in, in the order of the lists.
    pub wishes: Vec<Wish>,
}

impl Listed {
    /// Says whether the family would stand in the section's line.
    #[must_use]
    pub fn would_wait(&self, id: Id<SectionKind>) -> bool {
        self.wishes.iter().any(|wish| wish.section_id == id && wish.stand_in_line)
    }
}

/// The lists, closed.
#[derive(Clone, Debug)]
pub struct Closed {
    /// What is committed.
    pub input: Input,
    /// Who stands behind the entries, in their order.
    pub listed: Vec<Listed>,
    /// How many seats of each section of the terms are drawn.
    pub drawn_counts: HashMap<Id<SectionKind>, i32>,
}

/// The sections of terms, by their place in them. A code that is no id has none: none such is ever written.
#[must_use]
pub fn section_ids(terms: &Terms) -> Vec<Option<Id<SectionKind>>> {
    terms.sections.iter().map(|section| section.code.parse().ok()).collect()
}

/// Closes the lists of a round at `school_id`. `sections` are the sections of `terms` as locked; seats promised to an earlier act count as
/// free.
///
/// # Errors
/// What the draw finds wrong with the lists: a mistake in here.
pub fn close(
    terms: Terms,
    school_id: Id<School>,
    sections: &HashMap<Id<SectionKind>, Section>,
    entrants: &[Entrant],
    salt: &RoundSalt,
) -> Result<Closed, Vec<draw::input::Problem>> {
    let ids = section_ids(&terms);
    let at: HashMap<Id<SectionKind>, SectionIndex> =
        ids.iter().enumerate().filter_map(|(at, id)| Some(((*id)?, SectionIndex::from_at(at)))).collect();
    let round = Ground { terms: &terms, school_id, sections, at: &at };
    let mut pupils: Vec<(Entry, Id<PupilKind>, Vec<Wish>)> =
        entrants.iter().map(|entrant| round.enter(entrant, salt)).collect();
    pupils.sort_by_key(|(entry, _, _)| entry.pseudonym);

    let mut settled: HashMap<SectionIndex, u32> = HashMap::new();
    for section in pupils.iter().flat_map(|(entry, _, _)| &entry.settled) {
        *settled.entry(*section).or_default() += 1;
    }
    let mut drawn_counts = HashMap::new();
    let mut terms = terms;
    for (index, drawn) in terms.sections.iter_mut().enumerate() {
        let found = ids[index].and_then(|id| sections.get(&id));
        let published = found.filter(|section| section.state == section::State::Published);
        let free =
            published.map_or(0, |section| (section.seats.capacity_count - section.seats.taken_count).max(0));
        drawn_counts.extend(ids[index].map(|id| (id, free)));
        let own = settled.get(&SectionIndex::from_at(index)).copied().unwrap_or_default();
        drawn.capacity = u32::try_from(free).unwrap_or_default() + own;
        keep_within(drawn);
    }
    let listed = pupils
        .iter()
        .enumerate()
        .map(|(index, (_, pupil_id, wishes))| Listed {
            pupil_id: *pupil_id,
            index: PupilIndex::from_at(index),
            wishes: wishes.clone(),
        })
        .collect();
    let input = Input::in_order(terms, pupils.into_iter().map(|(entry, _, _)| entry).collect())?;
    Ok(Closed { input, listed, drawn_counts })
}

/// Where seats are fewer by now than were kept for groups, the last reserves lose theirs first.
fn keep_within(section: &mut draw::Section) {
    let mut free = section.capacity;
    for reserve in &mut section.reserves {
        reserve.seats = reserve.seats.min(free);
        free -= reserve.seats;
    }
    section.reserves.retain(|reserve| reserve.seats > 0);
}

struct Ground<'a> {
    terms: &'a Terms,
    school_id: Id<School>,
    sections: &'a HashMap<Id<SectionKind>, Section>,
    at: &'a HashMap<Id<SectionKind>, SectionIndex>,
}

impl Ground<'_> {
    fn enter(&self, entrant: &Entrant, salt: &RoundSalt) -> (Entry, Id<PupilKind>, Vec<Wish>) {
        let pupil = &entrant.pupil;
        let mut wishes = Vec::new();
        let mut lists = Vec::new();
        for list in entrant.wishes.iter().flat_map(|wishes| &wishes.lists) {
            let mut take = |ids: &[Id<SectionKind>]| -> Vec<SectionIndex> {
                let taken = ids.iter().filter_map(|id| {
                    let drawn_as = self.part(entrant, *id);
                    wishes.push(Wish { section_id: *id, drawn_as, stand_in_line: list.stand_in_line });
                    drawn_as
                });
                taken.collect()
            };
            let ranked = take(&list.ranked);
            let mut any_of = take(&list.any_of);
            any_of.sort_unstable();
            let first = ranked.first().or_else(|| any_of.first());
            if let Some(slot) = first.map(|first| self.terms.sections[first.at()].slot) {
                lists.push(List { slot, ranked, any_of });
            }
        }
        lists.sort_by_key(|list| list.slot);
        let wished: HashSet<_> = lists.iter().map(|list| list.slot).collect();
        // At most one a draw slot: the first in the order of the terms.
        let mut settled = BTreeMap::new();
        let seats = entrant.places.iter().filter(|place| !place.taken_slots.is_empty());
        let seated: BTreeSet<_> = seats.filter_map(|place| self.at.get(&place.section_id).copied()).collect();
        for section in seated {
            let slot = self.terms.sections[section.at()].slot;
            if !wished.contains(&slot) {
                settled.entry(slot).or_insert(section);
            }
        }
        let mut settled: Vec<_> = settled.into_values().collect();
        settled.sort_unstable();
        let group = |key: &String| self.terms.groups.iter().position(|group| group == key);
        let mut groups: Vec<_> = entrant.groups.iter().filter_map(group).map(GroupIndex::from_at).collect();
        groups.sort_unstable();
        let alias = salt.alias(pupil.id.uuid().as_bytes());
        let entry = Entry {
            pseudonym: alias.pseudonym,
            salt: alias.salt,
            family: entrant.family_id.map(|id| salt.family(id.as_bytes())),
            groups,
            settled,
            lists,
        };
        (entry, pupil.id, wishes)
    }

    /// Where a wish takes part; none where it cannot.
    fn part(&self, entrant: &Entrant, id: Id<SectionKind>) -> Option<SectionIndex> {
        let index = *self.at.get(&id)?;
        let section = self.sections.get(&id)?;
        let may = section.state == section::State::Published
            && entrant.pupil.is_of(self.school_id)
            && section.grades.contains(&entrant.pupil.grade);
        let clashes = |place: &Place| section::first_clash(&place.taken_slots, &section.slots).is_some();
        (may && !entrant.places.iter().any(clashes)).then_some(index)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use draw::{Reserve, Siblings};

    use super::*;
    use crate::domain::admission::tests::{id, section, slot, snapshot};
    use crate::domain::draw::terms;
    use crate::domain::draw::wish::tests::wishes;
    use crate::domain::pupil::Standing;

    pub fn salt() -> RoundSalt {
        RoundSalt::new([7; 32])
    }

    pub fn entrant(pupil: u128, lists: &[&[u128]]) -> Entrant {
        Entrant {
            pupil: snapshot(Vec::new()).pupils[&id(pupil)].clone(),
            wishes: (!lists.is_empty()).then(|| wishes(pupil, lists)),
            places: Vec::new(),
            groups: BTreeSet::new(),
            family_id: None,
        }
    }

    pub fn seat(section: &Section) -> Place {
        Place {
            enrollment_id: id(90_000),
            section_id: section.id,
            term_id: section.term_id,
            section_title: section.title.clone(),
            taken_slots: section.slots.clone(),
        }
    }

    pub fn terms_of(sections: &[Section], groups: &[&str]) -> Terms {
        let groups: Vec<_> = groups.iter().map(|group| (*group).to_owned()).collect();
        let round = terms::tests::round();
        terms::open(&round, Siblings::Apart, vec![terms::tests::beacon()], sections, &[], &groups).unwrap()
    }

    pub fn close_with(terms: Terms, sections: &[Section], entrants: &[Entrant]) -> Closed {
        let school_id = snapshot(Vec::new()).pupils[&id(1)].school_id;
        let sections = sections.iter().map(|section| (section.id, section.clone())).collect();
        close(terms, school_id, &sections, entrants, &salt()).unwrap()
    }

    fn entry(closed: &Closed, pupil: u128) -> &Entry {
        let listed = closed.listed.iter().find(|listed| listed.pupil_id == id(pupil)).unwrap();
        &closed.input.pupils()[listed.index.at()]
    }

    #[test]
    fn seats_taken_before_are_settled_and_only_free_ones_are_drawn() {
        let mut menu = [section(500, 5, &[slot(1, 960)]), section(501, 5, &[slot(2, 960)])];
        menu[0].seats.taken_count = 1;
        let settled = Entrant { places: vec![seat(&menu[0])], ..entrant(1, &[]) };

        let closed = close_with(terms_of(&menu, &[]), &menu, &[settled, entrant(2, &[&[500], &[501]])]);

        assert_eq!(closed.drawn_counts, HashMap::from([(id(500), 4), (id(501), 5)]));
        assert_eq!(closed.input.terms().sections[0].capacity, 5);
        assert_eq!(entry(&closed, 1).settled, [SectionIndex(0)]);
        assert_eq!(entry(&closed, 2).lists.len(), 2);
    }

    #[test]
    fn a_wish_whose_time_is_taken_takes_no_part_and_the_others_of_its_slot_do() {
        // Monday 16:00, Monday 16:30 to 17:30, Monday 17:00: one draw slot.
        let menu = [
            section(500, 5, &[slot(1, 960)]),
            section(501, 5, &[slot(1, 990)]),
            section(502, 5, &[slot(1, 1020)]),
        ];
        let mut taken = menu.clone();
        taken[0].seats.taken_count = 1;
        let both = Entrant { places: vec![seat(&menu[0])], ..entrant(1, &[&[501, 502]]) };

        let closed = close_with(terms_of(&menu, &[]), &taken, &[both]);

        let own = entry(&closed, 1);
        assert_eq!((own.lists[0].ranked.clone(), own.settled.len()), (vec![SectionIndex(2)], 0));
        let parts: Vec<_> = closed.listed[0].wishes.iter().map(|wish| wish.drawn_as).collect();
        assert_eq!(parts, [None, Some(SectionIndex(2))]);
        // The seat held beside the draw is outside of it, with its capacity.
        assert_eq!(closed.input.terms().sections[0].capacity, 4);
    }

    #[test]
    fn who_has_left_and_what_is_cancelled_take_no_part() {
        let mut menu = [section(500, 5, &[slot(1, 960)]), section(501, 5, &[slot(2, 960)])];
        menu[1].state = section::State::Cancelled { reason: "停课".to_owned() };
        let mut left = entrant(1, &[&[500]]);
        left.pupil.standing = Standing::Left;

        let closed = close_with(terms_of(&menu, &[]), &menu, &[left, entrant(2, &[&[501]])]);

        assert!(closed.input.pupils().iter().all(|pupil| pupil.lists.is_empty()));
        assert_eq!(closed.drawn_counts[&id(501)], 0);
    }

    #[test]
    fn groups_unknown_to_the_terms_are_not_written_down() {
        let menu = [section(500, 5, &[slot(1, 960)])];
        let mut own = entrant(1, &[&[500]]);
        own.groups = BTreeSet::from(["left_behind".to_owned(), "dual_income".to_owned()]);

        let closed = close_with(terms_of(&menu, &["disabled", "left_behind"]), &menu, &[own]);

        assert_eq!(entry(&closed, 1).groups, [GroupIndex(1)]);
    }

    #[test]
    fn reserves_shrink_with_the_seats_the_last_first() {
        let mut one = draw::Section {
            code: "x".to_owned(),
            slot: draw::SlotIndex(0),
            capacity: 5,
            tiers: Vec::new(),
            reserves: [3, 3, 3].map(|seats| Reserve { group: GroupIndex(0), seats }).to_vec(),
        };
        keep_within(&mut one);
        assert_eq!(one.reserves.iter().map(|reserve| reserve.seats).collect::<Vec<_>>(), [3, 2]);
    }
}
