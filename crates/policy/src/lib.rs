//! What a region rules about after-school service: read from files, typed, validated, explained.
//!
//! | module | knows |
//! |---|---|
//! | [`packs`] | every policy there is, by name, by day, and by the pin of a term |
//! | [`live`] | the packs of a running program, read again when their folder changes |
//! | [`policy`](mod@policy) | every key a pack can express, as one typed value per pack |
//! | [`value`] | what a key holds: stated, inherited, supplemented, or silent; and the clause it rests on |
//! | [`vocabulary`] | the words and records keys are made of |
//! | [`fee`], [`slot`], [`waiver`] | what may be charged, by end slot too, and what is let off, to the fen |
//! | [`time`] | when service may begin and end, and how much of it there must be |
//! | [`course`] | what may be taught, and by whom |
//! | [`enroll`] | the steps of an application, priority, agreements |
//! | [`gov`], [`staff`], [`funds`] | what government gives, what staff are paid, what money may be used for |
//! | [`supervise`] | what must be public, on duty, inspected and reached |
//! | [`explain`] | the answer to a question and to "why this price", in Chinese and English |
//! | [`diff`](mod@diff) | what two policies say differently |
//! | [`problem`] | what is wrong with a file, and where |
//!
//! How files become policies: `folder` reads, `document` and `header` parse, `layer` lays one file over what stands
//! above it, `agree` looks at the values together, `build` puts all editions of all packs together.
//!
//! Nothing regional is written here: regions are files (`policies/README.md`). What no file states is silent, and a rule
//! that needs it answers [`value::Silent`]; it never takes a default.

mod agree;
mod build;
pub mod course;
pub mod diff;
mod document;
pub mod enroll;
pub mod explain;
pub mod fee;
mod folder;
pub mod funds;
pub mod gov;
mod header;
mod layer;
pub mod live;
pub mod packs;
pub mod policy;
pub mod problem;
mod read;
pub mod slot;
pub mod staff;
pub mod supervise;
pub mod time;
pub mod value;
pub mod vocabulary;
pub mod waiver;

pub use diff::{Difference, diff};
pub use live::Live;
pub use packs::{Packs, Unusable};
pub use policy::{Entry, ParentGround, Policy};
pub use problem::{Problem, Rule};
pub use value::{
    Basis, Binding, Clause, Decision, Held, Inheritance, Key, Phrase, Remark, Silent, Source, Standing, Value,
};
