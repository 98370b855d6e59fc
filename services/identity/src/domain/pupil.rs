//! A school's pupils, and what a table changes about them.
//!
//! | the row says ↓ / the pupil is → | not known | enrolled | left |
//! |---|---|---|---|
//! | 在读, the same class | Enrolled | no change, or a new name or numbers | Enrolled again |
//! | 在读, another class | Enrolled | Moved | Enrolled again |
//! | 离校 | nothing | Left | no change, or a new name or numbers |
//!
//! A pupil code is the school's own: the same code in another school is another pupil.

use std::collections::{HashMap, HashSet};

use shared::value::{self, Id};

use super::fault::{Fault, Reason};
use super::node::{Kind, Node};
use super::person::{Name, Phone, PupilCode};

/// The columns of a table of pupils.
pub mod column {
    /// The pupil code the school issued.
    pub const CODE: &str = "学籍号";
    /// The name.
    pub const NAME: &str = "姓名";
    /// The grade, 1 to 9.
    pub const GRADE: &str = "年级";
    /// The class's code or name.
    pub const CLASS: &str = "班级";
    /// One or two mobile numbers of guardians, separated by `;`.
    pub const PHONES: &str = "监护人手机";
    /// Those that must be there.
    pub const ALL: &[&str] = &[CODE, NAME, GRADE, CLASS, PHONES];
    /// Where the pupil stands: 在读 or 离校. May be missing or empty: 在读.
    pub const STATE: &str = "状态";
}

/// Where a pupil stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Belongs to a class.
    Enrolled,
    /// Has left the school.
    Left,
}

impl State {
    /// Both.
    pub const ALL: &[Self] = &[Self::Enrolled, Self::Left];

    /// The word in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::Left => "left",
        }
    }

    /// The word in tables that people bring.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enrolled => "在读",
            Self::Left => "离校",
        }
    }
}

/// A pupil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pupil {
    /// Which.
    pub id: Id<value::Pupil>,
    /// The ids district, town, school, class.
    pub path: Vec<Id<value::Node>>,
    /// The school's code for the pupil.
    pub code: PupilCode,
    /// The name.
    pub name: Name,
    /// The guardians' numbers that the school has on file: one or two, in the school's order.
    pub phones: Vec<Phone>,
    /// Where the pupil stands.
    pub state: State,
}

/// One row of a table of pupils, its cells well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The row's number in the file.
    pub row: u32,
    /// The code.
    pub code: PupilCode,
    /// The name.
    pub name: Name,
    /// The class's code or name.
    pub class: String,
    /// The grade, 1 to 9.
    pub grade: i32,
    /// One or two numbers.
    pub phones: Vec<Phone>,
    /// Where the pupil stands.
    pub state: State,
}

/// What others are told of a pupil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The pupil was enrolled in a class.
    Enrolled,
    /// The pupil changed class.
    Moved,
    /// The pupil left.
    Left,
}

/// What a row changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The pupil from now on.
    pub pupil: Pupil,
    /// Whether the pupil is new to the school.
    pub is_new: bool,
    /// What others are told, if anything.
    pub event: Option<Event>,
}

/// Compares a table with what the school has. Rows that change nothing give nothing.
///
/// `classes` are the school's; `known` its pupils, by code. Gives the changes in row order.
///
/// # Errors
/// Every fault, in row order.
pub fn compare(
    drafts: Vec<Draft>,
    classes: &[Node],
    known: &HashMap<PupilCode, Pupil>,
    mut new_id: impl FnMut() -> Id<value::Pupil>,
) -> Result<Vec<Change>, Vec<Fault>> {
    let classes = Classes::new(classes);
    let mut seen = HashSet::new();
    let mut faults = Vec::new();
    let mut changes = Vec::new();
    for draft in drafts {
        if !seen.insert(draft.code.clone()) {
            faults.push(Fault::new(draft.row, column::CODE, Reason::PupilCodeDuplicate, draft.code.as_str()));
            continue;
        }
        let Some(class) = classes.find(&draft.class) else {
            faults.push(Fault::new(draft.row, column::CLASS, Reason::ClassUnknown, draft.class));
            continue;
        };
        if class.grade != Some(draft.grade) {
            faults.push(Fault::new(draft.row, column::GRADE, Reason::GradeDiffers, draft.grade.to_string()));
            continue;
        }
        if faults.is_empty() {
            let known = known.get(&draft.code);
            changes.extend(change(draft, class, known, &mut new_id));
        }
    }
    if faults.is_empty() { Ok(changes) } else { Err(faults) }
}

fn change(
    draft: Draft,
    class: &Node,
    known: Option<&Pupil>,
    new_id: &mut impl FnMut() -> Id<value::Pupil>,
) -> Option<Change> {
    let Draft { code, name, phones, state, .. } = draft;
    let Some(known) = known else {
        return match state {
            State::Enrolled => {
                let pupil = Pupil { id: new_id(), path: class.path.clone(), code, name, phones, state };
                Some(Change { pupil, is_new: true, event: Some(Event::Enrolled) })
            }
            // Nobody keeps data of a child who was never here.
            State::Left => None,
        };
    };
    let moves = known.path != class.path;
    let event = match (known.state, state) {
        (State::Enrolled, State::Enrolled) => moves.then_some(Event::Moved),
        (State::Left, State::Enrolled) => Some(Event::Enrolled),
        (State::Enrolled, State::Left) => Some(Event::Left),
        (State::Left, State::Left) => None,
    };
    let pupil = Pupil { id: known.id, path: class.path.clone(), code, name, phones, state };
    (pupil != *known).then_some(Change { pupil, is_new: false, event })
}

/// A school's classes, by code and by name.
struct Classes<'a> {
    by_code: HashMap<&'a str, &'a Node>,
    /// None for a name that several classes have.
    by_name: HashMap<&'a str, Option<&'a Node>>,
}

impl<'a> Classes<'a> {
    fn new(classes: &'a [Node]) -> Self {
        let mut found = Self { by_code: HashMap::new(), by_name: HashMap::new() };
        for class in classes.iter().filter(|node| node.kind == Kind::Class) {
            found.by_code.insert(&class.code, class);
            found.by_name.entry(&class.name).and_modify(|other| *other = None).or_insert(Some(class));
        }
        found
    }

    fn find(&self, text: &str) -> Option<&'a Node> {
        self.by_code.get(text).copied().or_else(|| self.by_name.get(text).copied().flatten())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn id<K>(number: u32) -> Id<K> {
        format!("00000000-0000-7000-8000-{number:012}").parse().unwrap()
    }

    fn class(number: u32, name: &str, grade: i32) -> Node {
        Node {
            id: id(number),
            kind: Kind::Class,
            path: vec![id(1), id(2), id(3), id(number)],
            code: format!("C{number}"),
            name: name.to_owned(),
            stage: None,
            grade: Some(grade),
            pack_id: None,
            supplement_id: None,
            created_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        }
    }

    fn draft(row: u32, code: &str, class: &str) -> Draft {
        Draft {
            row,
            code: PupilCode::parse(code).unwrap(),
            name: Name::parse("王小明").unwrap(),
            class: class.to_owned(),
            grade: 2,
            phones: vec![Phone::parse("13800138000").unwrap()],
            state: State::Enrolled,
        }
    }

    fn run(drafts: Vec<Draft>, known: &HashMap<PupilCode, Pupil>) -> Result<Vec<Change>, Vec<(u32, Reason)>> {
        let classes = [
            class(11, "二年级1班", 2),
            class(12, "二年级2班", 2),
            class(13, "一年级1班", 1),
            class(14, "同名", 2),
            class(15, "同名", 2),
        ];
        let mut next = 100;
        let new_id = || {
            next += 1;
            id(next)
        };
        compare(drafts, &classes, known, new_id)
            .map_err(|faults| faults.into_iter().map(|fault| (fault.row, fault.reason)).collect())
    }

    fn known(changes: &[Change]) -> HashMap<PupilCode, Pupil> {
        changes.iter().map(|change| (change.pupil.code.clone(), change.pupil.clone())).collect()
    }

    #[test]
    fn each_cell_of_the_table_holds() {
        let enrolled = known(&run(vec![draft(2, "A001", "C11")], &HashMap::new()).unwrap());
        let left_row = |class| Draft { state: State::Left, ..draft(2, "A001", class) };
        let left = known(&run(vec![left_row("C11")], &enrolled).unwrap());
        let renamed = |row: Draft| Draft { name: Name::parse("王大明").unwrap(), ..row };
        let nobody = HashMap::new();
        let table = [
            (draft(2, "A001", "C11"), &nobody, Some((true, Some(Event::Enrolled)))),
            (left_row("C11"), &nobody, None),
            (draft(2, "A001", "二年级1班"), &enrolled, None),
            (renamed(draft(2, "A001", "C11")), &enrolled, Some((false, None))),
            (draft(2, "A001", "C12"), &enrolled, Some((false, Some(Event::Moved)))),
            (left_row("C11"), &enrolled, Some((false, Some(Event::Left)))),
            (left_row("C11"), &left, None),
            (renamed(left_row("C11")), &left, Some((false, None))),
            (draft(2, "A001", "C11"), &left, Some((false, Some(Event::Enrolled)))),
            (draft(2, "A001", "C12"), &left, Some((false, Some(Event::Enrolled)))),
        ];
        for (row, known, expected) in table {
            let changes = run(vec![row.clone()], known).unwrap();
            let found = changes.first().map(|change| (change.is_new, change.event));
            assert_eq!(found, expected, "{row:?}");
        }
    }

    #[test]
    fn every_fault_of_a_row_has_its_reason() {
        let table = [
            (vec![draft(2, "A001", "C11"), draft(3, "a001", "C12")], vec![(3, Reason::PupilCodeDuplicate)]),
            (vec![draft(2, "A001", "三年级1班")], vec![(2, Reason::ClassUnknown)]),
            (vec![draft(2, "A001", "同名")], vec![(2, Reason::ClassUnknown)]),
            (vec![draft(2, "A001", "C13")], vec![(2, Reason::GradeDiffers)]),
            (
                vec![draft(2, "A001", "X"), draft(3, "A002", "X")],
                vec![(2, Reason::ClassUnknown), (3, Reason::ClassUnknown)],
            ),
        ];
        for (drafts, expected) in table {
            assert_eq!(run(drafts, &HashMap::new()).unwrap_err(), expected);
        }
    }
}
