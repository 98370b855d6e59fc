//! Deciding whether a message came from WeChat Pay.

use std::collections::HashMap;

use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject as _;

use super::{CryptoError, KeyError};

/// How far a signed message's clock may be from ours, either way, in seconds.
///
/// Source: WeChat Pay APIv3, "签名验证": five minutes.
pub const SIGNATURE_WINDOW_SECONDS: u64 = 300;

/// Beginning of a signature with which WeChat tests that we refuse bad ones.
///
/// Source: WeChat Pay APIv3, "签名探测流量".
pub const PROBE_PREFIX: &str = "WECHATPAY/SIGNTEST/";

/// The four headers a signature is made of, as received and not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureHeaders {
    /// `Wechatpay-Timestamp`: seconds since 1970.
    pub timestamp: String,
    /// `Wechatpay-Nonce`.
    pub nonce: String,
    /// `Wechatpay-Signature`: base64.
    pub signature: String,
    /// `Wechatpay-Serial`: `PUB_KEY_ID_…`, or a platform certificate's serial in hex.
    pub serial: String,
}

/// Why a message is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A signature header is missing or is not text.
    #[error("the header {name} is missing")]
    MissingHeader {
        /// The header's name.
        name: &'static str,
    },
    /// WeChat is testing that we refuse bad signatures. Refuse it like any other, but do not raise an alarm.
    #[error("the signature is a probe")]
    Probe,
    /// The timestamp is not a number.
    #[error("the timestamp is not a number")]
    Timestamp,
    /// The timestamp is too far from our clock: a replay, or one of the two clocks is wrong.
    #[error("the timestamp is {seconds} seconds away")]
    Skew {
        /// Distance in seconds, never negative.
        seconds: u64,
    },
    /// The serial names no key we hold. Never trust a key because a message names it.
    #[error("the serial is unknown")]
    UnknownSerial {
        /// The serial as received, shortened to 64 characters.
        serial: String,
    },
    /// The signature does not belong to these bytes and this key.
    #[error("the signature does not match")]
    Signature,
}

impl SignatureHeaders {
    /// Takes the four headers out of `headers`.
    ///
    /// # Errors
    /// [`VerifyError::MissingHeader`] names the first that is missing, empty or not ASCII.
    pub fn from_headers(headers: &http::HeaderMap) -> Result<Self, VerifyError> {
        let take = |name: &'static str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            if value.is_empty() { Err(VerifyError::MissingHeader { name }) } else { Ok(value.to_owned()) }
        };
        Ok(Self {
            timestamp: take("Wechatpay-Timestamp")?,
            nonce: take("Wechatpay-Nonce")?,
            signature: take("Wechatpay-Signature")?,
            serial: take("Wechatpay-Serial")?,
        })
    }
}

/// WeChat Pay's public keys by `Wechatpay-Serial`: a public key id, certificate serials, or all at once.
///
/// While a merchant moves from certificates to the public key, WeChat mixes both from message to message.
#[derive(Debug, Default)]
pub struct KeyStore {
    spki_by_serial: HashMap<String, Vec<u8>>,
}

impl KeyStore {
    /// An empty store, which verifies nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the `PUBLIC KEY` in `pem` under `serial`. A certificate's key is taken out once, with any tool, by the operator.
    ///
    /// # Errors
    /// [`KeyError::PublicKey`] when the PEM is not an RSA public key, [`KeyError::Serial`] when the serial is empty.
    pub fn add_pem(&mut self, serial: &str, pem: &str) -> Result<(), KeyError> {
        let refused = || KeyError::PublicKey { serial: serial.to_owned() };
        if serial.is_empty() {
            return Err(KeyError::Serial);
        }
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(|_| refused())?;
        PublicEncryptingKey::from_der(&der).map_err(|_| refused())?;
        self.spki_by_serial.insert(serial.to_owned(), der.to_vec());
        Ok(())
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spki_by_serial.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spki_by_serial.is_empty()
    }

    /// Whether a key for `serial` is held.
    #[must_use]
    pub fn contains(&self, serial: &str) -> bool {
        self.spki_by_serial.contains_key(serial)
    }

    /// The serial under which exactly this key is held.
    pub(crate) fn serial_of(&self, spki: &[u8]) -> Option<&str> {
        self.spki_by_serial.iter().find(|(_, held)| *held == spki).map(|(serial, _)| serial.as_str())
    }

    /// Decides whether `body`, the raw bytes as received, was signed by WeChat within five minutes of `now`.
    ///
    /// # Errors
    /// [`VerifyError`] says why not, cheapest check first. Whatever it says, no byte of the body may be used.
    pub fn verify(
        &self,
        headers: &SignatureHeaders,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), VerifyError> {
        let start = [headers.timestamp.as_bytes(), b"\n", headers.nonce.as_bytes()].concat();
        self.verify_lines(headers, &start, body, now)
    }

    /// The same decision for a merchant's request, as the sandbox makes it; the store then holds merchants' keys.
    pub(crate) fn verify_request(
        &self,
        headers: &SignatureHeaders,
        method: &str,
        target: &str,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), VerifyError> {
        let start = format!("{method}\n{target}\n{}\n{}", headers.timestamp, headers.nonce);
        self.verify_lines(headers, start.as_bytes(), body, now)
    }

    fn verify_lines(
        &self,
        headers: &SignatureHeaders,
        start: &[u8],
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), VerifyError> {
        if headers.signature.starts_with(PROBE_PREFIX) {
            return Err(VerifyError::Probe);
        }
        let signed_at: i64 = headers.timestamp.parse().map_err(|_| VerifyError::Timestamp)?;
        // The timestamp is not authenticated yet: any i64 must be survived.
        let seconds = now.timestamp().abs_diff(signed_at);
        if seconds > SIGNATURE_WINDOW_SECONDS {
            return Err(VerifyError::Skew { seconds });
        }
        let spki = self.spki_by_serial.get(&headers.serial).ok_or_else(|| VerifyError::UnknownSerial {
            serial: headers.serial.chars().take(64).collect(),
        })?;
        verify_bytes(spki, &[start, b"\n", body, b"\n"].concat(), &headers.signature)
    }

    /// Encrypts a sensitive request field (a name, a card number) for the holder of `serial`'s private key.
    ///
    /// RSA-OAEP with SHA-1, base64. The request must name the same serial in `Wechatpay-Serial`.
    ///
    /// # Errors
    /// [`CryptoError`] when the serial is unknown or `plain` is longer than the key allows (214 bytes at 2048 bits).
    pub fn encrypt_field(&self, serial: &str, plain: &[u8]) -> Result<String, CryptoError> {
        let spki = self.spki_by_serial.get(serial).ok_or(CryptoError)?;
        let key = PublicEncryptingKey::from_der(spki).map_err(|_| CryptoError)?;
        let key = OaepPublicEncryptingKey::new(key)?;
        let mut cipher = vec![0; key.ciphertext_size()];
        let cipher = key.encrypt(&OAEP_SHA1_MGF1SHA1, plain, &mut cipher, None)?;
        Ok(STANDARD.encode(cipher))
    }
}

/// Checks a base64 signature over `message` with the public key in `pem`.
pub(crate) fn verify_bytes_pem(pem: &str, message: &[u8], signature: &str) -> Result<(), VerifyError> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(|_| VerifyError::Signature)?;
    verify_bytes(&der, message, signature)
}

/// Checks a base64 signature over `message` with one key.
fn verify_bytes(spki: &[u8], message: &[u8], signature: &str) -> Result<(), VerifyError> {
    let signature = STANDARD.decode(signature).map_err(|_| VerifyError::Signature)?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, spki)
        .verify(message, &signature)
        .map_err(|_| VerifyError::Signature)
}
