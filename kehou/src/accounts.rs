//! The demonstration's accounts: first credentials as the imports gave them, kept in the data folder so that people can
//! sign in. A real district hands them out on paper and keeps none.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::clock::Clock;
use totp_rs::{Builder, Secret};

use crate::person::text;

/// The length of a one-time code's life.
const STEP_SECONDS: u64 = 30;

/// What one person signs in with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// The password.
    pub password: String,
    /// The secret of the one-time code, base32.
    pub totp_secret: String,
}

/// All accounts, by login name, in a file.
pub struct Accounts {
    file: PathBuf,
    known: Mutex<Known>,
}

#[derive(Default, Serialize, Deserialize)]
struct Known {
    accounts: BTreeMap<String, Account>,
    /// The last step of 30 seconds each account signed in with: a code works once.
    used_steps: BTreeMap<String, u64>,
}

impl Accounts {
    /// Reads `accounts.json` of a data folder; none are known when there is no such file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let file = data.join("accounts.json");
        let known = if file.exists() {
            serde_json::from_slice(&fs::read(&file)?)
                .with_context(|| format!("reading {}", file.display()))?
        } else {
            Known::default()
        };
        Ok(Self { file, known: Mutex::new(known) })
    }

    /// Keeps first credentials as an import or the bootstrap gave them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, credentials: &[Value]) -> anyhow::Result<()> {
        self.change(|known| {
            for one in credentials {
                let account =
                    Account { password: text(one, "password"), totp_secret: text(one, "totp_secret") };
                known.accounts.insert(text(one, "login_name"), account);
            }
        })
    }

    /// The account of a login name.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&self, login_name: &str) -> anyhow::Result<Account> {
        let known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.accounts.get(login_name).cloned().with_context(|| format!("no account {login_name}"))
    }

    /// The login names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.accounts.keys().cloned().collect()
    }

    /// A one-time code that has not been used: of this step or the next. Waits when both are used up. One of the step before
    /// would be good now and too old by the time it is looked at, should a step end in between.
    ///
    /// # Errors
    /// When the secret is malformed or the file cannot be written.
    pub async fn next_code(
        &self,
        login_name: &str,
        secret: &str,
        clock: &dyn Clock,
    ) -> anyhow::Result<String> {
        let step = loop {
            let now = u64::try_from(clock.now().timestamp())? / STEP_SECONDS;
            let used = {
                let known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                known.used_steps.get(login_name).copied().unwrap_or_default()
            };
            let step = now.max(used + 1);
            if step <= now + 1 {
                break step;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        self.change(|known| {
            known.used_steps.insert(login_name.to_owned(), step);
        })?;
        let secret = Secret::try_from_base32(secret).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let totp =
            Builder::new().with_secret(secret).build().map_err(|error| anyhow::anyhow!("{error:?}"))?;
        Ok(totp.generate(step * STEP_SECONDS).to_string())
    }

    fn change(&self, change: impl FnOnce(&mut Known)) -> anyhow::Result<()> {
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut known);
        let next = self.file.with_extension("json.next");
        fs::write(&next, serde_json::to_vec_pretty(&*known)?)?;
        fs::rename(&next, &self.file)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::value::Moment;

    use super::*;

    struct At(Moment);

    impl Clock for At {
        fn now(&self) -> Moment {
            self.0
        }
    }

    #[tokio::test]
    async fn a_code_is_still_good_when_a_step_ends_before_it_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Accounts::open(folder.path()).unwrap();
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let first = json!({ "login_name": "a", "password": "b", "totp_secret": secret });
        accounts.keep(&[first]).unwrap();
        // The last second of a step.
        let clock = At(Moment::from_timestamp(1_800_000_029, 0).unwrap());

        let codes = [
            accounts.next_code("a", secret, &clock).await.unwrap(),
            accounts.next_code("a", secret, &clock).await.unwrap(),
        ];

        let secret = Secret::try_from_base32(secret).unwrap();
        let totp = Builder::new().with_secret(secret).build().unwrap();
        let of_step = |second: u64| totp.generate(second).to_string();
        assert_eq!(codes, [of_step(1_800_000_029), of_step(1_800_000_030)]);
    }
}
