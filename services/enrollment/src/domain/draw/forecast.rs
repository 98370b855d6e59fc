//! What a rehearsal says: how sought each section is, and what the chance of it would be. No real draw can have its seeds.

use draw::{Input, SectionIndex, Seed};
use shared::value::{Id, Section as SectionKind};

use super::closing::{Listed, section_ids};

/// How often a draw is tried.
pub const RUN_COUNT: u32 = 20;

/// What may be expected of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// The section.
    pub section_id: Id<SectionKind>,
    /// Seats that would be drawn.
    pub seat_count: i32,
    /// Pupils who wish for it at all.
    pub wished_count: u32,
    /// Pupils who wish for it first.
    pub first_count: u32,
    /// Of a thousand who wish for it first, how many would get it; 0 when nobody does.
    pub chance_permille: u32,
}

/// Tries a draw out [`RUN_COUNT`] times. `label` tells one rehearsal from another: the same gives the same.
#[must_use]
pub fn rehearse(
    label: &str,
    input: &Input,
    listed: &[Listed],
    seats: impl Fn(Id<SectionKind>) -> i32,
) -> Vec<Forecast> {
    let sections = section_ids(input.terms());
    let firsts: Vec<Vec<SectionIndex>> = input
        .pupils()
        .iter()
        .map(|pupil| pupil.lists.iter().filter_map(|list| list.ranked.first().copied()).collect())
        .collect();
    let mut granted = vec![0_u32; sections.len()];
    for run in 0..RUN_COUNT {
        let outcome = draw::run(input, &Seed::rehearsal(&format!("{label}/{run}")));
        for ((at, section), granted) in (0..).zip(&outcome.sections).zip(&mut granted) {
            let is_first =
                |pupil: usize| firsts.get(pupil).is_some_and(|firsts| firsts.contains(&SectionIndex(at)));
            let got = section.admitted.iter().filter(|one| is_first(one.pupil.at())).count();
            *granted += u32::try_from(got).unwrap_or_default();
        }
    }
    let count = |held: &dyn Fn(&Listed) -> bool| {
        u32::try_from(listed.iter().filter(|listed| held(listed)).count()).unwrap_or_default()
    };
    let forecast = |(at, id): (usize, &Option<Id<SectionKind>>)| {
        let index = SectionIndex::from_at(at);
        let first_count = u32::try_from(firsts.iter().filter(|firsts| firsts.contains(&index)).count());
        let first_count = first_count.unwrap_or_default();
        let wished_count = count(&|listed| listed.wishes.iter().any(|wish| wish.drawn_as == Some(index)));
        let tries = u64::from(first_count) * u64::from(RUN_COUNT);
        let chance = (u64::from(granted[at]) * 1000).checked_div(tries).unwrap_or_default();
        Some(Forecast {
            section_id: (*id)?,
            seat_count: seats((*id)?),
            wished_count,
            first_count,
            chance_permille: u32::try_from(chance).unwrap_or_default(),
        })
    };
    sections.iter().enumerate().filter_map(forecast).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::admission::tests::{id, section, slot};
    use crate::domain::draw::closing::tests::{close_with, entrant, terms_of};

    #[test]
    fn a_chance_is_the_share_of_first_wishes_that_are_granted() {
        let menu = [
            section(500, 2, &[slot(1, 960)]),
            section(501, 9, &[slot(1, 960)]),
            section(502, 9, &[slot(2, 960)]),
        ];
        let entrants: Vec<_> = (1..=4).map(|pupil| entrant(pupil, &[&[500, 501]])).collect();
        let closed = close_with(terms_of(&menu, &[]), &menu, &entrants);

        let forecasts = rehearse("autumn", &closed.input, &closed.listed, |id| closed.drawn_counts[&id]);

        let of = |section| *forecasts.iter().find(|one| one.section_id == id(section)).unwrap();
        // Two seats for four first wishes: one in two, whatever the seed.
        let first = of(500);
        assert_eq!(
            (first.seat_count, first.wished_count, first.first_count, first.chance_permille),
            (2, 4, 4, 500)
        );
        assert_eq!((of(501).wished_count, of(501).first_count, of(501).chance_permille), (4, 0, 0));
        assert_eq!(of(502).wished_count, 0);
    }
}
