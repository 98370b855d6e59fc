//! Institutions, their listings, and whether a school may take from them.
//!
//! A listing's life:
//!
//! | from ↓ command → | list                | suspend      |
//! |------------------|---------------------|--------------|
//! | none             | Listed              | (not found)  |
//! | Listed           | Listed, new days ¹  | Suspended    |
//! | Suspended        | Listed, new days ²  | no change    |
//!
//! ¹ the same days: no change.  ² only with a first day after the day of the suspension, else `Suspended`; the same days: no change.

use chrono::NaiveDate;
use policy::vocabulary::WhitelistScope;
use policy::{Clause, Policy};
use shared::value::{self, Id};

use super::node::{ListPlace, SchoolPath};

/// A third-party institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its id.
    pub id: Id<value::Provider>,
    /// Its registered name, 2 to 64 characters.
    pub name: String,
    /// Its unified social credit code.
    pub credit_code: CreditCode,
}

/// A unified social credit code (统一社会信用代码): 18 digits and capital letters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CreditCode(String);

/// The text is no credit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 18 digits and letters")]
pub struct CreditCodeError;

impl CreditCode {
    /// Reads a code; small letters are taken as capitals.
    ///
    /// # Errors
    /// [`CreditCodeError`] for another length or another character.
    pub fn parse(text: &str) -> Result<Self, CreditCodeError> {
        let code = text.trim().to_ascii_uppercase();
        let is_code = code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_code { Ok(Self(code)) } else { Err(CreditCodeError) }
    }

    /// The 18 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A provider's entry on one whitelist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Whose list it is.
    pub place: ListPlace,
    /// The days it holds.
    pub days: Days,
    /// Where it stands.
    pub state: State,
}

/// The days a listing holds, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub first: NaiveDate,
    /// The last, not before the first.
    pub last: NaiveDate,
}

impl Days {
    /// Says whether it holds on `day`.
    #[must_use]
    pub fn hold_on(self, day: NaiveDate) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

/// Where a listing stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Its courses may be taken by the schools the list serves.
    Listed,
    /// Nothing new is taken from it.
    Suspended {
        /// Why.
        reason: String,
        /// The day it was suspended.
        on: NaiveDate,
    },
}

/// What a suspension tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspended;

/// Why a listing may not change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The policy keeps lists at another level.
    #[error("lists are kept by {scope:?}")]
    OtherScope {
        /// The level.
        scope: WhitelistScope,
        /// What says so.
        clause: Box<Clause>,
    },
    /// It is suspended, and the new days do not begin after that.
    #[error("suspended on {on}")]
    Suspended {
        /// The day of the suspension.
        on: NaiveDate,
        /// Why.
        reason: String,
    },
}

/// Judges whether a list may be kept at `place`.
///
/// # Errors
/// [`Error::OtherScope`] when the policy says another level.
pub fn keeps_list(policy: &Policy, place: ListPlace) -> Result<(), Error> {
    let Some((scope, clause)) = policy.provider.whitelist_scope.known() else { return Ok(()) };
    let fits = match (scope, place) {
        (WhitelistScope::TownStreet, ListPlace::Town(..))
        | (WhitelistScope::District, ListPlace::District(_)) => true,
        (WhitelistScope::TownStreet, ListPlace::District(_))
        | (WhitelistScope::District, ListPlace::Town(..)) => false,
    };
    if fits { Ok(()) } else { Err(Error::OtherScope { scope: *scope, clause: Box::new(clause) }) }
}

/// Lists a provider at `place`, or renews its listing. Gives nothing when that changes nothing.
///
/// # Errors
/// [`Error::Suspended`].
pub fn list(present: Option<&Listing>, place: ListPlace, days: Days) -> Result<Option<Listing>, Error> {
    let listed = Listing { place, days, state: State::Listed };
    match present {
        None => Ok(Some(listed)),
        Some(present) if present.days == days => Ok(None),
        Some(Listing { state: State::Listed, .. }) => Ok(Some(listed)),
        Some(Listing { state: State::Suspended { on, .. }, .. }) if days.first > *on => Ok(Some(listed)),
        Some(Listing { state: State::Suspended { on, reason }, .. }) => {
            Err(Error::Suspended { on: *on, reason: reason.clone() })
        }
    }
}

/// Suspends a listing. Without a [`Suspended`] it was suspended already, and its first reason stays.
#[must_use]
pub fn suspend(listing: &Listing, reason: &str, today: NaiveDate) -> (Listing, Option<Suspended>) {
    match &listing.state {
        State::Listed => {
            let state = State::Suspended { reason: reason.to_owned(), on: today };
            (Listing { state, ..listing.clone() }, Some(Suspended))
        }
        State::Suspended { .. } => (listing.clone(), None),
    }
}

/// Why a school may take nothing from a provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Standing {
    /// No list that serves the school has it today, nor any other.
    #[error("not listed")]
    NotListed,
    /// Only a list that serves other schools has it.
    #[error("listed elsewhere")]
    ListedElsewhere,
    /// A list that serves the school has suspended it.
    #[error("suspended")]
    Suspended,
}

/// Why a school may take nothing from a provider, with the clause when a document says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{standing}")]
pub struct NotEligible {
    /// What stands against it.
    pub standing: Standing,
    /// What says so; none when no document does, and the platform's own rule holds: providers come from a whitelist.
    pub clause: Option<Box<Clause>>,
}

/// Judges whether `school` may take something new from the provider with these listings on `day`.
///
/// Lists at a level the policy does not name count for nothing. Where it names none, lists of both levels count, and a suspension
/// on either is one.
///
/// # Errors
/// [`NotEligible`].
pub fn eligible(
    policy: &Policy,
    school: &SchoolPath,
    listings: &[Listing],
    day: NaiveDate,
) -> Result<(), NotEligible> {
    let rules = &policy.provider;
    let refuse = |standing| {
        let clause =
            rules.whitelist_scope.clause().or_else(|| rules.whitelist_required.clause()).map(Box::new);
        Err(NotEligible { standing, clause })
    };
    let counting = || listings.iter().filter(|listing| keeps_list(policy, listing.place).is_ok());
    let mut serving = counting().filter(|listing| listing.place.serves(school));
    if serving.clone().any(|listing| matches!(listing.state, State::Suspended { .. })) {
        return refuse(Standing::Suspended);
    }
    if serving.any(|listing| listing.days.hold_on(day)) || rules.whitelist_required.get() == Some(&false) {
        return Ok(());
    }
    let is_elsewhere = |listing: &Listing| {
        !listing.place.serves(school) && listing.state == State::Listed && listing.days.hold_on(day)
    };
    let standing = if counting().any(is_elsewhere) { Standing::ListedElsewhere } else { Standing::NotListed };
    refuse(standing)
}

#[cfg(test)]
mod tests {
    use shared::value::{District, Node};
    use uuid::Uuid;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn days(first: &str, last: &str) -> Days {
        Days { first: day(first), last: day(last) }
    }

    fn place() -> ListPlace {
        let district: Id<District> = Id::new(Uuid::from_u128(1));
        let town: Id<Node> = Id::new(Uuid::from_u128(2));
        ListPlace::Town(district, town)
    }

    fn listing(state: State) -> Listing {
        Listing { place: place(), days: days("2026-01-01", "2026-12-31"), state }
    }

    fn suspended() -> State {
        State::Suspended { reason: "收费".to_owned(), on: day("2026-06-01") }
    }

    #[test]
    fn every_cell_of_the_table() {
        let same = days("2026-01-01", "2026-12-31");
        let later = days("2026-06-02", "2027-06-01");
        let on_the_day = days("2026-06-01", "2027-06-01");
        let none: Option<Listing> = None;
        let listed = Some(listing(State::Listed));
        let stopped = Some(listing(suspended()));
        let new = |days| Ok(Some(Listing { place: place(), days, state: State::Listed }));
        let refused = Err(Error::Suspended { on: day("2026-06-01"), reason: "收费".to_owned() });

        let table = [
            (&none, same, new(same)),
            (&listed, same, Ok(None)),
            (&listed, later, new(later)),
            (&stopped, same, Ok(None)),
            (&stopped, on_the_day, refused),
            (&stopped, later, new(later)),
        ];
        for (present, days, expected) in table {
            assert_eq!(list(present.as_ref(), place(), days), expected, "{present:?} {days:?}");
        }

        assert_eq!(
            suspend(&listing(State::Listed), "收费", day("2026-06-01")),
            (listing(suspended()), Some(Suspended))
        );
        assert_eq!(
            suspend(&listing(suspended()), "另一原因", day("2026-07-01")),
            (listing(suspended()), None)
        );
    }

    #[test]
    fn a_listing_holds_on_its_first_and_on_its_last_day() {
        let days = days("2026-01-01", "2026-12-31");
        for (text, expected) in
            [("2025-12-31", false), ("2026-01-01", true), ("2026-12-31", true), ("2027-01-01", false)]
        {
            assert_eq!(days.hold_on(day(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_credit_code_has_18_digits_and_letters() {
        assert_eq!(CreditCode::parse(" 91350100m000100y43 ").unwrap().as_str(), "91350100M000100Y43");
        for wrong in ["91350100M000100Y4", "91350100M000100Y433", "91350100M-00100Y43", "", "统一社会信用"]
        {
            assert_eq!(CreditCode::parse(wrong), Err(CreditCodeError), "{wrong}");
        }
    }
}
