//! Several seats at once, all or none: a pupil's whole week.
//!
//! The parts are decided one after another as single applications are, each seeing what the ones before it took; if one fails, all is
//! put back. Every part that fails is named, so that a family corrects its week once and not five times.
//!
//! Each part's request id is made of the basket's and the part's place in it. Sent again, the same basket finds all its parts; another
//! one under the same id finds some of them elsewhere, or one too many, or one too few.

use shared::value::{self, Id, Moment};

use super::admission::{self, Application, Outcome, Snapshot};
use super::section::Section;

/// The most parts.
pub const PART_MAX: usize = 20;

/// What is decided as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// One application.
    One(Application),
    /// Several, all or none.
    Basket(Basket),
}

/// Applications of one guardian for one pupil, each for another section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basket {
    /// The parts, 1 to [`PART_MAX`], in the order asked.
    pub parts: Vec<Application>,
    /// The request id that one more part would have had.
    pub next_request_id: uuid::Uuid,
}

/// Why nothing was taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The one application is refused; or the basket as a whole, for its request id.
    #[error(transparent)]
    One(#[from] admission::Error),
    /// Some parts cannot be had.
    #[error("{} parts cannot be had", .0.len())]
    Basket(Vec<Failed>),
}

/// A part that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Which.
    pub part: Application,
    /// Why.
    pub why: Why,
}

/// Why a part cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// For what would refuse it alone.
    Alone(admission::Error),
    /// It meets at the same time as another part.
    PartsClash {
        /// That part's section.
        section_id: Id<value::Section>,
        /// Its title.
        section_title: String,
        /// The weekday of the first clash, 1 (Monday) to 7 (Sunday).
        weekday: i32,
        /// When the other part's slot starts: minutes after midnight.
        start_minute: i32,
    },
}

impl Ask {
    /// Its applications.
    #[must_use]
    pub fn parts(&self) -> &[Application] {
        match self {
            Self::One(application) => std::slice::from_ref(application),
            Self::Basket(basket) => &basket.parts,
        }
    }

    /// Every request whose earlier outcome matters: guardian and request id.
    pub fn requests(&self) -> impl Iterator<Item = (Id<value::Guardian>, uuid::Uuid)> + '_ {
        let next = match self {
            Self::One(_) => None,
            Self::Basket(basket) => {
                basket.parts.first().map(|part| (part.guardian_id, basket.next_request_id))
            }
        };
        self.parts().iter().map(|part| (part.guardian_id, part.request_id)).chain(next)
    }
}

impl From<Application> for Ask {
    fn from(application: Application) -> Self {
        Self::One(application)
    }
}

/// Decides what is asked and, if it is taken, moves the snapshot on. Gives an outcome for each part, in their order.
///
/// # Errors
/// [`Refusal`]; the snapshot is then as it was.
pub fn decide(snapshot: &mut Snapshot, ask: &Ask, now: Moment) -> Result<Vec<Outcome>, Refusal> {
    match ask {
        Ask::One(application) => Ok(vec![admission::decide(snapshot, application, now)?]),
        Ask::Basket(basket) => all_or_none(snapshot, basket, now),
    }
}

fn all_or_none(snapshot: &mut Snapshot, basket: &Basket, now: Moment) -> Result<Vec<Outcome>, Refusal> {
    if let Some(earlier) = earlier(snapshot, basket)? {
        return Ok(earlier);
    }
    let before = Before::of(snapshot, basket);
    let mut outcomes = Vec::with_capacity(basket.parts.len());
    let mut failed = Vec::new();
    for part in &basket.parts {
        match admission::decide(snapshot, part, now) {
            Ok(outcome) => outcomes.push(outcome),
            Err(error) => failed.push(Failed { part: part.clone(), why: why(basket, error) }),
        }
    }
    if failed.is_empty() {
        return Ok(outcomes);
    }
    before.put_back(snapshot, basket);
    Err(Refusal::Basket(failed))
}

/// What the same basket got before; none when it was never sent.
fn earlier(snapshot: &mut Snapshot, basket: &Basket) -> Result<Option<Vec<Outcome>>, admission::Error> {
    let prior = |part: &Application| snapshot.requests.get(&(part.guardian_id, part.request_id));
    let priors: Vec<_> = basket.parts.iter().map(prior).collect();
    let had_more = basket
        .parts
        .first()
        .is_some_and(|part| snapshot.requests.contains_key(&(part.guardian_id, basket.next_request_id)));
    if priors.iter().all(Option::is_none) && !had_more {
        return Ok(None);
    }
    let again = basket.parts.iter().zip(priors).map(|(part, prior)| match prior {
        Some(prior) => prior.answer(part),
        None => Err(admission::Error::RequestReused),
    });
    let again = again.collect::<Result<Vec<_>, _>>()?;
    if had_more { Err(admission::Error::RequestReused) } else { Ok(Some(again)) }
}

/// A clash with another part is not one with a seat the pupil has.
fn why(basket: &Basket, error: admission::Error) -> Why {
    let admission::Error::SlotTaken { enrollment_id, section_title, weekday, start_minute } = error else {
        return Why::Alone(error);
    };
    match basket.parts.iter().find(|part| part.enrollment_id == enrollment_id) {
        Some(other) => Why::PartsClash { section_id: other.section_id, section_title, weekday, start_minute },
        None => {
            Why::Alone(admission::Error::SlotTaken { enrollment_id, section_title, weekday, start_minute })
        }
    }
}

/// What the parts may change, as it was.
struct Before {
    sections: Vec<Section>,
    places: Option<Vec<admission::Place>>,
}

impl Before {
    fn of(snapshot: &Snapshot, basket: &Basket) -> Self {
        let sections = basket.parts.iter().filter_map(|part| snapshot.sections.get(&part.section_id));
        let pupil_id = basket.parts.first().map(|part| part.pupil_id);
        Self {
            sections: sections.cloned().collect(),
            places: pupil_id.and_then(|id| snapshot.places.get(&id).cloned()),
        }
    }

    fn put_back(self, snapshot: &mut Snapshot, basket: &Basket) {
        for section in self.sections {
            snapshot.sections.insert(section.id, section);
        }
        for part in &basket.parts {
            snapshot.requests.remove(&(part.guardian_id, part.request_id));
            snapshot.places.remove(&part.pupil_id);
        }
        if let (Some(places), Some(part)) = (self.places, basket.parts.first()) {
            snapshot.places.insert(part.pupil_id, places);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::super::admission::tests::{application, id, section, slot, snapshot};
    use super::super::enrollment::tests::at;
    use super::*;

    /// A basket numbered `number` of a pupil, with one part a section.
    fn basket(number: u128, pupil: u128, sections: &[u128], join_waitlist: bool) -> Ask {
        let request = |place: usize| Uuid::from_u128(900_000 + number * 100 + place as u128);
        let parts = sections.iter().enumerate().map(|(place, section)| Application {
            enrollment_id: id(700_000 + number * 100 + place as u128),
            request_id: request(place),
            ..application(number, pupil, *section, join_waitlist)
        });
        Ask::Basket(Basket { parts: parts.collect(), next_request_id: request(sections.len()) })
    }

    /// Two sections on different days with one seat each, and a third that clashes with the first.
    fn week() -> Snapshot {
        snapshot(vec![
            section(500, 1, &[slot(1, 960)]),
            section(501, 1, &[slot(2, 960)]),
            section(502, 9, &[slot(1, 990)]),
        ])
    }

    fn failed(refusal: Refusal) -> Vec<Failed> {
        match refusal {
            Refusal::Basket(failed) => failed,
            Refusal::One(error) => panic!("{error}"),
        }
    }

    #[test]
    fn c41_a_week_is_taken_whole() {
        let mut snapshot = week();

        let outcomes = decide(&mut snapshot, &basket(1, 1, &[500, 501], false), at(1)).unwrap();

        assert_eq!(outcomes.len(), 2);
        let taken = [500, 501].map(|number| snapshot.sections[&id(number)].seats.taken_count);
        assert_eq!((taken, snapshot.places[&id(1)].len()), ([1, 1], 2));
    }

    #[test]
    fn c41_one_full_section_leaves_the_whole_week_untaken() {
        let mut snapshot = week();
        decide(&mut snapshot, &basket(1, 1, &[501], false), at(1)).unwrap();
        let (sections, requests) = (snapshot.sections.clone(), snapshot.requests.clone());

        let failed = failed(decide(&mut snapshot, &basket(2, 2, &[500, 501], false), at(1)).unwrap_err());

        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].part.section_id, id(501));
        assert!(matches!(failed[0].why, Why::Alone(admission::Error::Full { .. })));
        assert_eq!((snapshot.sections, snapshot.requests), (sections, requests));
        assert!(!snapshot.places.contains_key(&id(2)));
    }

    #[test]
    fn every_part_that_fails_is_named_with_its_own_reason() {
        let mut snapshot = week();
        decide(&mut snapshot, &basket(1, 1, &[501], false), at(1)).unwrap();

        let ask = basket(2, 2, &[500, 501, 502, 999], false);
        let failed = failed(decide(&mut snapshot, &ask, at(1)).unwrap_err());

        assert_eq!(failed.len(), 3);
        assert!(matches!(failed[0].why, Why::Alone(admission::Error::Full { .. })));
        let clash = &failed[1].why;
        assert!(matches!(clash, Why::PartsClash { section_id, .. } if *section_id == id(500)), "{clash:?}");
        assert_eq!(failed[2].why, Why::Alone(admission::Error::SectionUnknown));
    }

    #[test]
    fn whoever_would_stand_in_line_has_a_whole_week_of_seats_and_places_in_line() {
        let mut snapshot = week();
        decide(&mut snapshot, &basket(1, 1, &[501], false), at(1)).unwrap();

        let outcomes = decide(&mut snapshot, &basket(2, 2, &[500, 501], true), at(1)).unwrap();

        assert_eq!(outcomes.len(), 2);
        let seats = snapshot.sections[&id(501)].seats;
        assert_eq!((seats.taken_count, seats.waitlisted_count), (1, 1));
    }

    #[test]
    fn the_same_basket_again_gets_the_same_and_any_other_under_its_id_is_refused() {
        let mut snapshot = week();
        let Ask::Basket(first) = basket(1, 1, &[500, 501], false) else { panic!() };
        decide(&mut snapshot, &Ask::Basket(first.clone()), at(1)).unwrap();

        let again = decide(&mut snapshot, &Ask::Basket(first.clone()), at(2)).unwrap();
        let ids: Vec<_> = first.parts.iter().map(|part| Outcome::Again(part.enrollment_id)).collect();
        assert_eq!(again, ids);
        for other in [&[501, 500][..], &[500], &[500, 501, 502], &[500, 502]] {
            let refusal = decide(&mut snapshot, &basket(1, 1, other, false), at(2)).unwrap_err();
            assert_eq!(refusal, Refusal::One(admission::Error::RequestReused), "{other:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever weeks are asked for: what is refused leaves no trace, what is taken is taken whole.
        #[test]
        fn all_or_none(
            asks in prop::collection::vec(
                (1_u128..=9, prop::collection::btree_set(500_u128..508, 1..5), any::<bool>()), 1..60),
        ) {
            let sections = (0..8).map(|n| section(500 + n, 2, &[slot(1 + i32::try_from(n % 4).unwrap(), 960)]));
            let mut snapshot = snapshot(sections.collect());
            for (number, (pupil, sections, join_waitlist)) in asks.into_iter().enumerate() {
                let sections: Vec<_> = sections.into_iter().collect();
                let ask = basket(number as u128, pupil, &sections, join_waitlist);
                let before = (snapshot.sections.clone(), snapshot.requests.clone());
                let places = snapshot.places.get(&id(pupil)).cloned().unwrap_or_default();
                match decide(&mut snapshot, &ask, at(1)) {
                    Ok(outcomes) => {
                        prop_assert_eq!(outcomes.len(), sections.len());
                        prop_assert_eq!(snapshot.places[&id(pupil)].len(), places.len() + sections.len());
                    }
                    Err(Refusal::Basket(failed)) => {
                        prop_assert!(!failed.is_empty());
                        prop_assert_eq!(&(snapshot.sections.clone(), snapshot.requests.clone()), &before);
                        prop_assert_eq!(snapshot.places.get(&id(pupil)).cloned().unwrap_or_default(), places);
                    }
                    Err(other) => prop_assert!(false, "{other}"),
                }
                for section in snapshot.sections.values() {
                    prop_assert!(section.seats.taken_count <= section.seats.capacity_count);
                }
            }
        }
    }
}
