//! The rules of the packs, region by region, and what a bad file is answered with.

#![expect(clippy::expect_used, reason = "a test that cannot go on says so")]

mod course;
mod enroll;
mod explain;
mod fee;
mod packs;
mod property;
mod support;
mod time;
mod waiver;
