//! Rows: what rules need, loaded; what they decide, saved.
//!
//! | file | knows |
//! |---|---|
//! | [`school`] | schools, as identity told of them |
//! | [`ticket`] | tickets, their numbers, and what was done with them |
//! | [`check`] | what must hold over all rows |
//! | [`entity`], [`migration`] | the tables |
//!
//! Lock order: the day's numbers, then the ticket.

pub mod check;
pub mod entity;
pub mod migration;
pub mod school;
pub mod ticket;
