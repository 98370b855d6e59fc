//! The ledger as a chain: each entry's hash covers the entry, its lines and the hash before it. docs/money.md has the form for strangers.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use shared::value::Moment;
use uuid::Uuid;

/// A SHA-256 hash; 64 hexadecimal digits as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

/// The text is no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not 64 hexadecimal digits")]
pub struct HashError;

impl Hash {
    /// What stands before the first entry.
    pub const START: Self = Self([0; 32]);

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads bytes; none unless there are 32.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(HashError);
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            let digits = text.get(index * 2..index * 2 + 2).ok_or(HashError)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| HashError)?;
        }
        Ok(Self(bytes))
    }
}

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Which entry.
    pub id: Uuid,
    /// The district.
    pub district_id: Uuid,
    /// The school.
    pub school_id: Uuid,
    /// What it records: an invoice, a payment, a refund, a correction.
    pub source_id: Uuid,
    /// What happened, as a word.
    pub kind: String,
    /// Which of its kind for that source.
    pub number: i32,
    /// When, to the microsecond.
    pub created_at: Moment,
    /// Its lines, by number.
    pub lines: Vec<Posting>,
}

/// A line as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// From 1 up.
    pub number: i32,
    /// The account's code.
    pub account: String,
    /// Debited, 0 or more.
    pub debit_fen: i64,
    /// Credited, 0 or more.
    pub credit_fen: i64,
}

/// The text that is hashed: one fact a line, each line ended by a line feed, ASCII throughout.
#[must_use]
pub fn canonical(previous: &Hash, position: i64, journal: &Journal) -> String {
    let Journal { id, district_id, school_id, source_id, kind, number, created_at, lines } = journal;
    let at = created_at.format("%Y-%m-%dT%H:%M:%S%.6fZ");
    let mut text = format!(
        "kehou.ledger.v1\nprevious={previous}\nposition={position}\ndistrict={district_id}\nschool={school_id}\n\
         journal={id}\nsource={source_id}\nkind={kind}\nnumber={number}\nat={at}\n"
    );
    for line in lines {
        let Posting { number, account, debit_fen, credit_fen } = line;
        text.push_str(&format!("{number} {account} {debit_fen} {credit_fen}\n"));
    }
    text
}

/// The hash of an entry at its place in the chain.
#[must_use]
pub fn hash(previous: &Hash, position: i64, journal: &Journal) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, canonical(previous, position, journal).as_bytes()).as_ref());
    Hash(hash)
}

/// The head of a district's chain as it was written down outside the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The district.
    pub district_id: Uuid,
    /// How many entries the chain had.
    pub position: i64,
    /// The hash of the last.
    pub hash: Hash,
}

impl Anchor {
    /// The line of the anchor file: moment, district, position, hash, apart by one space.
    #[must_use]
    pub fn line(&self, now: Moment) -> String {
        let at = now.format("%Y-%m-%dT%H:%M:%SZ");
        format!("{at} {} {} {}\n", self.district_id, self.position, self.hash)
    }

    /// Reads a line; none when it is not whole, as the last one may be after a crash.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let mut parts = line.split(' ').skip(1);
        let (district, position, hash) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Some(Self {
            district_id: district.parse().ok()?,
            position: position.parse().ok()?,
            hash: hash.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entry docs/money.md and the independent verifier show.
    fn example() -> Journal {
        let id = |number| Uuid::from_u128(number);
        let line = |number, account: &str, debit_fen, credit_fen| Posting {
            number,
            account: account.to_owned(),
            debit_fen,
            credit_fen,
        };
        Journal {
            id: id(3),
            district_id: id(1),
            school_id: id(2),
            source_id: id(4),
            kind: "paid".to_owned(),
            number: 0,
            created_at: "2026-09-01T08:00:00.25Z".parse().unwrap(),
            lines: vec![line(1, "wechat_clearing", 12_000, 0), line(2, "receivable", 0, 12_000)],
        }
    }

    #[test]
    fn c79_the_canonical_text_is_the_one_that_is_documented() {
        let expected = "kehou.ledger.v1\n\
            previous=0000000000000000000000000000000000000000000000000000000000000000\n\
            position=1\n\
            district=00000000-0000-0000-0000-000000000001\n\
            school=00000000-0000-0000-0000-000000000002\n\
            journal=00000000-0000-0000-0000-000000000003\n\
            source=00000000-0000-0000-0000-000000000004\n\
            kind=paid\n\
            number=0\n\
            at=2026-09-01T08:00:00.250000Z\n\
            1 wechat_clearing 12000 0\n\
            2 receivable 0 12000\n";
        assert_eq!(canonical(&Hash::START, 1, &example()), expected);
    }

    #[test]
    fn c79_any_change_of_any_part_changes_the_hash() {
        let first = hash(&Hash::START, 1, &example());
        let with = |change: &dyn Fn(&mut Journal)| {
            let mut journal = example();
            change(&mut journal);
            hash(&Hash::START, 1, &journal)
        };
        let changed = [
            with(&|one| one.id = Uuid::from_u128(9)),
            with(&|one| one.district_id = Uuid::from_u128(9)),
            with(&|one| one.school_id = Uuid::from_u128(9)),
            with(&|one| one.source_id = Uuid::from_u128(9)),
            with(&|one| one.kind.push('x')),
            with(&|one| one.number = 1),
            with(&|one| one.created_at += chrono::TimeDelta::microseconds(1)),
            with(&|one| one.lines[0].debit_fen += 1),
            with(&|one| one.lines[0].account = "surplus".to_owned()),
            with(&|one| {
                one.lines.pop();
            }),
            hash(&first, 1, &example()),
            hash(&Hash::START, 2, &example()),
        ];
        assert!(changed.iter().all(|other| *other != first));
        assert_eq!(hash(&Hash::START, 1, &example()), first);
    }

    #[test]
    fn an_anchor_reads_back_and_a_cut_line_is_none() {
        let anchor =
            Anchor { district_id: Uuid::from_u128(1), position: 7, hash: hash(&Hash::START, 1, &example()) };
        let line = anchor.line("2026-09-01T08:00:00Z".parse().unwrap());

        assert_eq!(Anchor::read(line.trim_end()), Some(anchor));
        for cut in 0..line.len() - 1 {
            assert_eq!(Anchor::read(&line[..cut]), None, "{cut}");
        }
    }
}
