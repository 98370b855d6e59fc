//! Passwords, one-time codes and tokens: made, and compared without telling by time.
//!
//! | | kept as |
//! |---|---|
//! | a password somebody chose | Argon2id, 19 MiB, 2 passes (OWASP's minimum) |
//! | a first password: 16 characters drawn by us, more than 90 bits | Argon2id, least cost: nobody guesses it, and a table of thousands is hashed at once |
//! | a session token: 256 bits | SHA-256 |
//!
//! A check costs one full hash whatever is kept, and whether there is such an account or not. A first password that was right is then
//! kept at full cost.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version};
use aws_lc_rs::digest::{SHA256, digest};
use shared::random;
use shared::value::Moment;
use tokio::sync::Semaphore;
use totp_rs::{Builder, Secret};
use zeroize::Zeroizing;

/// Characters of a first password: none that looks like another.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXYZ2346789";

/// Characters in a first password.
const FIRST_PASSWORD_LENGTH: usize = 16;

/// Seconds in a step of the one-time codes. Source: RFC 6238 §5.2.
const STEP_SECONDS: i64 = 30;

/// Draws a first password.
#[must_use]
pub fn first_password() -> String {
    let count = ALPHABET.len();
    // Above the last whole multiple, early characters would come more often.
    let limit = 256 - 256 % count;
    let mut password = String::with_capacity(FIRST_PASSWORD_LENGTH);
    while password.len() < FIRST_PASSWORD_LENGTH {
        let [byte] = random::bytes::<1>();
        if usize::from(byte) < limit {
            password.push(char::from(ALPHABET[usize::from(byte) % count]));
        }
    }
    password
}

/// Draws the secret of one-time codes: 160 bits, base32.
#[must_use]
pub fn totp_secret() -> String {
    Secret::from(random::bytes::<20>().to_vec()).to_base32()
}

/// The steps near `now` (one before, this one, one after) whose code is `code`. More than one only by chance.
///
/// # Errors
/// When the secret is not base32 of 160 bits.
pub fn matching_steps(secret: &str, code: &str, now: Moment) -> anyhow::Result<Vec<i64>> {
    let secret =
        Secret::try_from_base32(secret).map_err(|_| anyhow!("the secret of one-time codes is not base32"))?;
    let totp =
        Builder::new().with_secret(secret).with_skew(0).build().context("the secret of one-time codes")?;
    let present = now.timestamp().div_euclid(STEP_SECONDS);
    let near = (present - 1)..=(present + 1);
    let matches = |step: &i64| {
        let seconds = u64::try_from(step * STEP_SECONDS).unwrap_or(0);
        totp.check(code, seconds).is_some()
    };
    Ok(near.filter(matches).collect())
}

/// The digest under which a session's token is kept.
#[must_use]
pub fn digest_token(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

/// Hashes a first password at least cost.
///
/// # Errors
/// When the library refuses.
pub fn hash_first(password: &str) -> anyhow::Result<String> {
    hash_with(8, 1, password)
}

fn hash_full(password: &str) -> anyhow::Result<String> {
    hash_with(19 * 1024, 2, password)
}

fn hash_with(kibibytes: u32, passes: u32, password: &str) -> anyhow::Result<String> {
    let params = Params::new(kibibytes, passes, 1, None).map_err(|error| anyhow!("argon2: {error}"))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password_with_salt(password.as_bytes(), &random::bytes::<16>());
    Ok(hash.map_err(|error| anyhow!("argon2: {error}"))?.to_string())
}

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// Argon2id, in the PHC string format.
    pub hash: String,
    /// Whether it is of a first password.
    pub is_first: bool,
}

/// What a check found.
#[derive(Clone, PartialEq, Eq)]
pub struct Checked {
    /// Whether the password is the one that is kept.
    pub is_right: bool,
    /// A hash at full cost, to be kept from now on.
    pub better_hash: Option<String>,
}

/// Hashes passwords, a few at a time, off the threads that serve: one takes 19 MiB and tens of milliseconds.
#[derive(Clone)]
pub struct Hasher {
    places: Arc<Semaphore>,
    /// Of no password: compared with when there is no account.
    nobody: Arc<str>,
}

impl Hasher {
    /// A hasher that works on as many passwords at once as there are processors.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn new() -> anyhow::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let nobody = hash_full(&random::token())?.into();
        Ok(Self { places: Arc::new(Semaphore::new(processors)), nobody })
    }

    /// Hashes a password that somebody chose.
    ///
    /// # Errors
    /// When the library refuses.
    pub async fn hash(&self, password: String) -> anyhow::Result<String> {
        let password = Zeroizing::new(password);
        self.work(move || hash_full(&password)).await
    }

    /// Compares a password with what is kept, if anything.
    ///
    /// # Errors
    /// When what is kept is no hash.
    pub async fn check(&self, password: String, kept: Option<Kept>) -> anyhow::Result<Checked> {
        let password = Zeroizing::new(password);
        let nobody = self.nobody.clone();
        self.work(move || match kept {
            None => {
                let _ = is_right(&password, &nobody)?;
                Ok(Checked { is_right: false, better_hash: None })
            }
            Some(kept) => {
                // A hash at least cost shows in the time unless the full one is done as well; done it is, for keeping.
                let better_hash = kept.is_cheap().then(|| hash_full(&password)).transpose()?;
                let is_right = is_right(&password, &kept.hash)?;
                Ok(Checked { is_right, better_hash: better_hash.filter(|_| is_right) })
            }
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let place = self.places.clone().acquire_owned().await?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        })
        .await?
    }
}

impl Kept {
    fn is_cheap(&self) -> bool {
        self.is_first && self.hash.contains("$m=8,")
    }
}

fn is_right(password: &str, hash: &str) -> anyhow::Result<bool> {
    let hash = PasswordHash::new(hash).map_err(|error| anyhow!("a kept password hash: {error}"))?;
    match Argon2::default().verify_password(password.as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(anyhow!("argon2: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use chrono::DateTime;

    use super::*;

    #[test]
    fn first_passwords_are_of_16_characters_that_look_like_no_other() {
        let drawn: HashSet<_> = (0..200).map(|_| first_password()).collect();

        assert_eq!(drawn.len(), 200);
        for password in &drawn {
            assert_eq!(password.len(), 16);
            assert!(!password.contains(['0', 'O', '1', 'l', 'I', '5', 'S', 'o', 'i', 'B']), "{password}");
        }
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B: secret "12345678901234567890", SHA-1; the last six of its eight digits.
        let secret = Secret::from(b"12345678901234567890".to_vec()).to_base32();
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            let at = |shift: i64| DateTime::from_timestamp(seconds + shift, 0).unwrap();
            let step = seconds / 30;
            assert_eq!(matching_steps(&secret, code, at(0)).unwrap(), [step], "{seconds}");
            assert_eq!(matching_steps(&secret, code, at(30)).unwrap(), [step], "a step late");
            assert_eq!(matching_steps(&secret, code, at(-30)).unwrap(), [step], "a step early");
            assert!(matching_steps(&secret, code, at(90)).unwrap().is_empty(), "two steps late");
            assert!(matching_steps(&secret, code, at(-90)).unwrap().is_empty(), "two steps early");
        }
        for code in ["", "28708", "2870822", "28708a", "２８７０８２"] {
            assert!(
                matching_steps(&secret, code, DateTime::from_timestamp(59, 0).unwrap()).unwrap().is_empty(),
                "{code}"
            );
        }
    }

    #[tokio::test]
    async fn a_first_password_is_kept_better_once_it_was_right() {
        let hasher = Hasher::new().unwrap();
        let kept = Kept { hash: hash_first("abcdefghijklmnop").unwrap(), is_first: true };

        let wrong = hasher.check("abcdefghijklmnoq".to_owned(), Some(kept.clone())).await.unwrap();
        assert!(!wrong.is_right && wrong.better_hash.is_none());

        let right = hasher.check("abcdefghijklmnop".to_owned(), Some(kept)).await.unwrap();
        assert!(right.is_right);
        let better = Kept { hash: right.better_hash.unwrap(), is_first: true };
        assert!(better.hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", better.hash);
        let again = hasher.check("abcdefghijklmnop".to_owned(), Some(better)).await.unwrap();
        assert!(again.is_right && again.better_hash.is_none());
        assert!(!hasher.check("abcdefghijklmnop".to_owned(), None).await.unwrap().is_right);
    }
}
