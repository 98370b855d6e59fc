//! Who takes the money, and whose keys sign for it.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};

use super::is_known_scheme;
use crate::crypto::{ApiV3Key, ApiV3Keys, KeyError, KeyStore, MerchantKey, SignatureHeaders, VerifyError};

/// How the merchant stands towards WeChat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// The payee has its own contract and its own keys.
    Direct {
        /// The payee's merchant number.
        mchid: String,
    },
    /// A partner signs; the money goes straight to the school's own sub-merchant account.
    Partner {
        /// The partner's merchant number, whose keys sign.
        sp_mchid: String,
        /// The payee's number under that partner.
        sub_mchid: String,
        /// The payee's own mini-program, when parents pay in it rather than in the partner's.
        sub_appid: Option<String>,
    },
}

/// Everything the merchant console gives out. Keys are PEM text; secrets show nothing when printed.
#[derive(Debug)]
pub struct MerchantSettings {
    /// Direct or partner, with the numbers.
    pub mode: Mode,
    /// The mini-program bound to the signing merchant.
    pub appid: String,
    /// Serial number of the signing merchant's API certificate, upper-case hex.
    pub serial_no: String,
    /// `apiclient_key.pem` of that certificate (PKCS#8).
    pub private_key_pem: SecretString,
    /// The APIv3 key, 32 characters.
    pub apiv3_key: SecretString,
    /// The APIv3 key before the last change, while messages encrypted with it may still come.
    pub previous_apiv3_key: Option<SecretString>,
    /// WeChat Pay's public keys as (`Wechatpay-Serial` value, PEM). Answers are asked to be signed with the first.
    pub platform_keys: Vec<(String, String)>,
}

/// A merchant with its keys loaded. Cheap to clone; the keys are shared.
#[derive(Clone)]
pub struct Merchant {
    mode: Mode,
    appid: String,
    keys: Arc<Keys>,
}

struct Keys {
    key: MerchantKey,
    apiv3: ApiV3Keys,
    platform: KeyStore,
    answer_serial: String,
}

impl Merchant {
    /// Loads and cross-checks the keys.
    ///
    /// # Errors
    /// [`KeyError`] names the key that cannot be used, or is the merchant's own where WeChat's belongs.
    pub fn new(settings: MerchantSettings) -> Result<Self, KeyError> {
        let key = MerchantKey::from_pem(&settings.serial_no, settings.private_key_pem.expose_secret())?;
        let current = ApiV3Key::new(settings.apiv3_key.expose_secret())?;
        let previous = settings.previous_apiv3_key.as_ref();
        let previous = previous.map(|text| ApiV3Key::new(text.expose_secret())).transpose()?;
        let mut platform = KeyStore::new();
        for (serial, pem) in &settings.platform_keys {
            platform.add_pem(serial, pem)?;
        }
        let (answer_serial, _) = settings.platform_keys.into_iter().next().ok_or(KeyError::NoPublicKey)?;
        let own = key.public_der().map_err(|_| KeyError::PrivateKey)?;
        if let Some(serial) = platform.serial_of(&own) {
            return Err(KeyError::OwnKey { serial: serial.to_owned() });
        }
        let apiv3 = ApiV3Keys::new(current, previous);
        let keys = Arc::new(Keys { key, apiv3, platform, answer_serial });
        Ok(Self { mode: settings.mode, appid: settings.appid, keys })
    }

    /// The same partner's keys for another of its sub-merchants. Nothing for a direct merchant, which has none.
    #[must_use]
    pub fn for_sub_merchant(&self, sub_mchid: &str, sub_appid: Option<&str>) -> Option<Self> {
        match &self.mode {
            Mode::Direct { .. } => None,
            Mode::Partner { sp_mchid, .. } => Some(Self {
                mode: Mode::Partner {
                    sp_mchid: sp_mchid.clone(),
                    sub_mchid: sub_mchid.to_owned(),
                    sub_appid: sub_appid.map(str::to_owned),
                },
                appid: self.appid.clone(),
                keys: Arc::clone(&self.keys),
            }),
        }
    }

    /// Direct or partner, with the numbers.
    #[must_use]
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// The mini-program bound to the signing merchant.
    #[must_use]
    pub fn appid(&self) -> &str {
        &self.appid
    }

    /// The mini-program in which parents pay: the sub-merchant's own if it has one.
    #[must_use]
    pub fn paying_appid(&self) -> &str {
        match &self.mode {
            Mode::Partner { sub_appid: Some(sub_appid), .. } => sub_appid,
            Mode::Partner { sub_appid: None, .. } | Mode::Direct { .. } => &self.appid,
        }
    }

    /// The merchant number whose key signs.
    #[must_use]
    pub fn signer_mchid(&self) -> &str {
        match &self.mode {
            Mode::Direct { mchid } => mchid,
            Mode::Partner { sp_mchid, .. } => sp_mchid,
        }
    }

    /// The merchant number that receives the money.
    #[must_use]
    pub fn payee_mchid(&self) -> &str {
        match &self.mode {
            Mode::Direct { mchid } => mchid,
            Mode::Partner { sub_mchid, .. } => sub_mchid,
        }
    }

    pub(super) fn key(&self) -> &MerchantKey {
        &self.keys.key
    }

    pub(super) fn apiv3(&self) -> &ApiV3Keys {
        &self.keys.apiv3
    }

    pub(super) fn platform(&self) -> &KeyStore {
        &self.keys.platform
    }

    /// The key WeChat is asked to sign its answers with.
    pub(super) fn answer_serial(&self) -> &str {
        &self.keys.answer_serial
    }

    pub(super) fn verify_answer(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), VerifyError> {
        let signature = SignatureHeaders::from_headers(headers)?;
        if !is_known_scheme(headers) {
            return Err(VerifyError::Signature);
        }
        self.keys.platform.verify(&signature, body, now)
    }
}

impl fmt::Debug for Merchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merchant").field("mode", &self.mode).finish_non_exhaustive()
    }
}
