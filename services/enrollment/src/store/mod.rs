//! Rows: lock, find, list, save.
//!
//! | file | table |
//! |---|---|
//! | [`pupil`] | `pupil`, `consent`: what identity told |
//! | [`term`] | `term`: what the catalog told |
//! | [`section`] | `section`: what the catalog told, and how full it is |
//! | [`round`] | `round`, `round_change` |
//! | [`tie`] | ties of rounds for seats left over, out of `round` and `enrollment` |
//! | [`wish`] | `wish` |
//! | [`draw`] | `draw`, `draw_entry`, `draw_file`: acts, and what became of the wishes on their lists |
//! | [`enrollment`] | `enrollment`, `enrollment_slot` |
//! | [`agreement`] | `agreement`, `signature` |
//! | [`trial`] | `trial`, `booking` |
//! | [`withdrawal`] | `withdrawal` |
//! | [`line`] | `line`: how lines have moved |
//! | [`offer`] | `offer_rule`: what policies say about offers from the line |
//! | [`own_price`] | `own_price`: what billing told |
//! | [`seat_change`] | `seat_change` |
//! | `many` | many ids in one bound value |
//! | [`place`] | what pupils have already, out of `enrollment` and `section` |
//! | [`priority`] | `priority`, `priority_change` |
//! | [`evidence`] | `evidence`, `evidence_reading` |
//! | [`notice`] | `notice`, `notice_pupil` |
//! | [`survey`] | `survey`, `survey_answer` |
//! | [`day`] | the school day: lessons, marks, leaves, duties |
//! | [`vault`] | sealing and opening fields |
//! | [`check`] | the invariants over all of them |
//!
//! **Lock order.** A round, where it is changed, before all others. Sections by id, then pupils by id, then enrollments. Whoever changes an enrollment holds its section's lock, so an
//! enrollment read after that lock stays as it is. Where a pupil's lock could only be taken late (a line looked at page by page),
//! two changes may meet head on: PostgreSQL ends one of them and it is tried again.

pub mod agreement;
pub mod check;
pub mod day;
pub mod draw;
pub mod enrollment;
pub mod entity;
pub mod evidence;
pub mod line;
mod many;
pub mod migration;
pub mod notice;
pub mod offer;
pub mod own_price;
pub mod place;
pub mod priority;
pub mod pupil;
pub mod round;
pub mod seat_change;
pub mod section;
pub mod survey;
pub mod term;
pub mod tie;
pub mod trial;
pub mod vault;
pub mod wish;
pub mod withdrawal;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::db::Error;

/// Writes a list into a JSON column.
fn to_json(value: &impl Serialize, table: &'static str, id: impl std::fmt::Display) -> Result<Value, Error> {
    serde_json::to_value(value).map_err(|error| Error::inconsistent(table, id, error))
}

/// Reads a list from a JSON column.
fn from_json<T: DeserializeOwned>(
    value: Value,
    table: &'static str,
    id: impl std::fmt::Display,
) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|error| Error::inconsistent(table, id, error))
}
