//! Rounds: when choices are taken, and on which terms.
//!
//! A term's rounds never overlap: the end of one may be the start of the next. One that was called off is no longer there.
//!
//! | from ↓ command → | extend | cancel | close ¹ | draw | repeat |
//! |------------------|--------|--------|---------|------|--------|
//! | Opened           | later ² | Cancelled ³ | Closed ⁴ | NotClosed | NotClosed |
//! | Closed           | Closed | Cancelled | no change | Drawn | Closed |
//! | Drawn            | Closed | Drawn | no change | Drawn (refused) | Closed |
//! | Cancelled        | Cancelled | no change | no change | Cancelled | Cancelled |
//!
//! ¹ drawn rounds only.  ² before `close_at`, to a later moment at which no other round of the term is open.  ³ in a round that is not
//! drawn before `close_at`.  ⁴ from `close_at` on.

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
    /// Where it stands.
    pub state: State,
}

/// How seats are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In order of arrival at the service, at the skew of one group.
    FirstCome,
    /// By a draw over ranked wishes.
    Ranked,
    /// By a draw over one wish for each draw slot.
    Lottery,
}

/// Where a round stands. Whether choices are taken is said by its times, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It was opened; the lists of a drawn round are not closed yet.
    Opened,
    /// The lists are closed and committed; the draw is still to come. Drawn rounds only.
    Closed,
    /// It is drawn. Drawn rounds only.
    Drawn,
    /// It was called off.
    Cancelled {
        /// Why, for the families.
        reason: String,
    },
}

/// How long a seat waits, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// For the steps of approval, 60 to 2,592,000.
    pub review_seconds: i32,
    /// For payment once approved, 60 to 604,800.
    pub payment_seconds: i32,
}

/// Why a command on a round, an application or wishes are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another round of the term shares a moment with it.
    #[error("round {round_id} overlaps")]
    Overlaps {
        /// That round.
        round_id: Id<RoundKind>,
    },
    /// Nothing of the term is on the menu, or nothing that is drawn.
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
    /// Seats are drawn: wishes are taken instead.
    #[error("round {round_id} takes wishes")]
    WishesOnly {
        /// The round that takes them.
        round_id: Id<RoundKind>,
    },
    /// Nothing is drawn: applications are taken instead.
    #[error("applications are taken instead")]
    ApplicationsOnly,
    /// The lists are still open.
    #[error("the lists close at {close_at}")]
    NotClosed {
        /// When they close.
        close_at: Moment,
    },
    /// It is drawn.
    #[error("it is drawn")]
    Drawn,
    /// It was called off.
    #[error("called off")]
    Cancelled {
        /// Why.
        reason: String,
    },
    /// It would not close later than it does.
    #[error("closes at {close_at} already")]
    NotLater {
        /// When it closes.
        close_at: Moment,
    },
}

impl Mode {
    /// Says whether seats are drawn.
    #[must_use]
    pub const fn is_drawn(self) -> bool {
        match self {
            Self::FirstCome => false,
            Self::Ranked | Self::Lottery => true,
        }
    }
}

impl Round {
    /// Says whether it was called off.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self.state, State::Cancelled { .. })
    }

    /// Says whether its seats wait for a draw at `now`: wishes are not taken any more, and it is not drawn.
    fn awaits_draw(&self, now: Moment) -> bool {
        match self.state {
            State::Opened => self.mode.is_drawn() && self.close_at <= now,
            State::Closed => true,
            State::Drawn | State::Cancelled { .. } => false,
        }
    }

    fn drawn_only(&self) -> Result<(), Error> {
        if self.mode.is_drawn() { Ok(()) } else { Err(Error::ApplicationsOnly) }
    }
}

/// Opens `round` beside the term's `others`, for a menu of `section_count` sections.
///
/// # Errors
/// [`Error::Overlaps`], [`Error::MenuEmpty`].
pub fn open(round: &Round, others: &[Round], section_count: u64) -> Result<(), Error> {
    check_overlap(round, others, round.close_at)?;
    if section_count == 0 {
        return Err(Error::MenuEmpty);
    }
    Ok(())
}

fn check_overlap(round: &Round, others: &[Round], close_at: Moment) -> Result<(), Error> {
    let overlaps = |other: &&Round| {
        other.id != round.id
            && !other.is_cancelled()
            && other.open_at < close_at
            && round.open_at < other.close_at
    };
    match others.iter().find(overlaps) {
        Some(other) => Err(Error::Overlaps { round_id: other.id }),
        None => Ok(()),
    }
}

/// Gives the round of a term in which a section can be applied for at `now`.
///
/// Basic care is never drawn: it can be applied for in every round that is open.
///
/// # Errors
/// [`Error::WishesOnly`] while wishes are taken; [`Error::Closed`] while a draw is still to come, and after the last round;
/// [`Error::NotOpen`] while a round is still to come, or none is known.
pub fn current(rounds: &[Round], basic_care: bool, now: Moment) -> Result<&Round, Error> {
    let live = || rounds.iter().filter(|round| !round.is_cancelled());
    if !basic_care && let Some(round) = live().find(|round| round.awaits_draw(now)) {
        return Err(Error::Closed { close_at: round.close_at });
    }
    if let Some(round) = live().find(|round| round.open_at <= now && now < round.close_at) {
        if round.mode.is_drawn() && !basic_care {
            return Err(Error::WishesOnly { round_id: round.id });
        }
        return Ok(round);
    }
    let next = live().map(|round| round.open_at).filter(|open_at| now < *open_at).min();
    let last = live().map(|round| round.close_at).max();
    match (next, last) {
        (None, Some(close_at)) => Err(Error::Closed { close_at }),
        (open_at, _) => Err(Error::NotOpen { open_at }),
    }
}

/// Says whether wishes may be handed in, replaced or taken back at `now`.
///
/// # Errors
/// [`Error::ApplicationsOnly`], [`Error::Cancelled`], [`Error::NotOpen`], [`Error::Closed`].
pub fn take_wishes(round: &Round, now: Moment) -> Result<(), Error> {
    round.drawn_only()?;
    match &round.state {
        State::Opened if now < round.open_at => Err(Error::NotOpen { open_at: Some(round.open_at) }),
        State::Opened if now < round.close_at => Ok(()),
        State::Opened | State::Closed | State::Drawn => Err(Error::Closed { close_at: round.close_at }),
        State::Cancelled { reason } => Err(Error::Cancelled { reason: reason.clone() }),
    }
}

/// Says whether the lists are to be closed at `now`.
#[must_use]
pub fn is_to_close(round: &Round, now: Moment) -> bool {
    match round.state {
        State::Opened => round.mode.is_drawn() && round.close_at <= now,
        State::Closed | State::Drawn | State::Cancelled { .. } => false,
    }
}

/// Says whether the round can be drawn: values entered, or the draw held.
///
/// # Errors
/// [`Error::ApplicationsOnly`], [`Error::NotClosed`], [`Error::Drawn`], [`Error::Cancelled`].
pub fn draw(round: &Round) -> Result<(), Error> {
    round.drawn_only()?;
    match &round.state {
        State::Opened => Err(Error::NotClosed { close_at: round.close_at }),
        State::Closed => Ok(()),
        State::Drawn => Err(Error::Drawn),
        State::Cancelled { reason } => Err(Error::Cancelled { reason: reason.clone() }),
    }
}

/// Says whether another act can begin.
///
/// # Errors
/// [`Error::ApplicationsOnly`], [`Error::NotClosed`], [`Error::Cancelled`].
pub fn repeat(round: &Round) -> Result<(), Error> {
    match draw(round) {
        Err(Error::Drawn) => Ok(()),
        other => other,
    }
}

/// Lets a round close later, beside the term's `others`.
///
/// # Errors
/// [`Error::Closed`], [`Error::Drawn`], [`Error::Cancelled`], [`Error::NotLater`], [`Error::Overlaps`].
pub fn extend(round: &Round, others: &[Round], close_at: Moment, now: Moment) -> Result<Round, Error> {
    match &round.state {
        State::Opened if now < round.close_at => {}
        State::Opened | State::Closed | State::Drawn => {
            return Err(Error::Closed { close_at: round.close_at });
        }
        State::Cancelled { reason } => return Err(Error::Cancelled { reason: reason.clone() }),
    }
    if close_at <= round.close_at {
        return Err(Error::NotLater { close_at: round.close_at });
    }
    check_overlap(round, others, close_at)?;
    Ok(Round { close_at, ..round.clone() })
}

/// Calls a round off. Nothing, when it was called off before.
///
/// # Errors
/// [`Error::Drawn`]; [`Error::Closed`] where seats were given as they were applied for and the time is over.
pub fn cancel(round: &Round, reason: &str, now: Moment) -> Result<Option<Round>, Error> {
    match &round.state {
        State::Opened if !round.mode.is_drawn() && round.close_at <= now => {
            Err(Error::Closed { close_at: round.close_at })
        }
        State::Opened | State::Closed => {
            Ok(Some(Round { state: State::Cancelled { reason: reason.to_owned() }, ..round.clone() }))
        }
        State::Drawn => Err(Error::Drawn),
        State::Cancelled { .. } => Ok(None),
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
            state: State::Opened,
        }
    }

    fn drawn(open: i64, close: i64) -> Round {
        Round { mode: Mode::Ranked, ..round(open, close) }
    }

    #[test]
    fn a_round_may_begin_when_another_ends_but_not_before() {
        let other = |open, close| Round { id: Id::new(Uuid::from_u128(9)), ..round(open, close) };
        assert_eq!(open(&round(10, 20), &[other(0, 10), other(20, 30)], 1), Ok(()));
        let others = [other(0, 10), other(12, 30)];
        for (from, to) in [(9, 20), (10, 21), (0, 40), (12, 13)] {
            let refused = open(&round(from, to), &others, 1);
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
            assert_eq!(current(&rounds, false, now).map(|round| round.open_at), expected, "{now}");
        }
        assert_eq!(current(&[], false, at(0)), Err(Error::NotOpen { open_at: None }));
    }

    #[test]
    fn a_round_called_off_is_in_nobodys_way() {
        let off = Round {
            id: Id::new(Uuid::from_u128(9)),
            state: State::Cancelled { reason: "停课".to_owned() },
            ..round(0, 40)
        };
        assert_eq!(open(&round(10, 20), std::slice::from_ref(&off), 1), Ok(()));
        assert_eq!(current(&[off], false, at(5)), Err(Error::NotOpen { open_at: None }));
    }

    #[test]
    fn c40_while_seats_are_drawn_only_basic_care_can_be_applied_for() {
        let wishes = Err(Error::WishesOnly { round_id: Id::new(Uuid::from_u128(1)) });
        let closed = Err(Error::Closed { close_at: at(20) });
        let later = Round { id: Id::new(Uuid::from_u128(2)), ..round(20, 40) };
        let table = [
            (State::Opened, 9, Err(Error::NotOpen { open_at: Some(at(10)) })),
            (State::Opened, 10, wishes.clone()),
            (State::Opened, 19, wishes),
            // The job that closes the lists may be late: the seats wait for the draw all the same.
            (State::Opened, 20, closed.clone()),
            (State::Closed, 25, closed),
            (State::Drawn, 25, Ok(at(20))),
        ];
        for (state, now, expected) in table {
            let rounds = [Round { state: state.clone(), ..drawn(10, 20) }, later.clone()];
            let open_at = |basic_care| current(&rounds, basic_care, at(now)).map(|round| round.open_at);
            assert_eq!(open_at(false), expected, "{state:?} {now}");
            assert_eq!(open_at(true).is_ok(), now >= 10, "{state:?} {now}");
        }
    }

    #[test]
    fn wishes_are_taken_from_the_opening_millisecond_until_before_the_closing_one() {
        let step = TimeDelta::milliseconds(1);
        let table = [
            (at(10) - step, Err(Error::NotOpen { open_at: Some(at(10)) })),
            (at(10), Ok(())),
            (at(20) - step, Ok(())),
            (at(20), Err(Error::Closed { close_at: at(20) })),
        ];
        for (now, expected) in table {
            assert_eq!(take_wishes(&drawn(10, 20), now), expected, "{now}");
        }
        assert_eq!(take_wishes(&round(10, 20), at(15)), Err(Error::ApplicationsOnly));
    }

    #[test]
    fn every_command_in_every_state_does_as_the_table_says() {
        let cancelled = State::Cancelled { reason: "停课".to_owned() };
        let off = || Error::Cancelled { reason: "停课".to_owned() };
        let not_closed = || Error::NotClosed { close_at: at(20) };
        let closed = || Error::Closed { close_at: at(20) };
        // State, extend to 30 at 15, cancel at 15, is to close at 20, draw, repeat.
        type Row =
            (State, Result<Moment, Error>, Result<bool, Error>, bool, Result<(), Error>, Result<(), Error>);
        let table: [Row; 4] = [
            (State::Opened, Ok(at(30)), Ok(true), true, Err(not_closed()), Err(not_closed())),
            (State::Closed, Err(closed()), Ok(true), false, Ok(()), Ok(())),
            (State::Drawn, Err(closed()), Err(Error::Drawn), false, Err(Error::Drawn), Ok(())),
            (cancelled, Err(off()), Ok(false), false, Err(off()), Err(off())),
        ];
        for (state, extended, is_cancelled, closes, drawn_is, repeated) in table {
            let round = Round { state: state.clone(), ..drawn(10, 20) };
            let longer = extend(&round, &[], at(30), at(15)).map(|round| round.close_at);
            assert_eq!(longer, extended, "{state:?}");
            assert_eq!(cancel(&round, "x", at(15)).map(|round| round.is_some()), is_cancelled, "{state:?}");
            assert_eq!(is_to_close(&round, at(20)), closes, "{state:?}");
            assert_eq!(draw(&round), drawn_is, "{state:?}");
            assert_eq!(repeat(&round), repeated, "{state:?}");
        }
    }

    #[test]
    fn a_round_only_ever_closes_later_and_only_before_it_has_closed() {
        let open = drawn(10, 20);
        assert_eq!(extend(&open, &[], at(20), at(15)), Err(Error::NotLater { close_at: at(20) }));
        assert_eq!(extend(&open, &[], at(30), at(20)), Err(Error::Closed { close_at: at(20) }));
        let next = Round { id: Id::new(Uuid::from_u128(9)), ..round(25, 40) };
        assert_eq!(
            extend(&open, &[open.clone(), next.clone()], at(26), at(15)),
            Err(Error::Overlaps { round_id: next.id })
        );
        assert!(extend(&open, &[open.clone(), next], at(25), at(15)).is_ok());
        assert!(!is_to_close(&open, at(20) - TimeDelta::microseconds(1)));
        assert!(!is_to_close(&round(10, 20), at(20)), "nothing is drawn there");
        assert_eq!(cancel(&round(10, 20), "x", at(20)), Err(Error::Closed { close_at: at(20) }));
    }
}
