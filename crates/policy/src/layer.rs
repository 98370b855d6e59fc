//! Laying what one file says over what stands above it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::agree::disagreements;
use crate::header::{SourceFile, read_source};
use crate::policy::{Narrowing, Policy};
use crate::problem::{Problem, Rule};
use crate::read::{Fields, Node, Readable, Scribe};
use crate::value::{Binding, Decision, Held, Remark, Say, Value};

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
pub(crate) enum Writer {
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
    pub fn new(scribe: Scribe<'s>, root: Fields<'a>, writer: Writer) -> Self {
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
            // A supplement that only repeats its pack adds nothing: the document stays the source. One that repeats a
            // reading has settled it.
            let settles = above.is_reading() || own.get() != above.get();
            if matches!(self.writer, Writer::Document { .. }) || settles {
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
        let note: Option<Option<String>> = fields.take("note", scribe);
        let held = match &self.writer {
            Writer::Document { sources } => {
                let source = match fields.node("source") {
                    Some(source) => read_source(source, sources, scribe),
                    None => {
                        scribe.problem(node.at, Rule::Missing("source"));
                        None
                    }
                };
                let reading: Option<Option<String>> = fields.take("reading", scribe);
                fields.finish(scribe);
                let remark = match (note?, reading?) {
                    (Some(_), Some(_)) => {
                        scribe.problem(node.at, Rule::NoteAndReading);
                        return None;
                    }
                    (note, reading) => note.map(Remark::Note).or(reading.map(Remark::Reading)),
                };
                Held::Stated { value: value?, binding: binding?, source: source?, remark }
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
        if above.is_reading() && matches!(self.writer, Writer::District { .. }) {
            return None;
        }
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
    pub fn check(&mut self, policy: &Policy) {
        for (key, rule) in disagreements(policy) {
            // What this file does not say was complained about where it is said.
            if let Some(at) = self.written.get(key).copied() {
                self.scribe.key = key.to_owned();
                self.scribe.problem(at, rule);
            }
        }
        self.scribe.key.clear();
    }

    pub fn finish(mut self) -> Vec<Problem> {
        self.root.finish(&mut self.scribe);
        self.scribe.problems
    }
}
