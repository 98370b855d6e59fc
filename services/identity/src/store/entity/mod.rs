//! The tables, as SeaORM sees them.

#![expect(missing_docs, reason = "the columns are described in the migrations")]

pub mod acceptance;
pub mod attempt;
pub mod audit;
pub mod brief_answer;
pub mod consent;
pub mod guardian;
pub mod message;
pub mod node;
pub mod pupil;
pub mod session;
pub mod staff;
pub mod staff_grant;
