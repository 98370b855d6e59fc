//! The ceiling over all of a pupil's courses in a term, as far as it can be judged before anything is billed: over courses that have a
//! price of their own.
//!
//! Billing told the prices and the ceiling; it judges again when it charges. Waivers are none of it: whoever is waived is told the same.

use std::collections::HashMap;

use shared::value::{Fen, Id, Section};

/// What a section with a price of its own costs a pupil in its term, and what limits the sum of all such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPrice {
    /// The price.
    pub price: Fen,
    /// The most of a term; none where the region states none.
    pub ceiling: Option<Ceiling>,
}

/// The most of a term, and what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// The most.
    pub limit: Fen,
    /// The policy key.
    pub key: String,
    /// What it says, in Chinese.
    pub clause_zh: String,
    /// What it says, in English.
    pub clause_en: String,
    /// Where it stands.
    pub source: String,
}

/// Prices by section; sections without one of their own are missing.
pub type OwnPrices = HashMap<Id<Section>, OwnPrice>;

/// The courses together are above the ceiling.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sum} is above the ceiling of the term")]
pub struct Reached {
    /// What all of them would cost.
    pub sum: Fen,
    /// The ceiling.
    pub ceiling: Box<Ceiling>,
}

/// Judges a section beside those a pupil has seats in already, all of one term.
///
/// # Errors
/// [`Reached`]; also when the sum does not fit into 64 bits.
pub fn check(
    prices: &OwnPrices,
    wanted: Id<Section>,
    seated: impl IntoIterator<Item = Id<Section>>,
) -> Result<(), Reached> {
    let Some(OwnPrice { price, ceiling: Some(ceiling) }) = prices.get(&wanted) else { return Ok(()) };
    let reached = |sum| Reached { sum, ceiling: Box::new(ceiling.clone()) };
    let own = seated.into_iter().filter_map(|id| prices.get(&id)).map(|own| own.price);
    let sum = Fen::total(own.chain([*price])).map_err(|_| reached(Fen::new(i64::MAX)))?;
    if sum > ceiling.limit { Err(reached(sum)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> Id<Section> {
        Id::new(Uuid::from_u128(number))
    }

    fn prices(of: &[(u128, i64)], limit: Option<i64>) -> OwnPrices {
        let ceiling = limit.map(|limit| Ceiling {
            limit: Fen::new(limit),
            key: "personalised_course_parent_cap_fen_per_term".to_owned(),
            clause_zh: "每学期不超过 600 元".to_owned(),
            clause_en: "at most 600 yuan a term".to_owned(),
            source: "004:67".to_owned(),
        });
        let own = |price| OwnPrice { price: Fen::new(price), ceiling: ceiling.clone() };
        of.iter().map(|(number, price)| (id(*number), own(*price))).collect()
    }

    #[test]
    fn c41_up_to_the_ceiling_is_admitted_and_one_fen_more_is_not() {
        let known = prices(&[(1, 35_000), (2, 25_000), (3, 25_001)], Some(60_000));

        assert_eq!(check(&known, id(2), [id(1)]), Ok(()));
        let reached = check(&known, id(3), [id(1)]).unwrap_err();
        assert_eq!((reached.sum, reached.ceiling.limit), (Fen::new(60_001), Fen::new(60_000)));
        // A course without a price of its own counts nothing, taken or wanted.
        assert_eq!(check(&known, id(9), [id(1), id(3)]), Ok(()));
        assert_eq!(check(&known, id(2), [id(1), id(9)]), Ok(()));
    }

    #[test]
    fn where_the_region_states_no_ceiling_nothing_is_refused() {
        let known = prices(&[(1, 90_000), (2, 90_000)], None);
        assert_eq!(check(&known, id(2), [id(1)]), Ok(()));
    }
}
