//! The rules: values in, values out.
//!
//! | file | knows |
//! |---|---|
//! | [`fault`] | what is wrong in a table, cell by cell |
//! | [`node`] | the tree of organisations, and what may be added to it |
//! | [`person`] | names, phone numbers, pupil codes: how they are written and how they are hidden |
//! | [`guardian`] | a guardian, known by a WeChat identity |
//! | [`pupil`] | a school's pupils, and what a table changes about them |
//! | [`staff`] | roles and where they may be granted |
//! | [`attempt`] | how often somebody may fail |
//! | [`consent`] | the terms, and who may be bound to whom |
//! | [`message`] | what guardians are told by WeChat, and what becomes of a message |
//! | [`session`] | how long a sign-in lasts |

pub mod attempt;
pub mod consent;
pub mod fault;
pub mod guardian;
pub mod message;
pub mod node;
pub mod person;
pub mod pupil;
pub mod session;
pub mod staff;
