//! The stories, through HTTP only, each on SQLite and on PostgreSQL in a world of its own.
//!
//! | file | tells |
//! |---|---|
//! | [`term_fee`] | S1: a family where the fee is for the term: chooses, is approved by four, pays, is confirmed |
//! | [`waiver`] | S2: the same without money, and nobody in class can tell |
//! | [`ceiling`] | S3: class hours with a ceiling for the day |
//! | [`free`] | S4: nothing costs anything, and nothing can |
//! | [`rush`] | S5: four hundred families, thirty seats |
//! | [`payment`] | S6: payments that come late, twice, wrong or forged |
//! | [`provider`] | S7: who may teach what, and when |
//! | [`complaint`] | S8: a complaint's way |
//! | [`kill`] | S9: the process dies in the middle |
//! | [`apart`] | S1 with every service as a process of its own |
//! | [`bad_input`] | what is refused, and that nothing changes by it |
//! | [`tour`] | the tour an operator walks |
//! | [`any_region`] | the demonstration under every pack there is |

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod any_region;
mod apart;
mod bad_input;
mod ceiling;
mod complaint;
mod free;
mod kill;
mod payment;
mod provider;
mod rush;
mod term_fee;
mod tour;
mod waiver;
