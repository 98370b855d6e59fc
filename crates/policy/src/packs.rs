//! The folder of packs and supplements.
//!
//! ```text
//! policies/
//!   common.toml            what holds everywhere; stands above every pack that names no other
//!   <pack_id>.toml         one region
//!   supplements/<name>.toml  what one district decided where its region is silent
//!   retired/*.toml         earlier editions of packs and supplements, for terms that are pinned to them
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest;
use chrono::NaiveDate;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::policy::{Identity, Narrowing, Policy, SupplementIdentity};
use crate::problem::{Problem, Rule};
use crate::read::{Fields, Node, Readable, Scribe};
use crate::value::{Binding, Decision, Held, Say, Silent, Source, Value};
use crate::vocabulary::FeeMode;

/// The most bytes a file may have.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The pack that stands above every pack that names no other.
const COMMON: &str = "common";

/// Every policy there is: each pack alone and with each of its supplements, in every edition kept.
#[derive(Clone, Debug, Default)]
pub struct Packs {
    current: BTreeMap<(String, Option<String>), Arc<Policy>>,
    pinned: BTreeMap<String, Arc<Policy>>,
}

/// A folder of packs that cannot be used, with everything that is wrong in it.
#[derive(Clone, Debug)]
pub struct Unusable(pub Vec<Problem>);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the policy packs cannot be used:")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

impl std::error::Error for Unusable {}

impl Packs {
    /// Reads a folder of packs, for a program that cannot go on without them.
    ///
    /// # Errors
    /// [`Unusable`], whose text lists every problem.
    pub fn open(dir: &Path) -> Result<Self, Unusable> {
        Self::load(dir).map_err(Unusable)
    }

    /// Reads a folder of packs.
    ///
    /// # Errors
    /// Every [`Problem`] of every file, by file and line. One problem anywhere and nothing is loaded.
    pub fn load(dir: &Path) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut files = Vec::new();
        read_folder(dir, "", Edition::Current, &mut files, &mut problems);
        read_folder(&dir.join("supplements"), "supplements/", Edition::Current, &mut files, &mut problems);
        read_folder(&dir.join("retired"), "retired/", Edition::Retired, &mut files, &mut problems);

        let mut docs = Vec::new();
        for file in &files {
            match parse(file) {
                Ok(doc) => docs.push(doc),
                Err(found) => problems.extend(found),
            }
        }
        let mut building = Building { docs: &docs, built: BTreeMap::new(), path: Vec::new(), problems };
        building.check_names();
        let packs = building.all();
        let mut problems = building.problems;
        problems.sort_by(|one, other| {
            (&one.file, one.line, &one.key).cmp(&(&other.file, other.line, &other.key))
        });
        problems.dedup();
        if problems.is_empty() { Ok(packs) } else { Err(problems) }
    }

    /// Gives the current policy of a pack, alone or with one of its supplements; nothing when there is none such.
    #[must_use]
    pub fn policy(&self, pack_id: &str, supplement: Option<&str>) -> Option<Arc<Policy>> {
        let key = (pack_id.to_owned(), supplement.map(str::to_owned));
        self.current.get(&key).cloned()
    }

    /// Gives the policy a term is pinned to, by what [`Policy::pin`] gave; nothing when that edition is not kept.
    #[must_use]
    pub fn pinned(&self, pin: &str) -> Option<Arc<Policy>> {
        self.pinned.get(pin).cloned()
    }

    /// Gives every current policy: by pack, first the pack alone, then with each supplement by name.
    pub fn current(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.current.values()
    }

    /// Gives the current supplements of a pack by name.
    #[must_use]
    pub fn supplements(&self, pack_id: &str) -> Vec<&str> {
        let of_pack = self.current.keys().filter(|(id, _)| id == pack_id);
        of_pack.filter_map(|(_, supplement)| supplement.as_deref()).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edition {
    Current,
    Retired,
}

struct File {
    name: String,
    edition: Edition,
    text: String,
}

fn read_folder(
    dir: &Path,
    prefix: &str,
    edition: Edition,
    files: &mut Vec<File>,
    problems: &mut Vec<Problem>,
) {
    let mut whole_file = |file: String, rule: Rule| {
        problems.push(Problem { file, line: 1, key: String::new(), rule });
    };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !prefix.is_empty() => return,
        Err(error) => return whole_file(dir.display().to_string(), Rule::Unreadable(error.to_string())),
    };
    let mut paths = BTreeSet::new();
    for entry in entries {
        match entry {
            Ok(entry) => _ = paths.insert(entry.path()),
            Err(error) => whole_file(dir.display().to_string(), Rule::Unreadable(error.to_string())),
        }
    }
    for path in paths {
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let Some(file_name) = path.file_name() else {
            continue;
        };
        let name = format!("{prefix}{}", file_name.to_string_lossy());
        match fs::metadata(&path) {
            Ok(facts) if facts.len() > FILE_BYTES_MAX => {
                whole_file(name, Rule::TooLarge { bytes: facts.len(), limit: FILE_BYTES_MAX });
                continue;
            }
            Ok(_) => {}
            Err(error) => {
                whole_file(name, Rule::Unreadable(error.to_string()));
                continue;
            }
        }
        match fs::read_to_string(&path) {
            Ok(text) => files.push(File { name, edition, text }),
            Err(error) => whole_file(name, Rule::Unreadable(error.to_string())),
        }
    }
}

/// One file, parsed, and what can be said of it without its neighbours.
struct Doc<'a> {
    file: &'a File,
    table: Spanned<DeTable<'a>>,
    /// The pack it is or belongs to.
    pack_id: String,
    parent: Option<String>,
    supplement: Option<String>,
    content: [u8; 32],
}

fn parse(file: &File) -> Result<Doc<'_>, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(&file.text);
    if !errors.is_empty() {
        let mut scribe = scribe(file);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            scribe.problem(at, Rule::Syntax(error.message().to_owned()));
        }
        return Err(scribe.problems);
    }
    let text = |name: &str| match table.get_ref().get(name).map(Spanned::get_ref) {
        Some(DeValue::String(text)) => Some(text.to_string()),
        _ => None,
    };
    let (pack_id, parent, supplement) =
        (text("pack_id").unwrap_or_default(), text("parent_pack"), text("supplement"));
    let mut context = digest::Context::new(&digest::SHA256);
    digest_table(table.get_ref(), &mut context);
    let mut content = [0; 32];
    content.copy_from_slice(context.finish().as_ref());
    Ok(Doc { file, table, pack_id, parent, supplement, content })
}

fn scribe(file: &File) -> Scribe<'_> {
    Scribe { file: &file.name, text: &file.text, key: String::new(), problems: Vec::new() }
}

/// Feeds content only: keys in order, values with type and length; no comment, no layout.
fn digest_table(table: &DeTable<'_>, context: &mut digest::Context) {
    feed(b't', &table.len().to_be_bytes(), context);
    for (name, value) in table {
        feed(b'k', name.get_ref().as_bytes(), context);
        digest_value(value.get_ref(), context);
    }
}

fn digest_value(value: &DeValue<'_>, context: &mut digest::Context) {
    match value {
        DeValue::String(text) => feed(b's', text.as_bytes(), context),
        DeValue::Integer(number) => feed(b'i', number.as_str().as_bytes(), context),
        DeValue::Float(number) => feed(b'f', number.as_str().as_bytes(), context),
        DeValue::Boolean(answer) => feed(b'b', &[u8::from(*answer)], context),
        DeValue::Datetime(date) => feed(b'd', date.to_string().as_bytes(), context),
        DeValue::Array(items) => {
            feed(b'a', &items.len().to_be_bytes(), context);
            for item in items {
                digest_value(item.get_ref(), context);
            }
        }
        DeValue::Table(table) => digest_table(table, context),
    }
}

fn feed(kind: u8, bytes: &[u8], context: &mut digest::Context) {
    context.update(&[kind]);
    context.update(&bytes.len().to_be_bytes());
    context.update(bytes);
}

/// The first 16 hex digits of a digest over all parts.
fn version(parts: &[&[u8]]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        feed(b'p', part, &mut context);
    }
    context.finish().as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A policy and whether everything it is made of is current.
#[derive(Clone)]
struct Built {
    policy: Arc<Policy>,
    is_current: bool,
}

struct Building<'a> {
    docs: &'a [Doc<'a>],
    built: BTreeMap<String, Vec<Built>>,
    /// The packs being built, outermost first.
    path: Vec<String>,
    problems: Vec<Problem>,
}

impl<'a> Building<'a> {
    fn packs(&self, pack_id: &str) -> Vec<&'a Doc<'a>> {
        let docs: &'a [Doc<'a>] = self.docs;
        docs.iter().filter(|doc| doc.supplement.is_none() && doc.pack_id == pack_id).collect()
    }

    /// A current file is called what it says it is.
    fn check_names(&mut self) {
        for doc in self.docs.iter().filter(|doc| doc.file.edition == Edition::Current) {
            let is_supplement = doc.file.name.starts_with("supplements/");
            let stem = doc.file.name.trim_start_matches("supplements/").trim_end_matches(".toml");
            let (key, inside) = match (&doc.supplement, is_supplement) {
                (Some(name), true) => ("supplement", name.clone()),
                (None, true) => {
                    self.note(doc, "supplement", Rule::Missing("supplement"));
                    continue;
                }
                (Some(_), false) => {
                    self.note(doc, "supplement", Rule::UnknownKey);
                    continue;
                }
                (None, false) => ("pack_id", doc.pack_id.clone()),
            };
            if !inside.is_empty() && inside != stem {
                self.note(doc, key, Rule::NameDiffers { inside, file: stem.to_owned() });
            }
        }
    }

    /// Notes a problem at a top-level key.
    fn note(&mut self, doc: &Doc<'_>, key: &str, rule: Rule) {
        let mut scribe = scribe(doc.file);
        scribe.key = key.to_owned();
        let at = doc.table.get_ref().get(key).map_or(0, |value| value.span().start);
        scribe.problem(at, rule);
        self.problems.append(&mut scribe.problems);
    }

    fn all(&mut self) -> Packs {
        let ids: BTreeSet<String> =
            self.docs.iter().filter(|doc| doc.supplement.is_none()).map(|doc| doc.pack_id.clone()).collect();
        let mut packs = Packs::default();
        for pack_id in &ids {
            for built in self.pack(pack_id) {
                packs.keep(&built);
            }
        }
        for doc in self.docs.iter().filter(|doc| doc.supplement.is_some()) {
            let below = self.built.get(&doc.pack_id).cloned().unwrap_or_default();
            if below.is_empty() && !ids.contains(&doc.pack_id) {
                self.note(doc, "pack_id", Rule::MissingPack(doc.pack_id.clone()));
            }
            for pack in below {
                if let Some(built) = self.supplemented(doc, &pack) {
                    packs.keep(&built);
                }
            }
        }
        packs
    }

    /// Builds every edition of a pack over every edition of its parent.
    fn pack(&mut self, pack_id: &str) -> Vec<Built> {
        if let Some(built) = self.built.get(pack_id) {
            return built.clone();
        }
        self.path.push(pack_id.to_owned());
        let mut built = Vec::new();
        for doc in self.packs(pack_id) {
            for parent in self.parents(doc) {
                built.extend(self.laid_over(doc, parent.as_ref()));
            }
        }
        self.path.pop();
        self.built.insert(pack_id.to_owned(), built.clone());
        built
    }

    /// Every edition of the pack above; one `None` for the pack above all; empty when it cannot be had.
    fn parents(&mut self, doc: &Doc<'_>) -> Vec<Option<Built>> {
        let parent = match &doc.parent {
            Some(parent) => parent.clone(),
            None if doc.pack_id == COMMON => return vec![None],
            None => COMMON.to_owned(),
        };
        if let Some(start) = self.path.iter().position(|above| *above == parent) {
            let mut circle = self.path[start..].to_vec();
            circle.push(parent);
            self.note(doc, "parent_pack", Rule::CircularParent(circle.join(" → ")));
            return Vec::new();
        }
        if self.packs(&parent).is_empty() {
            self.note(doc, "parent_pack", Rule::MissingPack(parent));
            return Vec::new();
        }
        self.pack(&parent).into_iter().map(Some).collect()
    }

    fn laid_over(&mut self, doc: &Doc<'_>, parent: Option<&Built>) -> Option<Built> {
        let mut scribe = scribe(doc.file);
        let mut root = Fields::new(doc.table.get_ref(), 0);
        let header = PackHeader::read(&mut root, &mut scribe);
        let above = parent.map_or("", |parent| parent.policy.version());
        let identity = Identity {
            pack_id: doc.pack_id.clone(),
            name_zh: header.name_zh.unwrap_or_default(),
            parent_pack: doc.parent.clone(),
            version: version(&[&doc.content, above.as_bytes()]),
            supplement: None,
            effective_from: header.effective_from,
            effective_to: header.effective_to,
        };
        let mut policy = match parent {
            Some(parent) => parent.policy.handed_down(identity),
            None => Policy::blank(identity),
        };
        let mut layer = Layer::new(scribe, root, Writer::Document { sources: header.source_files });
        policy.lay(&mut layer);
        layer.check(&policy);
        let is_current =
            doc.file.edition == Edition::Current && parent.is_none_or(|parent| parent.is_current);
        self.keep(layer.finish(), policy, is_current)
    }

    fn supplemented(&mut self, doc: &Doc<'_>, pack: &Built) -> Option<Built> {
        let mut scribe = scribe(doc.file);
        let mut root = Fields::new(doc.table.get_ref(), 0);
        let (decision, is_demonstration) = supplement_header(&mut root, &mut scribe);
        let mut policy = Policy::clone(&pack.policy);
        policy.identity.supplement = Some(SupplementIdentity {
            name: doc.supplement.clone().unwrap_or_default(),
            version: version(&[&doc.content]),
            is_demonstration,
        });
        let mut layer = Layer::new(scribe, root, Writer::District { decision });
        policy.lay(&mut layer);
        layer.check(&policy);
        let is_current = doc.file.edition == Edition::Current && pack.is_current;
        self.keep(layer.finish(), policy, is_current)
    }

    /// Keeps a policy without problems. Editions that never stood together may contradict each other: such a pair is
    /// no policy, and no problem either.
    fn keep(&mut self, found: Vec<Problem>, policy: Policy, is_current: bool) -> Option<Built> {
        let is_sound = found.is_empty();
        let told = found.into_iter().filter(|problem| is_current || !problem.rule.is_between_files());
        for problem in told {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        (is_sound || is_current).then(|| Built { policy: Arc::new(policy), is_current })
    }
}

impl Packs {
    fn keep(&mut self, built: &Built) {
        let policy = &built.policy;
        self.pinned.insert(policy.pin(), Arc::clone(policy));
        if built.is_current {
            let key = (policy.pack_id().to_owned(), policy.supplement().map(str::to_owned));
            self.current.insert(key, Arc::clone(policy));
        }
    }
}

/// A document a pack quotes.
struct SourceFile {
    file: String,
    title: String,
}

impl Readable for SourceFile {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        let mut fields = Fields::of(node, scribe)?;
        let (file, title) = (fields.take("file", scribe), fields.take("title", scribe));
        fields.finish(scribe);
        Some(Self { file: file?, title: title? })
    }
}

struct PackHeader {
    name_zh: Option<String>,
    source_files: Vec<SourceFile>,
    effective_from: Option<NaiveDate>,
    effective_to: Option<NaiveDate>,
}

impl PackHeader {
    fn read(root: &mut Fields<'_>, scribe: &mut Scribe<'_>) -> Self {
        let keyed = |name: &'static str, scribe: &mut Scribe<'_>| scribe.key = name.to_owned();
        keyed("pack_id", scribe);
        let _pack_id: Option<String> = root.take("pack_id", scribe);
        keyed("name_zh", scribe);
        let name_zh = root.take("name_zh", scribe);
        keyed("parent_pack", scribe);
        let _parent: Option<Option<String>> = root.take("parent_pack", scribe);
        keyed("source_files", scribe);
        let source_files = root.take("source_files", scribe).unwrap_or_default();
        keyed("effective_from", scribe);
        let effective_from = root.take("effective_from", scribe).flatten();
        keyed("effective_to", scribe);
        let effective_to = root.take("effective_to", scribe).flatten();
        scribe.key.clear();
        Self { name_zh, source_files, effective_from, effective_to }
    }
}

fn supplement_header(root: &mut Fields<'_>, scribe: &mut Scribe<'_>) -> (Option<Decision>, bool) {
    scribe.key = "pack_id".to_owned();
    let _pack_id: Option<String> = root.take("pack_id", scribe);
    scribe.key = "supplement".to_owned();
    let _name: Option<String> = root.take("supplement", scribe);
    scribe.key = "demonstration".to_owned();
    let is_demonstration = root.take::<Option<bool>>("demonstration", scribe).flatten().unwrap_or(false);
    scribe.key = "decision".to_owned();
    let decision = match root.node("decision") {
        Some(node) => read_decision(node, scribe),
        None => {
            scribe.problem(0, Rule::Missing("decision"));
            None
        }
    };
    scribe.key.clear();
    (decision, is_demonstration)
}

fn read_decision(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Decision> {
    let mut fields = Fields::of(node, scribe)?;
    let (decided_by, document) = (fields.take("decided_by", scribe), fields.take("document", scribe));
    let dated = match fields.node("dated") {
        Some(dated) => NaiveDate::read(dated, scribe),
        None => {
            scribe.problem(node.at, Rule::Undated);
            None
        }
    };
    fields.finish(scribe);
    let file = scribe.file.to_owned();
    Some(Decision { decided_by: decided_by?, document: document?, dated: dated?, file })
}

impl Readable for Binding {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        let word = String::read(node, scribe)?;
        let binding = match word.as_str() {
            "exact" => Self::Exact,
            "ceiling" => Self::Ceiling,
            "floor" => Self::Floor,
            "average" => Self::Average,
            "principle" => Self::Principle,
            "target" => Self::Target,
            _ => {
                let allowed = "exact, ceiling, floor, average, principle, target".to_owned();
                scribe.problem(node.at, Rule::NotAllowed { allowed, found: word });
                return None;
            }
        };
        Some(binding)
    }
}

/// Who writes a layer.
enum Writer {
    /// A region's documents.
    Document { sources: Vec<SourceFile> },
    /// A district's decision; nothing when it could not be read.
    District { decision: Option<Decision> },
}

/// What one file says, being laid over what stands above it.
pub(crate) struct Layer<'a, 's> {
    scribe: Scribe<'s>,
    root: Fields<'a>,
    writer: Writer,
    group_name: &'static str,
    group: Option<Fields<'a>>,
    /// Where each key of this file stands.
    written: BTreeMap<&'static str, usize>,
}

impl<'a, 's> Layer<'a, 's> {
    fn new(scribe: Scribe<'s>, root: Fields<'a>, writer: Writer) -> Self {
        Self { scribe, root, writer, group_name: "", group: None, written: BTreeMap::new() }
    }

    /// Turns to a group of keys.
    pub fn enter(&mut self, group: &'static str) {
        self.group_name = group;
        self.scribe.key = group.to_owned();
        self.group = self.root.node(group).and_then(|node| Fields::of(node, &mut self.scribe));
    }

    /// Lays one key, when the file says it.
    pub fn lay<T: Readable + Say + Clone + PartialEq>(
        &mut self,
        above: &mut Value<T>,
        narrowing: &Narrowing<T>,
    ) {
        let key = above.key;
        let Some(node) = self.group.as_mut().and_then(|group| group.node(key.name)) else {
            return;
        };
        self.scribe.key = format!("{}.{}", self.group_name, key.name);
        self.written.insert(key.name, node.at);
        if let Some(held) = self.read(node) {
            let own = Value { pack_id: Arc::clone(&above.pack_id), key, held };
            if let Some(rule) = self.departs(above, &own, narrowing) {
                self.scribe.problem(node.at, rule);
            }
            // A supplement that only repeats its pack adds nothing: the document stays the source.
            if matches!(self.writer, Writer::Document { .. }) || own.get() != above.get() {
                *above = own;
            }
        }
        self.scribe.key = self.group_name.to_owned();
    }

    fn read<T: Readable>(&mut self, node: Node<'a>) -> Option<Held<T>> {
        let scribe = &mut self.scribe;
        let mut fields = Fields::of(node, scribe)?;
        let value = fields.take("value", scribe);
        let binding = fields
            .take::<Option<Binding>>("binding", scribe)
            .map(|binding| binding.unwrap_or(Binding::Exact));
        let note = fields.take("note", scribe);
        let held = match &self.writer {
            Writer::Document { sources } => {
                let source = match fields.node("source") {
                    Some(source) => read_source(source, sources, scribe),
                    None => {
                        scribe.problem(node.at, Rule::Missing("source"));
                        None
                    }
                };
                fields.finish(scribe);
                Held::Stated { value: value?, binding: binding?, source: source?, note: note? }
            }
            Writer::District { decision } => {
                fields.finish(scribe);
                Held::Supplemented {
                    value: value?,
                    binding: binding?,
                    decision: decision.clone()?,
                    note: note?,
                }
            }
        };
        Some(held)
    }

    /// Whether what is said departs from what stands above, and how.
    fn departs<T: Say + PartialEq>(
        &self,
        above: &Value<T>,
        own: &Value<T>,
        narrowing: &Narrowing<T>,
    ) -> Option<Rule> {
        let (upper, upper_clause) = above.known()?;
        let (lower, lower_clause) = own.known()?;
        let (own, above) = (Box::new(lower_clause), Box::new(upper_clause));
        match (narrowing, &self.writer) {
            (Narrowing::Within(fits), _) if fits(upper, lower) => None,
            (Narrowing::Within(_), _) => Some(Rule::Loosens { own, above }),
            (Narrowing::Local, Writer::District { .. }) if upper != lower => {
                Some(Rule::Contradicts { own, above })
            }
            (Narrowing::Local, Writer::District { .. } | Writer::Document { .. }) => None,
        }
    }

    /// Leaves the group, complaining about keys nobody knows.
    pub fn leave(&mut self) {
        if let Some(group) = self.group.take() {
            self.scribe.key = self.group_name.to_owned();
            group.finish(&mut self.scribe);
        }
        self.scribe.key.clear();
    }

    /// Looks at the values together.
    fn check(&mut self, policy: &Policy) {
        for (key, rule) in disagreements(policy) {
            // What this file does not say was complained about where it is said.
            if let Some(at) = self.written.get(key).copied() {
                self.scribe.key = key.to_owned();
                self.scribe.problem(at, rule);
            }
        }
        self.scribe.key.clear();
    }

    fn finish(mut self) -> Vec<Problem> {
        self.root.finish(&mut self.scribe);
        self.scribe.problems
    }
}

fn read_source(node: Node<'_>, listed: &[SourceFile], scribe: &mut Scribe<'_>) -> Option<Source> {
    let mut fields = Fields::of(node, scribe)?;
    let (file, line, words) =
        (fields.take::<String>("file", scribe), fields.take("line", scribe), fields.take("words", scribe));
    fields.finish(scribe);
    let file = file?;
    let Some(title) = listed.iter().find(|source| source.file == file) else {
        scribe.problem(node.at, Rule::UnlistedSource(file));
        return None;
    };
    Some(Source { file, title_zh: title.title.clone(), line: line?, words_zh: words? })
}

/// Every pair of values that cannot stand together, under the key or keys that say so.
fn disagreements(policy: &Policy) -> Vec<(&'static str, Rule)> {
    let mut found = Vec::new();
    priced_though_free(policy, &mut found);
    promised_but_absent(policy, &mut found);
    let (fee, time) = (&policy.fee, &policy.time);
    crossed(&fee.parent_fee_fen_per_term, &fee.parent_fee_cap_fen_per_term, &mut found);
    crossed(&fee.parent_fee_avg_fen_per_term, &fee.parent_fee_cap_fen_per_term, &mut found);
    crossed(&time.slot_count_min, &time.slot_count_max, &mut found);
    crossed(&time.min_class_hours_per_afternoon, &time.max_class_hours_per_day, &mut found);
    crossed(&time.class_hours_per_day, &time.max_class_hours_per_day, &mut found);
    crossed(&time.end_not_before, &time.end_not_after, &mut found);
    found
}

/// What is lower must not be above what is upper.
fn crossed<T: PartialOrd + Say>(lower: &Value<T>, upper: &Value<T>, found: &mut Vec<(&'static str, Rule)>) {
    let (Some((low, one)), Some((high, other))) = (lower.known(), upper.known()) else {
        return;
    };
    if low > high {
        let (one, other) = (Box::new(one), Box::new(other));
        found.push((lower.key.name, Rule::Excludes { one: one.clone(), other: other.clone() }));
        found.push((upper.key.name, Rule::Excludes { one: other, other: one }));
    }
}

/// Free excludes every amount beside it. An amount handed down from above is what free has overtaken.
fn priced_though_free(policy: &Policy, found: &mut Vec<(&'static str, Rule)>) {
    let Some((FeeMode::Free, free)) = policy.fee.parent_fee_mode.known() else {
        return;
    };
    let fee = &policy.fee;
    let single = [
        &fee.parent_fee_fen_per_term,
        &fee.parent_fee_cap_fen_per_term,
        &fee.parent_fee_avg_fen_per_term,
        &fee.parent_fee_fen_per_month,
        &fee.parent_fee_cap_fen_per_class_hour,
        &fee.parent_fee_cap_fen_per_day,
        &fee.personalised_course_parent_cap_fen_per_term,
    ];
    let mut amounts: Vec<_> =
        single.iter().filter(|value| is_own(value)).filter_map(|value| value.clause()).collect();
    if is_own(&fee.slot_fee_cap_fen_per_month) {
        amounts.extend(fee.slot_fee_cap_fen_per_month.clause());
    }
    for amount in amounts {
        found.push((amount.key, Rule::Excludes { one: Box::new(amount), other: Box::new(free.clone()) }));
    }
}

fn is_own<T>(value: &Value<T>) -> bool {
    matches!(value.held(), Held::Stated { .. } | Held::Supplemented { .. })
}

/// A mode that names an amount needs one.
fn promised_but_absent(policy: &Policy, found: &mut Vec<(&'static str, Rule)>) {
    let fee = &policy.fee;
    let absent: Option<Silent> = match fee.parent_fee_mode.get() {
        Some(FeeMode::Exact)
            if fee.parent_fee_fen_per_term.get().or(fee.parent_fee_fen_per_month.get()).is_none() =>
        {
            Some(fee.parent_fee_fen_per_term.silence())
        }
        Some(FeeMode::Average) if fee.parent_fee_avg_fen_per_term.get().is_none() => {
            Some(fee.parent_fee_avg_fen_per_term.silence())
        }
        Some(FeeMode::Ceiling) => {
            let single = [
                &fee.parent_fee_cap_fen_per_term,
                &fee.parent_fee_cap_fen_per_class_hour,
                &fee.parent_fee_cap_fen_per_day,
                &fee.personalised_course_parent_cap_fen_per_term,
            ];
            let is_said = single.iter().any(|cap| cap.get().is_some())
                || fee.slot_fee_cap_fen_per_month.get().is_some();
            (!is_said).then(|| fee.parent_fee_cap_fen_per_term.silence())
        }
        _ => None,
    };
    found.extend(absent.map(|silent| (fee.parent_fee_mode.key.name, Rule::Incomplete(silent))));
}
