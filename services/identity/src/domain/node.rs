//! The tree of organisations: district → town → school → class; and what a table may add to it.
//!
//! | kind | stands below | has |
//! |---|---|---|
//! | district | nothing | a policy pack |
//! | town | district | |
//! | school | town | a stage |
//! | class | school | a grade of the school's stage |
//!
//! Any node may name a policy pack or a supplement of its own; where it names none, the parent's holds.

use std::collections::{BTreeSet, HashMap};

use shared::value::{self, Id, Moment};

use super::fault::{Fault, Reason};

/// The columns of a table of nodes.
pub mod column {
    /// What the node is: [`super::Kind::word`].
    pub const KIND: &str = "类型";
    /// Its code.
    pub const CODE: &str = "代码";
    /// The code of the node above; empty for districts.
    pub const PARENT: &str = "上级代码";
    /// Its name.
    pub const NAME: &str = "名称";
    /// The stage of a school: [`super::Stage::word`].
    pub const STAGE: &str = "学段";
    /// The grade of a class.
    pub const GRADE: &str = "年级";
    /// Its own policy pack.
    pub const PACK: &str = "政策包";
    /// Its own supplement.
    pub const SUPPLEMENT: &str = "补充规定";
    /// All of them.
    pub const ALL: &[&str] = &[KIND, CODE, PARENT, NAME, STAGE, GRADE, PACK, SUPPLEMENT];
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An education bureau and everything below it.
    District,
    /// A town or street education office.
    Town,
    /// A school.
    School,
    /// A class.
    Class,
}

impl Kind {
    /// Every kind, from the top down.
    pub const ALL: &[Self] = &[Self::District, Self::Town, Self::School, Self::Class];

    /// The word in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::District => "district",
            Self::Town => "town",
            Self::School => "school",
            Self::Class => "class",
        }
    }

    /// The word in tables that people bring.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::District => "区县",
            Self::Town => "镇街",
            Self::School => "学校",
            Self::Class => "班级",
        }
    }

    /// The kind of node it stands below.
    #[must_use]
    pub const fn above(self) -> Option<Self> {
        match self {
            Self::District => None,
            Self::Town => Some(Self::District),
            Self::School => Some(Self::Town),
            Self::Class => Some(Self::School),
        }
    }

    /// How many ids its path has: 1 to 4.
    #[must_use]
    pub const fn depth(self) -> usize {
        match self {
            Self::District => 1,
            Self::Town => 2,
            Self::School => 3,
            Self::Class => 4,
        }
    }
}

/// The stage of compulsory education a school teaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Grades 1 to 6.
    Primary,
    /// Grades 7 to 9.
    Junior,
}

impl Stage {
    /// Both.
    pub const ALL: &[Self] = &[Self::Primary, Self::Junior];

    /// The word in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Junior => "junior",
        }
    }

    /// The word in tables that people bring.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Primary => "小学",
            Self::Junior => "初中",
        }
    }

    /// Says whether the stage has the grade.
    #[must_use]
    pub const fn has(self, grade: i32) -> bool {
        match self {
            Self::Primary => 1 <= grade && grade <= 6,
            Self::Junior => 7 <= grade && grade <= 9,
        }
    }
}

/// A node of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Which.
    pub id: Id<value::Node>,
    /// What it is.
    pub kind: Kind,
    /// The ids from the district down to this node, this one last.
    pub path: Vec<Id<value::Node>>,
    /// Its code, unique within the district; a district's is unique overall.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The stage; schools only.
    pub stage: Option<Stage>,
    /// The grade, 1 to 9; classes only.
    pub grade: Option<i32>,
    /// Its own policy pack.
    pub pack_id: Option<String>,
    /// Its own supplement.
    pub supplement_id: Option<String>,
    /// When it was added.
    pub created_at: Moment,
}

impl Node {
    /// The district it is of, or is.
    #[must_use]
    pub fn district_id(&self) -> Id<value::District> {
        Id::new(self.path.first().unwrap_or(&self.id).uuid())
    }

    /// The node above it.
    #[must_use]
    pub fn parent_id(&self) -> Option<Id<value::Node>> {
        self.path.iter().rev().nth(1).copied()
    }
}

/// The pack and the supplement that hold at the end of `line`: nodes from the district down, each right below the one before.
///
/// The pack is that of the lowest node that names one. A supplement belongs to its pack: one that is named above the node that names the
/// pack holds no more.
#[must_use]
pub fn holding(line: &[&Node]) -> (Option<String>, Option<String>) {
    let mut supplement = None;
    for node in line.iter().rev() {
        supplement = supplement.or_else(|| node.supplement_id.clone());
        if node.pack_id.is_some() {
            return (node.pack_id.clone(), supplement);
        }
    }
    (None, supplement)
}

/// Faults every new node that names a supplement of another pack than the one that holds there.
///
/// `rows` are the rows' numbers with where they were placed; `line` gives the nodes from the district down to one. `belongs` says whether a
/// pack has a supplement.
#[must_use]
pub fn misplaced_supplements<'a>(
    rows: impl Iterator<Item = (u32, &'a Placed)>,
    line: impl Fn(&'a Node) -> Vec<&'a Node>,
    belongs: impl Fn(&str, &str) -> bool,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (row, placed) in rows.filter(|(_, placed)| placed.is_new) {
        let Some(own) = &placed.node.supplement_id else { continue };
        let (pack_id, _) = holding(&line(&placed.node));
        if !pack_id.is_some_and(|pack_id| belongs(&pack_id, own)) {
            faults.push(Fault::new(row, column::SUPPLEMENT, Reason::SupplementMisplaced, own));
        }
    }
    faults
}

/// One row of a table of nodes, its cells well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The row's number in the file.
    pub row: u32,
    /// What the node is.
    pub kind: Kind,
    /// Its code.
    pub code: String,
    /// The code of the node above.
    pub parent_code: Option<String>,
    /// Its name.
    pub name: String,
    /// Its stage.
    pub stage: Option<Stage>,
    /// Its grade.
    pub grade: Option<i32>,
    /// Its own pack.
    pub pack_id: Option<String>,
    /// Its own supplement.
    pub supplement_id: Option<String>,
}

/// Where a row has put its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The node.
    pub node: Node,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// Places the rows of a table in the tree. Rows may come in any order; a row whose node is there with the same content changes nothing.
///
/// `known` are the nodes there are with any code that the table mentions, of any district. `reaches` says whether the caller may add below
/// a path; the empty path is above the districts. Gives the nodes in row order.
///
/// # Errors
/// Every fault, by row. A row below a faulty one is not faulted for it.
pub fn place(
    drafts: &[Draft],
    known: &[Node],
    reaches: impl Fn(&[Id<value::Node>]) -> bool,
    mut new_id: impl FnMut() -> Id<value::Node>,
    now: Moment,
) -> Result<Vec<Placed>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut by_code: HashMap<&str, usize> = HashMap::new();
    let mut repeated = BTreeSet::new();
    for (index, draft) in drafts.iter().enumerate() {
        if by_code.contains_key(draft.code.as_str()) {
            faults.push(Fault::new(draft.row, column::CODE, Reason::CodeDuplicate, &draft.code));
            repeated.insert(index);
        } else {
            by_code.insert(&draft.code, index);
        }
    }
    let mut placed: Vec<Option<Placed>> = vec![None; drafts.len()];
    for kind in Kind::ALL {
        for (index, draft) in drafts.iter().enumerate() {
            if draft.kind != *kind || repeated.contains(&index) {
                continue;
            }
            let parent = match find_parent(draft, &by_code, drafts, &placed, known, &reaches) {
                Ok(parent) => parent,
                Err(Some(fault)) => {
                    faults.push(fault);
                    continue;
                }
                Err(None) => continue,
            };
            match place_one(draft, parent.as_ref(), known, &reaches, &mut new_id, now) {
                Ok(node) => placed[index] = Some(node),
                Err(fault) => faults.push(fault),
            }
        }
    }
    if faults.is_empty() {
        return Ok(placed.into_iter().flatten().collect());
    }
    faults.sort_by(|one, other| (one.row, &one.column).cmp(&(other.row, &other.column)));
    Err(faults)
}

/// The node a row stands below; none for a district. `Err(None)`: the parent's row is at fault itself.
fn find_parent(
    draft: &Draft,
    by_code: &HashMap<&str, usize>,
    drafts: &[Draft],
    placed: &[Option<Placed>],
    known: &[Node],
    reaches: &impl Fn(&[Id<value::Node>]) -> bool,
) -> Result<Option<Node>, Option<Fault>> {
    let fault = |reason| {
        let code = draft.parent_code.clone().unwrap_or_default();
        Some(Fault::new(draft.row, column::PARENT, reason, code))
    };
    let Some(kind_above) = draft.kind.above() else {
        return if draft.parent_code.is_none() { Ok(None) } else { Err(fault(Reason::KindMisplaced)) };
    };
    let Some(code) = &draft.parent_code else { return Err(fault(Reason::ParentUnknown)) };
    // The table's own rows come first: they say which district is meant.
    if let Some(index) = by_code.get(code.as_str()) {
        if drafts.get(*index).is_some_and(|parent| parent.kind != kind_above) {
            return Err(fault(Reason::KindMisplaced));
        }
        return match placed.get(*index).and_then(Option::as_ref) {
            Some(parent) => Ok(Some(parent.node.clone())),
            None => Err(None),
        };
    }
    let mut candidates = known.iter().filter(|node| node.code == *code && reaches(&node.path));
    match (candidates.next(), candidates.next()) {
        (Some(parent), None) if parent.kind == kind_above => Ok(Some(parent.clone())),
        (Some(_), None) => Err(fault(Reason::KindMisplaced)),
        _ => Err(fault(Reason::ParentUnknown)),
    }
}

fn place_one(
    draft: &Draft,
    parent: Option<&Node>,
    known: &[Node],
    reaches: &impl Fn(&[Id<value::Node>]) -> bool,
    new_id: &mut impl FnMut() -> Id<value::Node>,
    now: Moment,
) -> Result<Placed, Fault> {
    if let (Some(stage), Some(grade)) = (parent.and_then(|parent| parent.stage), draft.grade)
        && !stage.has(grade)
    {
        return Err(Fault::new(draft.row, column::GRADE, Reason::ValueInvalid, grade.to_string()));
    }
    let out_of_reach = || Fault::new(draft.row, column::CODE, Reason::OutOfReach, &draft.code);
    let district_id = parent.map(Node::district_id);
    let existing = known.iter().find(|node| {
        node.code == draft.code
            && match district_id {
                None => node.kind == Kind::District,
                Some(district_id) => node.district_id() == district_id,
            }
    });
    if let Some(existing) = existing {
        if !reaches(&existing.path) {
            return Err(out_of_reach());
        }
        let same = existing.kind == draft.kind
            && existing.parent_id() == parent.map(|parent| parent.id)
            && existing.name == draft.name
            && existing.stage == draft.stage
            && existing.grade == draft.grade
            && existing.pack_id == draft.pack_id
            && existing.supplement_id == draft.supplement_id;
        return if same {
            Ok(Placed { node: existing.clone(), is_new: false })
        } else {
            Err(Fault::new(draft.row, column::CODE, Reason::NodeDiffers, &draft.code))
        };
    }
    let above = parent.map(|parent| parent.path.clone()).unwrap_or_default();
    if !reaches(&above) {
        return Err(out_of_reach());
    }
    let id = new_id();
    let mut path = above;
    path.push(id);
    let node = Node {
        id,
        kind: draft.kind,
        path,
        code: draft.code.clone(),
        name: draft.name.clone(),
        stage: draft.stage,
        grade: draft.grade,
        pack_id: draft.pack_id.clone(),
        supplement_id: draft.supplement_id.clone(),
        created_at: now,
    };
    Ok(Placed { node, is_new: true })
}

/// Says whether a text can be a node's code: 1 to 32 letters, digits, `-` and `_`.
#[must_use]
pub fn is_code(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=32).contains(&text.len()) && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn draft(row: u32, kind: Kind, code: &str, parent: &str) -> Draft {
        Draft {
            row,
            kind,
            code: code.to_owned(),
            parent_code: (!parent.is_empty()).then(|| parent.to_owned()),
            name: format!("名{code}"),
            stage: (kind == Kind::School).then_some(Stage::Primary),
            grade: (kind == Kind::Class).then_some(2),
            pack_id: (kind == Kind::District).then(|| "pack".to_owned()),
            supplement_id: None,
        }
    }

    fn tree() -> Vec<Draft> {
        // Children before parents: the order of rows is free.
        vec![
            draft(2, Kind::Class, "C", "S"),
            draft(3, Kind::School, "S", "T"),
            draft(4, Kind::Town, "T", "D"),
            draft(5, Kind::District, "D", ""),
        ]
    }

    fn run(
        drafts: &[Draft],
        known: &[Node],
        reaches: impl Fn(&[Id<value::Node>]) -> bool,
    ) -> Result<Vec<Placed>, Vec<(u32, Reason)>> {
        let mut next = known.len() as u128 * 100;
        let new_id = || {
            next += 1;
            format!("00000000-0000-7000-8000-{next:012}").parse().unwrap()
        };
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        place(drafts, known, reaches, new_id, now)
            .map_err(|faults| faults.into_iter().map(|fault| (fault.row, fault.reason)).collect())
    }

    fn nodes(placed: &[Placed]) -> Vec<Node> {
        placed.iter().map(|placed| placed.node.clone()).collect()
    }

    #[test]
    fn c05_a_tree_is_placed_whatever_the_order_of_its_rows() {
        let placed = run(&tree(), &[], |_| true).unwrap();

        let depths: Vec<_> = placed
            .iter()
            .map(|placed| (placed.node.code.as_str(), placed.node.path.len(), placed.is_new))
            .collect();
        assert_eq!(depths, [("C", 4, true), ("S", 3, true), ("T", 2, true), ("D", 1, true)]);
        assert!(placed[0].node.path.starts_with(&placed[1].node.path));
    }

    #[test]
    fn the_same_table_again_adds_nothing() {
        let first = nodes(&run(&tree(), &[], |_| true).unwrap());

        let again = run(&tree(), &first, |_| true).unwrap();

        assert!(again.iter().all(|placed| !placed.is_new));
        assert_eq!(nodes(&again), first);
    }

    #[test]
    fn every_fault_of_a_row_has_its_reason() {
        let known = nodes(&run(&tree(), &[], |_| true).unwrap());
        let renamed = Draft { name: "别名".to_owned(), ..draft(2, Kind::School, "S", "T") };
        let ninth = Draft { grade: Some(9), ..draft(2, Kind::Class, "C9", "S") };
        let table = [
            (vec![draft(2, Kind::Town, "T2", "X")], vec![(2, Reason::ParentUnknown)]),
            (vec![draft(2, Kind::Town, "T2", "")], vec![(2, Reason::ParentUnknown)]),
            (vec![draft(2, Kind::District, "D2", "D")], vec![(2, Reason::KindMisplaced)]),
            (vec![draft(2, Kind::School, "S2", "D")], vec![(2, Reason::KindMisplaced)]),
            (vec![draft(2, Kind::Class, "C2", "T")], vec![(2, Reason::KindMisplaced)]),
            (vec![renamed], vec![(2, Reason::NodeDiffers)]),
            (vec![ninth], vec![(2, Reason::ValueInvalid)]),
            (
                vec![draft(2, Kind::Town, "T2", "D"), draft(3, Kind::Town, "T2", "D")],
                vec![(3, Reason::CodeDuplicate)],
            ),
            // The child of a faulty row is not faulted for it.
            (
                vec![draft(2, Kind::Town, "T2", "X"), draft(3, Kind::School, "S2", "T2")],
                vec![(2, Reason::ParentUnknown)],
            ),
        ];
        for (drafts, expected) in table {
            assert_eq!(run(&drafts, &known, |_| true).unwrap_err(), expected, "{drafts:?}");
        }
    }

    #[test]
    fn an_officer_adds_below_their_own_district_only() {
        let mut known = nodes(&run(&tree(), &[], |_| true).unwrap());
        let mut other = vec![draft(2, Kind::District, "E", ""), draft(3, Kind::Town, "T", "E")];
        other.extend([draft(4, Kind::School, "S9", "T")]);
        known.extend(nodes(&run(&other, &known, |_| true).unwrap()));
        let own = known.iter().find(|node| node.code == "D").unwrap().id;
        let reaches = |path: &[Id<value::Node>]| path.first() == Some(&own);

        assert!(run(&[draft(2, Kind::School, "S2", "T")], &known, reaches).is_ok());
        assert_eq!(
            run(&[draft(2, Kind::Town, "T2", "E")], &known, reaches).unwrap_err(),
            [(2, Reason::ParentUnknown)]
        );
        assert_eq!(
            run(&[draft(2, Kind::District, "F", "")], &known, reaches).unwrap_err(),
            [(2, Reason::OutOfReach)]
        );
        assert_eq!(
            run(&[draft(2, Kind::District, "E", "")], &known, reaches).unwrap_err(),
            [(2, Reason::OutOfReach)]
        );
        // A code that two districts have means neither, for someone who reaches both.
        assert_eq!(
            run(&[draft(2, Kind::School, "S3", "T")], &known, |_| true).unwrap_err(),
            [(2, Reason::ParentUnknown)]
        );
    }

    #[test]
    fn c104_what_holds_is_named_by_the_lowest_node_and_a_supplement_stays_with_its_pack() {
        let placed = nodes(&run(&tree(), &[], |_| true).unwrap());
        let with = |pack: &[Option<&str>], supplement: &[Option<&str>]| {
            let line: Vec<Node> = placed
                .iter()
                .rev()
                .zip(pack.iter().zip(supplement))
                .map(|(node, (pack, supplement))| Node {
                    pack_id: pack.map(ToOwned::to_owned),
                    supplement_id: supplement.map(ToOwned::to_owned),
                    ..node.clone()
                })
                .collect();
            let (pack, supplement) = holding(&line.iter().collect::<Vec<_>>());
            (pack.unwrap_or_default(), supplement.unwrap_or_default())
        };
        let own = |pack: &str, supplement: &str| (pack.to_owned(), supplement.to_owned());

        assert_eq!(with(&[Some("a"), None, None], &[Some("s"), None, None]), own("a", "s"));
        assert_eq!(with(&[Some("a"), None, None], &[Some("s"), Some("t"), None]), own("a", "t"));
        assert_eq!(with(&[Some("a"), Some("b"), None], &[Some("s"), None, None]), own("b", ""));
        assert_eq!(with(&[Some("a"), Some("b"), None], &[Some("s"), Some("t"), None]), own("b", "t"));
    }

    #[test]
    fn codes_are_plain() {
        for code in ["JH", "JH-S1_2", &"a".repeat(32)] {
            assert!(is_code(code), "{code}");
        }
        for code in ["", "代码", "a b", &"a".repeat(33), "1.0"] {
            assert!(!is_code(code), "{code}");
        }
    }
}
