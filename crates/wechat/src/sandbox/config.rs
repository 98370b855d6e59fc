//! Who takes part in the sandbox: one mini-program, its merchants, WeChat's own keys, and the sandbox's pace.
//!
//! Both sides of the wire are made from the same value, so a client built from it fits the sandbox that serves it. In a folder it
//! is `sandbox.json` and one PEM file for each key.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::SandboxError;
use super::random;
use crate::crypto::{CryptoError, KeyError};
use crate::{mini, pay};

/// The sandbox's settings and key material. Worth nothing outside a sandbox, and still not printed.
#[derive(Clone, Serialize, Deserialize)]
pub struct SandboxConfig {
    /// The mini-program's appid.
    pub appid: String,
    /// The mini-program's secret.
    pub secret: String,
    /// The merchants. [`SandboxConfig::generate`] makes one direct merchant and one partner with two schools under it.
    pub merchants: Vec<SandboxMerchant>,
    /// WeChat's signing keys. The first signs what nobody chose a key for; [`SandboxConfig::generate`] makes a
    /// `PUB_KEY_ID_…` and one with a certificate serial.
    pub platform_keys: Vec<PlatformKey>,
    /// Divides WeChat's waits between notification attempts (15 s, 15 s, 30 s, 3 min…). Default 15: 1 s, 1 s, 2 s, 12 s…
    pub notify_wait_divisor: u32,
    /// Milliseconds from accepting a refund to its success. Default 1000.
    pub refund_delay_ms: u64,
    /// Seconds WeChat wants between two refunds of one order. Default 60, as at WeChat.
    pub refund_interval_seconds: u32,
    /// Hour of the Beijing day from which yesterday's bill exists. Default 10, as at WeChat.
    pub bill_ready_hour: u32,
    /// Whether notify URLs may be plain http. Default true: a sandbox usually serves its own machine.
    pub allow_http_notify: bool,
    /// Where the books are kept between runs; none keeps them in memory only. Not part of the saved settings.
    #[serde(skip)]
    pub state_file: Option<PathBuf>,
}

/// One merchant account.
#[derive(Clone, Serialize, Deserialize)]
pub struct SandboxMerchant {
    /// Merchant number.
    pub mchid: String,
    /// Sub-merchants; empty for a direct merchant, at least one for a partner.
    pub sub_mchids: Vec<String>,
    /// Serial number of the merchant's API certificate, 40 upper-case hex digits.
    pub serial_no: String,
    /// APIv3 key, 32 characters.
    pub apiv3_key: String,
    /// The merchant's private key, PKCS#8 PEM.
    #[serde(skip)]
    pub private_key_pem: String,
    /// The public half, which the sandbox verifies with.
    #[serde(skip)]
    pub public_key_pem: String,
}

/// One of WeChat's signing keys.
#[derive(Clone, Serialize, Deserialize)]
pub struct PlatformKey {
    /// `Wechatpay-Serial` value.
    pub serial: String,
    /// The private key, PKCS#8 PEM.
    #[serde(skip)]
    pub private_key_pem: String,
    /// The public half, which clients verify with.
    #[serde(skip)]
    pub public_key_pem: String,
}

impl SandboxConfig {
    /// Draws new keys, numbers and secrets.
    ///
    /// # Errors
    /// [`CryptoError`] when the system gives no randomness.
    pub fn generate() -> Result<Self, CryptoError> {
        let merchant = |sub_mchids: Vec<String>| -> Result<SandboxMerchant, CryptoError> {
            let (private_key_pem, public_key_pem) = key_pair()?;
            Ok(SandboxMerchant {
                mchid: format!("19{}", random::digits(8)?),
                sub_mchids,
                serial_no: random::upper_hex(40)?,
                apiv3_key: random::letters(32)?,
                private_key_pem,
                public_key_pem,
            })
        };
        let platform_key = |serial: String| -> Result<PlatformKey, CryptoError> {
            let (private_key_pem, public_key_pem) = key_pair()?;
            Ok(PlatformKey { serial, private_key_pem, public_key_pem })
        };
        let schools = vec![format!("16{}", random::digits(8)?), format!("16{}", random::digits(8)?)];
        Ok(Self {
            appid: format!("wx{}", random::lower_hex(16)?),
            secret: random::lower_hex(32)?,
            merchants: vec![merchant(Vec::new())?, merchant(schools)?],
            platform_keys: vec![
                platform_key(format!("PUB_KEY_ID_01{}", random::digits(26)?))?,
                platform_key(random::upper_hex(40)?)?,
            ],
            notify_wait_divisor: 15,
            refund_delay_ms: 1000,
            refund_interval_seconds: 60,
            bill_ready_hour: 10,
            allow_http_notify: true,
            state_file: None,
        })
    }

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    /// [`SandboxError`] names the file that is missing or unreadable.
    pub fn load(folder: &Path) -> Result<Self, SandboxError> {
        let path = folder.join("sandbox.json");
        let mut config: Self = serde_json::from_str(&read(&path)?)
            .map_err(|error| SandboxError::Unreadable { path, why: error.to_string() })?;
        for (name, private, public) in config.pem_slots() {
            *private = read(&folder.join(format!("{name}_key.pem")))?;
            *public = read(&folder.join(format!("{name}_public.pem")))?;
        }
        Ok(config)
    }

    /// Writes everything but the books into `folder`, which is made if missing. Private files are for the owner only.
    ///
    /// # Errors
    /// [`SandboxError`] names the file that cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), SandboxError> {
        fs::create_dir_all(folder).map_err(|error| SandboxError::file(folder, error))?;
        let mut copy = self.clone();
        for (name, private, public) in copy.pem_slots() {
            write_private(&folder.join(format!("{name}_key.pem")), private)?;
            write_private(&folder.join(format!("{name}_public.pem")), public)?;
        }
        let json = serde_json::to_string_pretty(self).map_err(|error| SandboxError::Unreadable {
            path: folder.join("sandbox.json"),
            why: error.to_string(),
        })?;
        // Written last: a folder that has it is complete.
        write_private(&folder.join("sandbox.json"), &json)
    }

    /// Reads the folder, or fills it with newly generated keys when it holds none.
    ///
    /// # Errors
    /// [`SandboxError`] from reading, generating or writing.
    pub fn load_or_generate(folder: &Path) -> Result<Self, SandboxError> {
        if folder.join("sandbox.json").exists() {
            return Self::load(folder);
        }
        let config = Self::generate()?;
        config.save(folder)?;
        Ok(config)
    }

    /// Client settings of the first direct merchant.
    ///
    /// # Errors
    /// [`KeyError`] when there is none or a key cannot be used.
    pub fn direct_merchant(&self) -> Result<pay::Merchant, KeyError> {
        let merchant = self.merchants.iter().find(|merchant| merchant.sub_mchids.is_empty());
        let merchant = merchant.ok_or(KeyError::Serial)?;
        self.client_merchant(merchant, pay::Mode::Direct { mchid: merchant.mchid.clone() })
    }

    /// Client settings of the first partner, for its sub-merchant at `index`.
    ///
    /// # Errors
    /// [`KeyError`] when there is none or a key cannot be used.
    pub fn partner_merchant(&self, index: usize) -> Result<pay::Merchant, KeyError> {
        let merchant = self.merchants.iter().find(|merchant| !merchant.sub_mchids.is_empty());
        let merchant = merchant.ok_or(KeyError::Serial)?;
        let sub_mchid = merchant.sub_mchids.get(index).ok_or(KeyError::Serial)?.clone();
        let mode = pay::Mode::Partner { sp_mchid: merchant.mchid.clone(), sub_mchid, sub_appid: None };
        self.client_merchant(merchant, mode)
    }

    fn client_merchant(
        &self,
        merchant: &SandboxMerchant,
        mode: pay::Mode,
    ) -> Result<pay::Merchant, KeyError> {
        pay::Merchant::new(pay::MerchantSettings {
            mode,
            appid: self.appid.clone(),
            serial_no: merchant.serial_no.clone(),
            private_key_pem: SecretString::from(merchant.private_key_pem.clone()),
            apiv3_key: SecretString::from(merchant.apiv3_key.clone()),
            previous_apiv3_key: None,
            platform_keys: self
                .platform_keys
                .iter()
                .map(|key| (key.serial.clone(), key.public_key_pem.clone()))
                .collect(),
        })
    }

    /// Settings of a pay client that speaks with a sandbox at `base_url`.
    #[must_use]
    pub fn pay_settings(&self, base_url: &str) -> pay::Settings {
        pay::Settings {
            base_url: base_url.to_owned(),
            backup_base_url: None,
            timeout: Duration::from_secs(5),
        }
    }

    /// Settings of a mini-program client that speaks with a sandbox at `base_url`.
    #[must_use]
    pub fn mini_settings(&self, base_url: &str) -> mini::Settings {
        mini::Settings {
            base_url: base_url.to_owned(),
            appid: self.appid.clone(),
            secret: SecretString::from(self.secret.clone()),
            timeout: Duration::from_secs(5),
        }
    }

    /// Every key's file stem with its two texts.
    fn pem_slots(&mut self) -> Vec<(String, &mut String, &mut String)> {
        let merchants = self.merchants.iter_mut().map(|merchant| {
            let name = format!("merchant_{}", merchant.mchid);
            (name, &mut merchant.private_key_pem, &mut merchant.public_key_pem)
        });
        let platform = self.platform_keys.iter_mut().map(|key| {
            (format!("platform_{}", key.serial), &mut key.private_key_pem, &mut key.public_key_pem)
        });
        merchants.chain(platform).collect()
    }
}

impl fmt::Debug for SandboxConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxConfig").field("appid", &self.appid).finish_non_exhaustive()
    }
}

/// A new RSA key of 2048 bits as (private PKCS#8 PEM, public PEM).
fn key_pair() -> Result<(String, String), CryptoError> {
    let pair = KeyPair::generate(KeySize::Rsa2048)?;
    let private: Pkcs8V1Der<'static> = pair.as_der()?;
    let public: PublicKeyX509Der<'static> = pair.public_key().as_der()?;
    Ok((pem("PRIVATE KEY", private.as_ref()), pem("PUBLIC KEY", public.as_ref())))
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines = (0..base64.len()).step_by(64).filter_map(|start| {
        let end = base64.len().min(start + 64);
        base64.get(start..end)
    });
    let body = lines.collect::<Vec<_>>().join("\n");
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

fn read(path: &Path) -> Result<String, SandboxError> {
    fs::read_to_string(path).map_err(|error| SandboxError::file(path, error))
}

fn write_private(path: &Path, text: &str) -> Result<(), SandboxError> {
    let write = || -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        io::Write::write_all(&mut options.open(path)?, text.as_bytes())
    };
    write().map_err(|error| SandboxError::file(path, error))
}
