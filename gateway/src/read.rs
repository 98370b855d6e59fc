//! Reading requests: JSON, query and path with errors that name the field, idempotency keys, uploaded files.

use std::error::Error as _;

use axum::body::Body;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Path, Query, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
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
        if !is_media_type(request.headers(), "application/json") {
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "JSON_REQUIRED"));
        }
        let bytes = body(request, edge.limits.body_bytes).await?;
        // A list would be read as an object's fields in their order.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(Refusal::field(BODY, "must be a JSON object"));
        }
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| named(&error))?;
        reader.end().map_err(|_| Refusal::field(BODY, "must end after the object"))?;
        Ok(Self(value))
    }
}

/// What an error about the body as a whole is about.
const BODY: &str = "body";

/// Whether the content is of this media type, whatever its parameters.
pub(crate) fn is_media_type(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(media_type))
}

/// The whole body, at most `limit` bytes. One that is announced longer is not read at all.
pub(crate) async fn body(request: Request, limit: usize) -> Result<Bytes, Refusal> {
    let (parts, body) = request.into_parts();
    whole(&parts.headers, body, limit).await
}

async fn whole(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let is_too_long = |length| usize::try_from(length).map_or(true, |length| length > limit);
    if announced.is_some_and(is_too_long) {
        return Err(too_large());
    }
    axum::body::to_bytes(body, limit).await.map_err(|error| match error.source() {
        Some(cause) if cause.is::<http_body_util::LengthLimitError>() => too_large(),
        _ => Refusal::field(BODY, "did not come whole"),
    })
}

fn too_large() -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE")
}

/// The field an error is about: the path to it, or the name in the message when the field itself is the error.
fn named<E: std::error::Error>(error: &serde_path_to_error::Error<E>) -> Refusal {
    let path = error.path().to_string();
    let rule = error.inner().to_string();
    let starts = ["unknown field `", "missing field `", "duplicate field `"];
    let about = starts.iter().find_map(|start| {
        let rest = rule.strip_prefix(start)?;
        rest.split('`').next()
    });
    let field = match (path.as_str(), about) {
        (".", Some(name)) => name.to_owned(),
        (".", None) => BODY.to_owned(),
        (parent, Some(name)) if parent != name && !parent.ends_with(&format!(".{name}")) => {
            format!("{parent}.{name}")
        }
        (path, _) => path.to_owned(),
    };
    // Line and column of a body nobody keeps say nothing; nor does what a type is called in here.
    let rule = rule.split(" at line ").next().unwrap_or_default();
    let rule = match rule.split_once(", expected struct ") {
        Some((found, _)) => format!("{found}, expected an object"),
        None => rule.to_owned(),
    };
    Refusal::field(&field, rule)
}

/// A query string. Unknown and malformed parameters are refused by name.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Edge> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Edge) -> Result<Self, Refusal> {
        Query::<T>::try_from_uri(&parts.uri).map(|Query(value)| Self(value)).map_err(|error| {
            let mut cause = error.source();
            while let Some(known) = cause {
                if let Some(known) = known.downcast_ref::<QueryError>() {
                    return named(known);
                }
                cause = known.source();
            }
            Refusal::field("query", error.body_text())
        })
    }
}

type QueryError = serde_path_to_error::Error<serde_urlencoded::de::Error>;

/// The ids and words in a path.
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Edge> for At<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Refusal> {
        match Path::<T>::from_request_parts(parts, edge).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => match error.into_kind() {
                ErrorKind::DeserializeError { key, message, .. } => Err(Refusal::field(&key, message)),
                ErrorKind::InvalidUtf8InPathParam { key } => Err(Refusal::field(&key, "must be UTF-8")),
                other => Err(Refusal::field("path", other.to_string())),
            },
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
        if !is_media_type(request.headers(), "multipart/form-data") {
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "MULTIPART_REQUIRED"));
        }
        // Whole first: the parser searches all it has for the next boundary each time more comes.
        let (parts, body) = request.into_parts();
        let bytes = whole(&parts.headers, body, edge.limits.upload_bytes).await?;
        let mut form = Multipart::from_request(Request::from_parts(parts, bytes.into()), edge)
            .await
            .map_err(|error| Refusal::field(BODY, error.body_text()))?;
        let part = form.next_field().await.map_err(|error| unread(&error))?;
        let part = part.ok_or_else(|| Refusal::field("file", "missing part `file`"))?;
        match part.name() {
            Some("file") => {
                let name = part.file_name().unwrap_or_default().to_owned();
                let content = part.bytes().await.map_err(|error| unread(&error))?;
                Ok(Self { name, content })
            }
            other => {
                let other = other.unwrap_or_default();
                Err(Refusal::field(other, "unknown part, expected `file`"))
            }
        }
    }
}

fn unread(error: &axum::extract::multipart::MultipartError) -> Refusal {
    Refusal::field("file", error.body_text())
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
        Ok(ImportFile { format: format.into(), content: self.content.into() })
    }
}
