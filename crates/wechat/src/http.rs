//! One HTTP client for a WeChat host: short time limits, no redirects, bounded answers.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Url;

use crate::crypto::KeyError;

/// Why a client cannot be built. Found at start, before anything is sent.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The base URL is not `https://host[:port]`, nor `http` on a loopback address.
    #[error("the base URL {url} is not https, or has a path")]
    BaseUrl {
        /// The setting as given.
        url: String,
    },
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// TLS could not be set up, usually because the system has no root certificates.
    #[error("the HTTP client cannot be built: {why}")]
    Client {
        /// The HTTP library's words.
        why: String,
    },
}

/// What came back, whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What went wrong between us and the answer. The words hold no URL, because URLs may hold tokens.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The request never left this machine.
    NotSent(String),
    /// It may have arrived.
    Unknown(String),
}

/// A connection pool to one host.
#[derive(Clone)]
pub(crate) struct Host {
    client: reqwest::Client,
    origin: Url,
}

impl Host {
    /// `base_url` is an origin. Plain http, and going around any proxy, are for loopback addresses only.
    pub(crate) fn new(base_url: &str, timeout: Duration) -> Result<Self, SetupError> {
        let refused = || SetupError::BaseUrl { url: base_url.to_owned() };
        let origin = Url::parse(base_url).map_err(|_| refused())?;
        let is_loopback = is_loopback(&origin);
        if origin.path() != "/" || origin.query().is_some() || !(origin.scheme() == "https" || is_loopback) {
            return Err(refused());
        }
        let builder = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(2)))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("kehou-wechat/", env!("CARGO_PKG_VERSION")));
        let builder = if is_loopback { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| SetupError::Client { why: error.to_string() })?;
        Ok(Self { client, origin })
    }

    /// The URL of `target`, which begins with a slash.
    pub(crate) fn url(&self, target: &str) -> Result<Url, Failure> {
        self.origin.join(target).map_err(|error| Failure::NotSent(error.to_string()))
    }

    /// Sends one request and reads the answer up to `limit` bytes.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Vec<u8>,
        limit: usize,
    ) -> Result<Answer, Failure> {
        let request = self.client.request(method, url).headers(headers).body(body);
        let mut response = request.send().await.map_err(failure)?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| Failure::Unknown(words(error)))? {
            if body.len() + chunk.len() > limit {
                return Err(Failure::Unknown(format!("the answer is longer than {limit} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body: body.freeze() })
    }
}

/// Path and query as they go over the wire, which is what a signature covers.
pub(crate) fn target(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// Whether the URL's host is this machine by its address or by the name `localhost`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Percent-encodes everything but unreserved characters, for one path segment or query value.
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

fn failure(error: reqwest::Error) -> Failure {
    if error.is_connect() || error.is_builder() {
        Failure::NotSent(words(error))
    } else {
        Failure::Unknown(words(error))
    }
}

/// The error and its causes in one line, without the URL.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut line = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
