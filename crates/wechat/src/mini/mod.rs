//! The mini-program server API: who a login code belongs to, a verified phone number, a subscribe message.
//!
//! | file | knows |
//! |---|---|
//! | `token` | the access token: fetched once for all callers, renewed early, dropped when refused |
//! | `login` | login code → openid; phone code → phone number |
//! | `message` | the subscribe message and the value rules of its fields |
//! | `error` | error numbers, sorted by what the caller should do |
//!
//! WeChat answers HTTP 200 with an error number in the JSON. The session key is dropped on arrival: nothing here needs it.
//!
//! Source: WeChat mini-program documentation, server API (小程序登录, 手机号, 订阅消息, 稳定版接口调用凭据).

mod error;
mod login;
mod message;
mod token;

use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use self::error::Error;
pub use self::login::{Phone, Session};
pub use self::message::{Field, InvalidMessage, MiniProgramState, Sent, SubscribeMessage};

use self::token::TokenCache;
use crate::Now;
use crate::http::{Failure, Host, SetupError};

/// Longest answer read, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// One mini-program and where its server API is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Origin of the API. In production `https://api.weixin.qq.com`.
    pub base_url: String,
    /// The mini-program's appid.
    pub appid: String,
    /// The mini-program's secret.
    pub secret: SecretString,
    /// Time for one request. About 5 seconds.
    pub timeout: Duration,
}

/// The client of one mini-program. Cheap to clone; clones share connections and the access token.
#[derive(Clone)]
pub struct MiniProgram {
    inner: Arc<Inner>,
}

struct Inner {
    host: Host,
    appid: String,
    secret: SecretString,
    token: TokenCache,
    now: Now,
}

impl MiniProgram {
    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`SetupError`] when the base URL is not https (or loopback) or TLS cannot be set up.
    pub fn new(settings: Settings, now: Now) -> Result<Self, SetupError> {
        let host = Host::new(&settings.base_url, settings.timeout)?;
        let Settings { appid, secret, .. } = settings;
        let inner = Inner { host, appid, secret, token: TokenCache::default(), now };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The mini-program's appid.
    #[must_use]
    pub fn appid(&self) -> &str {
        &self.inner.appid
    }

    /// Sends one request and reads the answer, whose error number may be absent when all is well.
    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: Vec<u8>,
    ) -> Result<T, Error> {
        #[derive(Deserialize)]
        struct Outcome {
            #[serde(default)]
            errcode: i64,
            #[serde(default)]
            errmsg: String,
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let host = &self.inner.host;
        let sent = async { host.send(method, host.url(target)?, headers, body, ANSWER_LIMIT).await };
        let answer = sent.await.map_err(|failure| match failure {
            Failure::NotSent(why) => Error::Busy { why },
            Failure::Unknown(why) => Error::Unknown { why },
        })?;
        if !answer.status.is_success() {
            return Err(Error::Unknown { why: format!("answered {}", answer.status.as_u16()) });
        }
        // Read as JSON whatever the content type says: the login call has long been labelled plain text.
        let unreadable = |_| Error::Unknown { why: "the answer is not the expected JSON".to_owned() };
        let outcome: Outcome = serde_json::from_slice(&answer.body).map_err(unreadable)?;
        match outcome.errcode {
            0 => serde_json::from_slice(&answer.body).map_err(unreadable),
            errcode => Err(Error::from_errcode(errcode, outcome.errmsg)),
        }
    }

    /// Sends one request that carries the access token; a refused token is replaced once.
    async fn call_with_token<T: DeserializeOwned>(&self, path: &str, body: &[u8]) -> Result<T, Error> {
        let token = self.token().await?;
        match self.post(path, &token, body).await {
            Err(Error::TokenRefused { .. }) => {
                self.inner.token.drop_if(&token).await;
                let token = self.token().await?;
                self.post(path, &token, body).await
            }
            answer => answer,
        }
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, token: &str, body: &[u8]) -> Result<T, Error> {
        let target = format!("{path}?access_token={}", crate::http::encode(token));
        self.call(Method::POST, &target, body.to_vec()).await
    }
}

impl std::fmt::Debug for MiniProgram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MiniProgram").field("appid", &self.inner.appid).finish_non_exhaustive()
    }
}
