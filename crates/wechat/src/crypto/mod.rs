//! The cryptography of WeChat Pay APIv3, on aws-lc-rs.
//!
//! | file | knows |
//! |---|---|
//! | `sign` | the merchant's RSA key: request signature and pay-sheet signature |
//! | `verify` | WeChat's public keys by serial, and whether a message really came from WeChat |
//! | `seal` | the APIv3 key: what a notification carries encrypted |
//!
//! Signatures are RSASSA-PKCS1-v1_5 with SHA-256 over lines that each end in a line feed, the last too.
//!
//! Source: WeChat Pay APIv3 documentation, "签名生成" and "签名验证".

mod seal;
mod sign;
#[cfg(test)]
mod tests;
mod verify;

use aws_lc_rs::{digest, rand};

pub use seal::{ApiV3Key, ApiV3Keys, OpenError, Sealed};
pub use sign::{MerchantKey, PaySheet, SCHEME};
pub(crate) use verify::verify_bytes_pem;
pub use verify::{KeyStore, PROBE_PREFIX, SIGNATURE_WINDOW_SECONDS, SignatureHeaders, VerifyError};

/// Why key material cannot be used. Carries no part of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The PEM holds no PKCS#8 `PRIVATE KEY` block, or it is not an RSA key of 2048 bits or more.
    #[error("the private key is not a PKCS#8 PEM of an RSA key")]
    PrivateKey,
    /// The PEM holds no `PUBLIC KEY` block, or it is not an RSA key. `serial` names the entry.
    #[error("the public key {serial} is not a PEM of an RSA key")]
    PublicKey {
        /// The `Wechatpay-Serial` value the key was given for.
        serial: String,
    },
    /// The APIv3 key is not 32 bytes.
    #[error("the APIv3 key has {len} bytes instead of 32")]
    ApiV3KeyLength {
        /// Bytes given.
        len: usize,
    },
    /// A verification key is the merchant's own key: nothing from WeChat could ever verify.
    #[error("the public key {serial} is the merchant's own key")]
    OwnKey {
        /// The `Wechatpay-Serial` value the key was given for.
        serial: String,
    },
    /// No verification key was given.
    #[error("no public key of WeChat Pay is configured")]
    NoPublicKey,
    /// The serial number is empty or holds characters that cannot stand in a header.
    #[error("the serial number is not usable")]
    Serial,
}

/// The cryptographic library refused an operation on good input: no randomness, or no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library failed")]
pub struct CryptoError;

impl From<aws_lc_rs::error::Unspecified> for CryptoError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

/// Draws a fresh nonce of 32 upper-case hexadecimal digits, the longest WeChat takes.
///
/// # Errors
/// [`CryptoError`] when the system has no randomness to give.
pub fn nonce() -> Result<String, CryptoError> {
    let mut bytes = [0_u8; 16];
    rand::fill(&mut bytes)?;
    Ok(hex(&bytes).to_ascii_uppercase())
}

/// SHA-1 of a bill in lower-case hexadecimal, the only digest WeChat gives for bills. Over the uncompressed bytes.
#[must_use]
pub fn bill_sha1(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref())
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
