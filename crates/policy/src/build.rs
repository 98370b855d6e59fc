//! Building every policy out of the files of a folder: each edition of a pack over each edition of its parent, then each
//! edition of each supplement over those.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;

use crate::document::{Document, version};
use crate::folder::{Edition, Folder, SUPPLEMENTS};
use crate::header::{PackHeader, SupplementHeader};
use crate::layer::{Layer, Writer};
use crate::packs::Packs;
use crate::policy::{Identity, Policy, SupplementIdentity};
use crate::problem::{Problem, Rule};
use crate::read::{Fields, Scribe};

/// The pack that stands above every pack that names no other.
const COMMON: &str = "common";

/// The days a file is in force, both inclusive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Span {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// A policy, and when what it is made of is in force.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    pub policy: Arc<Policy>,
    /// Whether every file it is made of is current.
    pub is_current: bool,
    /// One for each file it is made of, its own first, then those above; nothing when one of them is never found by date.
    pub spans: Option<Vec<Span>>,
}

/// Builds all there is.
///
/// # Errors
/// Every problem, by file, line and key.
pub(crate) fn build(folder: Folder) -> Result<Packs, Vec<Problem>> {
    let Folder { files, mut problems, unread } = folder;
    let mut documents = Vec::new();
    let mut broken: BTreeSet<String> =
        unread.iter().map(|place| place.trim_end_matches(".toml").to_owned()).collect();
    for file in &files {
        match Document::parse(file) {
            Ok(document) => documents.push(document),
            Err(found) => {
                broken.insert(file.place.trim_end_matches(".toml").to_owned());
                problems.extend(found);
            }
        }
    }
    let mut building =
        Building { documents: &documents, broken, built: BTreeMap::new(), path: Vec::new(), problems };
    building.check_names();
    building.check_spans();
    let packs = building.all();
    let mut problems = building.problems;
    problems
        .sort_by(|one, other| (&one.file, one.line, &one.key).cmp(&(&other.file, other.line, &other.key)));
    problems.dedup();
    if problems.is_empty() { Ok(packs) } else { Err(problems) }
}

struct Building<'a> {
    documents: &'a [Document<'a>],
    /// Packs whose file is there and cannot be read. What leans on them has no problem of its own.
    broken: BTreeSet<String>,
    built: BTreeMap<String, Vec<Built>>,
    /// The packs being built, outermost first.
    path: Vec<String>,
    problems: Vec<Problem>,
}

impl<'a> Building<'a> {
    fn packs(&self, pack_id: &str) -> Vec<&'a Document<'a>> {
        let documents: &'a [Document<'a>] = self.documents;
        let is_meant =
            |document: &&Document<'_>| document.supplement.is_none() && document.pack_id == pack_id;
        documents.iter().filter(is_meant).collect()
    }

    /// A current file is called what it says it is.
    fn check_names(&mut self) {
        for document in self.documents.iter().filter(|document| document.file.edition == Edition::Current) {
            let is_supplement = document.file.place.starts_with(SUPPLEMENTS);
            let (key, inside) = match (&document.supplement, is_supplement) {
                (Some(name), true) => ("supplement", name.clone()),
                (None, true) => {
                    self.problems.push(document.problem("supplement", Rule::Missing("supplement")));
                    continue;
                }
                (Some(_), false) => {
                    self.problems.push(document.problem("supplement", Rule::UnknownKey));
                    continue;
                }
                (None, false) => ("pack_id", document.pack_id.clone()),
            };
            let file = document.file.stem().to_owned();
            if !inside.is_empty() && inside != file {
                self.problems.push(document.problem(key, Rule::NameDiffers { inside, file }));
            }
        }
    }

    /// Two editions of one pack are not in force on the same day. An edition that does not say when it ends gives way to
    /// the next one that says when it begins.
    fn check_spans(&mut self) {
        for (index, document) in self.documents.iter().enumerate() {
            for other in &self.documents[..index] {
                let (Some(one), Some(two)) = (stated_span(document), stated_span(other)) else {
                    continue;
                };
                let (earlier, later) = if one.from <= two.from { (one, two) } else { (two, one) };
                let is_open = earlier.to == NaiveDate::MAX && earlier.from < later.from;
                let is_shared = earlier.to >= later.from && !is_open;
                if is_same_subject(document, other) && document.content != other.content && is_shared {
                    for (file, other) in [(document, other), (other, document)] {
                        let rule = Rule::Overlaps { other: other.file.name.clone() };
                        self.problems.push(file.problem("effective_from", rule));
                    }
                }
            }
        }
    }

    /// When a file is in force, seen together with the other editions of what it is about; nothing when that cannot be
    /// told, as of an earlier edition without dates.
    fn span(&self, document: &Document<'_>) -> Option<Span> {
        let Some(span) = stated_span(document) else {
            let is_current = document.file.edition == Edition::Current;
            return is_current.then_some(Span { from: NaiveDate::MIN, to: NaiveDate::MAX });
        };
        if document.file.edition == Edition::Current || document.effective.1.is_some() {
            return Some(span);
        }
        let later = self.documents.iter().filter(|other| is_same_subject(document, other));
        let next =
            later.filter_map(stated_span).map(|other| other.from).filter(|from| *from > span.from).min();
        Some(Span { from: span.from, to: next?.pred_opt()? })
    }

    fn all(&mut self) -> Packs {
        let documents = self.documents;
        let ids: BTreeSet<&str> = documents
            .iter()
            .filter(|document| document.supplement.is_none())
            .map(|document| document.pack_id.as_str())
            .collect();
        let mut packs = Packs::default();
        for pack_id in &ids {
            for built in self.pack(pack_id) {
                packs.keep(built);
            }
        }
        for document in documents.iter().filter(|document| document.supplement.is_some()) {
            if !ids.contains(document.pack_id.as_str()) && !self.broken.contains(&document.pack_id) {
                let rule = Rule::MissingPack(document.pack_id.clone());
                self.problems.push(document.problem("pack_id", rule));
            }
            for pack in self.built.get(&document.pack_id).cloned().unwrap_or_default() {
                if let Some(built) = self.supplemented(document, &pack) {
                    packs.keep(built);
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
        for document in self.packs(pack_id) {
            for parent in self.parents(document) {
                built.extend(self.laid_over(document, parent.as_ref()));
            }
        }
        self.path.pop();
        self.built.insert(pack_id.to_owned(), built.clone());
        built
    }

    /// Every edition of the pack above; one `None` for the pack above all; empty when it cannot be had.
    fn parents(&mut self, document: &Document<'_>) -> Vec<Option<Built>> {
        let parent = match &document.parent {
            Some(parent) => parent.clone(),
            None if document.pack_id == COMMON => return vec![None],
            None => COMMON.to_owned(),
        };
        if let Some(start) = self.path.iter().position(|above| *above == parent) {
            let mut circle = self.path[start..].to_vec();
            circle.push(parent);
            let rule = Rule::CircularParent(circle.join(" → "));
            self.problems.push(document.problem("parent_pack", rule));
            return Vec::new();
        }
        if self.packs(&parent).is_empty() {
            if !self.broken.contains(&parent) {
                self.problems.push(document.problem("parent_pack", Rule::MissingPack(parent)));
            }
            return Vec::new();
        }
        self.pack(&parent).into_iter().map(Some).collect()
    }

    fn laid_over(&mut self, document: &Document<'_>, parent: Option<&Built>) -> Option<Built> {
        let mut scribe = Scribe::of(document.file);
        let mut root = Fields::new(document.table.get_ref(), 0);
        let header = PackHeader::read(&mut root, document.pack_id == COMMON, &mut scribe);
        let above = parent.map_or("", |parent| parent.policy.version());
        let identity = Identity {
            pack_id: document.pack_id.clone(),
            name_zh: header.name_zh.unwrap_or_default(),
            parent_pack: document.parent.clone(),
            parent_ground: header.parent_ground,
            inferred: header.inferred,
            version: version(&[&document.content, above.as_bytes()]),
            supplement: None,
            effective_from: header.effective.from,
            effective_to: header.effective.to,
        };
        let mut policy = match parent {
            Some(parent) => parent.policy.handed_down(identity),
            None => Policy::blank(identity),
        };
        let mut layer = Layer::new(scribe, root, Writer::Document { sources: header.source_files });
        policy.lay(&mut layer);
        layer.check(&policy);
        self.keep(layer.finish(), policy, document, parent)
    }

    fn supplemented(&mut self, document: &Document<'_>, pack: &Built) -> Option<Built> {
        let mut scribe = Scribe::of(document.file);
        let mut root = Fields::new(document.table.get_ref(), 0);
        let header = SupplementHeader::read(&mut root, &mut scribe);
        let mut policy = Policy::clone(&pack.policy);
        policy.identity.supplement = Some(SupplementIdentity {
            name: document.supplement.clone().unwrap_or_default(),
            version: version(&[&document.content]),
            is_demonstration: header.is_demonstration,
        });
        let mut layer = Layer::new(scribe, root, Writer::District { decision: header.decision });
        policy.lay(&mut layer);
        layer.check(&policy);
        self.keep(layer.finish(), policy, document, Some(pack))
    }

    /// Keeps a policy without problems. Editions that never stood together may contradict each other: such a pair is
    /// no policy, and no problem either.
    fn keep(
        &mut self,
        found: Vec<Problem>,
        policy: Policy,
        document: &Document<'_>,
        above: Option<&Built>,
    ) -> Option<Built> {
        let is_current =
            document.file.edition == Edition::Current && above.is_none_or(|above| above.is_current);
        let is_sound = found.is_empty();
        let told = found.into_iter().filter(|problem| is_current || !problem.rule.is_between_files());
        for problem in told {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        let mut spans = self.span(document).map(|span| vec![span]);
        if let (Some(spans), Some(above)) = (&mut spans, above) {
            spans.extend(above.spans.iter().flatten());
        }
        let spans = if above.is_some_and(|above| above.spans.is_none()) { None } else { spans };
        (is_sound || is_current).then(|| Built { policy: Arc::new(policy), is_current, spans })
    }
}

/// The days a file itself says it is in force; nothing when it says neither.
fn stated_span(document: &Document<'_>) -> Option<Span> {
    let (from, to) = document.effective;
    (from.is_some() || to.is_some())
        .then(|| Span { from: from.unwrap_or(NaiveDate::MIN), to: to.unwrap_or(NaiveDate::MAX) })
}

/// Whether two files are editions of one pack or of one supplement.
fn is_same_subject(one: &Document<'_>, other: &Document<'_>) -> bool {
    (&one.pack_id, &one.supplement) == (&other.pack_id, &other.supplement)
}
