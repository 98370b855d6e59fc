//! Whoever may take a pupil home, or that the pupil may go alone: said by a guardian, and never by anybody else.
//!
//! | from ↓ command → | forbid    | allow                | remove    | use (once)     |
//! |------------------|-----------|----------------------|-----------|----------------|
//! | Allowed          | Forbidden | no change            | Removed   | Used           |
//! | Forbidden        | no change | Allowed ¹            | Forbidden ² | Forbidden    |
//! | Removed          | Forbidden | Removed ³            | no change | Removed        |
//! | Used             | Forbidden | no change            | Removed   | Used           |
//!
//! ¹ by the guardian who forbade it; for everybody else Forbidden: one guardian's no stands against another's yes.
//! ² refused: else removing and naming anew would undo another's no.  ³ refused: it is named anew.

use std::fmt;

use chrono::NaiveDate;
use shared::value::{Collector as CollectorKind, District, Guardian, Id, Moment, Pupil};

/// How many wrong codes lock a one-time leave.
pub const WRONG_CODE_LIMIT: i32 = 5;

/// Whoever may take a pupil home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// The collector.
    pub id: Id<CollectorKind>,
    /// The district.
    pub district_id: Id<District>,
    /// The pupil.
    pub pupil_id: Id<Pupil>,
    /// Who said it.
    pub guardian_id: Id<Guardian>,
    /// What kind of leave it is.
    pub kind: Kind,
    /// Whether it holds.
    pub state: State,
    /// When it was said.
    pub created_at: Moment,
}

/// What kind of leave it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person, on any day.
    Standing(Person),
    /// A person, once.
    OneTime {
        /// Who.
        person: Person,
        /// On which day.
        day: NaiveDate,
        /// With which code: six digits.
        code: String,
        /// How often a wrong one was tried.
        wrong_code_count: i32,
    },
    /// The pupil goes alone.
    Alone,
}

/// A person, as a guardian described them. Shows nothing of them in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The name, 1 to 40 characters.
    pub name: String,
    /// The phone number.
    pub phone: Phone,
    /// How they stand to the pupil.
    pub relation: Relation,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(…)")
    }
}

/// How a person stands to a pupil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Mother or father.
    Parent,
    /// A grandparent.
    Grandparent,
    /// Another relative.
    Relative,
    /// Somebody employed by the family.
    Carer,
    /// Anybody else.
    Other,
}

/// A mobile number of mainland China: 11 digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(String);

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

impl Phone {
    /// Reads a number, with or without spaces and hyphens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let bytes = digits.as_bytes();
        let is_mobile = bytes.len() == 11
            && bytes.iter().all(u8::is_ascii_digit)
            && bytes[0] == b'1'
            && matches!(bytes[1], b'3'..=b'9');
        is_mobile.then_some(Self(digits))
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number with its middle hidden.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("{}****{}", &self.0[..3], &self.0[7..])
    }
}

/// Whether it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It holds.
    Allowed,
    /// A guardian has forbidden it.
    Forbidden {
        /// Who.
        by: Id<Guardian>,
    },
    /// It was taken back.
    Removed,
    /// It was for once, and was used.
    Used,
}

/// What a guardian decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nobody gives the pupil to this person.
    Forbid,
    /// What was forbidden is allowed again.
    Allow,
    /// It is taken back.
    Remove,
}

/// Why the pupil is not given to this person, or nothing is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A guardian has forbidden it.
    #[error("a guardian has forbidden it")]
    Forbidden,
    /// It was taken back.
    #[error("it was taken back")]
    Removed,
    /// It is for another day.
    #[error("it is for {day}")]
    NotToday {
        /// The day.
        day: NaiveDate,
    },
    /// It was for once, and was used.
    #[error("it was used")]
    Used,
    /// The code is not the one.
    #[error("the code is wrong")]
    CodeWrong,
    /// Too many wrong codes were tried.
    #[error("too many wrong codes")]
    CodeLocked,
}

impl Collector {
    /// The person; none when the pupil goes alone.
    #[must_use]
    pub const fn person(&self) -> Option<&Person> {
        match &self.kind {
            Kind::Standing(person) | Kind::OneTime { person, .. } => Some(person),
            Kind::Alone => None,
        }
    }

    /// Says whether both let the same person take the pupil, or both let the pupil go alone.
    #[must_use]
    pub fn is_same_person(&self, other: &Self) -> bool {
        self.person().map(|person| &person.phone) == other.person().map(|person| &person.phone)
    }
}

/// Names a collector beside the `others` of the pupil.
///
/// # Errors
/// [`Error::Forbidden`] when one of them is the same person and forbidden.
pub fn add(collector: &Collector, others: &[Collector]) -> Result<(), Error> {
    let is_forbidden =
        |other: &Collector| matches!(other.state, State::Forbidden { .. }) && other.is_same_person(collector);
    if others.iter().any(is_forbidden) { Err(Error::Forbidden) } else { Ok(()) }
}

/// Gives the consent by which a pupil may go alone, out of all that was said: of one who is a guardian still, and by nobody forbidden.
#[must_use]
pub fn consent_to_go_alone(all: &[Collector], guardians: &[Id<Guardian>]) -> Option<Id<CollectorKind>> {
    let mut alone = all.iter().filter(|one| one.kind == Kind::Alone);
    if alone.clone().any(|one| matches!(one.state, State::Forbidden { .. })) {
        return None;
    }
    let holds = |one: &&Collector| one.state == State::Allowed && guardians.contains(&one.guardian_id);
    alone.find(holds).map(|one| one.id)
}

/// Decides on a collector; gives its new state, or nothing when it is so already.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::Removed`].
pub fn decide(state: State, decision: Decision, by: Id<Guardian>) -> Result<Option<State>, Error> {
    match (decision, state) {
        (Decision::Forbid, State::Allowed | State::Removed | State::Used) => {
            Ok(Some(State::Forbidden { by }))
        }
        (Decision::Forbid, State::Forbidden { .. }) => Ok(None),
        (Decision::Allow, State::Forbidden { by: who }) if who == by => Ok(Some(State::Allowed)),
        (Decision::Allow | Decision::Remove, State::Forbidden { .. }) => Err(Error::Forbidden),
        (Decision::Allow, State::Allowed | State::Used) => Ok(None),
        (Decision::Allow, State::Removed) => Err(Error::Removed),
        (Decision::Remove, State::Allowed | State::Used) => Ok(Some(State::Removed)),
        (Decision::Remove, State::Removed) => Ok(None),
    }
}

/// Says that the pupil is given to this person today, or may go alone. `code` is what the person says; compared with the same effort
/// wherever it differs.
///
/// # Errors
/// Every [`Error`].
pub fn take(collector: &Collector, code: &str, today: NaiveDate) -> Result<State, Error> {
    match collector.state {
        State::Allowed => {}
        State::Forbidden { .. } => return Err(Error::Forbidden),
        State::Removed => return Err(Error::Removed),
        State::Used => return Err(Error::Used),
    }
    match &collector.kind {
        Kind::Standing(_) | Kind::Alone => Ok(State::Allowed),
        Kind::OneTime { day, .. } if *day != today => Err(Error::NotToday { day: *day }),
        Kind::OneTime { wrong_code_count, .. } if *wrong_code_count >= WRONG_CODE_LIMIT => {
            Err(Error::CodeLocked)
        }
        Kind::OneTime { code: expected, .. } => {
            let is_right = expected.len() == code.len()
                && expected.bytes().zip(code.bytes()).fold(0, |differ, (one, other)| differ | (one ^ other))
                    == 0;
            if is_right { Ok(State::Used) } else { Err(Error::CodeWrong) }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::day::lesson::tests::{lesson, on};

    fn id<K>(number: u128) -> Id<K> {
        Id::new(Uuid::from_u128(number))
    }

    fn person(phone: &str) -> Person {
        Person {
            name: "王奶奶".to_owned(),
            phone: Phone::parse(phone).unwrap(),
            relation: Relation::Grandparent,
        }
    }

    fn collector(kind: Kind, state: State) -> Collector {
        Collector {
            id: id(1),
            district_id: id(2),
            pupil_id: id(50),
            guardian_id: id(60),
            kind,
            state,
            created_at: lesson().starts_at,
        }
    }

    fn once(wrong_code_count: i32) -> Kind {
        let person = person("13800138000");
        Kind::OneTime { person, day: on("2026-09-07"), code: "042917".to_owned(), wrong_code_count }
    }

    #[test]
    fn the_table_of_decisions() {
        use Decision::{Allow, Forbid, Remove};
        let (mine, theirs) = (State::Forbidden { by: id(60) }, State::Forbidden { by: id(61) });
        let table = [
            (State::Allowed, Forbid, Ok(Some(mine))),
            (State::Allowed, Allow, Ok(None)),
            (State::Allowed, Remove, Ok(Some(State::Removed))),
            (mine, Forbid, Ok(None)),
            (mine, Allow, Ok(Some(State::Allowed))),
            (mine, Remove, Err(Error::Forbidden)),
            (theirs, Forbid, Ok(None)),
            (theirs, Allow, Err(Error::Forbidden)),
            (theirs, Remove, Err(Error::Forbidden)),
            (State::Removed, Forbid, Ok(Some(mine))),
            (State::Removed, Allow, Err(Error::Removed)),
            (State::Removed, Remove, Ok(None)),
            (State::Used, Forbid, Ok(Some(mine))),
            (State::Used, Allow, Ok(None)),
            (State::Used, Remove, Ok(Some(State::Removed))),
        ];
        for (state, decision, next) in table {
            assert_eq!(decide(state, decision, id(60)), next, "{state:?} {decision:?}");
        }
    }

    #[test]
    fn a_pupil_is_given_to_whom_a_guardian_named_today_and_to_nobody_else() {
        let today = on("2026-09-07");
        let standing = || Kind::Standing(person("13800138000"));
        let table = [
            (standing(), State::Allowed, "", Ok(State::Allowed)),
            (Kind::Alone, State::Allowed, "", Ok(State::Allowed)),
            (Kind::Alone, State::Removed, "", Err(Error::Removed)),
            (standing(), State::Forbidden { by: id(60) }, "", Err(Error::Forbidden)),
            (once(0), State::Allowed, "042917", Ok(State::Used)),
            (once(4), State::Allowed, "042917", Ok(State::Used)),
            (once(5), State::Allowed, "042917", Err(Error::CodeLocked)),
            (once(0), State::Allowed, "042918", Err(Error::CodeWrong)),
            (once(0), State::Allowed, "04291", Err(Error::CodeWrong)),
            (once(0), State::Allowed, "", Err(Error::CodeWrong)),
            (once(0), State::Used, "042917", Err(Error::Used)),
        ];
        for (kind, state, code, taken) in table {
            assert_eq!(take(&collector(kind, state), code, today), taken, "{state:?} {code}");
        }
        let tomorrow = take(&collector(once(0), State::Allowed), "042917", on("2026-09-08"));
        assert_eq!(tomorrow, Err(Error::NotToday { day: today }));
    }

    #[test]
    fn whom_a_guardian_has_forbidden_nobody_names_anew_under_the_same_number() {
        let forbidden = collector(Kind::Standing(person("13800138000")), State::Forbidden { by: id(61) });
        let again = collector(Kind::Standing(person("138-0013-8000")), State::Allowed);
        let other = collector(Kind::Standing(person("13900139000")), State::Allowed);
        assert_eq!(add(&again, std::slice::from_ref(&forbidden)), Err(Error::Forbidden));
        assert_eq!(
            add(&collector(once(0), State::Allowed), std::slice::from_ref(&forbidden)),
            Err(Error::Forbidden)
        );
        assert_eq!(add(&other, &[forbidden]), Ok(()));
        let alone = |state| collector(Kind::Alone, state);
        assert_eq!(
            add(&alone(State::Allowed), &[alone(State::Forbidden { by: id(61) })]),
            Err(Error::Forbidden)
        );
    }

    #[test]
    fn a_pupil_goes_alone_while_who_said_so_is_a_guardian_and_nobody_forbids_it() {
        let alone = |state| collector(Kind::Alone, state);
        let both = [id(60), id(61)];
        let table = [
            (vec![alone(State::Allowed)], &both[..], true),
            (vec![alone(State::Allowed)], &both[1..], false),
            (vec![alone(State::Removed)], &both[..], false),
            (vec![alone(State::Allowed), alone(State::Forbidden { by: id(61) })], &both[..], false),
            (vec![collector(once(0), State::Allowed)], &both[..], false),
        ];
        for (all, guardians, may) in table {
            assert_eq!(consent_to_go_alone(&all, guardians).is_some(), may, "{all:?}");
        }
    }

    #[test]
    fn phones_are_read_as_people_write_them_and_shown_to_nobody() {
        assert_eq!(Phone::parse("138 0013-8000").unwrap().as_str(), "13800138000");
        for text in ["", "1380013800", "138001380000", "12800138000", "一三八"] {
            assert!(Phone::parse(text).is_none(), "{text}");
        }
        let phone = Phone::parse("13800138000").unwrap();
        assert_eq!(phone.masked(), "138****8000");
        assert_eq!(format!("{:?} {phone:?}", person("13800138000")), "Person(…) Phone(…)");
    }
}
