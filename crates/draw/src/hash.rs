//! SHA-256 values, and the one way bytes are put together before they are hashed.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// What every hashed message begins with, so that no hash made for one purpose serves another.
const DOMAIN: &str = "kehou/draw/1/";

/// A SHA-256 value. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash([u8; 32]);

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not 64 lower-case hexadecimal digits")]
pub struct HashError;

impl Hash {
    /// Takes 32 bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Gives the 32 bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(HashError);
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = (hex_digit(*high)? << 4) | hex_digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Hash {
    type Error = HashError;

    fn try_from(text: String) -> Result<Self, HashError> {
        text.parse()
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

fn hex_digit(digit: u8) -> Result<u8, HashError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(HashError),
    }
}

/// Bytes in the canonical encoding: integers big-endian, texts and lists after their `u32` length, an absent value one
/// byte 0, a present one a byte 1 and itself.
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    /// Begins a leaf, which is hashed under its own tag later.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Begins a message to be hashed for the purpose `tag`: the domain, the tag and a byte 0.
    pub(crate) fn tagged(tag: &str) -> Self {
        Self([DOMAIN.as_bytes(), tag.as_bytes(), &[0]].concat())
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn hash(self, hash: &Hash) -> Self {
        self.bytes(hash.bytes())
    }

    pub(crate) fn u8(self, value: u8) -> Self {
        self.bytes(&[value])
    }

    pub(crate) fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    pub(crate) fn count(self, count: usize) -> Self {
        self.u32(as_u32(count))
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.count(text.len()).bytes(text.as_bytes())
    }

    pub(crate) fn optional_hash(self, hash: Option<&Hash>) -> Self {
        match hash {
            None => self.u8(0),
            Some(hash) => self.u8(1).hash(hash),
        }
    }

    /// Writes the number of items, then each.
    pub(crate) fn list<T>(
        self,
        items: impl ExactSizeIterator<Item = T>,
        each: impl Fn(Self, T) -> Self,
    ) -> Self {
        let counted = self.count(items.len());
        items.fold(counted, each)
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn digest(&self) -> Hash {
        sha256(&self.0)
    }
}

/// SHA-256 of the bytes as they are.
pub(crate) fn sha256(bytes: &[u8]) -> Hash {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest(&SHA256, bytes).as_ref()) {
        *to = *from;
    }
    Hash(out)
}

/// A count or position as it is encoded. Input is bounded far below the edge (`input::LIMITS`), where it would stay.
pub(crate) fn as_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_only_from_the_text_it_writes() {
        let hash = sha256(b"abc");

        let text = hash.to_string();

        assert_eq!(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(text.parse(), Ok(hash));
        for bad in [&text[1..], &format!("{text}0"), &text.to_uppercase(), &text.replace('b', "g"), ""] {
            assert_eq!(bad.parse::<Hash>(), Err(HashError), "{bad}");
        }
    }
}
