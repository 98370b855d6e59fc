//! The access token: one per process and mini-program.
//!
//! The stable-token call in normal mode gives every caller the same token until it nears its end, so several processes may
//! each fetch for themselves. Forced renewal is for leaks and is never done here.

use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{Error, MiniProgram};

/// A token with less life than this is replaced before use.
const RENEW_BEFORE: TimeDelta = TimeDelta::minutes(10);

/// The token in use. The lock is held while fetching, so that callers who come meanwhile share the one fetch.
#[derive(Default)]
pub(super) struct TokenCache {
    held: Mutex<Option<Held>>,
}

struct Held {
    token: SecretString,
    renew_at: DateTime<Utc>,
}

impl TokenCache {
    /// Forgets the token, unless another caller has replaced it already.
    pub(super) async fn drop_if(&self, refused: &str) {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|held| held.token.expose_secret() == refused) {
            *held = None;
        }
    }
}

impl MiniProgram {
    /// Gives a token with life left in it.
    pub(super) async fn token(&self) -> Result<Zeroizing<String>, Error> {
        let mut held = self.inner.token.held.lock().await;
        let now = (self.inner.now)();
        if let Some(held) = held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(Zeroizing::new(held.token.expose_secret().to_owned()));
        }
        let (token, life) = self.fetch_token().await?;
        let give = Zeroizing::new(token.expose_secret().to_owned());
        // Near its end WeChat hands out a token with five minutes left; using it up is better than asking on every call.
        let renew_at = now + (life - RENEW_BEFORE).max(life / 2);
        *held = Some(Held { token, renew_at });
        Ok(give)
    }

    async fn fetch_token(&self) -> Result<(SecretString, TimeDelta), Error> {
        #[derive(Deserialize)]
        struct Answer {
            access_token: String,
            expires_in: u32,
        }
        let body = Zeroizing::new(
            serde_json::json!({
                "grant_type": "client_credential",
                "appid": self.inner.appid,
                "secret": self.inner.secret.expose_secret(),
            })
            .to_string(),
        );
        let answer: Answer = self
            .call(Method::POST, "/cgi-bin/stable_token", body.as_bytes().to_vec())
            .await
            .map_err(|error| {
                match error {
                    // On this call the number means the secret is wrong, not a token.
                    Error::TokenRefused { errcode } => {
                        Error::Configuration { errcode, errmsg: "the secret is refused".to_owned() }
                    }
                    error => error,
                }
            })?;
        Ok((SecretString::from(answer.access_token), TimeDelta::seconds(i64::from(answer.expires_in))))
    }
}
