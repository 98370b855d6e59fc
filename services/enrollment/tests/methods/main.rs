//! The service over real gRPC and a real database: one file per method, and one per theme that is nobody's method alone.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod agreement;
mod apply;
mod apply_race;
mod basket;
mod bug_classes;
mod change_later;
mod change_seat;
mod clocks;
mod day;
mod decide_step;
mod fakes;
mod feeds;
mod kill;
mod life;
mod linear;
mod notice;
mod offer;
mod open_round;
mod priority;
mod read;
mod release;
mod round;
mod rush;
mod store;
mod support;
mod survey;
mod term_ceiling;
mod trial;
mod withdraw;
