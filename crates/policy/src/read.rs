//! Reading TOML into values, with the line of everything that does not fit.

use chrono::{NaiveDate, NaiveTime};
use shared::value::Fen;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::folder::File;
use crate::problem::{Problem, Rule};
use crate::value::{Phrase, Say};

/// A value with the place it stands at.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    pub value: &'a DeValue<'a>,
    pub at: usize,
}

impl<'a> Node<'a> {
    pub fn of(spanned: &'a Spanned<DeValue<'a>>) -> Self {
        Self { value: spanned.get_ref(), at: spanned.span().start }
    }
}

/// Collects problems while one file is read.
pub(crate) struct Scribe<'a> {
    pub file: &'a str,
    pub text: &'a str,
    /// The key being read.
    pub key: String,
    pub problems: Vec<Problem>,
}

impl<'a> Scribe<'a> {
    /// Starts on a file.
    pub fn of(file: &'a File) -> Self {
        Self { file: &file.name, text: &file.text, key: String::new(), problems: Vec::new() }
    }
}

impl Scribe<'_> {
    /// The line, from 1, of a byte.
    pub fn line(&self, at: usize) -> usize {
        let end = at.min(self.text.len());
        self.text.as_bytes().iter().take(end).filter(|byte| **byte == b'\n').count() + 1
    }

    pub fn problem(&mut self, at: usize, rule: Rule) {
        let (file, line, key) = (self.file.to_owned(), self.line(at), self.key.clone());
        self.problems.push(Problem { file, line, key, rule });
    }

    fn wrong<T>(&mut self, node: Node<'_>, expected: &'static str) -> Option<T> {
        self.problem(node.at, Rule::WrongType { expected, found: describe(node.value) });
        None
    }
}

fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text \"{text}\""),
        DeValue::Integer(number) => format!("the number {}", number.as_str()),
        DeValue::Float(number) => format!("the decimal {}", number.as_str()),
        DeValue::Boolean(answer) => answer.to_string(),
        DeValue::Datetime(date) => format!("the date {date}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// Something a file can hold.
pub(crate) trait Readable: Sized {
    /// Reads it; on failure a problem has been noted.
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self>;

    /// What it is when the field is not there; nothing when it must be there.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Readable> Readable for Option<T> {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        T::read(node, scribe).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Readable> Readable for Vec<T> {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        let DeValue::Array(items) = node.value else {
            return scribe.wrong(node, "a list");
        };
        let before = scribe.problems.len();
        let read = items.iter().filter_map(|item| T::read(Node::of(item), scribe)).collect();
        (scribe.problems.len() == before).then_some(read)
    }
}

impl Readable for String {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        match node.value {
            DeValue::String(text) if !text.trim().is_empty() => Some(text.to_string()),
            _ => scribe.wrong(node, "a text that is not empty"),
        }
    }
}

impl Readable for bool {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        match node.value {
            DeValue::Boolean(answer) => Some(*answer),
            _ => scribe.wrong(node, "true or false"),
        }
    }
}

/// Reads a whole number from 0 to `most`.
pub(crate) fn whole(
    node: Node<'_>,
    most: i64,
    expected: &'static str,
    scribe: &mut Scribe<'_>,
) -> Option<i64> {
    let DeValue::Integer(number) = node.value else {
        return scribe.wrong(node, expected);
    };
    let Ok(found) = i64::from_str_radix(number.as_str(), number.radix()) else {
        return scribe.wrong(node, expected);
    };
    if found < 0 {
        scribe.problem(node.at, Rule::Negative(found));
        return None;
    }
    if found > most {
        scribe.problem(node.at, Rule::TooHigh { most, found });
        return None;
    }
    Some(found)
}

impl Readable for u32 {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        let number = whole(node, i64::from(Self::MAX), "a whole number", scribe)?;
        Self::try_from(number).ok()
    }
}

impl Readable for Fen {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        whole(node, i64::MAX, "an amount in whole fen", scribe).map(Self::new)
    }
}

/// The date a value is; nothing when it is something else.
pub(crate) fn date_of(value: &DeValue<'_>) -> Option<NaiveDate> {
    match value {
        DeValue::Datetime(moment) if moment.time.is_none() => moment.date.and_then(|date| {
            NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
        }),
        _ => None,
    }
}

impl Readable for NaiveDate {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        date_of(node.value).or_else(|| scribe.wrong(node, "a date such as 2026-09-01, without quotes"))
    }
}

impl Readable for NaiveTime {
    fn read(node: Node<'_>, scribe: &mut Scribe<'_>) -> Option<Self> {
        let time = match node.value {
            DeValue::String(text) if text.len() == 5 => Self::parse_from_str(text, "%H:%M").ok(),
            _ => None,
        };
        time.or_else(|| scribe.wrong(node, "a time such as \"18:00\""))
    }
}

/// The fields of one table: takes them by name, then complains about what is left.
pub(crate) struct Fields<'a> {
    table: &'a DeTable<'a>,
    at: usize,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub fn of(node: Node<'a>, scribe: &mut Scribe<'_>) -> Option<Self> {
        match node.value {
            DeValue::Table(table) => Some(Self { table, at: node.at, known: Vec::new() }),
            _ => scribe.wrong(node, "a table { … }"),
        }
    }

    pub fn new(table: &'a DeTable<'a>, at: usize) -> Self {
        Self { table, at, known: Vec::new() }
    }

    pub fn node(&mut self, name: &'static str) -> Option<Node<'a>> {
        self.known.push(name);
        self.table.get(name).map(Node::of)
    }

    /// Takes a field; a field that must be there and is not is a problem.
    pub fn take<T: Readable>(&mut self, name: &'static str, scribe: &mut Scribe<'_>) -> Option<T> {
        match self.node(name) {
            Some(node) => T::read(node, scribe),
            None => T::absent().or_else(|| {
                scribe.problem(self.at, Rule::Missing(name));
                None
            }),
        }
    }

    /// Complains about every field that was not taken.
    pub fn finish(self, scribe: &mut Scribe<'_>) {
        for name in self.table.keys() {
            if !self.known.contains(&name.get_ref().as_ref()) {
                let outer = scribe.key.clone();
                let dot = if outer.is_empty() { "" } else { "." };
                scribe.key = format!("{outer}{dot}{}", name.get_ref());
                scribe.problem(name.span().start, Rule::UnknownKey);
                scribe.key = outer;
            }
        }
    }
}

impl Say for String {
    fn say(&self) -> Phrase {
        Phrase::new(self.clone(), self.clone())
    }
}

impl Say for bool {
    fn say(&self) -> Phrase {
        if *self { Phrase::new("是", "yes") } else { Phrase::new("否", "no") }
    }
}

impl Say for u32 {
    fn say(&self) -> Phrase {
        Phrase::new(self.to_string(), self.to_string())
    }
}

impl Say for Fen {
    fn say(&self) -> Phrase {
        Phrase::new(self.to_string(), self.to_string())
    }
}

impl Say for NaiveTime {
    fn say(&self) -> Phrase {
        let text = self.format("%H:%M").to_string();
        Phrase::new(text.clone(), text)
    }
}

impl<T: Say> Say for Vec<T> {
    fn say(&self) -> Phrase {
        let said: Vec<Phrase> = self.iter().map(Say::say).collect();
        let zh: Vec<&str> = said.iter().map(|phrase| phrase.zh.as_str()).collect();
        let en: Vec<&str> = said.iter().map(|phrase| phrase.en.as_str()).collect();
        Phrase::new(zh.join("、"), en.join(", "))
    }
}
