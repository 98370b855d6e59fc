//! Staff: roles, and where they may be granted.
//!
//! | role | granted at |
//! |---|---|
//! | class_teacher | a class |
//! | moral_education, teaching_office, principal, school_finance, instructor | a school |
//! | town_office | a town |
//! | bureau_officer, hotline_operator, inspector, assessor, bureau_finance | a district |
//! | provider | a provider, by its id |
//! | platform_operator | nowhere: above every district |
//!
//! Provider and platform_operator stand outside the tree, so only a platform operator grants them.

use std::collections::HashMap;

use shared::value::{self, Id, Provider};

use super::fault::{Fault, Reason};
use super::node::{Kind, Node};
use super::person::Name;

/// The columns of a table of staff.
pub mod column {
    /// The name to sign in with.
    pub const LOGIN: &str = "账号";
    /// The person's name.
    pub const NAME: &str = "姓名";
    /// The role, in snake_case.
    pub const ROLE: &str = "角色";
    /// A node's code, or a provider's id; empty for platform_operator.
    pub const PLACE: &str = "组织代码";
    /// All of them.
    pub const ALL: &[&str] = &[LOGIN, NAME, ROLE, PLACE];
}

/// Where a role is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// At a node of this kind.
    Node(Kind),
    /// At a provider.
    Provider,
    /// Above every district.
    Platform,
}

/// Where a role is granted; none for a word that names no role.
#[must_use]
pub fn level(role: &str) -> Option<Level> {
    match role {
        "class_teacher" => Some(Level::Node(Kind::Class)),
        "moral_education" | "teaching_office" | "principal" | "school_finance" | "instructor" => {
            Some(Level::Node(Kind::School))
        }
        "town_office" => Some(Level::Node(Kind::Town)),
        "bureau_officer" | "hotline_operator" | "inspector" | "assessor" | "bureau_finance" => {
            Some(Level::Node(Kind::District))
        }
        "provider" => Some(Level::Provider),
        "platform_operator" => Some(Level::Platform),
        _ => None,
    }
}

/// The place of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A node, by its path: district first.
    Node(Vec<Id<value::Node>>),
    /// A provider.
    Provider(Id<Provider>),
    /// Above every district.
    Platform,
}

/// A role at a place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Grant {
    /// The role's word.
    pub role: String,
    /// Where.
    pub place: Place,
}

/// A member of staff, as far as a table is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub id: Id<value::Staff>,
    /// The name to sign in with.
    pub login_name: String,
    /// The person's name.
    pub name: Name,
    /// What the member may do, oldest grant first.
    pub grants: Vec<Grant>,
}

/// One row of a table of staff, its cells well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The row's number in the file.
    pub row: u32,
    /// The name to sign in with.
    pub login_name: String,
    /// The person's name.
    pub name: Name,
    /// The role's word.
    pub role: String,
    /// A node's code, a provider's id or nothing.
    pub place: String,
}

/// What a table changes about one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The member, with all grants from now on.
    pub member: Member,
    /// Whether the account is new.
    pub is_new: bool,
    /// The grants that are new.
    pub granted: Vec<Grant>,
}

/// Compares a table with the accounts there are. Members who lack nothing give nothing.
///
/// `nodes` are those of the table's district with any code it mentions; `known` the accounts with any of its login names. `reaches` says
/// whether the caller may grant at a place. Gives the changes in the order in which the members first appear.
///
/// # Errors
/// Every fault, in row order.
pub fn compare(
    drafts: &[Draft],
    nodes: &HashMap<String, Node>,
    known: &HashMap<String, Member>,
    reaches: impl Fn(&Place) -> bool,
    mut new_id: impl FnMut() -> Id<value::Staff>,
) -> Result<Vec<Change>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut changes: Vec<Change> = Vec::new();
    let mut by_login: HashMap<&str, usize> = HashMap::new();
    for draft in drafts {
        let place = match place(draft, nodes) {
            Ok(place) if reaches(&place) => place,
            Ok(_) => {
                faults.push(Fault::new(draft.row, column::PLACE, Reason::OutOfReach, &draft.place));
                continue;
            }
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        let index = *by_login.entry(&draft.login_name).or_insert_with(|| {
            let known = known.get(&draft.login_name);
            let member = known.cloned().unwrap_or_else(|| Member {
                id: new_id(),
                login_name: draft.login_name.clone(),
                name: draft.name.clone(),
                grants: Vec::new(),
            });
            changes.push(Change { member, is_new: known.is_none(), granted: Vec::new() });
            changes.len() - 1
        });
        let Some(change) = changes.get_mut(index) else { continue };
        // Another person under the same login name: the roles would be given to a stranger.
        if change.member.name != draft.name {
            faults.push(Fault::new(draft.row, column::LOGIN, Reason::ValueInvalid, &draft.login_name));
            continue;
        }
        let grant = Grant { role: draft.role.clone(), place };
        if !change.member.grants.contains(&grant) {
            change.member.grants.push(grant.clone());
            change.granted.push(grant);
        }
    }
    changes.retain(|change| !change.granted.is_empty());
    if faults.is_empty() { Ok(changes) } else { Err(faults) }
}

fn place(draft: &Draft, nodes: &HashMap<String, Node>) -> Result<Place, Fault> {
    let fault = |column, reason, value: &str| Err(Fault::new(draft.row, column, reason, value));
    match level(&draft.role) {
        None => fault(column::ROLE, Reason::RoleUnknown, &draft.role),
        Some(Level::Platform) if draft.place.is_empty() => Ok(Place::Platform),
        Some(Level::Platform) => fault(column::PLACE, Reason::RoleMisplaced, &draft.place),
        Some(Level::Provider) => match draft.place.parse() {
            Ok(provider_id) => Ok(Place::Provider(provider_id)),
            Err(_) => fault(column::PLACE, Reason::RoleMisplaced, &draft.place),
        },
        Some(Level::Node(kind)) => match nodes.get(&draft.place) {
            Some(node) if node.kind == kind => Ok(Place::Node(node.path.clone())),
            Some(_) => fault(column::PLACE, Reason::RoleMisplaced, &draft.place),
            None => fault(column::PLACE, Reason::NodeUnknown, &draft.place),
        },
    }
}

/// Says whether a text can be a login name: 3 to 64 characters of a-z, 0-9, `.`, `-` and `_`.
#[must_use]
pub fn is_login_name(text: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    (3..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

/// The step of a one-time code that matched, or none: a code of a step used before, or before that one, is refused.
///
/// `matching` are the steps near the present one whose code is the one that was typed; steps are of 30 seconds since 1970.
/// Source: RFC 6238 §5.2: a code is accepted once.
#[must_use]
pub fn unused_step(matching: &[i64], last_used_step: i64) -> Option<i64> {
    matching.iter().copied().filter(|step| *step > last_used_step).min()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const ROLES: [&str; 14] = [
        "class_teacher",
        "moral_education",
        "teaching_office",
        "principal",
        "school_finance",
        "instructor",
        "provider",
        "town_office",
        "bureau_officer",
        "hotline_operator",
        "inspector",
        "assessor",
        "bureau_finance",
        "platform_operator",
    ];

    fn id<K>(number: u32) -> Id<K> {
        format!("00000000-0000-7000-8000-{number:012}").parse().unwrap()
    }

    fn nodes() -> HashMap<String, Node> {
        let path: Vec<_> = (1..=4).map(id).collect();
        let node = |kind: Kind, code: &str| Node {
            id: path[kind.depth() - 1],
            kind,
            path: path[..kind.depth()].to_vec(),
            code: code.to_owned(),
            name: code.to_owned(),
            stage: None,
            grade: None,
            pack_id: None,
            supplement_id: None,
            created_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        };
        let all = [
            node(Kind::District, "D"),
            node(Kind::Town, "T"),
            node(Kind::School, "S"),
            node(Kind::Class, "C"),
        ];
        all.into_iter().map(|node| (node.code.clone(), node)).collect()
    }

    fn draft(row: u32, login_name: &str, role: &str, place: &str) -> Draft {
        let name = Name::parse("王小明").unwrap();
        Draft { row, login_name: login_name.to_owned(), name, role: role.to_owned(), place: place.to_owned() }
    }

    fn run(drafts: &[Draft], known: &HashMap<String, Member>) -> Result<Vec<Change>, Vec<(u32, Reason)>> {
        compare(drafts, &nodes(), known, |_| true, || id(100))
            .map_err(|faults| faults.into_iter().map(|fault| (fault.row, fault.reason)).collect())
    }

    #[test]
    fn c101_each_role_is_granted_at_its_level_and_at_no_other() {
        let provider = id::<Provider>(9).to_string();
        let places = ["D", "T", "S", "C", provider.as_str(), ""];
        for role in ROLES {
            let right = match level(role).unwrap() {
                Level::Node(Kind::District) => "D",
                Level::Node(Kind::Town) => "T",
                Level::Node(Kind::School) => "S",
                Level::Node(Kind::Class) => "C",
                Level::Provider => provider.as_str(),
                Level::Platform => "",
            };
            for place in places {
                let granted = run(&[draft(2, "abc", role, place)], &HashMap::new());
                assert_eq!(granted.is_ok(), place == right, "{role} at {place:?}");
            }
        }
        assert_eq!(
            run(&[draft(2, "abc", "headmaster", "S")], &HashMap::new()).unwrap_err(),
            [(2, Reason::RoleUnknown)]
        );
        assert_eq!(
            run(&[draft(2, "abc", "principal", "X")], &HashMap::new()).unwrap_err(),
            [(2, Reason::NodeUnknown)]
        );
    }

    #[test]
    fn a_person_with_several_rows_is_one_account_with_several_roles() {
        let changes = run(
            &[
                draft(2, "abc", "principal", "S"),
                draft(3, "abc", "instructor", "S"),
                draft(4, "abc", "principal", "S"),
            ],
            &HashMap::new(),
        );

        let changes = changes.unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].granted.len(), 2);
    }

    #[test]
    fn an_account_that_exists_is_given_what_it_lacks() {
        let first = run(&[draft(2, "abc", "principal", "S")], &HashMap::new()).unwrap();
        let known: HashMap<_, _> =
            first.iter().map(|change| (change.member.login_name.clone(), change.member.clone())).collect();

        assert_eq!(run(&[draft(2, "abc", "principal", "S")], &known).unwrap(), []);
        let more =
            run(&[draft(2, "abc", "principal", "S"), draft(3, "abc", "instructor", "S")], &known).unwrap();
        assert_eq!(more[0].granted.len(), 1);
        assert!(!more[0].is_new);
        let stranger = Draft { name: Name::parse("李四").unwrap(), ..draft(2, "abc", "instructor", "S") };
        assert_eq!(run(&[stranger], &known).unwrap_err(), [(2, Reason::ValueInvalid)]);
    }

    #[test]
    fn a_one_time_code_is_used_once() {
        assert_eq!(unused_step(&[100], 99), Some(100));
        assert_eq!(unused_step(&[100], 100), None);
        assert_eq!(unused_step(&[99], 100), None);
        assert_eq!(unused_step(&[99, 101], 99), Some(101));
        assert_eq!(unused_step(&[], 0), None);
    }

    #[test]
    fn login_names_are_plain() {
        for name in ["abc", "jinhua.principal", "a_b-1", &"a".repeat(64)] {
            assert!(is_login_name(name), "{name}");
        }
        for name in ["ab", "Abc", "a b", "张三丰", &"a".repeat(65)] {
            assert!(!is_login_name(name), "{name}");
        }
    }
}
