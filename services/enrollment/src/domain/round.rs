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

use chrono::TimeDelta;
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
    /// How its first applications are ordered; none where they go by arrival as all others.
    pub ties: Option<Ties>,
    /// Where it stands.
    pub state: State,
}

/// The first applications of a round for left-over seats: collected, then decided by lot instead of speed. See
/// [`tie`](super::draw::tie).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ties {
    /// For how many seconds applications are collected, 60 to 86,400.
    pub seconds: i32,
    /// Until then, exclusive: what arrives from then on goes by arrival.
    pub until: Moment,
    /// Whether they are decided.
    pub is_decided: bool,
}

/// How a section's seats are given while its term's seats are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// By application in every round: basic care is never drawn.
    Always,
    /// By the draws of the term, and by application where nothing is drawn.
    Drawn,
    /// By application once nothing is drawn any more: it came too late for the lists.
    LeftOver,
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
    /// The section came too late for the lists: its seats are given with those the draw leaves over.
    #[error("given with the seats left over")]
    LeftOverOnly {
        /// When they are given; none when no such round is known, or the draw keeps it waiting.
        open_at: Option<Moment>,
    },
    /// The first applications are collected and decided together: until then nobody gets a seat, and all stand in line.
    #[error("collected until {until}")]
    Collecting {
        /// Until when.
        until: Moment,
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

    /// Says whether applications are collected, not decided one by one, at `now`.
    #[must_use]
    pub fn is_collecting(&self, now: Moment) -> bool {
        self.undecided().is_some() && self.open_at <= now
    }

    /// Its ties, while they are still to be decided.
    fn undecided(&self) -> Option<Ties> {
        match self.state {
            State::Opened => self.ties.filter(|ties| !ties.is_decided),
            State::Closed | State::Drawn | State::Cancelled { .. } => None,
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
/// # Errors
/// [`Error::WishesOnly`] while wishes are taken; [`Error::Closed`] while a draw is still to come, and after the last round;
/// [`Error::LeftOverOnly`] for what came too late for the lists, before the round it belongs to; [`Error::NotOpen`] while a round
/// is still to come, or none is known.
pub fn current(rounds: &[Round], course: Course, now: Moment) -> Result<&Round, Error> {
    let live = || rounds.iter().filter(|round| !round.is_cancelled());
    let waiting = live().find(|round| round.awaits_draw(now));
    let open = live().find(|round| round.open_at <= now && now < round.close_at);
    match (course, waiting, open) {
        (Course::Drawn, Some(round), _) => return Err(Error::Closed { close_at: round.close_at }),
        (Course::Drawn, None, Some(round)) if round.mode.is_drawn() => {
            return Err(Error::WishesOnly { round_id: round.id });
        }
        (Course::LeftOver, None, Some(round)) if !round.mode.is_drawn() => return Ok(round),
        (Course::LeftOver, ..) if live().any(|round| round.mode.is_drawn()) => {
            let later = live().filter(|round| !round.mode.is_drawn()).map(|round| round.open_at);
            return Err(Error::LeftOverOnly { open_at: later.filter(|open_at| now < *open_at).min() });
        }
        (Course::Always | Course::Drawn | Course::LeftOver, _, Some(round)) => return Ok(round),
        (Course::Always | Course::Drawn | Course::LeftOver, _, None) => {}
    }
    let next = live().map(|round| round.open_at).filter(|open_at| now < *open_at).min();
    let last = live().map(|round| round.close_at).max();
    match (next, last) {
        (None, Some(close_at)) => Err(Error::Closed { close_at }),
        (open_at, _) => Err(Error::NotOpen { open_at }),
    }
}

/// Says whether a section published at `now` may join a round's lists, as far as the round is concerned.
#[must_use]
pub fn may_join(round: &Round, now: Moment) -> bool {
    match round.state {
        State::Opened => round.mode.is_drawn() && now < round.close_at,
        State::Closed | State::Drawn | State::Cancelled { .. } => false,
    }
}

/// Says how the seats of a section are given that is published at `now`. `joined` says whether it could join the lists of a round.
#[must_use]
pub fn course_of_new(rounds: &[Round], basic_care: bool, joined: bool) -> Course {
    let is_to_draw = |round: &Round| {
        round.mode.is_drawn()
            && match round.state {
                State::Opened | State::Closed => true,
                State::Drawn | State::Cancelled { .. } => false,
            }
    };
    match (basic_care, joined) {
        (true, _) => Course::Always,
        (false, false) if rounds.iter().any(is_to_draw) => Course::LeftOver,
        (false, _) => Course::Drawn,
    }
}

/// The round after whose draw a round's ties are decided: the last drawn one that closed before this one opens.
#[must_use]
pub fn draw_before<'a>(round: &Round, others: &'a [Round]) -> Option<&'a Round> {
    let before =
        |other: &&Round| other.mode.is_drawn() && !other.is_cancelled() && other.close_at <= round.open_at;
    others.iter().filter(before).max_by_key(|other| other.close_at)
}

/// Says whether a round's ties are to be decided at `now`, beside the term's `others`: the time is over, and no draw is to come
/// that their order follows from.
#[must_use]
pub fn are_ties_due(round: &Round, others: &[Round], now: Moment) -> bool {
    let is_over = round.undecided().is_some_and(|ties| ties.until <= now);
    is_over && draw_before(round, others).is_none_or(|draw| !draw.awaits_draw(now))
}

/// Gives a round's ties as they are after a draw held at `now`: where the round was open before, the time begins with the draw, so that
/// nobody is faster for having waited. Nothing when they stay as they are.
#[must_use]
pub fn after_draw(round: &Round, now: Moment) -> Option<Round> {
    let ties = round.undecided().filter(|_| round.open_at < now && now < round.close_at)?;
    let until = (now + TimeDelta::seconds(i64::from(ties.seconds))).min(round.close_at);
    Some(Round { ties: Some(Ties { until, ..ties }), ..round.clone() })
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
            ties: None,
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
            assert_eq!(current(&rounds, Course::Drawn, now).map(|round| round.open_at), expected, "{now}");
        }
        assert_eq!(current(&[], Course::Drawn, at(0)), Err(Error::NotOpen { open_at: None }));
    }

    #[test]
    fn a_round_called_off_is_in_nobodys_way() {
        let off = Round {
            id: Id::new(Uuid::from_u128(9)),
            state: State::Cancelled { reason: "停课".to_owned() },
            ..round(0, 40)
        };
        assert_eq!(open(&round(10, 20), std::slice::from_ref(&off), 1), Ok(()));
        assert_eq!(current(&[off], Course::Drawn, at(5)), Err(Error::NotOpen { open_at: None }));
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
            let open_at = |course| current(&rounds, course, at(now)).map(|round| round.open_at);
            assert_eq!(open_at(Course::Drawn), expected, "{state:?} {now}");
            assert_eq!(open_at(Course::Always).is_ok(), now >= 10, "{state:?} {now}");
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

    #[test]
    fn what_came_too_late_for_the_lists_is_given_with_the_seats_left_over() {
        let later = Round { id: Id::new(Uuid::from_u128(2)), ..round(30, 40) };
        let told = Err(Error::LeftOverOnly { open_at: Some(at(30)) });
        let untold = Err(Error::LeftOverOnly { open_at: None });
        let table = [
            (State::Opened, 15, told.clone()),
            (State::Closed, 25, told.clone()),
            // The draw is late: nobody is served before those who wait for it.
            (State::Closed, 35, untold.clone()),
            (State::Drawn, 25, told),
            (State::Drawn, 35, Ok(at(30))),
            (State::Drawn, 40, untold),
        ];
        for (state, now, expected) in table {
            let rounds = [Round { state: state.clone(), ..drawn(10, 20) }, later.clone()];
            let open_at = current(&rounds, Course::LeftOver, at(now)).map(|round| round.open_at);
            assert_eq!(open_at, expected, "{state:?} {now}");
        }
        let off = Round { state: State::Cancelled { reason: "停课".to_owned() }, ..drawn(10, 20) };
        let none = current(std::slice::from_ref(&off), Course::LeftOver, at(15));
        assert_eq!(none, Err(Error::NotOpen { open_at: None }));
    }

    #[test]
    fn a_new_section_is_left_over_only_while_a_draw_is_to_come_whose_lists_it_could_not_join() {
        let in_state = |state| [Round { state, ..drawn(10, 20) }];
        let cancelled = || State::Cancelled { reason: "停课".to_owned() };
        for state in [State::Opened, State::Closed] {
            assert_eq!(course_of_new(&in_state(state.clone()), false, false), Course::LeftOver);
            assert_eq!(course_of_new(&in_state(state.clone()), false, true), Course::Drawn);
            assert_eq!(course_of_new(&in_state(state), true, false), Course::Always);
        }
        for state in [State::Drawn, cancelled()] {
            assert_eq!(course_of_new(&in_state(state), false, false), Course::Drawn);
        }
        assert_eq!(course_of_new(&[round(0, 9)], false, false), Course::Drawn);
    }

    #[test]
    fn lists_are_joined_until_before_they_close_and_by_what_is_drawn() {
        for (now, joins) in [(0, true), (10, true), (19, true), (20, false)] {
            assert_eq!(may_join(&drawn(10, 20), at(now)), joins, "{now}");
            assert!(!may_join(&round(10, 20), at(now)));
            assert!(!may_join(&Round { state: State::Closed, ..drawn(10, 20) }, at(now)));
        }
    }

    #[test]
    fn ties_are_collected_from_the_opening_until_they_are_decided_and_wait_for_a_late_draw() {
        let ties = |until, is_decided| Some(Ties { seconds: 120, until: at(until), is_decided });
        let own = Round { id: Id::new(Uuid::from_u128(2)), ties: ties(32, false), ..round(30, 40) };
        let before = |state| [Round { state, ..drawn(10, 20) }];
        for (now, collecting) in [(29, false), (30, true), (32, true), (39, true)] {
            assert_eq!(own.is_collecting(at(now)), collecting, "{now}");
        }
        assert!(!Round { ties: ties(32, true), ..own.clone() }.is_collecting(at(31)));
        assert!(!Round { ties: None, ..own.clone() }.is_collecting(at(31)));
        for (state, now, due) in
            [(State::Drawn, 31, false), (State::Drawn, 32, true), (State::Closed, 32, false)]
        {
            assert_eq!(are_ties_due(&own, &before(state), at(now)), due, "{now}");
        }
        assert!(are_ties_due(&own, &[], at(32)), "called off, the draw is not waited for");

        let after = after_draw(&own, at(35)).unwrap();
        assert_eq!(after.ties, ties(37, false));
        assert_eq!(after_draw(&own, at(39)).unwrap().ties, ties(40, false), "never beyond the round");
        assert_eq!(after_draw(&own, at(29)), None);
        assert_eq!(after_draw(&own, at(40)), None);
    }
}
