//! Values as columns hold them, both ways. What cannot be read back is an inconsistent row.

use std::fmt::Display;

use chrono::{NaiveDate, NaiveTime};
use sea_orm::JsonValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shared::value::Fen;
use uuid::Uuid;

use super::Error;
use crate::domain::refusal::Clause;
use crate::domain::term::Lesson;

/// A word of a row, read by `read`; `table`, `id` and `column` name it when it is none.
pub fn word<T>(
    table: &'static str,
    id: impl Display,
    column: &str,
    text: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Error> {
    read(text).ok_or_else(|| Error::inconsistent(table, id, format!("{column} is {text:?}")))
}

/// A column that must be there in this state.
pub fn given<T>(table: &'static str, id: impl Display, column: &str, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| Error::inconsistent(table, id, format!("{column} is missing")))
}

/// A count that is not negative.
pub fn count(table: &'static str, id: impl Display, column: &str, value: i32) -> Result<u32, Error> {
    u32::try_from(value).map_err(|_| Error::inconsistent(table, id, format!("{column} is {value}")))
}

/// A count as a column; more than a column holds is cut, which no count here reaches.
pub fn count_column(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Money that may be absent.
pub fn fen(value: Option<i64>) -> Option<Fen> {
    value.map(Fen::new)
}

/// A list as JSON.
pub fn list<T: Serialize>(items: &[T]) -> JsonValue {
    // Ids, dates and texts always have a JSON form.
    serde_json::to_value(items).unwrap_or_default()
}

/// A list from JSON.
pub fn read_list<T: DeserializeOwned>(
    table: &'static str,
    id: impl Display,
    column: &str,
    value: JsonValue,
) -> Result<Vec<T>, Error> {
    serde_json::from_value(value)
        .map_err(|_| Error::inconsistent(table, id, format!("{column} is no list of its kind")))
}

/// A path as JSON.
pub fn path(nodes: &[Uuid]) -> JsonValue {
    list(nodes)
}

/// Days as JSON.
pub fn days(days: &[NaiveDate]) -> JsonValue {
    list(days)
}

/// A clause as JSON.
#[derive(Serialize, Deserialize)]
pub struct ClauseJson {
    key: String,
    zh: String,
    en: String,
    source: String,
}

impl From<&Clause> for ClauseJson {
    fn from(clause: &Clause) -> Self {
        let Clause { key, text_zh, text_en, source } = clause.clone();
        Self { key, zh: text_zh, en: text_en, source }
    }
}

impl From<ClauseJson> for Clause {
    fn from(json: ClauseJson) -> Self {
        Self { key: json.key, text_zh: json.zh, text_en: json.en, source: json.source }
    }
}

/// A lesson as JSON.
#[derive(Serialize, Deserialize)]
pub struct LessonJson {
    weekday: u32,
    starts: NaiveTime,
    /// Not there in rows written before ends were kept.
    #[serde(default)]
    ends: Option<NaiveTime>,
    class_hours: u32,
}

impl From<&Lesson> for LessonJson {
    fn from(lesson: &Lesson) -> Self {
        let Lesson { weekday, starts, ends, class_hours } = *lesson;
        Self { weekday, starts, ends, class_hours }
    }
}

impl From<LessonJson> for Lesson {
    fn from(json: LessonJson) -> Self {
        let LessonJson { weekday, starts, ends, class_hours } = json;
        Self { weekday, starts, ends, class_hours }
    }
}
