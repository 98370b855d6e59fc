//! What a region rules about after-school service: read from files, typed, validated, explained.
//!
//! | module | knows |
//! |---|---|
//! | [`packs`] | the folder of packs and supplements, and every version of them a term may be pinned to |
//! | [`policy`](mod@policy) | every key a pack can express, as one typed value per pack |
//! | [`value`] | what a key holds: stated, inherited, supplemented, or silent; and the clause it rests on |
//! | [`vocabulary`] | the words and records keys are made of |
//! | [`fee`], [`waiver`] | what may be charged and what is let off, to the fen |
//! | [`time`] | when service may begin and end, and how much of it there must be |
//! | [`course`] | what may be taught, and by whom |
//! | [`enroll`] | the steps of an application, priority, agreements |
//! | [`explain`] | the clause behind a key, in Chinese and English |
//! | [`problem`] | what is wrong with a file, and where |
//!
//! Nothing regional is written here: regions are files (`policies/README.md`). What no file states is silent, and a rule
//! that needs it answers [`value::Silent`]; it never takes a default.

pub mod course;
pub mod enroll;
pub mod explain;
pub mod fee;
pub mod packs;
pub mod policy;
pub mod problem;
mod read;
pub mod time;
pub mod value;
pub mod vocabulary;
pub mod waiver;

pub use packs::{Packs, Unusable};
pub use policy::Policy;
pub use problem::{Problem, Rule};
pub use value::{Basis, Binding, Clause, Decision, Held, Phrase, Silent, Source, Value};
