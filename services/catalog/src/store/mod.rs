//! Rows: what rules need, loaded; what they decide, saved.
//!
//! | file | knows |
//! |---|---|
//! | [`node`] | schools and lists, as identity told of them |
//! | [`term`] | terms and their menus' versions |
//! | [`slot`] | slots of a term |
//! | [`provider`] | providers and their listings |
//! | [`course`] | courses and the decisions on them |
//! | [`section`] | sections with their courses and slots |
//! | [`check`] | what must hold over all rows |
//! | [`entity`], [`migration`] | the tables |
//!
//! Lock order, where more than one row is locked: school node, provider, term, course, section. Everything of one term's timetable
//! and menu is changed under the lock of its term; everything of one provider's listings under the lock of the provider.

pub mod check;
pub mod course;
pub mod entity;
pub mod migration;
pub mod node;
pub mod provider;
pub mod section;
pub mod slot;
pub mod term;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::db::Error;

/// Reads a JSON column.
fn from_json<T: DeserializeOwned>(
    table: &'static str,
    id: impl std::fmt::Display,
    json: Value,
) -> Result<T, Error> {
    serde_json::from_value(json).map_err(|error| Error::inconsistent(table, id, error))
}

/// Writes a JSON column.
fn to_json(table: &'static str, id: impl std::fmt::Display, value: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|error| Error::inconsistent(table, id, error))
}

/// Reads a count that cannot be negative.
fn to_u32(table: &'static str, id: impl std::fmt::Display, count: i32) -> Result<u32, Error> {
    u32::try_from(count).map_err(|error| Error::inconsistent(table, id, error))
}

/// Writes a count.
fn to_i32(table: &'static str, id: impl std::fmt::Display, count: u32) -> Result<i32, Error> {
    i32::try_from(count).map_err(|error| Error::inconsistent(table, id, error))
}
