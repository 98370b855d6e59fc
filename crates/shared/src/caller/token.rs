//! Tokens: who signs, who believes whom.
//!
//! A token is a JWT signed with Ed25519 (RFC 7519, RFC 8037). Its header names the issuer (`kid`), whose public key the
//! verifier must already have; its claims are
//!
//! | claim | is |
//! |---|---|
//! | `iss` | the issuer, the same as `kid` |
//! | `aud` | [`AUDIENCE`] |
//! | `sub` | [`Caller::key`] |
//! | `iat`, `exp` | seconds since 1970 UTC |
//! | `caller` | the [`Caller`] in full, so that a service decides without asking anyone |
//!
//! | issuer ↓ speaks for → | a guardian, staff | a service |
//! |---|---|---|
//! | [`IDENTITY`] | believed | itself only |
//! | any other | refused | itself only |

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::TimeDelta;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Caller;
use crate::clock::SharedClock;
use crate::value::Moment;

/// Whom every token is for.
pub const AUDIENCE: &str = "kehou";

/// The one issuer that may speak for people.
pub const IDENTITY: &str = "identity";

/// How long a service's own token lasts.
const SERVICE_TOKEN_LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// A service's own token is made anew when this much of its life is left: more than any call may take.
const SERVICE_TOKEN_RENEWAL: TimeDelta = TimeDelta::minutes(2);

/// How far the clocks of two machines may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// Verified tokens kept in memory; one is about 1 KB.
const CACHE_COUNT: u64 = 20_000;

/// A token was not made, or is not believed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It was good until then.
    #[error("the token expired at {expired_at}")]
    Expired {
        /// When its time ended, leeway not counted.
        expired_at: Moment,
    },
    /// It is not ours, not whole, or not for us.
    #[error("the token is not valid: {0}")]
    Invalid(&'static str),
    /// The issuer may not speak for this caller.
    #[error("issuer {issuer:?} may not speak for {caller}")]
    Forbidden {
        /// Who signed, or would have.
        issuer: String,
        /// For whom: [`Caller::key`].
        caller: String,
    },
    /// A key file could not be read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key file holds no Ed25519 key of the kind wanted.
    #[error("{path} holds no Ed25519 key")]
    Key {
        /// Which.
        path: PathBuf,
    },
    /// The crypto library would not sign.
    #[error("the token could not be signed")]
    Signing(#[source] jsonwebtoken::errors::Error),
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    exp: i64,
    caller: Caller,
}

/// Signs tokens with one issuer's private key.
pub struct Signer {
    issuer: String,
    key: EncodingKey,
    clock: SharedClock,
    /// The service token in use, and when it ends.
    service_token: Mutex<Option<(Arc<str>, Moment)>>,
}

impl Signer {
    /// Reads the private key of `issuer` from a PEM file (PKCS #8).
    ///
    /// # Errors
    /// [`TokenError::File`] or [`TokenError::Key`].
    pub fn load(issuer: &str, private_key: &Path, clock: SharedClock) -> Result<Self, TokenError> {
        let pem = Zeroizing::new(read(private_key)?);
        let key =
            EncodingKey::from_ed_pem(&pem).map_err(|_| TokenError::Key { path: private_key.to_owned() })?;
        Ok(Self { issuer: issuer.to_owned(), key, clock, service_token: Mutex::new(None) })
    }

    /// Signs a token for `caller` that lasts for `lifetime` from now.
    ///
    /// # Errors
    /// [`TokenError::Forbidden`] for a caller this issuer may not speak for: no verifier would believe it.
    pub fn token(&self, caller: &Caller, lifetime: Duration) -> Result<String, TokenError> {
        let lifetime =
            TimeDelta::from_std(lifetime).map_err(|_| TokenError::Invalid("its lifetime is too long"))?;
        self.sign(caller, self.clock.now(), lifetime)
    }

    /// The issuer's token for itself: signed once, used for minutes, made anew before it ends.
    ///
    /// # Errors
    /// [`TokenError::Signing`].
    pub fn service_token(&self) -> Result<Arc<str>, TokenError> {
        let now = self.clock.now();
        let mut kept = self.service_token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, expires_at)) = kept.as_ref()
            && now + SERVICE_TOKEN_RENEWAL < *expires_at
        {
            return Ok(token.clone());
        }
        let caller = Caller::Service(self.issuer.clone());
        let token: Arc<str> = self.sign(&caller, now, SERVICE_TOKEN_LIFETIME)?.into();
        *kept = Some((token.clone(), now + SERVICE_TOKEN_LIFETIME));
        Ok(token)
    }

    fn sign(&self, caller: &Caller, now: Moment, lifetime: TimeDelta) -> Result<String, TokenError> {
        check_issuer(&self.issuer, caller)?;
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: caller.key(),
            iat: now.timestamp(),
            exp: (now + lifetime).timestamp(),
            caller: caller.clone(),
        };
        let header = Header { kid: Some(self.issuer.clone()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, &claims, &self.key).map_err(TokenError::Signing)
    }
}

/// Believes tokens signed with the keys of one folder, and remembers the ones it has verified.
pub struct Verifier {
    /// Issuer → its keys; more than one while a key is being replaced.
    keys: HashMap<String, Vec<DecodingKey>>,
    validation: Validation,
    clock: SharedClock,
    /// SHA-256 of the token → what it says. Expiry is looked at on every use, not here.
    verified: moka::future::Cache<[u8; 32], Arc<Verified>>,
}

struct Verified {
    caller: Caller,
    issued_at: Moment,
    expires_at: Moment,
}

impl Verifier {
    /// Reads every `<issuer>.pub.pem` of `folder`. A second key of an issuer, for the time of a change, is
    /// `<issuer>.<anything>.pub.pem`.
    ///
    /// # Errors
    /// [`TokenError::File`] or [`TokenError::Key`]; a folder without any key is a verifier that believes nobody.
    pub fn load(folder: &Path, clock: SharedClock) -> Result<Self, TokenError> {
        let unread = |source| TokenError::File { path: folder.to_owned(), source };
        let mut keys: HashMap<String, Vec<DecodingKey>> = HashMap::new();
        for entry in fs::read_dir(folder).map_err(unread)? {
            let path = entry.map_err(unread)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(issuer) = name.strip_suffix(".pub.pem").and_then(|name| name.split('.').next()) else {
                continue;
            };
            let key = DecodingKey::from_ed_pem(&read(&path)?)
                .map_err(|_| TokenError::Key { path: path.clone() })?;
            keys.entry(issuer.to_owned()).or_default().push(key);
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // The library would read the system's clock; `check_time` reads ours.
        validation.validate_exp = false;
        Ok(Self { keys, validation, clock, verified: moka::future::Cache::new(CACHE_COUNT) })
    }

    /// Says for whom a token speaks.
    ///
    /// # Errors
    /// [`TokenError::Expired`], [`TokenError::Invalid`] or [`TokenError::Forbidden`].
    pub async fn verify(&self, token: &str) -> Result<Caller, TokenError> {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let now = self.clock.now();
        if let Some(known) = self.verified.get(&fingerprint).await {
            check_time(&known, now)?;
            return Ok(known.caller.clone());
        }
        let verified = Arc::new(self.read(token)?);
        check_time(&verified, now)?;
        let caller = verified.caller.clone();
        self.verified.insert(fingerprint, verified).await;
        Ok(caller)
    }

    /// Checks everything but the time.
    fn read(&self, token: &str) -> Result<Verified, TokenError> {
        let header = decode_header(token).map_err(|_| TokenError::Invalid("it is no JWT"))?;
        let issuer = header.kid.ok_or(TokenError::Invalid("it names no key"))?;
        let keys = self.keys.get(&issuer).ok_or(TokenError::Invalid("its issuer is unknown"))?;
        let mut failure = TokenError::Invalid("its issuer is unknown");
        for key in keys {
            match decode::<Claims>(token, key, &self.validation) {
                Ok(data) => return check_claims(&issuer, data.claims),
                Err(error) => failure = TokenError::Invalid(why(error.kind())),
            }
        }
        Err(failure)
    }
}

fn check_claims(issuer: &str, claims: Claims) -> Result<Verified, TokenError> {
    if claims.iss != issuer {
        return Err(TokenError::Invalid("its issuer is not its key's"));
    }
    check_issuer(issuer, &claims.caller)?;
    if claims.sub != claims.caller.key() {
        return Err(TokenError::Invalid("its subject is not its caller"));
    }
    let moment =
        |seconds| Moment::from_timestamp(seconds, 0).ok_or(TokenError::Invalid("its times are not times"));
    Ok(Verified { caller: claims.caller, issued_at: moment(claims.iat)?, expires_at: moment(claims.exp)? })
}

/// People are spoken for by identity, a service by itself, and nobody by nobody.
fn check_issuer(issuer: &str, caller: &Caller) -> Result<(), TokenError> {
    let allowed = match caller {
        Caller::Anonymous => false,
        Caller::Guardian(_) => issuer == IDENTITY,
        Caller::Staff(member) => issuer == IDENTITY && member.grants.iter().all(super::Grant::is_sound),
        Caller::Service(name) => name == issuer,
    };
    if allowed {
        return Ok(());
    }
    Err(TokenError::Forbidden { issuer: issuer.to_owned(), caller: caller.key() })
}

/// A token is good from `issued_at` (less the leeway) and over at `expires_at` (plus the leeway).
fn check_time(token: &Verified, now: Moment) -> Result<(), TokenError> {
    if now + LEEWAY < token.issued_at {
        return Err(TokenError::Invalid("it is from the future"));
    }
    if token.expires_at + LEEWAY <= now {
        return Err(TokenError::Expired { expired_at: token.expires_at });
    }
    Ok(())
}

fn why(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSignature => "its signature is not its issuer's",
        ErrorKind::InvalidAudience => "it is for somebody else",
        ErrorKind::InvalidAlgorithm => "it is not signed with Ed25519",
        ErrorKind::MissingRequiredClaim(_) => "a claim is missing",
        _ => "it cannot be read",
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TokenError> {
    fs::read(path).map_err(|source| TokenError::File { path: path.to_owned(), source })
}
