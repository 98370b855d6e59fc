//! Marks that could not be written into a register and wait for a person: neither lost nor guessed at.
//!
//! | from ↓ command → | settle as taken up | settle as dismissed |
//! |------------------|--------------------|---------------------|
//! | Waiting          | TakenUp            | Dismissed           |
//! | TakenUp          | no change          | Settled             |
//! | Dismissed        | Settled            | no change           |

use chrono::NaiveDate;
use shared::value::{AsideMark as AsideMarkKind, District, Id, Mark as MarkKind, Moment, Pupil, School};
use uuid::Uuid;

use super::lesson::Key;
use super::register::{AsideReason, Source, Standing};

/// A mark that waits, or waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsideMark {
    /// Its own id.
    pub id: Id<AsideMarkKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The school.
    pub school_id: Id<School>,
    /// The ids district, town, school.
    pub path: Vec<Uuid>,
    /// Why it waits.
    pub reason: AsideReason,
    /// The day.
    pub day: NaiveDate,
    /// The lesson; none when none is known.
    pub lesson: Option<Key>,
    /// The pupil; none when none is known.
    pub pupil_id: Option<Id<Pupil>>,
    /// What was said.
    pub said: Said,
    /// What became of it.
    pub state: State,
    /// When it arrived.
    pub created_at: Moment,
}

/// A mark as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The mark, as it was named where it was made.
    pub mark_id: Id<MarkKind>,
    /// How the pupil stands.
    pub standing: Standing,
    /// Where and when it was made.
    pub source: Source,
    /// Who made it.
    pub recorder: String,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for a person.
    Waiting,
    /// Written into a register as a correction.
    TakenUp(Settlement),
    /// Looked at, and not written.
    Dismissed(Settlement),
}

/// Who settled it, and why so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// `staff:<id>`.
    pub settler: String,
    /// Why.
    pub note: String,
    /// When.
    pub settled_at: Moment,
}

/// It was settled the other way before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was settled the other way")]
pub struct Settled;

/// Settles a mark; gives its new state, or nothing when it was settled so before.
///
/// # Errors
/// [`Settled`].
pub fn settle(mark: &AsideMark, taken_up: bool, settlement: Settlement) -> Result<Option<State>, Settled> {
    match (&mark.state, taken_up) {
        (State::Waiting, true) => Ok(Some(State::TakenUp(settlement))),
        (State::Waiting, false) => Ok(Some(State::Dismissed(settlement))),
        (State::TakenUp(_), true) | (State::Dismissed(_), false) => Ok(None),
        (State::TakenUp(_), false) | (State::Dismissed(_), true) => Err(Settled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::day::lesson::tests::{lesson, on};

    #[test]
    fn a_mark_is_settled_once_and_one_way() {
        let by = |name: &str| Settlement {
            settler: name.to_owned(),
            note: "已核实".to_owned(),
            settled_at: lesson().closes_at,
        };
        let aside = |state| AsideMark {
            id: Id::new(Uuid::from_u128(1)),
            district_id: Id::new(Uuid::from_u128(2)),
            school_id: Id::new(Uuid::from_u128(3)),
            path: Vec::new(),
            reason: AsideReason::RegisterClosed,
            day: on("2026-09-07"),
            lesson: None,
            pupil_id: None,
            said: Said {
                mark_id: Id::new(Uuid::from_u128(4)),
                standing: Standing::Present,
                source: Source::Correction { reason: String::new() },
                recorder: String::new(),
            },
            state,
            created_at: lesson().closes_at,
        };
        let (up, down) = (State::TakenUp(by("a")), State::Dismissed(by("a")));
        let table = [
            (State::Waiting, true, Ok(Some(State::TakenUp(by("b"))))),
            (State::Waiting, false, Ok(Some(State::Dismissed(by("b"))))),
            (up.clone(), true, Ok(None)),
            (up, false, Err(Settled)),
            (down.clone(), false, Ok(None)),
            (down, true, Err(Settled)),
        ];
        for (state, taken_up, settled) in table {
            assert_eq!(settle(&aside(state.clone()), taken_up, by("b")), settled, "{state:?} {taken_up}");
        }
    }
}
