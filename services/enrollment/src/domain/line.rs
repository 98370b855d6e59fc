//! How a section's line has moved: counts of what happened. Nothing here forecasts anything, so nothing here can be wrong about a
//! family.

use shared::value::{Id, Moment, Term};

/// How a section's line has moved since its round opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How many stand in line now.
    pub waiting_count: i32,
    /// How many ever stood in it.
    pub joined_count: i64,
    /// How many seats were given back: by those in line and by those who never were.
    pub freed_count: i32,
    /// How many seats were offered to those in line.
    pub offered_count: i32,
    /// When the last one was; none when none was.
    pub last_offered_at: Option<Moment>,
    /// Since when all this is counted: when the term's first round opened; none where none is known.
    pub since: Option<Moment>,
    /// The same course in earlier terms of the school, latest first; at most [`PAST_TERMS`], and only terms in which somebody stood in
    /// line.
    pub past: Vec<Past>,
}

/// The lines of a course in an earlier term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// The term.
    pub term_id: Id<Term>,
    /// How many stood in line.
    pub joined_count: i64,
    /// How many seats were offered to them.
    pub offered_count: i32,
}

/// How many earlier terms are told of.
pub const PAST_TERMS: usize = 2;
