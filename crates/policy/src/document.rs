//! One file, parsed, and what can be said of it without its neighbours.

use aws_lc_rs::digest;
use chrono::NaiveDate;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::folder::File;
use crate::problem::{Problem, Rule};
use crate::read::{Scribe, date_of};

/// A file as TOML.
pub(crate) struct Document<'a> {
    pub file: &'a File,
    pub table: Spanned<DeTable<'a>>,
    /// The pack it is or belongs to.
    pub pack_id: String,
    pub parent: Option<String>,
    pub supplement: Option<String>,
    /// The first and the last day it says it is in force.
    pub effective: (Option<NaiveDate>, Option<NaiveDate>),
    /// A digest of its content: keys in order, values with type; no comment, no layout.
    pub content: [u8; 32],
}

impl<'a> Document<'a> {
    /// Parses a file.
    ///
    /// # Errors
    /// Every place at which it is not TOML; one problem when it is YAML.
    pub fn parse(file: &'a File) -> Result<Self, Vec<Problem>> {
        let (table, errors) = DeTable::parse_recoverable(&file.text);
        if !errors.is_empty() {
            if let Some(line) = first_line_of_yaml(&file.text) {
                return Err(vec![Problem { line, ..Problem::of_file(file.name.clone(), Rule::Yaml) }]);
            }
            let mut scribe = Scribe::of(file);
            for error in errors {
                let at = error.span().map_or(0, |span| span.start);
                scribe.problem(at, Rule::Syntax(error.message().to_owned()));
            }
            return Err(scribe.problems);
        }
        let value = |name: &str| table.get_ref().get(name).map(Spanned::get_ref);
        let text = |name: &str| match value(name) {
            Some(DeValue::String(text)) => Some(text.to_string()),
            _ => None,
        };
        let (pack_id, parent, supplement) =
            (text("pack_id").unwrap_or_default(), text("parent_pack"), text("supplement"));
        let effective = (value("effective_from").and_then(date_of), value("effective_to").and_then(date_of));
        let mut context = digest::Context::new(&digest::SHA256);
        digest_table(table.get_ref(), &mut context);
        let mut content = [0; 32];
        content.copy_from_slice(context.finish().as_ref());
        Ok(Self { file, table, pack_id, parent, supplement, effective, content })
    }

    /// The problem of a top-level key.
    pub fn problem(&self, key: &str, rule: Rule) -> Problem {
        let at = self.table.get_ref().get(key).map_or(0, |value| value.span().start);
        let line = Scribe::of(self.file).line(at);
        Problem { file: self.file.name.clone(), line, key: key.to_owned(), rule }
    }
}

/// The line from which a text reads like YAML: a first line such as `pack_id: a`, `- a` or `---`.
fn first_line_of_yaml(text: &str) -> Option<usize> {
    let (number, line) = text
        .lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line.trim_start_matches('\u{feff}').trim()))
        .find(|(_, line)| !line.is_empty() && !line.starts_with('#'))?;
    let is_mapping = || {
        let (key, rest) = line.split_once(':')?;
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-.\"".contains(c));
        (is_key && (rest.is_empty() || rest.starts_with(' '))).then_some(())
    };
    let is_yaml = line.starts_with("---") || line.starts_with("- ") || is_mapping().is_some();
    is_yaml.then_some(number)
}

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
pub(crate) fn version(parts: &[&[u8]]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        feed(b'p', part, &mut context);
    }
    context.finish().as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
