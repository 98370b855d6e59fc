//! Refusals as people's programs read them: RFC 9457 problem documents.
//!
//! The reason is for programs; the title is a sentence for people, in the language they ask for, from the one table in
//! [`crate::sentence`]. Services send reasons and facts, never sentences.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use shared::status::{self, FailedPart, Said};
use shared::value::Violations;
use tonic::{Code, Status};
use utoipa::ToSchema;

use crate::sentence::{self, Language};

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// When to come again, if nobody knows better.
const SOON: Duration = Duration::from_secs(1);

/// A refusal on its way out. It is rendered by the middleware that knows the caller's language.
#[derive(Clone, Debug)]
pub struct Refusal {
    http: u16,
    reason: String,
    facts: BTreeMap<String, String>,
    errors: Vec<FieldError>,
    parts: Vec<FailedPart>,
    retry_after: Option<Duration>,
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: the reason says what kind of problem it is.
    pub r#type: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// A word for programs, such as `SECTION_FULL`.
    pub reason: String,
    /// A sentence for people, Chinese unless English is asked for.
    pub title: String,
    /// Numbers, ids and times the sentence is made of.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// Every field that broke a rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Every part that cannot be had, where several things were asked for as one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartError>,
    /// The trace in which it happened, for those who look after the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A field that broke a rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's path: `slots[2].start_time`.
    pub field: String,
    /// The rule, for engineers.
    pub rule: String,
}

/// A part of what was asked as one that cannot be had.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PartError {
    /// The section.
    pub section_id: String,
    /// The reason it would be refused with alone.
    pub reason: String,
    /// A sentence for people.
    pub title: String,
    /// Numbers, ids and times the sentence is made of.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

impl Refusal {
    /// Refuses with a reason of the gateway's own.
    #[must_use]
    pub fn new(http: StatusCode, reason: &str) -> Self {
        Self {
            http: http.as_u16(),
            reason: reason.to_owned(),
            facts: BTreeMap::new(),
            errors: Vec::new(),
            parts: Vec::new(),
            retry_after: None,
        }
    }

    /// Refuses fields.
    #[must_use]
    pub fn fields(violations: &Violations) -> Self {
        Self { errors: field_errors(violations), ..Self::new(StatusCode::BAD_REQUEST, "INVALID_FIELDS") }
    }

    /// Refuses one field.
    #[must_use]
    pub fn field(field: &str, rule: impl Into<String>) -> Self {
        let mut violations = Violations::default();
        violations.note(field, rule);
        Self::fields(&violations)
    }

    /// Stands for an answer that says nothing but its code.
    #[must_use]
    pub fn bare(http: StatusCode) -> Self {
        let reason = match http {
            StatusCode::NOT_FOUND => "NOT_FOUND",
            StatusCode::METHOD_NOT_ALLOWED => "METHOD_NOT_ALLOWED",
            StatusCode::PAYLOAD_TOO_LARGE => "BODY_TOO_LARGE",
            code if code.is_server_error() => "INTERNAL",
            _ => "BAD_REQUEST",
        };
        Self::new(http, reason)
    }

    /// Says when to come again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Writes the document in the caller's language, with the trace and the request it belongs to.
    #[must_use]
    pub fn render(
        self,
        language: Language,
        trace_id: Option<String>,
        request_id: Option<String>,
    ) -> Response {
        let problem = Problem {
            r#type: "about:blank",
            status: self.http,
            title: sentence::of(&self.reason, language, &self.facts),
            reason: self.reason,
            facts: self.facts,
            errors: self.errors,
            parts: self.parts.iter().map(|part| part_error(part, language)).collect(),
            trace_id,
            request_id,
        };
        let code = StatusCode::from_u16(self.http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (code, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let asks_to_wait = matches!(code, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        if let Some(wait) = self.retry_after.or(asks_to_wait.then_some(SOON)) {
            // Whole seconds, and never too early.
            let seconds = wait.as_millis().div_ceil(1000).clamp(1, 86_400);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(u32::try_from(seconds).unwrap_or(1)));
        }
        if code == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for Refusal {
    /// Leaves the rendering to the middleware, which finds the refusal in the response's extensions.
    fn into_response(self) -> Response {
        let code = StatusCode::from_u16(self.http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = code.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Status> for Refusal {
    /// What a service refused. A status without a reason of ours is ours to answer for, not the caller's.
    fn from(refusal: Status) -> Self {
        let Said { reason, mut facts, violations, parts, retry_after } = status::said(&refusal);
        let code = match status::code_of(&refusal) {
            // The connection broke before an answer came: the service did not say this.
            Code::Unknown | Code::Internal | Code::Cancelled
                if reason.is_none() && refusal.source().is_some() =>
            {
                Code::Unavailable
            }
            // Taken for a success it would lie.
            Code::Ok => Code::Unknown,
            code => code,
        };
        // A part's facts are told with the part.
        facts.retain(|name, _| parts.is_empty() || !name.contains('.'));
        Self {
            http: status::http_code(code),
            reason: reason.unwrap_or_else(|| fallback(code).to_owned()),
            facts: facts.into_iter().collect(),
            parts,
            errors: field_errors(&violations),
            retry_after,
        }
    }
}

/// The reason of a status that brings none.
const fn fallback(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument => "INVALID_FIELDS",
        Code::Unauthenticated => "SESSION_REQUIRED",
        Code::NotFound => "NOT_FOUND",
        Code::PermissionDenied => "ROLE_NOT_ALLOWED",
        Code::ResourceExhausted => "TOO_MANY_REQUESTS",
        Code::Unavailable => "SERVICE_UNAVAILABLE",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::Aborted => "CHANGED_MEANWHILE",
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss => "INTERNAL",
    }
}

fn part_error(part: &FailedPart, language: Language) -> PartError {
    let facts = part.facts.clone().into_iter().collect();
    PartError {
        section_id: part.part.clone(),
        title: sentence::of(&part.reason, language, &facts),
        reason: part.reason.clone(),
        facts,
    }
}

fn field_errors(violations: &Violations) -> Vec<FieldError> {
    let error =
        |one: &shared::value::Violation| FieldError { field: one.field.clone(), rule: one.rule.clone() };
    violations.list().iter().map(error).collect()
}
