//! Reading requests: JSON, query and path with errors that name the field, idempotency keys, uploaded files.

use axum::extract::{FromRequest, FromRequestParts, Multipart, Path, Query, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{StatusCode, header};
use proto::identity::v1::{ImportFile, import_file};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::Edge;
use crate::problem::Refusal;

/// A JSON body. Unknown fields, missing fields and wrong types are refused with the field's path and the rule.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Edge> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Refusal> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value
                    .split(';')
                    .next()
                    .is_some_and(|kind| kind.trim() == "application/json")
            });
        if !is_json {
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "JSON_REQUIRED"));
        }
        let bytes = body(request, edge.limits.body_bytes).await?;
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| named(&error))?;
        reader
            .end()
            .map_err(|error| Refusal::field("", error.to_string()))?;
        Ok(Self(value))
    }
}

/// The whole body, at most `limit` bytes.
pub(crate) async fn body(request: Request, limit: usize) -> Result<Bytes, Refusal> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    axum::body::to_bytes(request.into_body(), limit)
        .await
        .map_err(|_| too_large())
}

fn too_large() -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE")
}

/// The field an error is about: the path to it, or the name in the message when the field itself is the error.
fn named(error: &serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    let path = error.path().to_string();
    let rule = error.inner().to_string();
    let about = ["unknown field `", "missing field `"].iter().find_map(|start| {
        let rest = rule.strip_prefix(start)?;
        rest.split('`').next()
    });
    let field = match (path.as_str(), about) {
        (".", Some(name)) => name.to_owned(),
        (".", None) => String::new(),
        (parent, Some(name)) if parent != name && !parent.ends_with(&format!(".{name}")) => {
            format!("{parent}.{name}")
        }
        (path, _) => path.to_owned(),
    };
    // Line and column of a body nobody keeps say nothing.
    let rule = rule.split(" at line ").next().unwrap_or_default().to_owned();
    Refusal::field(&field, rule)
}

/// A query string. Unknown and malformed parameters are refused by name.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Edge> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refusal> {
        match Query::<T>::from_request_parts(parts, edge).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(error) => Err(Refusal::field("query", error.body_text())),
        }
    }
}

/// The ids and words in a path.
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Edge> for At<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refusal> {
        match Path::<T>::from_request_parts(parts, edge).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(error) => Err(Refusal::field("path", error.body_text())),
        }
    }
}

/// The header `Idempotency-Key` of a write: a UUID the caller made before the first try.
pub struct IdempotencyKey(pub Uuid);

impl IdempotencyKey {
    /// As the contracts carry it.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.to_string()
    }
}

impl FromRequestParts<Edge> for IdempotencyKey {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Edge) -> Result<Self, Refusal> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "IDEMPOTENCY_KEY_REQUIRED"));
        };
        let text = value.to_str().unwrap_or_default().trim_matches('"');
        match text.parse() {
            Ok(key) => Ok(Self(key)),
            Err(_) => Err(Refusal::field("Idempotency-Key", "must be a UUID")),
        }
    }
}

/// An uploaded file: the part named `file` of a multipart form, with its name.
pub struct Upload {
    /// The file's name, as the caller has it; only its ending is looked at.
    pub name: String,
    /// The bytes.
    pub content: Bytes,
}

impl FromRequest<Edge> for Upload {
    type Rejection = Refusal;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Refusal> {
        let limit = edge.limits.upload_bytes;
        let announced = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length: usize| length > limit) {
            return Err(too_large());
        }
        let limited = axum::RequestExt::with_limited_body(
            request.map(|body| axum::body::Body::new(http_body_util::Limited::new(body, limit))),
        );
        let mut form = Multipart::from_request(limited, edge)
            .await
            .map_err(|_| Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "MULTIPART_REQUIRED"))?;
        loop {
            let part = form.next_field().await.map_err(|error| unread(&error))?;
            let Some(part) = part else {
                return Err(Refusal::field("file", "missing part `file`"));
            };
            match part.name() {
                Some("file") => {
                    let name = part.file_name().unwrap_or_default().to_owned();
                    let content = part.bytes().await.map_err(|error| unread(&error))?;
                    return Ok(Self { name, content });
                }
                other => {
                    return Err(Refusal::field(
                        other.unwrap_or_default(),
                        "unknown part, expected `file`",
                    ));
                }
            }
        }
    }
}

fn unread(error: &axum::extract::multipart::MultipartError) -> Refusal {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => Refusal::field("file", error.body_text()),
    }
}

impl Upload {
    /// The file as a table.
    ///
    /// # Errors
    /// When the name ends neither in `.xlsx` nor in `.csv`.
    pub fn table(self) -> Result<ImportFile, Refusal> {
        let ending = self.name.rsplit('.').next().unwrap_or_default().to_lowercase();
        let format = match ending.as_str() {
            "xlsx" => import_file::Format::Xlsx,
            "csv" => import_file::Format::Csv,
            _ => return Err(Refusal::field("file", "the name must end in .xlsx or .csv")),
        };
        Ok(ImportFile {
            format: format.into(),
            content: self.content.into(),
        })
    }
}
