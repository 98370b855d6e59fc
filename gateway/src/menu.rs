//! Menus, ready to be sent: serialised and compressed once per change, answered with an ETag.
//!
//! A school's menu is read by every family in the same minute and changes once a day. Seat counts change every moment and
//! are another, small document; so a menu stays `304 Not Modified` for hours.

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
use serde::Serialize;

use crate::problem::Refusal;

/// How long a snapshot is served before the service is asked again.
const FRESH: Duration = Duration::from_millis(500);

/// Snapshots by key, such as a term's id. A thousand callers who come at once cause one reading.
pub struct Snapshots(moka::future::Cache<String, Arc<Snapshot>>);

/// A document, ready to be sent.
pub struct Snapshot {
    etag: HeaderValue,
    plain: Bytes,
    gzip: Bytes,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self(
            moka::future::Cache::builder()
                .max_capacity(10_000)
                .time_to_live(FRESH)
                .build(),
        )
    }
}

impl Snapshots {
    /// The snapshot for `key`, read anew when the last one is older than half a second.
    ///
    /// # Errors
    /// What reading refuses; it is not remembered.
    pub async fn get<F>(&self, key: String, read: F) -> Result<Arc<Snapshot>, Refusal>
    where
        F: Future<Output = Result<Snapshot, Refusal>>,
    {
        self.0
            .try_get_with(key, async { read.await.map(Arc::new) })
            .await
            .map_err(|refusal| (*refusal).clone())
    }
}

impl Snapshot {
    /// Writes and compresses a document.
    ///
    /// # Errors
    /// `INTERNAL` when it has no JSON form.
    pub fn of(document: &impl Serialize) -> Result<Self, Refusal> {
        let internal = |error: &dyn std::error::Error| Refusal::from(shared::status::internal(error));
        let plain = serde_json::to_vec(document).map_err(|error| internal(&error))?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&plain).map_err(|error| internal(&error))?;
        let gzip = encoder.finish().map_err(|error| internal(&error))?;
        let hash = URL_SAFE_NO_PAD.encode(&digest(&SHA256, &plain).as_ref()[..12]);
        let etag = HeaderValue::try_from(format!("\"{hash}\"")).map_err(|error| internal(&error))?;
        Ok(Self {
            etag,
            plain: plain.into(),
            gzip: gzip.into(),
        })
    }

    /// The answer to a request with these headers: 304 when the caller has it already, compressed when they can read that.
    #[must_use]
    pub fn answer(&self, asked: &HeaderMap) -> Response {
        let has_it = asked
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| {
                tag.trim().trim_start_matches("W/") == self.etag.to_str().unwrap_or_default()
                    || tag.trim() == "*"
            });
        let mut response = if has_it {
            StatusCode::NOT_MODIFIED.into_response()
        } else if reads_gzip(asked) {
            (
                [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))],
                self.gzip.clone(),
            )
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
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, no-cache"),
        );
        response
    }
}

/// Whether gzip is among the encodings asked for, and not with a quality of nothing.
fn reads_gzip(asked: &HeaderMap) -> bool {
    let encodings = asked
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    encodings.split(',').any(|one| {
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
        axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap()
            .to_vec()
    }

    #[tokio::test]
    async fn a_caller_who_has_it_is_told_so() {
        let snapshot = Snapshot::of(&["剪纸"]).unwrap();
        let etag = snapshot.etag.to_str().unwrap();

        let response = snapshot.answer(&asked(header::IF_NONE_MATCH, &format!("\"x\", W/{etag}")));

        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert!(body(response).await.is_empty());
    }

    #[tokio::test]
    async fn it_is_compressed_only_for_those_who_can_read_it() {
        let snapshot = Snapshot::of(&["剪纸"]).unwrap();

        let plain = snapshot.answer(&asked(header::ACCEPT_ENCODING, "gzip;q=0, br"));
        assert_eq!(body(plain).await, "[\"剪纸\"]".as_bytes());

        let packed = snapshot.answer(&asked(header::ACCEPT_ENCODING, "br, gzip"));
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&body(packed).await[..])
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "[\"剪纸\"]");
    }

    #[tokio::test]
    async fn another_document_has_another_tag() {
        assert_ne!(
            Snapshot::of(&["剪纸"]).unwrap().etag,
            Snapshot::of(&["陶艺"]).unwrap().etag
        );
    }
}
