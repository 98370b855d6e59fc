//! What a draw promises, on many small rounds.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

mod committed;
mod field;
mod frozen;
mod invariant;
mod number;
mod seed;
mod speed;
mod support;
mod truthful;
mod verifier;
