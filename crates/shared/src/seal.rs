//! Sealing fields: encryption at rest, and looking up what is encrypted.
//!
//! A sealed field is readable only with the key ring and only as what it was sealed as: the context, such as
//! `guardian.phone:<id>`, is authenticated with it, so that bytes moved to another row or column do not open.
//!
//! | bytes | content |
//! |---|---|
//! | 1 | the form, 1 |
//! | 1 | the number of the key |
//! | 12 | the nonce, random |
//! | as the text | the ciphertext |
//! | 16 | the tag |
//!
//! AES-256-GCM. With random nonces one key should seal fewer than 2³² fields: add a key to the ring long
//! before.
//! Source: NIST SP 800-38D, section 8.3.

use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::config::{self, ConfigError};

/// The only form there is.
const FORM: u8 = 1;

/// The bytes before the ciphertext.
const HEAD: usize = 2 + NONCE_LEN;

/// Why a field does not open, or a ring cannot be read. Says nothing of the content.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Not sealed by us, changed since, or sealed as something else.
    #[error("the field is damaged, or was sealed as something else")]
    Damaged,
    /// Sealed with a key that is not in the ring.
    #[error("the field was sealed with key {0}, which is not in the ring")]
    UnknownKey(u8),
    /// Opened, and is not text.
    #[error("the field is not text")]
    NotText,
    /// The file of keys cannot be read.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A line of the file is not a key. The line's number, from 1.
    #[error("line {0} of the key ring must be `<number 0 to 255> <base64 of 32 bytes>`, each number once")]
    Line(usize),
    /// The file has no key.
    #[error("the key ring is empty")]
    Empty,
}

/// Seals and opens fields with a ring of keys. Keeps them where they cannot be printed, and erases them when
/// dropped.
pub struct Sealer {
    /// The first seals; all open.
    keys: Vec<(u8, RandomizedNonceKey)>,
}

impl Sealer {
    /// Reads a ring: one key a line, `<number> <base64 of 32 bytes>`. The first line's key seals, all of them
    /// open. Empty lines and lines that begin with `#` do not count.
    ///
    /// To change keys: put a new line first, everywhere; seal the fields again; take the old line out.
    ///
    /// # Errors
    /// [`SealError`] with the line.
    pub fn from_file(path: &Path) -> Result<Self, SealError> {
        let text = config::secret(path)?;
        Self::from_text(text.expose_secret())
    }

    fn from_text(text: &str) -> Result<Self, SealError> {
        let mut keys: Vec<(u8, RandomizedNonceKey)> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let refuse = || SealError::Line(index + 1);
            let (number, key) = line.trim().split_once(' ').ok_or_else(refuse)?;
            let number = number.parse().map_err(|_| refuse())?;
            let key = Zeroizing::new(STANDARD.decode(key.trim()).map_err(|_| refuse())?);
            if key.len() != 32 || keys.iter().any(|(other, _)| *other == number) {
                return Err(refuse());
            }
            let key = RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|_| refuse())?;
            keys.push((number, key));
        }
        if keys.is_empty() { Err(SealError::Empty) } else { Ok(Self { keys }) }
    }

    /// Seals `text` as `context`, which is not secret and must be the same when opened.
    ///
    /// # Errors
    /// [`SealError::Damaged`] when the text is too long for one seal (64 GiB).
    pub fn seal(&self, context: &str, text: &str) -> Result<Vec<u8>, SealError> {
        let (number, key) = self.keys.first().ok_or(SealError::Empty)?;
        let mut sealed = vec![0; HEAD];
        let mut body = Zeroizing::new(Vec::with_capacity(text.len() + 16));
        body.extend_from_slice(text.as_bytes());
        let nonce = key
            .seal_in_place_append_tag(Aad::from(bound(*number, context)), &mut *body)
            .map_err(|_| SealError::Damaged)?;
        sealed[0] = FORM;
        sealed[1] = *number;
        sealed[2..].copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens what was sealed as `context`.
    ///
    /// # Errors
    /// [`SealError::UnknownKey`], [`SealError::Damaged`] or [`SealError::NotText`].
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<String, SealError> {
        let (head, body) = sealed.split_at_checked(HEAD).ok_or(SealError::Damaged)?;
        let [form, number, nonce @ ..] = head else {
            return Err(SealError::Damaged);
        };
        if *form != FORM {
            return Err(SealError::Damaged);
        }
        let (_, key) =
            self.keys.iter().find(|(key, _)| key == number).ok_or(SealError::UnknownKey(*number))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Damaged)?;
        let mut body = Zeroizing::new(body.to_vec());
        let text = key
            .open_in_place(nonce, Aad::from(bound(*number, context)), &mut body)
            .map_err(|_| SealError::Damaged)?;
        String::from_utf8(text.to_vec()).map_err(|_| SealError::NotText)
    }

    /// Says whether the field was sealed with the first key: if not, it should be sealed again.
    #[must_use]
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        matches!((self.keys.first(), sealed), (Some((number, _)), [FORM, by, ..]) if number == by)
    }
}

/// What is authenticated beside the text.
fn bound(number: u8, context: &str) -> Vec<u8> {
    [&[FORM, number], context.as_bytes()].concat()
}

/// Finds rows by what is sealed in them, without opening them: a keyed hash of the text.
///
/// Whoever has the table but not the key can tell which rows are equal, not what they hold. Its key is none
/// of the ring and does not change, for every index would have to be made anew.
pub struct BlindIndex {
    key: hmac::Key,
}

impl BlindIndex {
    /// Reads the key: base64 of 32 bytes, and nothing else in the file.
    ///
    /// # Errors
    /// [`SealError::File`] or [`SealError::Line`].
    pub fn from_file(path: &Path) -> Result<Self, SealError> {
        let text = config::secret(path)?;
        let key = Zeroizing::new(STANDARD.decode(text.expose_secret()).map_err(|_| SealError::Line(1))?);
        if key.len() != 32 {
            return Err(SealError::Line(1));
        }
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key) })
    }

    /// The index of `text`, in its one canonical spelling, as `context` (`guardian.phone`): the same text in
    /// another column has another.
    #[must_use]
    pub fn of(&self, context: &str, text: &str) -> [u8; 32] {
        let mut hash = hmac::Context::with_key(&self.key);
        // The length first: no two pairs of context and text run together to the same bytes.
        hash.update(&(context.len() as u64).to_be_bytes());
        hash.update(context.as_bytes());
        hash.update(text.as_bytes());
        let mut index = [0; 32];
        index.copy_from_slice(hash.sign().as_ref());
        index
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn line(number: u8, byte: u8) -> String {
        format!("{number} {}\n", STANDARD.encode([byte; 32]))
    }

    #[test]
    fn a_sealed_field_opens_as_what_it_was_sealed_as_and_as_nothing_else() {
        let sealer = Sealer::from_text(&line(1, 7)).unwrap();

        let sealed = sealer.seal("guardian.phone:1", "13800000000").unwrap();

        assert_eq!(sealer.open("guardian.phone:1", &sealed).unwrap(), "13800000000");
        assert!(matches!(sealer.open("guardian.phone:2", &sealed), Err(SealError::Damaged)));
    }

    #[test]
    fn a_field_changed_in_any_bit_does_not_open() {
        let sealer = Sealer::from_text(&line(1, 7)).unwrap();
        let sealed = sealer.seal("x", "张").unwrap();

        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(sealer.open("x", &changed).is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(sealer.open("x", &sealed[..length]).is_err(), "length {length}");
        }
    }

    #[test]
    fn equal_texts_are_sealed_differently_and_do_not_show() {
        let sealer = Sealer::from_text(&line(1, 7)).unwrap();

        let (one, other) =
            (sealer.seal("x", "13800000000").unwrap(), sealer.seal("x", "13800000000").unwrap());

        assert_ne!(one, other);
        assert!(!one.windows(4).any(|bytes| bytes == b"1380"));
    }

    #[test]
    fn an_old_key_still_opens_and_the_first_one_seals() {
        let old = Sealer::from_text(&line(1, 7)).unwrap();
        let ring = Sealer::from_text(&(line(2, 8) + "# retired in March\n" + &line(1, 7))).unwrap();
        let sealed = old.seal("x", "text").unwrap();

        assert_eq!(ring.open("x", &sealed).unwrap(), "text");
        assert!(!ring.is_current(&sealed));
        let again = ring.seal("x", "text").unwrap();
        assert!(ring.is_current(&again));
        assert!(matches!(old.open("x", &again), Err(SealError::UnknownKey(2))));
    }

    #[test]
    fn a_ring_that_is_not_one_is_refused_with_its_line() {
        assert!(matches!(Sealer::from_text("1 short\n"), Err(SealError::Line(1))));
        assert!(matches!(Sealer::from_text(&(line(1, 7) + &line(1, 8))), Err(SealError::Line(2))));
        assert!(matches!(
            Sealer::from_text(&format!("256 {}", STANDARD.encode([1; 32]))),
            Err(SealError::Line(1))
        ));
        assert!(matches!(Sealer::from_text("# nothing\n"), Err(SealError::Empty)));
    }

    #[test]
    fn a_blind_index_is_stable_for_its_context_only() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "{}", STANDARD.encode([9; 32])).unwrap();
        let index = BlindIndex::from_file(file.path()).unwrap();

        assert_eq!(index.of("guardian.phone", "13800000000"), index.of("guardian.phone", "13800000000"));
        assert_ne!(index.of("guardian.phone", "13800000000"), index.of("staff.phone", "13800000000"));
        assert_ne!(index.of("ab", "c"), index.of("a", "bc"));
    }
}
