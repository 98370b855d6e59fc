//! Rounds: when choices are taken, and on which terms.
//!
//! A term's rounds never overlap: the end of one may be the start of the next.

use shared::value::{District, Id, Moment, Round as RoundKind, School, Term};

/// An opening of a term's menu for choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// The round.
    pub id: Id<RoundKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The term.
    pub term_id: Id<Term>,
    /// How seats are given.
    pub mode: Mode,
    /// From this moment on choices are taken.
    pub open_at: Moment,
    /// From this moment on none is taken; after `open_at`.
    pub close_at: Moment,
    /// How long seats given in it wait.
    pub waits: Waits,
}

/// How seats are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In order of arrival at the service, at the skew of one group.
    FirstCome,
}

/// How long a seat waits, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// For the steps of approval, 60 to 2,592,000.
    pub review_seconds: i32,
    /// For payment once approved, 60 to 604,800.
    pub payment_seconds: i32,
}

/// Why a round is not opened, or an application not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another round of the term shares a moment with it.
    #[error("round {round_id} overlaps")]
    Overlaps {
        /// That round.
        round_id: Id<RoundKind>,
    },
    /// Nothing of the term is on the menu.
    #[error("the menu is empty")]
    MenuEmpty,
    /// Choices are not taken yet.
    #[error("not open yet")]
    NotOpen {
        /// When the next round opens; none when none is known.
        open_at: Option<Moment>,
    },
    /// Choices are not taken any more.
    #[error("closed since {close_at}")]
    Closed {
        /// When the last round closed.
        close_at: Moment,
    },
}

/// Opens `round` beside the term's `others`, for a menu of `section_count` sections.
///
/// # Errors
/// [`Error::Overlaps`], [`Error::MenuEmpty`].
pub fn open(round: &Round, others: &[Round], section_count: u64) -> Result<(), Error> {
    let overlaps = |other: &&Round| other.open_at < round.close_at && round.open_at < other.close_at;
    if let Some(other) = others.iter().find(overlaps) {
        return Err(Error::Overlaps { round_id: other.id });
    }
    if section_count == 0 {
        return Err(Error::MenuEmpty);
    }
    Ok(())
}

/// Gives the round of a term in which choices are taken at `now`.
///
/// # Errors
/// [`Error::NotOpen`] while a round is still to come, or none is known; [`Error::Closed`] after the last.
pub fn current(rounds: &[Round], now: Moment) -> Result<&Round, Error> {
    if let Some(round) = rounds.iter().find(|round| round.open_at <= now && now < round.close_at) {
        return Ok(round);
    }
    let next = rounds.iter().map(|round| round.open_at).filter(|open_at| now < *open_at).min();
    let last = rounds.iter().map(|round| round.close_at).max();
    match (next, last) {
        (None, Some(close_at)) => Err(Error::Closed { close_at }),
        (open_at, _) => Err(Error::NotOpen { open_at }),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use uuid::Uuid;

    use super::*;

    fn at(minute: i64) -> Moment {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(minute)
    }

    fn round(open: i64, close: i64) -> Round {
        Round {
            id: Id::new(Uuid::from_u128(1)),
            district_id: Id::new(Uuid::from_u128(2)),
            school_id: Id::new(Uuid::from_u128(3)),
            term_id: Id::new(Uuid::from_u128(4)),
            mode: Mode::FirstCome,
            open_at: at(open),
            close_at: at(close),
            waits: Waits { review_seconds: 60, payment_seconds: 60 },
        }
    }

    #[test]
    fn a_round_may_begin_when_another_ends_but_not_before() {
        assert_eq!(open(&round(10, 20), &[round(0, 10), round(20, 30)], 1), Ok(()));
        for (from, to) in [(9, 20), (10, 21), (0, 40), (12, 13)] {
            let refused = open(&round(from, to), &[round(0, 10), round(12, 30)], 1);
            assert!(matches!(refused, Err(Error::Overlaps { .. })), "{from} to {to}");
        }
    }

    #[test]
    fn an_empty_menu_is_not_opened() {
        assert_eq!(open(&round(0, 1), &[], 0), Err(Error::MenuEmpty));
    }

    #[test]
    fn choices_are_taken_from_the_opening_moment_until_before_the_closing_one() {
        let rounds = [round(10, 20), round(30, 40)];
        let second = TimeDelta::microseconds(1);
        let table = [
            (at(10) - second, Err(Error::NotOpen { open_at: Some(at(10)) })),
            (at(10), Ok(at(10))),
            (at(20) - second, Ok(at(10))),
            (at(20), Err(Error::NotOpen { open_at: Some(at(30)) })),
            (at(30), Ok(at(30))),
            (at(40), Err(Error::Closed { close_at: at(40) })),
        ];
        for (now, expected) in table {
            assert_eq!(current(&rounds, now).map(|round| round.open_at), expected, "{now}");
        }
        assert_eq!(current(&[], at(0)), Err(Error::NotOpen { open_at: None }));
    }
}
