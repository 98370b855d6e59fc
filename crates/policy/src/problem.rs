//! What is wrong with a pack or a supplement, and where.

use std::fmt;

use chrono::NaiveDate;

use crate::value::{Clause, Silent};

/// One thing wrong in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the folder of packs.
    pub file: String,
    /// The line, from 1; 1 when the whole file is meant.
    pub line: usize,
    /// The key, such as `fee.parent_fee_mode`; empty when the whole file is meant.
    pub key: String,
    /// What is wrong.
    pub rule: Rule,
}

/// What a pack may not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// The folder or file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The file is too large to be a pack.
    #[error("is {bytes} bytes; at most {limit} are read")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// It is a folder or something else that is no plain file.
    #[error("is no plain file")]
    NotAFile,
    /// The bytes are not UTF-8, from this line on.
    #[error("is not UTF-8 text")]
    NotUtf8,
    /// The file is YAML.
    #[error("is YAML; a pack is TOML: `[group.key]` and `value = …`, in a file that ends in .toml")]
    Yaml,
    /// The file is not TOML.
    #[error("is not TOML: {0}")]
    Syntax(String),
    /// The schema has no such key.
    #[error("is not a known key")]
    UnknownKey,
    /// A key that must be there is not.
    #[error("lacks {0}")]
    Missing(&'static str),
    /// The value has another type or unit.
    #[error("must be {expected}, is {found}")]
    WrongType {
        /// What belongs here.
        expected: &'static str,
        /// What stands here.
        found: String,
    },
    /// The word is not one of those allowed.
    #[error("must be one of {allowed}, is `{found}`")]
    NotAllowed {
        /// The words allowed.
        allowed: String,
        /// What stands here.
        found: String,
    },
    /// A number or an amount is below zero.
    #[error("is below zero: {0}")]
    Negative(i64),
    /// A number is above what its unit allows.
    #[error("must be at most {most}, is {found}")]
    TooHigh {
        /// The most allowed.
        most: i64,
        /// What stands here.
        found: i64,
    },
    /// The source names a document the pack does not list.
    #[error("names the document {0}, which source_files does not list")]
    UnlistedSource(String),
    /// The file's name and the name inside differ.
    #[error("is called `{inside}` inside but the file is `{file}`")]
    NameDiffers {
        /// The name inside.
        inside: String,
        /// The file's name without `.toml`.
        file: String,
    },
    /// A parent, or the pack a supplement belongs to, does not exist.
    #[error("names the pack `{0}`, which does not exist")]
    MissingPack(String),
    /// A pack with a parent says why it stands below it, by one reason or one document; a pack without says neither.
    #[error(
        "needs exactly one of parent_inferred and parent_source beside parent_pack, and neither without it"
    )]
    ParentGround,
    /// An entry cannot be both an inference and one of two readings.
    #[error("has both a note and a reading")]
    NoteAndReading,
    /// What should come first comes last.
    #[error("runs backwards: from {from} to {to}")]
    Backwards {
        /// The first day.
        from: NaiveDate,
        /// The last day.
        to: NaiveDate,
    },
    /// Two editions say they are in force on the same days.
    #[error("is in force on the same days as {other}")]
    Overlaps {
        /// The file of the other edition.
        other: String,
    },
    /// A word names nothing that is listed elsewhere in the policy.
    #[error("names `{found}`, which {key} does not list")]
    Unlisted {
        /// The word.
        found: String,
        /// The key that lists such words.
        key: &'static str,
    },
    /// Parents form a circle.
    #[error("parents form a circle: {0}")]
    CircularParent(String),
    /// A supplement does not say when it was decided.
    #[error("has no date: a supplement needs `dated`")]
    Undated,
    /// A pack or supplement allows more than what stands above it.
    #[error("loosens what stands above it: {} / against: {}", .own.say().zh, .above.say().zh)]
    Loosens {
        /// What this file says.
        own: Box<Clause>,
        /// What stands above it.
        above: Box<Clause>,
    },
    /// A supplement says something else than its pack.
    #[error("contradicts its pack: {} / against: {}", .own.say().zh, .above.say().zh)]
    Contradicts {
        /// What the supplement says.
        own: Box<Clause>,
        /// What the pack says.
        above: Box<Clause>,
    },
    /// Two values of one policy exclude each other, such as a ceiling below the exact fee or a fee where it is free.
    #[error("{} / cannot stand with: {}", .one.say().zh, .other.say().zh)]
    Excludes {
        /// One clause.
        one: Box<Clause>,
        /// The other.
        other: Box<Clause>,
    },
    /// A value promises another one that is silent, such as the mode `exact` without an amount.
    #[error("needs another value beside it: {0}")]
    Incomplete(Silent),
}

impl Problem {
    /// A problem of a file as a whole.
    pub(crate) fn of_file(file: String, rule: Rule) -> Self {
        Self { file, line: 1, key: String::new(), rule }
    }
}

impl Rule {
    /// Whether it is about two files together rather than about one alone.
    pub(crate) fn is_between_files(&self) -> bool {
        matches!(
            self,
            Self::Loosens { .. }
                | Self::Contradicts { .. }
                | Self::Excludes { .. }
                | Self::Incomplete(_)
                | Self::Unlisted { .. }
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} {}", self.file, self.line, self.key, self.rule)
    }
}
