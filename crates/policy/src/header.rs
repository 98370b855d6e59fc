//! What stands at the top of a pack and of a supplement, before the keys.

use chrono::NaiveDate;

use crate::policy::ParentGround;
use crate::problem::Rule;
use crate::read::{Fields, Node, Readable, Scribe};
use crate::value::{Decision, Source};

/// A document a pack quotes.
pub(crate) struct SourceFile {
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

/// The top of a pack.
pub(crate) struct PackHeader {
    pub name_zh: Option<String>,
    pub source_files: Vec<SourceFile>,
    pub parent_ground: Option<ParentGround>,
    pub inferred: Option<String>,
    pub effective: Effective,
}

/// The days a file says it is in force.
#[derive(Default)]
pub(crate) struct Effective {
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

/// Takes a field, its problems under its own name.
fn take<T: Readable>(root: &mut Fields<'_>, name: &'static str, scribe: &mut Scribe<'_>) -> Option<T> {
    name.clone_into(&mut scribe.key);
    let taken = root.take(name, scribe);
    scribe.key.clear();
    taken
}

impl PackHeader {
    /// Reads it. `is_topmost` is the pack above all, which says why what it hands down holds below.
    pub fn read(root: &mut Fields<'_>, is_topmost: bool, scribe: &mut Scribe<'_>) -> Self {
        let _pack_id: Option<String> = take(root, "pack_id", scribe);
        let name_zh = take(root, "name_zh", scribe);
        let source_files: Vec<SourceFile> = take(root, "source_files", scribe).unwrap_or_default();
        let parent_ground = read_parent(root, &source_files, scribe);
        let inferred = if is_topmost { take(root, "inferred", scribe) } else { None };
        let effective = Effective::read(root, scribe);
        Self { name_zh, source_files, parent_ground, inferred, effective }
    }
}

impl Effective {
    fn read(root: &mut Fields<'_>, scribe: &mut Scribe<'_>) -> Self {
        let from: Option<NaiveDate> = take(root, "effective_from", scribe).flatten();
        let to = root.node("effective_to").and_then(|node| {
            "effective_to".clone_into(&mut scribe.key);
            let to = NaiveDate::read(node, scribe);
            if let (Some(from), Some(to)) = (from, to)
                && to < from
            {
                scribe.problem(node.at, Rule::Backwards { from, to });
            }
            to
        });
        scribe.key.clear();
        Self { from, to }
    }
}

/// Reads why a pack stands below its parent: a reason or a document, one of the two, exactly when there is a parent.
fn read_parent(
    root: &mut Fields<'_>,
    source_files: &[SourceFile],
    scribe: &mut Scribe<'_>,
) -> Option<ParentGround> {
    let parent: Option<Node<'_>> = root.node("parent_pack");
    "parent_pack".clone_into(&mut scribe.key);
    if let Some(parent) = parent {
        let _parent = String::read(parent, scribe);
    }
    let (inferred, source) = (root.node("parent_inferred"), root.node("parent_source"));
    let ground = match (parent, inferred, source) {
        (Some(_), Some(inferred), None) => {
            "parent_inferred".clone_into(&mut scribe.key);
            String::read(inferred, scribe).map(ParentGround::Inferred)
        }
        (Some(_), None, Some(source)) => {
            "parent_source".clone_into(&mut scribe.key);
            read_source(source, source_files, scribe).map(ParentGround::Document)
        }
        (None, None, None) => None,
        (parent, inferred, source) => {
            let at = parent.or(inferred).or(source).map_or(0, |node| node.at);
            scribe.problem(at, Rule::ParentGround);
            None
        }
    };
    scribe.key.clear();
    ground
}

/// The top of a supplement.
pub(crate) struct SupplementHeader {
    pub decision: Option<Decision>,
    pub is_demonstration: bool,
}

impl SupplementHeader {
    /// Reads it.
    pub fn read(root: &mut Fields<'_>, scribe: &mut Scribe<'_>) -> Self {
        let _pack_id: Option<String> = take(root, "pack_id", scribe);
        let _name: Option<String> = take(root, "supplement", scribe);
        let demonstration: Option<Option<bool>> = take(root, "demonstration", scribe);
        let _effective = Effective::read(root, scribe);
        "decision".clone_into(&mut scribe.key);
        let decision = match root.node("decision") {
            Some(node) => read_decision(node, scribe),
            None => {
                scribe.problem(0, Rule::Missing("decision"));
                None
            }
        };
        scribe.key.clear();
        Self { decision, is_demonstration: demonstration.flatten().unwrap_or(false) }
    }
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

/// Reads where a value is written; the document must be one the pack lists.
pub(crate) fn read_source(node: Node<'_>, listed: &[SourceFile], scribe: &mut Scribe<'_>) -> Option<Source> {
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
