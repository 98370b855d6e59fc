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

pub mod accounts;
pub mod check;
pub mod demo;
pub mod person;
pub mod platform;
pub mod tour;
