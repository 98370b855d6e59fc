//! What the platform must do and how much of it is done: `docs/requirements.md`, read, checked, counted and printed.
//!
//! The document is the only list. This module reads its two tables, finds the tests that carry an id of the first, and asks
//! the packs which regions of the second load; the command prints that, and the tidy rules insist on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use policy::Packs;

/// The document, as it was when this was built.
pub const TEXT: &str = include_str!("../../docs/requirements.md");

/// How many capabilities there are: C01 to C109, each once.
pub const CAPABILITY_COUNT: usize = 109;

/// What the heads of the two tables say.
const CAPABILITY_HEAD: [&str; 5] = ["id", "what the software does", "owner", "state", "what is missing"];
const REGION_HEAD: [&str; 5] = ["pack", "region", "parent", "documents", "silent on"];

/// Where a checkout keeps its tests.
const TEST_FOLDERS: [&str; 5] = ["crates", "services", "gateway", "kehou", "tests"];

/// How much of a capability is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The whole rule holds, and a test plays its example.
    Done,
    /// A part of it holds.
    Partly,
    /// Nothing of it can be used.
    NotYet,
}

impl State {
    /// Every state, the best first.
    pub const ALL: [Self; 3] = [Self::Done, Self::Partly, Self::NotYet];

    /// The word of the document.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partly => "partly",
            Self::NotYet => "not yet",
        }
    }
}

/// One thing the software must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Such as `C01`.
    pub id: String,
    /// What the software does, in one line.
    pub what: String,
    /// The service or crate that owns it.
    pub owner: String,
    /// How much of it is there.
    pub state: State,
    /// What is not there: empty when it is done; when nothing is there, perhaps what is prepared.
    pub missing: String,
}

/// One region that has a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The pack's id.
    pub pack_id: String,
    /// What the region is called.
    pub name_zh: String,
    /// The pack above it; none when it stands directly under what holds everywhere.
    pub parent: Option<String>,
    /// The short ids of its documents, in the order of the page.
    pub documents: Vec<String>,
    /// What its documents do not say.
    pub silent: String,
}

/// The two tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// C01 to C109, in the order of the page.
    pub capabilities: Vec<Capability>,
    /// The regions, in the order of the page.
    pub regions: Vec<Region>,
}

/// What is wrong with the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("docs/requirements.md:{line}: {why}")]
pub struct Fault {
    /// The line, from 1; the last one for what is missing.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

/// Everything that is wrong with the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the requirements cannot be read:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n{fault}"))
    }
}

impl std::error::Error for Faults {}

impl Requirements {
    /// Reads the document this was built with.
    ///
    /// # Errors
    /// As [`Requirements::parse`].
    pub fn ours() -> Result<Self, Faults> {
        Self::parse(TEXT)
    }

    /// Reads the two tables of a document.
    ///
    /// A table is known by its head. Each id stands once; what is done misses nothing, and what is there partly says what is
    /// missing; a region's documents are among those the page defines.
    ///
    /// # Errors
    /// Every [`Fault`], by line.
    pub fn parse(text: &str) -> Result<Self, Faults> {
        let mut reading = Reading::default();
        for (number, line) in (1..).zip(text.lines()) {
            reading.line(number, line);
        }
        reading.end(text.lines().count())
    }

    /// How many capabilities are in a state.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.capabilities.iter().filter(|one| one.state == state).count()
    }

    /// Prints both tables, and a last line with the numbers of both.
    ///
    /// `tests` gives how many tests carry an id; without it that column is left out.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn print(
        &self,
        out: &mut impl Write,
        tests: Option<&BTreeMap<String, usize>>,
        packs: &Packs,
    ) -> io::Result<()> {
        // Whatever may be Chinese stands last in its line, so that no width needs to be known.
        let column = |count: Option<String>| count.map_or(String::new(), |count| format!("{count:>5}  "));
        writeln!(out, "{:<5} {:<8} {}what", "id", "state", column(tests.map(|_| "tests".to_owned())))?;
        for Capability { id, what, state, missing, .. } in &self.capabilities {
            let carried = tests.map(|tests| tests.get(id).copied().unwrap_or_default().to_string());
            writeln!(out, "{id:<5} {:<8} {}{what}", state.word(), column(carried))?;
            if !missing.is_empty() {
                let indent = if tests.is_some() { 22 } else { 15 };
                let word = if *state == State::NotYet { "so far" } else { "missing" };
                writeln!(out, "{:indent$}{word}: {missing}", "")?;
            }
        }
        writeln!(out, "\n{:<20} {:<7} region", "pack", "loaded")?;
        for Region { pack_id, name_zh, .. } in &self.regions {
            let word = if packs.policy(pack_id, None).is_some() { "yes" } else { "no" };
            writeln!(out, "{pack_id:<20} {word:<7} {name_zh}")?;
        }
        let counts = State::ALL.map(|state| format!("{} {}", state.word(), self.count(state))).join(" / ");
        let loaded =
            self.regions.iter().filter(|region| packs.policy(&region.pack_id, None).is_some()).count();
        writeln!(
            out,
            "\n{counts} of {}; regions {loaded} of {} loaded",
            self.capabilities.len(),
            self.regions.len()
        )
    }
}

/// A table that is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Table {
    #[default]
    None,
    Documents,
    Capabilities,
    Regions,
}

#[derive(Debug, Default)]
struct Reading {
    table: Table,
    documents: BTreeSet<String>,
    found: Requirements,
    faults: Vec<Fault>,
}

impl Reading {
    fn line(&mut self, number: usize, line: &str) {
        let Some(cells) = cells(line) else {
            if !line.trim().is_empty() {
                self.table = Table::None;
            }
            return;
        };
        if cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| c == '-' || c == ':')) {
            return;
        }
        match cells.as_slice() {
            head if head == CAPABILITY_HEAD => self.table = Table::Capabilities,
            head if head == REGION_HEAD => self.table = Table::Regions,
            ["document", ..] => self.table = Table::Documents,
            row => match self.table {
                Table::None => {}
                Table::Documents => _ = self.documents.insert(bare(row.first().copied().unwrap_or_default())),
                Table::Capabilities => self.capability(number, row),
                Table::Regions => self.region(number, row),
            },
        }
    }

    fn fault(&mut self, line: usize, why: impl Into<String>) {
        self.faults.push(Fault { line, why: why.into() });
    }

    fn capability(&mut self, line: usize, row: &[&str]) {
        let [id, what, owner, word, missing] = row else {
            return self.fault(line, format!("a capability has five cells, this has {}", row.len()));
        };
        let Some(state) = State::ALL.into_iter().find(|state| state.word() == *word) else {
            return self.fault(line, format!("{id}: `{word}` is no state"));
        };
        if !ids().any(|known| known == *id) {
            return self.fault(line, format!("there is no capability {id}"));
        }
        if self.found.capabilities.iter().any(|one| one.id == *id) {
            return self.fault(line, format!("{id} is there already"));
        }
        if what.is_empty() || owner.is_empty() {
            self.fault(line, format!("{id}: says neither what nor whose"));
        }
        match state {
            State::Done if !missing.is_empty() => {
                self.fault(line, format!("{id}: is done, and something is missing"))
            }
            State::Partly if missing.is_empty() => {
                self.fault(line, format!("{id}: does not say what is missing"))
            }
            State::Done | State::Partly | State::NotYet => {}
        }
        self.found.capabilities.push(Capability {
            id: (*id).to_owned(),
            what: (*what).to_owned(),
            owner: bare(owner),
            state,
            missing: (*missing).to_owned(),
        });
    }

    fn region(&mut self, line: usize, row: &[&str]) {
        let [pack_id, name_zh, parent, documents, silent] = row else {
            return self.fault(line, format!("a region has five cells, this has {}", row.len()));
        };
        let region = Region {
            pack_id: bare(pack_id),
            name_zh: (*name_zh).to_owned(),
            parent: Some(bare(parent)).filter(|parent| !parent.is_empty()),
            documents: documents.split(',').map(|id| id.trim().to_owned()).collect(),
            silent: (*silent).to_owned(),
        };
        if self.found.regions.iter().any(|one| one.pack_id == region.pack_id) {
            return self.fault(line, format!("{} is there already", region.pack_id));
        }
        if region.pack_id.is_empty() || name_zh.is_empty() || silent.is_empty() {
            self.fault(line, "a region has a pack, a name, and something its documents do not say");
        }
        for id in &region.documents {
            if !self.documents.contains(id) {
                self.fault(line, format!("{}: there is no document {id}", region.pack_id));
            }
        }
        self.found.regions.push(region);
    }

    fn end(mut self, last_line: usize) -> Result<Requirements, Faults> {
        for id in ids() {
            if !self.found.capabilities.iter().any(|one| one.id == id) {
                self.fault(last_line, format!("{id} is missing"));
            }
        }
        for region in self.found.regions.clone() {
            if let Some(parent) = &region.parent
                && !self.found.regions.iter().any(|one| one.pack_id == *parent)
            {
                self.fault(last_line, format!("{}: there is no region {parent} above it", region.pack_id));
            }
        }
        if self.found.regions.is_empty() {
            self.fault(last_line, "there are no regions");
        }
        if self.faults.is_empty() { Ok(self.found) } else { Err(Faults(self.faults)) }
    }
}

/// `C01` to `C109`.
fn ids() -> impl Iterator<Item = String> {
    (1..=CAPABILITY_COUNT).map(|number| format!("C{number:02}"))
}

/// The cells of a row, or nothing when the line is none.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// A cell without the marks of code, and without a dash that stands for nothing.
fn bare(cell: &str) -> String {
    let text = cell.replace('`', "");
    if text == "–" { String::new() } else { text }
}

/// A function whose name begins with ids of capabilities, or with the number of a trap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The file, from the root, slashes forward.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The whole name.
    pub name: String,
    /// Whether it is run as a test.
    pub is_test: bool,
}

impl Named {
    /// The ids its name begins with, as the document writes them: `c35_c36_…` gives `C35`, `C36`.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let numbers =
            self.name.split('_').map_while(|word| word.strip_prefix('c').filter(|word| is_number(word)));
        numbers.map(|number| format!("C{number}")).collect()
    }

    /// What stands for the number in `trap_NN_…`; nothing when it is no such name.
    #[must_use]
    pub fn trap(&self) -> Option<&str> {
        let number = self.name.strip_prefix("trap_")?.split('_').next()?;
        number.starts_with(|c: char| c.is_ascii_digit()).then_some(number)
    }
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Finds every function of a Rust file whose name begins with an id or the number of a trap.
///
/// It is a test when an attribute above it says so, or when the file hands its name to a macro that makes tests of it
/// (`on_both!(…)`).
#[must_use]
pub fn named_in(path: &str, text: &str) -> Vec<Named> {
    let handed = handed_to_macros(text);
    let mut found = Vec::new();
    let mut is_marked = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(name) = function_name(line) {
            let one = Named {
                path: path.to_owned(),
                line: number,
                name: name.to_owned(),
                is_test: is_marked || handed.contains(name),
            };
            if !one.ids().is_empty() || one.trap().is_some() {
                found.push(one);
            }
            is_marked = false;
        } else if line.starts_with("#[") {
            is_marked |= line.starts_with("#[test]") || line.contains("::test]") || line.contains("::test(");
        } else if !line.starts_with("//") && line != ")]" {
            is_marked = false;
        }
    }
    found
}

/// The name of the function a line begins.
fn function_name(line: &str) -> Option<&str> {
    let at = if line.starts_with("fn ") { 3 } else { line.find(" fn ")? + 4 };
    let before = line[..at].split_whitespace();
    let is_head = before.clone().all(|word| matches!(word, "pub" | "pub(crate)" | "async" | "const" | "fn"));
    let name = line[at..].split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (is_head && !name.is_empty()).then_some(name)
}

/// Every word between the brackets of `on_both!( … )`.
fn handed_to_macros(text: &str) -> BTreeSet<&str> {
    let calls = text.match_indices("on_both!(").filter_map(|(at, call)| {
        let inner = &text[at + call.len()..];
        inner.find(')').map(|end| &inner[..end])
    });
    calls.flat_map(|inner| inner.split(',').map(str::trim)).filter(|name| !name.is_empty()).collect()
}

/// Finds them in every Rust file of a checkout.
///
/// # Errors
/// When a folder or file cannot be read.
pub fn named_below(root: &Path) -> io::Result<Vec<Named>> {
    let mut found = Vec::new();
    for folder in TEST_FOLDERS {
        walk(root, &root.join(folder), &mut found)?;
    }
    found.sort_by(|one, other| (&one.path, one.line).cmp(&(&other.path, other.line)));
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Named>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if !path.ends_with("target") {
                walk(root, &path, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let from_root = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            found.extend(named_in(&from_root, &fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

/// How many tests carry each id.
#[must_use]
pub fn test_counts(named: &[Named]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for id in named.iter().filter(|one| one.is_test).flat_map(Named::ids) {
        *counts.entry(id).or_default() += 1;
    }
    counts
}

/// The checkout around the working directory, else the one this was built from; none where neither is there.
#[must_use]
pub fn checkout() -> Option<PathBuf> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let is_checkout = |root: &PathBuf| {
        root.join("docs/requirements.md").is_file()
            && TEST_FOLDERS.iter().all(|folder| root.join(folder).is_dir())
    };
    [PathBuf::from("."), built_from].into_iter().find(is_checkout)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(tests: Option<&BTreeMap<String, usize>>) -> String {
        let mut out = Vec::new();
        Requirements::ours().unwrap().print(&mut out, tests, &Packs::default()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn without_a_checkout_the_column_of_tests_is_left_out() {
        let counts = BTreeMap::from([("C04".to_owned(), 7)]);
        let row = |text: String| text.lines().find(|line| line.starts_with("C04 ")).unwrap().to_owned();

        let (with, without) = (row(printed(Some(&counts))), row(printed(None)));

        assert!(with.starts_with("C04   done         7  Holds money"), "{with}");
        assert!(without.starts_with("C04   done     Holds money"), "{without}");
    }

    #[test]
    fn a_region_whose_pack_is_not_there_is_not_counted() {
        let text = printed(None);

        assert!(text.lines().any(|line| line.starts_with("beijing ") && line.contains(" no ")), "{text}");
        assert!(text.ends_with("regions 0 of 27 loaded\n"), "{text}");
    }

    #[test]
    fn ids_are_read_from_the_front_of_a_name_only() {
        let named = |name: &str| Named { path: String::new(), line: 1, name: name.to_owned(), is_test: true };
        let table: [(&str, &[&str]); 5] = [
            ("c35_c36_signed", &["C35", "C36"]),
            ("c100_all", &["C100"]),
            ("c56", &["C56"]),
            ("cost_of_c56", &[]),
            ("c_56", &[]),
        ];
        for (name, ids) in table {
            assert_eq!(named(name).ids(), ids, "{name}");
        }
        assert_eq!(named("trap_07_seasons").trap(), Some("07"));
        assert_eq!(named("trap_door").trap(), None);
    }

    #[test]
    fn a_test_is_known_by_its_attribute_or_by_the_macro_it_is_handed_to() {
        let text = [
            "on_both!(c01_story);",
            "async fn c01_story(world: &World) {}",
            "#[tokio::test(flavor = \"multi_thread\")]",
            "/// Said before.",
            "async fn c02_flavoured() {}",
            "proptest! {",
            "    #[test]",
            "    fn c03_property(a in 0..9) {}",
            "}",
            "#[cfg(unix)]",
            "pub(crate) fn c04_helper() {}",
        ]
        .join("\n");
        let found: Vec<_> =
            named_in("x.rs", &text).into_iter().map(|one| (one.name, one.line, one.is_test)).collect();

        let expected = [("c01_story", 2, true), ("c02_flavoured", 5, true), ("c03_property", 8, true)];
        let expected = expected.into_iter().chain([("c04_helper", 11, false)]);
        assert_eq!(found, expected.map(|(name, line, is)| (name.to_owned(), line, is)).collect::<Vec<_>>());
    }
}
