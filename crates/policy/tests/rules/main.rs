//! The rules of the packs, region by region, and what a bad file is answered with.

#![expect(clippy::expect_used, reason = "a test that cannot go on says so")]

mod check;
mod course;
mod diff;
mod editions;
mod enroll;
mod explain;
mod fee;
mod gov;
mod live;
mod packs;
mod property;
mod reading;
mod regions;
mod staff;
mod supervise;
mod support;
mod time;
mod traps;
mod waiver;
