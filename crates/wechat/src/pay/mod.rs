//! WeChat Pay APIv3 for orders paid inside the mini-program.
//!
//! | file | knows |
//! |---|---|
//! | `merchant` | who takes the money and who signs: direct or partner, with the keys |
//! | `order` | the order: create, query, close, pay sheet |
//! | `refund` | the refund: ask, query |
//! | `notification` | what WeChat pushes: payment and refund |
//! | `bill_file` | the bills of a day as files: fetched, unpacked, held against their hash |
//! | `bill` | what a trade bill says |
//! | `fund_bill` | what a fund-flow bill says |
//! | `error` | what an answer means for the caller: may it have happened? |
//!
//! Rules every caller lives by. An order number and its JSON are stored before the first call and replayed byte for byte;
//! a refund number is never replaced while its outcome is unknown; a notification is never the only source. Amounts are whole
//! fen in yuan currency (CNY).
//!
//! Source: WeChat Pay APIv3 documentation, JSAPI/小程序支付 for merchants and partners.

mod bill;
mod bill_file;
mod error;
mod fund_bill;
mod merchant;
mod notification;
mod order;
mod refund;

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::de::DeserializeOwned;

pub use self::bill::{BillRefund, BillRow, TradeBill};
pub use self::bill_file::{BillFile, BillKind};
pub use self::error::Error;
pub use self::fund_bill::{FundBill, FundRow};
pub use self::merchant::{Merchant, MerchantSettings, Mode};
pub use self::notification::{Notification, NotificationError, Notified, RefundNotice};
pub use self::order::{Expected, Mismatch, OrderRequest, OrderState, Payment, Prepaid, is_order_no};
pub use self::refund::{Refund, RefundRequest, RefundState, is_refund_no};
pub use crate::crypto::{PaySheet, SignatureHeaders, VerifyError};

use self::error::Effect;
use crate::Now;
use crate::crypto::SCHEME;
use crate::http::{Answer, Failure, Host, SetupError, target};

/// Longest answer read, in bytes, except for bills.
const ANSWER_LIMIT: usize = 256 * 1024;

/// Where WeChat Pay is and how long to wait for it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Origin of the API. Default `https://api.mch.weixin.qq.com`.
    pub base_url: String,
    /// Origin used when the first cannot be reached at all. Default `https://api2.mch.weixin.qq.com`.
    pub backup_base_url: Option<String>,
    /// Time for one request, from connecting to the last byte. Default 5 seconds.
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: "https://api.mch.weixin.qq.com".to_owned(),
            backup_base_url: Some("https://api2.mch.weixin.qq.com".to_owned()),
            timeout: Duration::from_secs(5),
        }
    }
}

/// A request value WeChat would refuse, found before sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct Invalid {
    /// The field's name on the wire.
    pub field: &'static str,
    /// The rule it breaks.
    pub why: &'static str,
}

/// The client of one merchant. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Pay {
    host: Host,
    backup: Option<Host>,
    merchant: Merchant,
    now: Now,
}

impl Pay {
    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`SetupError`] when a base URL is not https (or loopback) or TLS cannot be set up.
    pub fn new(settings: &Settings, merchant: Merchant, now: Now) -> Result<Self, SetupError> {
        let host = Host::new(&settings.base_url, settings.timeout)?;
        let backup = settings.backup_base_url.as_deref();
        let backup = backup.map(|url| Host::new(url, settings.timeout)).transpose()?;
        Ok(Self { host, backup, merchant, now })
    }

    /// The same connections for another merchant: a school's sub-merchant, or another account.
    #[must_use]
    pub fn with_merchant(&self, merchant: Merchant) -> Self {
        Self { merchant, ..self.clone() }
    }

    /// Who takes the money.
    #[must_use]
    pub fn merchant(&self) -> &Merchant {
        &self.merchant
    }

    /// Sends one signed request and gives the verified body of a 2xx answer.
    async fn call(&self, method: Method, path: &str, body: &[u8], effect: Effect) -> Result<Answer, Error> {
        let answer = self.exchange(method, path, body, ANSWER_LIMIT).await?;
        let verified = self.merchant.verify_answer(&answer.headers, &answer.body, (self.now)());
        error::classify(answer, verified, effect)
    }

    /// Like [`Self::call`], with the body read as JSON.
    async fn call_json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &[u8],
        effect: Effect,
    ) -> Result<T, Error> {
        let answer = self.call(method, path, body, effect).await?;
        serde_json::from_slice(&answer.body).map_err(|error| unreadable(&error))
    }

    /// Signs and sends; the backup host is tried only when nothing has left this machine.
    async fn exchange(&self, method: Method, path: &str, body: &[u8], limit: usize) -> Result<Answer, Error> {
        let first = self.exchange_with(&self.host, method.clone(), path, body, limit).await;
        let answer = match (first, &self.backup) {
            (Err(Failure::NotSent(why)), Some(backup)) => {
                tracing::warn!(why, "WeChat Pay cannot be reached, trying its backup host");
                self.exchange_with(backup, method, path, body, limit).await
            }
            (answer, _) => answer,
        };
        let answer = answer.map_err(|failure| match failure {
            Failure::NotSent(why) => Error::NotSent { why },
            Failure::Unknown(why) => Error::Unknown { why },
        })?;
        let request_id = answer.headers.get("Request-ID").and_then(|value| value.to_str().ok());
        tracing::debug!(status = answer.status.as_u16(), request_id, "WeChat Pay answered");
        Ok(answer)
    }

    async fn exchange_with(
        &self,
        host: &Host,
        method: Method,
        path: &str,
        body: &[u8],
        limit: usize,
    ) -> Result<Answer, Failure> {
        let url = host.url(path)?;
        let headers =
            self.headers(&method, &target(&url), body).map_err(|why| Failure::NotSent(why.to_owned()))?;
        host.send(method, url, headers, body.to_vec(), limit).await
    }

    fn headers(&self, method: &Method, target: &str, body: &[u8]) -> Result<HeaderMap, &'static str> {
        let authorization = self
            .merchant
            .key()
            .authorization(self.merchant.signer_mchid(), method.as_str(), target, body, (self.now)())
            .map_err(|_| "the request could not be signed")?;
        let mut authorization = HeaderValue::from_str(&authorization)
            .map_err(|_| "the merchant number cannot stand in a header")?;
        authorization.set_sensitive(true);
        let serial = HeaderValue::from_str(self.merchant.answer_serial())
            .map_err(|_| "the public key id cannot stand in a header")?;
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(HeaderName::from_static("wechatpay-serial"), serial);
        Ok(headers)
    }
}

impl std::fmt::Debug for Pay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pay").field("merchant", &self.merchant).finish_non_exhaustive()
    }
}

/// A verified answer we cannot read: what was asked for may well have happened.
fn unreadable(error: &serde_json::Error) -> Error {
    // The position is enough to find the cause; the text itself would quote the body.
    Error::Unknown {
        why: format!(
            "the answer is not the expected JSON (line {}, column {})",
            error.line(),
            error.column()
        ),
    }
}

/// A time as WeChat wants it: RFC 3339 in Beijing time, whole seconds.
fn beijing(at: chrono::DateTime<chrono::Utc>) -> String {
    (at.naive_utc() + chrono::TimeDelta::hours(8)).format("%Y-%m-%dT%H:%M:%S+08:00").to_string()
}

/// Drops what WeChat's three-byte UTF-8 cannot hold (rare Han characters, emoji) and cuts to `limit` characters.
fn plain_text(text: &str, limit: usize) -> String {
    text.chars().filter(|character| u32::from(*character) <= 0xFFFF).take(limit).collect()
}

/// Whether a notify URL is what WeChat takes: absolute, no query. Whether http is taken is the other side's rule.
fn check_notify_url(url: &str, limit: usize) -> Result<(), Invalid> {
    let refused = |why| Err(Invalid { field: "notify_url", why });
    match reqwest::Url::parse(url) {
        Ok(_) if url.len() > limit => refused("is too long"),
        Ok(url) if url.query().is_some() || url.fragment().is_some() => refused("has a query or fragment"),
        Ok(url) if url.has_host() => Ok(()),
        Ok(_) | Err(_) => refused("is not an absolute URL"),
    }
}

/// The signature scheme an answer may name; anything else is not verified by us.
fn is_known_scheme(headers: &HeaderMap) -> bool {
    headers.get("Wechatpay-Signature-Type").is_none_or(|value| value.as_bytes() == SCHEME.as_bytes())
}
