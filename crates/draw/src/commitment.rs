//! The commitment: a Merkle tree over the terms and every pupil's entry, whose root is published before the seed exists.
//!
//! Leaf 0 is the terms, the leaves after it the pupils by pseudonym. Each level pairs neighbours; a last one without a
//! neighbour moves up as it is. The root hashes the number of leaves with the top, so that the shape is committed too.

use serde::{Deserialize, Serialize};

use crate::hash::{Encoder, Hash, as_u32};
use crate::input::{Input, Mode, Pupil, PupilIndex, Section, Siblings, Terms};
use crate::pseudonym::pseudonym;
use crate::seed::{Kind, Source};

/// The root of a commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Root(Hash);

/// The tree over an input.
#[derive(Clone, Debug)]
pub struct Commitment {
    root: Root,
    /// Hashes by level, the leaves first, the top last.
    levels: Vec<Vec<Hash>>,
}

/// That a leaf is in a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The leaf's position, from 0.
    pub leaf: u32,
    /// Leaves of the tree.
    pub leaf_count: u32,
    /// The neighbours' hashes, from the leaf upward; a level without a neighbour has none.
    pub path: Vec<Hash>,
}

/// What a family keeps from the day the lists are committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The root as published.
    pub root: Root,
    /// Ties the pseudonym to the pupil's id.
    pub key: Hash,
    /// The entry as committed.
    pub entry: Pupil,
    /// That it is among the committed.
    pub proof: Proof,
}

/// What is wrong with a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The entry was not made for this pupil.
    #[error("the pseudonym is another pupil's")]
    OtherPupil,
    /// The entry is not under the root.
    #[error("the entry is not among the committed")]
    NotCommitted,
}

impl Root {
    /// Takes a root as published.
    #[must_use]
    pub const fn new(hash: Hash) -> Self {
        Self(hash)
    }

    /// Gives the hash.
    #[must_use]
    pub const fn hash(&self) -> &Hash {
        &self.0
    }
}

impl Commitment {
    /// Commits to an input.
    #[must_use]
    pub fn of(input: &Input) -> Self {
        let terms = leaf_hash(&terms_leaf(input.terms(), input.pupils().len()));
        let pupils = input.pupils().iter().map(|pupil| leaf_hash(&pupil_leaf(pupil)));
        let mut level: Vec<Hash> = std::iter::once(terms).chain(pupils).collect();
        let leaf_count = as_u32(level.len());
        let mut levels = Vec::new();
        while level.len() > 1 {
            let above = level.chunks(2).map(above).collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        let root = root(leaf_count, &level[0]);
        levels.push(level);
        Self { root, levels }
    }

    /// The root, to be published.
    #[must_use]
    pub const fn root(&self) -> Root {
        self.root
    }

    /// Proves that a leaf is committed: 0 for the terms, a pupil's index + 1 for a pupil. Nothing when there is no such
    /// leaf.
    #[must_use]
    pub fn prove(&self, leaf: u32) -> Option<Proof> {
        let leaf_count = self.levels[0].len();
        let mut at = leaf as usize;
        if at >= leaf_count {
            return None;
        }
        let mut path = Vec::new();
        for level in &self.levels {
            path.extend(level.get(at ^ 1));
            at /= 2;
        }
        Some(Proof { leaf, leaf_count: as_u32(leaf_count), path })
    }

    /// The receipt of a pupil; `key` is the pupil's ([`Alias::key`](crate::pseudonym::Alias::key)). Nothing when the
    /// input, which must be the one committed to, has no such pupil.
    #[must_use]
    pub fn receipt(&self, input: &Input, pupil: PupilIndex, key: Hash) -> Option<Receipt> {
        let entry = input.pupils().get(pupil.at())?.clone();
        let proof = self.prove(pupil.0.checked_add(1)?)?;
        Some(Receipt { root: self.root, key, entry, proof })
    }
}

impl Receipt {
    /// Checks the receipt for a pupil under the root that was published. `pupil_id` is the 16 bytes of the UUID.
    ///
    /// # Errors
    /// `OtherPupil` or `NotCommitted`. The wishes are for the family to read.
    pub fn check(&self, published: &Root, pupil_id: &[u8; 16]) -> Result<(), ReceiptError> {
        if pseudonym(&self.key, pupil_id) != self.entry.pseudonym {
            return Err(ReceiptError::OtherPupil);
        }
        let is_committed =
            self.root == *published && check_proof(published, &pupil_leaf(&self.entry), &self.proof);
        if is_committed { Ok(()) } else { Err(ReceiptError::NotCommitted) }
    }
}

/// Whether the leaf, in its canonical bytes, is under the root.
#[must_use]
pub fn check_proof(published: &Root, leaf: &[u8], proof: &Proof) -> bool {
    if proof.leaf >= proof.leaf_count {
        return false;
    }
    let mut hash = leaf_hash(leaf);
    let mut path = proof.path.iter();
    let (mut at, mut width) = (proof.leaf, proof.leaf_count);
    while width > 1 {
        let is_alone = at == width - 1 && at.is_multiple_of(2);
        if !is_alone {
            let Some(neighbour) = path.next() else { return false };
            hash = if at.is_multiple_of(2) { node(&hash, neighbour) } else { node(neighbour, &hash) };
        }
        at /= 2;
        width = width.div_ceil(2);
    }
    path.next().is_none() && root(proof.leaf_count, &hash) == *published
}

fn leaf_hash(leaf: &[u8]) -> Hash {
    Encoder::tagged("leaf").bytes(leaf).digest()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Encoder::tagged("node").hash(left).hash(right).digest()
}

fn root(leaf_count: u32, top: &Hash) -> Root {
    Root(Encoder::tagged("root").u32(leaf_count).hash(top).digest())
}

fn above(pair: &[Hash]) -> Hash {
    match pair {
        [left, right] => node(left, right),
        [alone, ..] => *alone,
        // `chunks` gives no empty pair.
        [] => Hash::new([0; 32]),
    }
}

/// The canonical bytes of the terms, leaf 0. The number of pupils is part of them.
#[must_use]
pub fn terms_leaf(terms: &Terms, pupil_count: usize) -> Vec<u8> {
    let mode = match terms.mode {
        Mode::Ranked => 1,
        Mode::Lottery => 2,
    };
    let siblings = match terms.siblings {
        Siblings::Apart => 1,
        Siblings::Together => 2,
    };
    Encoder::new()
        .u8(1)
        .text(&terms.round_id)
        .u32(terms.act)
        .optional_hash(terms.previous_root.as_ref().map(Root::hash))
        .u8(mode)
        .u8(siblings)
        .list(terms.slots.iter(), |to, slot| to.text(slot))
        .list(terms.groups.iter(), |to, group| to.text(group))
        .list(terms.sections.iter(), section)
        .list(terms.sources.iter(), source)
        .count(pupil_count)
        .done()
}

fn section(to: Encoder, section: &Section) -> Encoder {
    to.text(&section.code)
        .u32(section.slot.0)
        .u32(section.capacity)
        .list(section.tiers.iter(), |to, tier| to.list(tier.iter(), |to, group| to.u32(group.0)))
        .list(section.reserves.iter(), |to, reserve| to.u32(reserve.group.0).u32(reserve.seats))
}

fn source(to: Encoder, source: &Source) -> Encoder {
    let to = to.text(&source.name).text(&source.what).u32(source.bits);
    match &source.kind {
        Kind::Decimal { digit_count } => to.u8(1).u32(*digit_count),
        Kind::Hex { digit_count } => to.u8(2).u32(*digit_count),
        Kind::Contribution { seal } => to.u8(3).hash(seal),
    }
}

/// The canonical bytes of a pupil's entry.
#[must_use]
pub fn pupil_leaf(pupil: &Pupil) -> Vec<u8> {
    Encoder::new()
        .u8(2)
        .hash(&pupil.pseudonym)
        .hash(&pupil.salt)
        .optional_hash(pupil.family.as_ref())
        .list(pupil.groups.iter(), |to, group| to.u32(group.0))
        .list(pupil.settled.iter(), |to, section| to.u32(section.0))
        .list(pupil.lists.iter(), |to, list| {
            to.u32(list.slot.0)
                .list(list.ranked.iter(), |to, section| to.u32(section.0))
                .list(list.any_of.iter(), |to, section| to.u32(section.0))
        })
        .done()
}
