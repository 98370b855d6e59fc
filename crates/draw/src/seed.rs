//! Where the seed comes from: sources named beforehand, values known only afterwards, combined under the root.
//!
//! | source | its value | it can carry |
//! |---|---|---|
//! | decimal | digits announced in public: a lottery's numbers, balls drawn before a notary | log₂ 10 bits a digit |
//! | hex | hexadecimal digits announced in public: a public randomness beacon | 4 bits a digit |
//! | contribution | 32 bytes somebody chose, sealed beforehand and opened afterwards | 256 bits |
//!
//! A contributor knows the own value all along. So the sources count without the largest contribution, and what is left
//! must still be [`NEEDED_BITS`]: nobody alone can try out seeds before the lists are committed.

use serde::{Deserialize, Serialize};

use crate::commitment::Root;
use crate::hash::{Encoder, Hash};
use crate::input::{Fault, Problem, Terms};

/// Bits of entropy the sources must have without the largest contribution.
pub const NEEDED_BITS: u64 = 128;

/// A thousand digits carry this many bits: log₂ 10 = 3.3219…, cut.
const BITS_OF_1000_DECIMALS: u64 = 3321;

/// A source as it is published with the lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name, distinct within the round.
    pub name: String,
    /// What will be announced, where and when, exact enough that two people write the same digits.
    pub what: String,
    /// Bits of entropy it is taken to have; at most what the value can carry.
    pub bits: u32,
    /// How its value is written.
    pub kind: Kind,
}

/// How a source's value is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// Decimal digits.
    Decimal {
        /// How many, leading zeros included; at least 1.
        digit_count: u32,
    },
    /// Hexadecimal digits.
    Hex {
        /// How many, leading zeros included; at least 1.
        digit_count: u32,
    },
    /// 32 bytes, written as 64 hexadecimal digits.
    Contribution {
        /// What [`seal`] gave for the value.
        seal: Hash,
    },
}

/// Why a value is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// There must be one value for each source.
    #[error("{found} values for {wanted} sources")]
    Count {
        /// Values given.
        found: usize,
        /// Sources published.
        wanted: usize,
    },
    /// A character that is neither a digit nor a separator.
    #[error("{source_name}: {character:?} is no digit")]
    NotADigit {
        /// The source.
        source_name: String,
        /// The character.
        character: char,
    },
    /// Digits are missing or left over.
    #[error("{source_name}: {found} digits instead of {wanted}")]
    DigitCount {
        /// The source.
        source_name: String,
        /// Digits given.
        found: usize,
        /// Digits published.
        wanted: usize,
    },
    /// The value is not the one that was sealed.
    #[error("{source_name}: is not what was sealed")]
    OtherThanSealed {
        /// The source.
        source_name: String,
    },
}

/// What all numbers of a draw follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(Hash);

impl Seed {
    /// Combines the values of the published sources under the root of the lists.
    ///
    /// `values` is in the order of the sources; each is written as [`normalise`] gives it or as an operator types it.
    ///
    /// # Errors
    /// The first value that does not belong to its source.
    pub fn combine(terms: &Terms, root: &Root, values: &[String]) -> Result<Self, SeedError> {
        if values.len() != terms.sources.len() {
            return Err(SeedError::Count { found: values.len(), wanted: terms.sources.len() });
        }
        let mut message = Encoder::tagged("seed").hash(root.hash()).count(values.len());
        for (source, typed) in terms.sources.iter().zip(values) {
            let value = normalise(source, typed)?;
            if let Kind::Contribution { seal: sealed } = &source.kind {
                let opened = value.parse::<Hash>();
                if opened.map(|value| seal(&terms.round_id, terms.act, &source.name, &value)) != Ok(*sealed) {
                    return Err(SeedError::OtherThanSealed { source_name: source.name.clone() });
                }
            }
            message = message.text(&value);
        }
        Ok(Self(message.digest()))
    }

    /// A seed for trying a draw out, such as on last year's lists. No real draw can have it.
    #[must_use]
    pub fn rehearsal(label: &str) -> Self {
        Self(Encoder::tagged("rehearsal").text(label).digest())
    }

    /// Gives the 32 bytes.
    #[must_use]
    pub const fn hash(&self) -> &Hash {
        &self.0
    }
}

/// Writes an announced value the one way it is hashed: its digits alone, full-width ones as plain ones, hexadecimal ones
/// in lower case. What people put between digits is dropped: white space, `、`, and `,.+-|/;:` plain or full-width.
///
/// # Errors
/// `NotADigit` for anything else; `DigitCount` when there are more or fewer digits than published.
pub fn normalise(source: &Source, typed: &str) -> Result<String, SeedError> {
    let (is_hex, wanted) = match source.kind {
        Kind::Decimal { digit_count } => (false, digit_count as usize),
        Kind::Hex { digit_count } => (true, digit_count as usize),
        Kind::Contribution { .. } => (true, 64),
    };
    let mut digits = String::new();
    for character in typed.chars() {
        match plain(character).to_ascii_lowercase() {
            digit @ '0'..='9' => digits.push(digit),
            digit @ 'a'..='f' if is_hex => digits.push(digit),
            other if other.is_whitespace() || "、,.+-|/;:".contains(other) => {}
            _ => return Err(SeedError::NotADigit { source_name: source.name.clone(), character }),
        }
    }
    if digits.len() != wanted {
        let found = digits.len();
        return Err(SeedError::DigitCount { source_name: source.name.clone(), found, wanted });
    }
    Ok(digits)
}

/// The plain form of a full-width character; others as they are.
fn plain(character: char) -> char {
    match character {
        '！'..='～' => {
            char::from_u32(u32::from(character) - u32::from('！') + u32::from('!')).unwrap_or(character)
        }
        _ => character,
    }
}

/// Seals a contribution: what its maker hands in before the lists are committed. It holds for one round, one act and one
/// name, so that it cannot be copied or used again. `value` must be 32 bytes nobody else can guess.
#[must_use]
pub fn seal(round_id: &str, act: u32, name: &str, value: &Hash) -> Hash {
    Encoder::tagged("contribution").text(round_id).u32(act).text(name).hash(value).digest()
}

/// What is wrong with the sources of a round.
pub(crate) fn problems(sources: &[Source]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut all = 0;
    let mut largest = 0;
    for (at, source) in sources.iter().enumerate() {
        let carried = match source.kind {
            Kind::Decimal { digit_count } => u64::from(digit_count) * BITS_OF_1000_DECIMALS / 1000,
            Kind::Hex { digit_count } => u64::from(digit_count) * 4,
            Kind::Contribution { .. } => {
                largest = largest.max(u64::from(source.bits));
                256
            }
        };
        if let Kind::Decimal { digit_count: 0 } | Kind::Hex { digit_count: 0 } = source.kind {
            problems
                .push(Problem { field: format!("terms.sources[{at}].kind.digit_count"), fault: Fault::Zero });
        }
        if u64::from(source.bits) > carried {
            let carried = u32::try_from(carried).unwrap_or(u32::MAX);
            let fault = Fault::OverClaimed { claimed: source.bits, carried };
            problems.push(Problem { field: format!("terms.sources[{at}].bits"), fault });
        }
        all += u64::from(source.bits);
    }
    let bits = all - largest;
    if bits < NEEDED_BITS {
        problems.push(Problem { field: "terms.sources".to_owned(), fault: Fault::Entropy { bits } });
    }
    problems
}
