//! Who answers for a pupil, from arriving to leaving: a chain without a gap (交接班、接送).
//!
//! | from ↓ command → | arrive              | hand_over       | check_out      |
//! |------------------|---------------------|-----------------|----------------|
//! | not here yet     | Held                | NotHeld         | NotHeld        |
//! | Held by the same | no change           | no change       | Gone           |
//! | Held by another  | Held ¹              | Held            | Gone           |
//! | Gone             | Held ¹ ²            | NotHeld         | no change ³    |
//!
//! ¹ only if it was seen after the last link: what a device had offline for hours does not move the chain back.
//! ² came back.  ³ the same way; another way is NotHeld.
//!
//! Each link begins where the one before it ended, and nobody but a person ends a chain: a pupil who is held stays on the list of open
//! pupils, and once the service has ended the leader of the day is alerted.

use chrono::NaiveDate;
use shared::value::{Collector, District, Guardian, Id, Moment, Pupil, School, Staff};
use uuid::Uuid;

use super::duty::{Duty, Post};

/// Who answers for a pupil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A member of staff, at a post.
    Staff {
        /// Who.
        staff_id: Id<Staff>,
        /// At which post.
        post: Post,
    },
    /// The pupil came past an identity device, and nobody has taken them in yet.
    Nobody,
}

impl Holder {
    /// Whoever has a duty.
    #[must_use]
    pub const fn of(duty: &Duty) -> Self {
        Self::Staff { staff_id: duty.staff_id, post: duty.post }
    }
}

/// How a pupil leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// With a guardian.
    Guardian(Id<Guardian>),
    /// With somebody a guardian has named.
    Collector(Id<Collector>),
    /// Alone, by this consent.
    Alone(Id<Collector>),
    /// The pupil was never here.
    NotHere,
}

/// Where a pupil is on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Here, in somebody's care.
    Held(Holder),
    /// Not here any more.
    Gone(Way),
}

/// A pupil's day, from the first arrival on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custody {
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The ids district, town, school, class of the pupil.
    pub pupil_path: Vec<Uuid>,
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// The day.
    pub day: NaiveDate,
    /// Where the pupil is.
    pub state: State,
    /// Since when.
    pub since: Moment,
    /// How many links the chain has; the last one's number.
    pub link_count: i32,
    /// When the pupil's service ends that day.
    pub due_at: Moment,
    /// When the leader was alerted; none while nobody was.
    pub alerted_at: Option<Moment>,
}

/// Why the chain does not go on so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The pupil is not in anybody's care.
    #[error("the pupil is in nobody's care")]
    NotHeld,
}

/// A pupil is seen with `holder` at `at`; gives where the pupil is from then on, or nothing when that is known or of no account any
/// more.
#[must_use]
pub fn arrive(custody: Option<&Custody>, holder: Holder, at: Moment) -> Option<State> {
    let next = State::Held(holder);
    match custody {
        None => Some(next),
        Some(custody) => match (custody.state, holder) {
            (State::Held(present), _) if present == holder => None,
            // A device at the gate takes nobody out of somebody's care.
            (State::Held(_), Holder::Nobody) => None,
            (State::Held(_) | State::Gone(_), _) => (custody.since < at).then_some(next),
        },
    }
}

/// Hands a pupil over; gives where the pupil is from then on, or nothing when that holds already.
///
/// # Errors
/// [`Error::NotHeld`].
pub fn hand_over(custody: Option<&Custody>, to: Holder) -> Result<Option<State>, Error> {
    match custody.map(|custody| custody.state) {
        Some(State::Held(present)) if present == to => Ok(None),
        Some(State::Held(_)) => Ok(Some(State::Held(to))),
        Some(State::Gone(_)) | None => Err(Error::NotHeld),
    }
}

/// Lets a pupil go; gives where the pupil is from then on, or nothing when the pupil has gone that way.
///
/// # Errors
/// [`Error::NotHeld`].
pub fn check_out(custody: Option<&Custody>, way: Way) -> Result<Option<State>, Error> {
    match custody.map(|custody| custody.state) {
        Some(State::Held(_)) => Ok(Some(State::Gone(way))),
        Some(State::Gone(gone)) if gone == way => Ok(None),
        Some(State::Gone(_)) | None => Err(Error::NotHeld),
    }
}

/// Says whether the leader is to be alerted: the pupil is here, the service is over by `grace_seconds`, and nobody was alerted.
#[must_use]
pub fn is_to_alert(custody: &Custody, grace_seconds: u32, now: Moment) -> bool {
    let patience = chrono::TimeDelta::seconds(i64::from(grace_seconds));
    match custody.state {
        State::Held(_) => custody.alerted_at.is_none() && custody.due_at + patience <= now,
        State::Gone(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::day::lesson::tests::{lesson, on};

    fn id<K>(number: u128) -> Id<K> {
        Id::new(Uuid::from_u128(number))
    }

    fn teacher(number: u128) -> Holder {
        Holder::Staff { staff_id: id(number), post: Post::Section(id(6)) }
    }

    fn custody(state: State) -> Custody {
        Custody {
            district_id: id(2),
            school_id: id(3),
            pupil_path: Vec::new(),
            pupil_id: id(50),
            day: on("2026-09-07"),
            state,
            since: lesson().starts_at,
            link_count: 1,
            due_at: lesson().ends_at,
            alerted_at: None,
        }
    }

    #[test]
    fn the_table_of_commands() {
        let (mine, other) = (teacher(1), teacher(2));
        let (mum, gran) = (Way::Guardian(id(60)), Way::Collector(id(61)));
        let later = lesson().starts_at + TimeDelta::minutes(1);
        let earlier = lesson().starts_at - TimeDelta::minutes(1);
        let (held, gone) = (State::Held, State::Gone);
        let arrivals = [
            (None, mine, earlier, Some(held(mine))),
            (Some(held(mine)), mine, later, None),
            (Some(held(other)), mine, later, Some(held(mine))),
            (Some(held(other)), mine, earlier, None),
            (Some(held(other)), Holder::Nobody, later, None),
            (Some(held(Holder::Nobody)), mine, later, Some(held(mine))),
            (Some(gone(mum)), mine, later, Some(held(mine))),
            (Some(gone(mum)), mine, earlier, None),
            (Some(gone(mum)), Holder::Nobody, later, Some(held(Holder::Nobody))),
        ];
        for (state, holder, at, next) in arrivals {
            assert_eq!(arrive(state.map(custody).as_ref(), holder, at), next, "{state:?} {holder:?}");
        }
        let hand_overs = [
            (None, Err(Error::NotHeld)),
            (Some(held(mine)), Ok(None)),
            (Some(held(other)), Ok(Some(held(mine)))),
            (Some(gone(mum)), Err(Error::NotHeld)),
        ];
        for (state, next) in hand_overs {
            assert_eq!(hand_over(state.map(custody).as_ref(), mine), next, "{state:?}");
        }
        let check_outs = [
            (None, Err(Error::NotHeld)),
            (Some(held(mine)), Ok(Some(gone(mum)))),
            (Some(gone(mum)), Ok(None)),
            (Some(gone(gran)), Err(Error::NotHeld)),
        ];
        for (state, next) in check_outs {
            assert_eq!(check_out(state.map(custody).as_ref(), mum), next, "{state:?}");
        }
    }

    #[test]
    fn the_leader_is_alerted_once_from_the_end_of_patience_on() {
        let here = custody(State::Held(teacher(1)));
        let end = here.due_at + TimeDelta::seconds(180);
        assert!(!is_to_alert(&here, 180, end - TimeDelta::microseconds(1)));
        assert!(is_to_alert(&here, 180, end));
        assert!(!is_to_alert(&Custody { alerted_at: Some(end), ..here.clone() }, 180, end));
        assert!(!is_to_alert(&custody(State::Gone(Way::NotHere)), 180, end));
        assert!(is_to_alert(&custody(State::Held(Holder::Nobody)), 0, here.due_at), "held by nobody too");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is done, in whatever order: a pupil who came is in somebody's care or was let go by a person.
        #[test]
        fn no_order_of_commands_loses_a_pupil(commands in proptest::collection::vec((0_u8..3, 1_u128..4, -30_i64..30), 1..30)) {
            let mut now: Option<Custody> = None;
            for (command, who, minute) in commands {
                let at = lesson().starts_at + TimeDelta::minutes(minute);
                let next = match command {
                    0 => arrive(now.as_ref(), teacher(who), at),
                    1 => hand_over(now.as_ref(), teacher(who)).unwrap_or(None),
                    _ => check_out(now.as_ref(), Way::Guardian(id(who))).unwrap_or(None),
                };
                let was_let_go = command == 2;
                if let Some(next) = next {
                    let gone = matches!(next, State::Gone(_));
                    prop_assert_eq!(gone, was_let_go, "only checking out lets a pupil go");
                    let link_count = now.as_ref().map_or(0, |custody| custody.link_count) + 1;
                    now = Some(Custody { link_count, since: at, ..custody(next) });
                }
            }
        }
    }
}
