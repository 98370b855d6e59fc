//! A draw of seats that anybody can repeat. Values in, values out: no clock, no chance, no I/O.
//!
//! | step | when | with |
//! |---|---|---|
//! | 1 the lists are closed | – | [`RoundSalt::alias`], [`Input::new`] |
//! | 2 the root is published, families get receipts | before the seed | [`Commitment::of`], [`Commitment::receipt`] |
//! | 3 the sources are announced or opened | after the root | [`Seed::combine`] |
//! | 4 the draw | any time after | [`run`], or [`Bundle::draw`] for 3 and 4 together |
//! | 5 anybody checks | for ever | [`verify`], [`audit`](audit()), [`Receipt::check`] |
//!
//! | module | knows |
//! |---|---|
//! | [`input`] | the terms of a round, the entries of the pupils, and what makes them valid |
//! | [`pseudonym`] | names that stand for pupils, and receipts tied to a family's own child |
//! | [`commitment`] | the canonical bytes, the tree over them, proofs |
//! | [`seed`] | the sources of a seed, how much chance they carry, how they are combined |
//! | `stream` | random words that follow from a seed |
//! | `number` | one number for each pupil and slot, spread over the week |
//! | `matching` | who gets which seat: deferred acceptance with tiers and reserves |
//! | [`lot`](mod@lot) | who is ahead for seats a draw left over |
//! | [`outcome`] | the result, its digest, why a wish was refused |
//! | [`sentence`] | the reason as a family reads it |
//! | [`audit`](mod@audit) | what must be true of every outcome |
//! | [`bundle`] | all that is published, and the check of it |
//! | [`hash`] | SHA-256 values and the encoding under them |
//!
//! `docs/draw.md` says the same byte for byte, for whoever writes another verifier.

pub mod audit;
pub mod bundle;
pub mod commitment;
pub mod hash;
pub mod input;
pub mod lot;
mod matching;
mod number;
pub mod outcome;
pub mod pseudonym;
pub mod seed;
pub mod sentence;
mod stream;

pub use audit::{Breach, audit};
pub use bundle::{Bundle, Mismatch, Report, verify};
pub use commitment::{Commitment, Proof, Receipt, Root, check_proof};
pub use hash::Hash;
pub use input::{
    GroupIndex, Input, List, Mode, Problem, Pupil, PupilIndex, Reserve, Section, SectionIndex, Siblings,
    SlotIndex, Terms,
};
pub use lot::lot;
pub use outcome::{Outcome, Refusal, Why, run};
pub use pseudonym::RoundSalt;
pub use seed::{Seed, Source};
