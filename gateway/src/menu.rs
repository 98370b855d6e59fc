//! Menus, ready to be sent: serialised and compressed once per change, answered with an ETag.
//!
//! A school's menu is read by every family in the same minute and changes once a day. Seat counts change every moment and
//! are another, small document; so a menu stays `304 Not Modified` for hours.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use moka::future::Cache;
use serde::Serialize;
use shared::status;

use crate::problem::Refusal;

/// How long a snapshot is served before the service is asked again.
const FRESH: Duration = Duration::from_millis(500);

/// How long a snapshot nobody asks for is kept, to be found unchanged.
const KEPT: Duration = Duration::from_secs(600);

/// How much memory the kept snapshots may take, in bytes.
const KEPT_BYTES: u64 = 256 * 1024 * 1024;

/// Snapshots by key, such as a term's id. A thousand callers who come at once cause one reading.
pub struct Snapshots {
    /// Those that are served as they are.
    fresh: Cache<String, Arc<Snapshot>>,
    /// The last one of each, so that what has not changed is not compressed again.
    kept: Cache<String, Arc<Snapshot>>,
}

/// A document, ready to be sent.
pub struct Snapshot {
    etag: HeaderValue,
    plain: Bytes,
    gzip: Bytes,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self {
            fresh: Cache::builder().max_capacity(10_000).time_to_live(FRESH).build(),
            kept: Cache::builder()
                .weigher(|key: &String, kept: &Arc<Snapshot>| {
                    u32::try_from(key.len() + kept.plain.len() + kept.gzip.len()).unwrap_or(u32::MAX)
                })
                .max_capacity(KEPT_BYTES)
                .time_to_idle(KEPT)
                .build(),
        }
    }
}

/// Writes a document as JSON.
///
/// # Errors
/// `INTERNAL` when it has no JSON form.
pub fn written(document: &impl Serialize) -> Result<Bytes, Refusal> {
    match serde_json::to_vec(document) {
        Ok(text) => Ok(text.into()),
        Err(error) => Err(internal(&error)),
    }
}

fn internal(error: &dyn Error) -> Refusal {
    status::internal(error).into()
}

impl Snapshots {
    /// The snapshot for `key`, read anew when the last one is older than half a second. `read` gives the document as
    /// [`written`].
    ///
    /// # Errors
    /// What reading refuses; it is not remembered.
    pub async fn get<F>(&self, key: String, read: F) -> Result<Arc<Snapshot>, Refusal>
    where
        F: Future<Output = Result<Bytes, Refusal>>,
    {
        let made = async {
            let plain = read.await?;
            let etag = etag(&plain);
            match self.kept.get(&key).await {
                Some(kept) if kept.etag == etag => Ok(kept),
                _ => {
                    let snapshot = Arc::new(Snapshot::of(plain).await?);
                    self.kept.insert(key.clone(), snapshot.clone()).await;
                    Ok(snapshot)
                }
            }
        };
        let got = self.fresh.try_get_with(key.clone(), made).await;
        got.map_err(|refusal: Arc<Refusal>| (*refusal).clone())
    }
}

/// Names a document by what is in it. Weak: packed and unpacked it is the same document in other bytes.
fn etag(plain: &[u8]) -> HeaderValue {
    let hash = URL_SAFE_NO_PAD.encode(&digest(&SHA256, plain).as_ref()[..12]);
    HeaderValue::try_from(format!("W/\"{hash}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
}

impl Snapshot {
    /// Compresses a document, beside the threads that serve requests.
    ///
    /// # Errors
    /// `INTERNAL` when that fails.
    pub async fn of(plain: Bytes) -> Result<Self, Refusal> {
        let bytes = plain.clone();
        let packed = tokio::task::spawn_blocking(move || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&bytes)?;
            encoder.finish()
        });
        let gzip = packed.await.map_err(|error| internal(&error))?.map_err(|error| internal(&error))?;
        Ok(Self { etag: etag(&plain), plain, gzip: gzip.into() })
    }

    /// The answer to a request with these headers: 304 when the caller has it already, compressed when they can read that.
    #[must_use]
    pub fn answer(&self, asked: &HeaderMap) -> Response {
        let has_it = asked
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || opaque(tag) == opaque(self.etag.to_str().unwrap_or_default()));
        let mut response = if has_it {
            StatusCode::NOT_MODIFIED.into_response()
        } else if reads_gzip(asked) {
            ([(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))], self.gzip.clone())
                .into_response()
        } else {
            self.plain.clone().into_response()
        };
        let headers = response.headers_mut();
        if !has_it {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache"));
        response
    }
}

/// A tag without the word that it is weak: that is how tags are compared here (RFC 9110, 8.8.3.2).
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// Whether gzip is among the encodings asked for, and not with a quality of nothing.
fn reads_gzip(asked: &HeaderMap) -> bool {
    let encodings = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    encodings.flat_map(|value| value.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_gzip = matches!(parts.next(), Some("gzip" | "*"));
        is_gzip && !parts.any(|parameter| matches!(parameter, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn asked(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    async fn body(response: Response) -> Vec<u8> {
        axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
    }

    async fn snapshot(word: &str) -> Snapshot {
        Snapshot::of(written(&[word]).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn a_caller_who_has_it_is_told_so() {
        let snapshot = snapshot("剪纸").await;
        let etag = snapshot.etag.to_str().unwrap();

        for tags in [format!("\"x\", {etag}"), opaque(etag).to_owned(), "*".to_owned()] {
            let response = snapshot.answer(&asked(header::IF_NONE_MATCH, &tags));

            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{tags}");
            assert_eq!(response.headers()[header::ETAG], etag);
            assert!(body(response).await.is_empty());
        }
        let response = snapshot.answer(&asked(header::IF_NONE_MATCH, "W/\"x\""));
        assert_eq!(response.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn it_is_compressed_only_for_those_who_can_read_it() {
        let snapshot = snapshot("剪纸").await;

        let plain = snapshot.answer(&asked(header::ACCEPT_ENCODING, "gzip;q=0, br"));
        assert_eq!(body(plain).await, "[\"剪纸\"]".as_bytes());

        let packed = snapshot.answer(&asked(header::ACCEPT_ENCODING, "br, gzip"));
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&body(packed).await[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "[\"剪纸\"]");
    }

    #[tokio::test]
    async fn another_document_has_another_tag() {
        assert_ne!(snapshot("剪纸").await.etag, snapshot("陶艺").await.etag);
    }

    #[tokio::test]
    async fn what_has_not_changed_is_not_compressed_again() {
        let snapshots = Snapshots::default();
        let get = |word: &'static str| snapshots.get("menu".to_owned(), async move { written(&[word]) });

        let first = get("剪纸").await.unwrap();
        snapshots.fresh.invalidate_all();
        let second = get("剪纸").await.unwrap();
        snapshots.fresh.invalidate_all();
        let third = get("陶艺").await.unwrap();

        assert!(Arc::ptr_eq(&first, &second));
        assert_ne!(second.etag, third.etag);
    }
}
