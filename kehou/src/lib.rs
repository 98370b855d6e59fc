//! Kehou in one process, and what an operator does with it.
//!
//! | file | knows |
//! |---|---|
//! | [`platform`] | starting everything on one data folder, and stopping it |
//! | [`demo`] | bringing the demonstration districts in through the API |
//! | [`person`] | people who use the platform over HTTP |
//! | [`accounts`] | who can sign in to the demonstration |
//! | [`tour`] | a walk through the stories, printed and checked |
//! | [`check`] | every invariant of every service |
//! | [`policy_command`] | what is asked of the folder of policies |
//! | [`draw_command`] | what is asked of a published draw |
//! | [`ledger_command`] | what is asked of the books |
//! | [`bench`] | measuring the opening rush |
//! | [`columns`] | text in columns on a terminal |
//! | [`requirements`] | what the platform must do, and how much of it is done |

pub mod accounts;
pub mod bench;
pub mod check;
pub mod columns;
pub mod demo;
pub mod draw_command;
pub mod ledger_command;
pub mod person;
pub mod platform;
pub mod policy_command;
pub mod requirements;
pub mod tour;
