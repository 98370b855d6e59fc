//! Random texts for ids and secrets.

use aws_lc_rs::rand;

use crate::crypto::CryptoError;

fn pick(alphabet: &[u8], len: usize) -> Result<String, CryptoError> {
    let mut bytes = vec![0_u8; len];
    rand::fill(&mut bytes)?;
    // A slight preference for the first characters does not matter here.
    Ok(bytes.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect())
}

/// Decimal digits.
pub(super) fn digits(len: usize) -> Result<String, CryptoError> {
    pick(b"0123456789", len)
}

/// `0-9a-f`.
pub(super) fn lower_hex(len: usize) -> Result<String, CryptoError> {
    pick(b"0123456789abcdef", len)
}

/// `0-9A-F`.
pub(super) fn upper_hex(len: usize) -> Result<String, CryptoError> {
    pick(b"0123456789ABCDEF", len)
}

/// Letters and digits.
pub(super) fn letters(len: usize) -> Result<String, CryptoError> {
    pick(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", len)
}
