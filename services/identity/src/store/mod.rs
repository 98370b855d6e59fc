//! Rows: what rules need is loaded here, what they decide is saved here.
//!
//! Where two rows are locked, the order is: node (district or school), guardian, pupil, staff, attempt; several of one table by id.
//! Names, phone numbers, pupil codes and WeChat identities are sealed field by field; [`vault`] knows how.

pub mod attempt;
pub mod audit;
pub mod brief_answer;
pub mod check;
pub mod consent;
pub mod entity;
pub mod guardian;
pub mod message;
pub mod migration;
pub mod node;
pub mod pupil;
pub mod session;
pub mod staff;
pub mod vault;

/// Rows of one statement, when each has at most 15 values: below SQLite's 32,766 bound values.
const ROWS: usize = 2_000;
