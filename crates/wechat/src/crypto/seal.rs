//! The APIv3 key: opening what notifications carry encrypted (AES-256-GCM).

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{CryptoError, KeyError};

/// One APIv3 key: 32 characters set in the merchant console, used as they are.
pub struct ApiV3Key {
    key: LessSafeKey,
}

/// The APIv3 keys in force: the current one, and during a rotation the one before it.
///
/// What WeChat encrypted just before a rotation arrives after it.
#[derive(Debug)]
pub struct ApiV3Keys {
    current: ApiV3Key,
    previous: Option<ApiV3Key>,
}

/// An encrypted part of a notification, field names as on the wire.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Sealed {
    /// Base64 of cipher text and 16-byte tag.
    pub ciphertext: String,
    /// Authenticated but not encrypted; empty when absent.
    #[serde(default)]
    pub associated_data: String,
    /// 12 characters, used as bytes.
    pub nonce: String,
}

/// No key in force opens this: it was altered, or the APIv3 key was replaced and ours was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no APIv3 key opens this")]
pub struct OpenError;

impl ApiV3Key {
    /// Takes the key as text.
    ///
    /// # Errors
    /// [`KeyError::ApiV3KeyLength`] unless it has 32 bytes.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let len = text.len();
        let key =
            UnboundKey::new(&AES_256_GCM, text.as_bytes()).map_err(|_| KeyError::ApiV3KeyLength { len })?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    fn open(&self, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let nonce = Nonce::try_assume_unique_for_key(sealed.nonce.as_bytes()).map_err(|_| OpenError)?;
        let mut bytes = Zeroizing::new(STANDARD.decode(&sealed.ciphertext).map_err(|_| OpenError)?);
        let aad = Aad::from(sealed.associated_data.as_bytes());
        let len = self.key.open_in_place(nonce, aad, &mut bytes).map_err(|_| OpenError)?.len();
        bytes.truncate(len);
        Ok(bytes)
    }

    /// Encrypts `plain` the way WeChat does, with a fresh nonce.
    ///
    /// # Errors
    /// [`CryptoError`] when the library fails.
    pub fn seal(&self, plain: &[u8], associated_data: &str) -> Result<Sealed, CryptoError> {
        let nonce: String = super::nonce()?.chars().take(12).collect();
        let mut bytes = plain.to_vec();
        self.key.seal_in_place_append_tag(
            Nonce::try_assume_unique_for_key(nonce.as_bytes())?,
            Aad::from(associated_data.as_bytes()),
            &mut bytes,
        )?;
        Ok(Sealed { ciphertext: STANDARD.encode(bytes), associated_data: associated_data.to_owned(), nonce })
    }
}

impl fmt::Debug for ApiV3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiV3Key(..)")
    }
}

impl ApiV3Keys {
    /// The keys in force.
    #[must_use]
    pub fn new(current: ApiV3Key, previous: Option<ApiV3Key>) -> Self {
        Self { current, previous }
    }

    /// Opens `sealed` with the current key, or else with the one before it. Verify the signature first.
    ///
    /// # Errors
    /// [`OpenError`] when neither fits or anything was altered.
    pub fn open(&self, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        match (self.current.open(sealed), &self.previous) {
            (Err(OpenError), Some(previous)) => previous.open(sealed),
            (opened, _) => opened,
        }
    }
}
