//! All that is published of a draw, in one JSON file, and the check that it is true.

use serde::{Deserialize, Serialize};

use crate::audit::{Breach, audit};
use crate::commitment::{Commitment, Root};
use crate::hash::Hash;
use crate::input::{Input, Problem, Pupil, SectionIndex, SlotIndex, Terms};
use crate::outcome::{Outcome, run};
use crate::seed::{Seed, SeedError, normalise};

/// The format this crate writes and reads.
pub const FORMAT: &str = "kehou-draw-1";

/// Everything published of one draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// [`FORMAT`].
    pub format: String,
    /// The terms.
    pub terms: Terms,
    /// The entries, by pseudonym ascending.
    pub pupils: Vec<Pupil>,
    /// The root that was published before the seed existed.
    pub root: Root,
    /// The sources' values, in the order of the sources, as they were hashed.
    pub values: Vec<String>,
    /// The outcome.
    pub outcome: Outcome,
    /// The outcome's digest.
    pub outcome_digest: Hash,
}

/// A bundle that is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The root. The reader compares it with the one published before the seed existed.
    pub root: Root,
    /// The number of the act.
    pub act: u32,
    /// The seed.
    pub seed: Seed,
    /// The digest.
    pub outcome_digest: Hash,
    /// Pupils drawn.
    pub pupil_count: usize,
    /// Seats given.
    pub admitted_count: usize,
    /// Wishes refused.
    pub refused_count: usize,
}

/// Where a bundle is not true.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The text is no bundle.
    #[error("line {line}, column {column}: not a bundle")]
    NotABundle {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// The format is another.
    #[error("the format is not {FORMAT}")]
    Format,
    /// The input breaks a rule.
    #[error(transparent)]
    Input(#[from] Problem),
    /// The lists are not those committed to.
    #[error("the root of the lists is {computed}")]
    Root {
        /// What the lists give.
        computed: Hash,
    },
    /// A value does not belong to its source.
    #[error(transparent)]
    Value(#[from] SeedError),
    /// A value is not written as it is hashed.
    #[error("the value of source {at} is not written as it is hashed")]
    NotNormal {
        /// The source's position, from 0.
        at: usize,
    },
    /// The seed is another.
    #[error("the sources give the seed {computed}")]
    Seed {
        /// What the sources give.
        computed: Hash,
    },
    /// Numbers of a slot are others.
    #[error("the numbers of slot {} are others", .slot.0)]
    Numbers {
        /// The slot.
        slot: SlotIndex,
    },
    /// A section came to something else.
    #[error("section {} came to something else", .section.0)]
    Section {
        /// The section.
        section: SectionIndex,
    },
    /// There are too few or too many slots or sections in the outcome.
    #[error("the outcome has another shape")]
    Shape,
    /// The digest is another.
    #[error("the digest of the outcome is {computed}")]
    Digest {
        /// What the outcome gives.
        computed: Hash,
    },
    /// The outcome breaks a promise.
    #[error(transparent)]
    Breach(#[from] Breach),
}

impl Bundle {
    /// Draws, and bundles what is to be published. `values` may be as an operator typed them.
    ///
    /// # Errors
    /// The first value that does not belong to its source.
    pub fn draw(input: &Input, values: &[String]) -> Result<Self, SeedError> {
        let root = Commitment::of(input).root();
        let seed = Seed::combine(input.terms(), &root, values)?;
        let sources = input.terms().sources.iter();
        let values = sources.zip(values).map(|(source, typed)| normalise(source, typed));
        let outcome = run(input, &seed);
        Ok(Self {
            format: FORMAT.to_owned(),
            terms: input.terms().clone(),
            pupils: input.pupils().to_vec(),
            root,
            values: values.collect::<Result<_, _>>()?,
            outcome_digest: outcome.digest(&root),
            outcome,
        })
    }

    /// Reads a bundle.
    ///
    /// # Errors
    /// `NotABundle` with the place where it stops being one.
    pub fn parse(json: &str) -> Result<Self, Mismatch> {
        serde_json::from_str(json)
            .map_err(|error| Mismatch::NotABundle { line: error.line(), column: error.column() })
    }

    /// Writes the bundle as JSON.
    ///
    /// # Errors
    /// None in practice: a bundle has no map and no number JSON cannot write.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// Computes everything again from the bundle alone, and compares. Whether the root is the one published beforehand is for
/// the reader to compare; nothing in the bundle can say it.
///
/// # Errors
/// Every [`Mismatch`] found; a fault that leaves nothing to compute with ends the check.
pub fn verify(bundle: &Bundle) -> Result<Report, Vec<Mismatch>> {
    if bundle.format != FORMAT {
        return Err(vec![Mismatch::Format]);
    }
    let input = Input::in_order(bundle.terms.clone(), bundle.pupils.clone())
        .map_err(|problems| problems.into_iter().map(Mismatch::from).collect::<Vec<_>>())?;
    let mut mismatches = Vec::new();
    let root = Commitment::of(&input).root();
    if root != bundle.root {
        mismatches.push(Mismatch::Root { computed: *root.hash() });
    }
    let sources = bundle.terms.sources.iter().zip(&bundle.values);
    for (at, (source, value)) in sources.enumerate() {
        if normalise(source, value).is_ok_and(|normal| normal != *value) {
            mismatches.push(Mismatch::NotNormal { at });
        }
    }
    let seed = match Seed::combine(&bundle.terms, &root, &bundle.values) {
        Ok(seed) => seed,
        Err(error) => {
            mismatches.push(error.into());
            return Err(mismatches);
        }
    };
    if seed != bundle.outcome.seed {
        mismatches.push(Mismatch::Seed { computed: *seed.hash() });
    }
    let outcome = run(&input, &seed);
    compare(&bundle.outcome, &outcome, &mut mismatches);
    let digest = bundle.outcome.digest(&bundle.root);
    if digest != bundle.outcome_digest {
        mismatches.push(Mismatch::Digest { computed: digest });
    }
    if let Err(breaches) = audit(&input, &bundle.outcome) {
        mismatches.extend(breaches.into_iter().map(Mismatch::from));
    }
    if !mismatches.is_empty() {
        return Err(mismatches);
    }
    Ok(Report {
        root,
        act: bundle.terms.act,
        seed,
        outcome_digest: digest,
        pupil_count: bundle.pupils.len(),
        admitted_count: outcome.sections.iter().map(|section| section.admitted.len()).sum(),
        refused_count: outcome.sections.iter().map(|section| section.waitlist.len()).sum(),
    })
}

fn compare(published: &Outcome, computed: &Outcome, mismatches: &mut Vec<Mismatch>) {
    if published.numbers.len() != computed.numbers.len()
        || published.sections.len() != computed.sections.len()
    {
        mismatches.push(Mismatch::Shape);
        return;
    }
    let numbers = published.numbers.iter().zip(&computed.numbers).enumerate();
    mismatches.extend(
        numbers
            .filter(|(_, (one, other))| one != other)
            .map(|(at, _)| Mismatch::Numbers { slot: SlotIndex::from_at(at) }),
    );
    let sections = published.sections.iter().zip(&computed.sections).enumerate();
    mismatches.extend(
        sections
            .filter(|(_, (one, other))| one != other)
            .map(|(at, _)| Mismatch::Section { section: SectionIndex::from_at(at) }),
    );
}
