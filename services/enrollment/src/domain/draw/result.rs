//! What became of each wish of a pupil.

use std::collections::HashSet;

use draw::outcome::PupilOutcome;
use draw::{Input, Outcome, sentence};
use shared::value::{Id, Pupil as PupilKind, Section as SectionKind};

use super::closing::{Listed, Wish};

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WishResult {
    /// The section.
    pub section_id: Id<SectionKind>,
    /// The position of its draw slot; none when it took no part.
    pub slot: Option<u32>,
    /// The pupil's number in the slot; 0 when it took no part.
    pub number: u32,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The pupil is admitted.
    Admitted,
    /// It was refused.
    Refused {
        /// Why, in Chinese.
        zh: String,
        /// Why, in English.
        en: String,
    },
    /// A dearer wish was granted.
    NotNeeded,
    /// It took no part.
    LeftOut,
    /// The pupil was admitted and could not sit any more.
    Unseated,
}

/// Gives what became of the wishes of all `listed`, in their order. `unseated` are those who were admitted and could not sit.
#[must_use]
pub fn of(
    input: &Input,
    outcome: &Outcome,
    listed: &[Listed],
    unseated: &HashSet<(Id<PupilKind>, Id<SectionKind>)>,
) -> Vec<Vec<WishResult>> {
    let by_pupil = outcome.by_pupil(input);
    let none = PupilOutcome::default();
    let of_pupil = |listed: &Listed| {
        let own = by_pupil.get(listed.index.at()).unwrap_or(&none);
        listed.wishes.iter().map(|wish| of_wish(input, outcome, listed, own, wish, unseated)).collect()
    };
    listed.iter().map(of_pupil).collect()
}

fn of_wish(
    input: &Input,
    outcome: &Outcome,
    listed: &Listed,
    own: &PupilOutcome,
    wish: &Wish,
    unseated: &HashSet<(Id<PupilKind>, Id<SectionKind>)>,
) -> WishResult {
    let section = wish.drawn_as.and_then(|at| Some((at, input.terms().sections.get(at.at())?)));
    let Some((index, section)) = section else {
        return WishResult { section_id: wish.section_id, slot: None, number: 0, fate: Fate::LeftOut };
    };
    let numbers = outcome.numbers.get(section.slot.at());
    let number = numbers.and_then(|numbers| numbers.get(listed.index.at())).copied().unwrap_or_default();
    let refusal = own.refusals.iter().find(|refusal| refusal.section == index);
    let fate = match refusal {
        Some(refusal) => Fate::Refused { zh: sentence::zh(refusal), en: sentence::en(refusal) },
        None if !own.admitted.contains(&index) => Fate::NotNeeded,
        None if unseated.contains(&(listed.pupil_id, wish.section_id)) => Fate::Unseated,
        None => Fate::Admitted,
    };
    WishResult { section_id: wish.section_id, slot: Some(section.slot.0), number, fate }
}

#[cfg(test)]
mod tests {
    use draw::Seed;

    use super::*;
    use crate::domain::admission::tests::{id, section, slot};
    use crate::domain::draw::closing::tests::{close_with, entrant, terms_of};

    #[test]
    fn each_wish_is_admitted_refused_with_its_numbers_or_not_needed() {
        let menu = [section(500, 1, &[slot(1, 960)]), section(501, 9, &[slot(1, 960)])];
        let entrants: Vec<_> = (1..=3).map(|pupil| entrant(pupil, &[&[500, 501]])).collect();
        let closed = close_with(terms_of(&menu, &[]), &menu, &entrants);
        let outcome = draw::run(&closed.input, &Seed::rehearsal("results"));

        let results = of(&closed.input, &outcome, &closed.listed, &HashSet::new());

        let winner = outcome.sections[0].admitted[0].pupil.at();
        let fates = |at: usize| results[at].iter().map(|result| result.fate.clone()).collect::<Vec<_>>();
        assert_eq!(fates(winner), [Fate::Admitted, Fate::NotNeeded]);
        let other = (winner + 1) % 3;
        let last = outcome.sections[0].cutoffs[0].last_number;
        let own = results[other][0].number;
        let zh = format!("1 个名额，最后录取号 {last}，您的号 {own}");
        let en = format!("1 seat, last number admitted {last}, yours {own}");
        assert_eq!(fates(other), [Fate::Refused { zh, en }, Fate::Admitted]);

        let gone = HashSet::from([(closed.listed[winner].pupil_id, id(500))]);
        let results = of(&closed.input, &outcome, &closed.listed, &gone);
        assert_eq!(results[winner][0].fate, Fate::Unseated);
    }
}
