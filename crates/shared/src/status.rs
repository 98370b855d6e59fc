//! Refusals as gRPC carries them: made here by services, read here by the gateway and by clients.
//!
//! | what happened | made by | code | HTTP |
//! |---|---|---|---|
//! | fields malformed or missing, message too large | [`invalid`], [`too_large`] | INVALID_ARGUMENT | 400 |
//! | no or bad credentials | [`unauthenticated`] | UNAUTHENTICATED | 401 |
//! | a known thing, not allowed | [`denied`] | PERMISSION_DENIED | 403 |
//! | missing, or the caller may not know of it | [`not_found`] | NOT_FOUND | 404 |
//! | the state or a rule says no | [`refused`] | FAILED_PRECONDITION | 400 |
//! | one request id, two contents | [`reused`] | ALREADY_EXISTS | 409 |
//! | changed meanwhile | [`aborted`], [`database`] | ABORTED | 409 |
//! | too much at once | [`exhausted`] | RESOURCE_EXHAUSTED | 429 |
//! | something we depend on is down | [`unavailable`], [`database`] | UNAVAILABLE | 503 |
//! | no answer in time | [`late`] | DEADLINE_EXCEEDED | 504 |
//! | anything else | [`internal`], [`database`] | INTERNAL | 500 |
//!
//! A reason is a word for programs, `CLASS_FULL`; the facts beside it are what a sentence for people needs. Services
//! never write that sentence.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_types::{ErrorDetail, ErrorDetails, FieldViolation, PreconditionViolation, StatusExt as _};

use crate::value::Violations;

/// The domain of every reason (`google.rpc.ErrorInfo.domain`).
pub const DOMAIN: &str = "kehou";

/// The metadata key that says what a repeat would wait for: `db` when two transactions met and one gave way.
pub const RETRY_KEY: &str = "kehou-retry";

/// The state or a rule says no. `facts` are the numbers and ids a sentence about it needs, in `snake_case`, units last.
#[must_use]
pub fn refused(reason: &'static str, facts: &[(&str, String)]) -> Status {
    let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    with_reason(Code::FailedPrecondition, reason, facts)
}

/// A rule says no to some parts of what was asked as one, and so to all of it.
///
/// `parts` are what fails and the status it would be refused with alone; [`parts_of`] reads them back. Each is a violation of a
/// `PreconditionFailure`, its subject the part and its type the reason; its facts stand among the status's own, as `<part>.<fact>`.
#[must_use]
pub fn refused_parts(reason: &'static str, facts: &[(&str, String)], parts: &[(String, Status)]) -> Status {
    let mut all: HashMap<_, _> =
        facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut violations = Vec::with_capacity(parts.len());
    for (part, status) in parts {
        let reason = reason_of(status).unwrap_or_else(|| status.message().to_owned());
        violations.push(PreconditionViolation::new(reason, part, ""));
        all.extend(facts_of(status).into_iter().map(|(name, value)| (format!("{part}.{name}"), value)));
    }
    let mut details = ErrorDetails::with_precondition_failure(violations);
    details.set_error_info(reason, DOMAIN, all);
    Status::with_error_details(Code::FailedPrecondition, reason, details)
}

/// A part that fails: which, why, and its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedPart {
    /// Which.
    pub part: String,
    /// The reason it would be refused with alone.
    pub reason: String,
    /// The facts beside that reason: name → value.
    pub facts: HashMap<String, String>,
}

/// The parts a status of [`refused_parts`] names, in their order. Empty for any other.
#[must_use]
pub fn parts_of(status: &Status) -> Vec<FailedPart> {
    let failure = status.get_details_precondition_failure();
    let violations = failure.map(|failure| failure.violations).unwrap_or_default();
    let facts = if violations.is_empty() { HashMap::new() } else { facts_of(status) };
    failed_parts(violations, &facts)
}

/// Gives each violation the facts that are its own.
fn failed_parts(violations: Vec<PreconditionViolation>, facts: &HashMap<String, String>) -> Vec<FailedPart> {
    let of = |part: &str| {
        let own = facts.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix(part)?.strip_prefix('.')?;
            Some((name.to_owned(), value.clone()))
        });
        own.collect()
    };
    let part = |violation: PreconditionViolation| FailedPart {
        facts: of(&violation.subject),
        part: violation.subject,
        reason: violation.r#type,
    };
    violations.into_iter().map(part).collect()
}

/// The caller is known, and may not do this.
#[must_use]
pub fn denied(reason: &'static str) -> Status {
    with_reason(Code::PermissionDenied, reason, HashMap::new())
}

/// There is no such `kind` (a lower-case noun: `section`), or the caller may not know of it.
///
/// The reason is `<KIND>_NOT_FOUND`; the only fact is the id the caller itself gave, as `<kind>_id`.
#[must_use]
pub fn not_found(kind: &str, id: impl Display) -> Status {
    let reason = format!("{}_NOT_FOUND", kind.to_uppercase());
    with_reason(Code::NotFound, &reason, HashMap::from([(format!("{kind}_id"), id.to_string())]))
}

/// The message broke rules: all of them, in the order they were met. The reason is `INVALID_FIELDS`.
#[must_use]
pub fn invalid(violations: &Violations) -> Status {
    let fields: Vec<_> = violations
        .list()
        .iter()
        .map(|violation| FieldViolation::new(&violation.field, &violation.rule))
        .collect();
    let mut details = ErrorDetails::with_bad_request(fields);
    details.set_error_info("INVALID_FIELDS", DOMAIN, HashMap::<String, String>::new());
    Status::with_error_details(Code::InvalidArgument, "INVALID_FIELDS", details)
}

/// The message is larger than the server takes. The reason is `MESSAGE_TOO_LARGE`; the fact is `limit_bytes`.
#[must_use]
pub fn too_large(limit_bytes: usize) -> Status {
    let facts = HashMap::from([("limit_bytes".to_owned(), limit_bytes.to_string())]);
    with_reason(Code::InvalidArgument, "MESSAGE_TOO_LARGE", facts)
}

/// Who calls is not known, or not proven.
#[must_use]
pub fn unauthenticated(reason: &'static str) -> Status {
    with_reason(Code::Unauthenticated, reason, HashMap::new())
}

/// The request id was used before, for another content.
#[must_use]
pub fn reused() -> Status {
    with_reason(Code::AlreadyExists, "REQUEST_ID_REUSED", HashMap::new())
}

/// Something this answer depends on is down. A repeat with backoff may help.
#[must_use]
pub fn unavailable(reason: &'static str) -> Status {
    with_reason(Code::Unavailable, reason, HashMap::new())
}

/// Too much at once. A repeat helps after `retry_after`, never before.
#[must_use]
pub fn exhausted(reason: &'static str, retry_after: Duration) -> Status {
    exhausted_with(reason, retry_after, &[])
}

/// As [`exhausted`], with facts: name → value.
#[must_use]
pub fn exhausted_with(reason: &'static str, retry_after: Duration, facts: &[(&str, String)]) -> Status {
    let facts: HashMap<_, _> =
        facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut details = ErrorDetails::with_retry_info(Some(retry_after));
    details.set_error_info(reason, DOMAIN, facts);
    Status::with_error_details(Code::ResourceExhausted, reason, details)
}

/// What the decision was based on changed meanwhile. A repeat reads it anew.
#[must_use]
pub fn aborted(reason: &'static str) -> Status {
    with_reason(Code::Aborted, reason, HashMap::new())
}

/// The time the caller gave ran out. What was asked may have happened, or may still happen.
#[must_use]
pub fn late() -> Status {
    with_reason(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", HashMap::new())
}

/// A fault of ours. Logged once, here, with its causes; the caller learns nothing of it.
#[must_use]
pub fn internal(error: &dyn Error) -> Status {
    tracing::error!(error = chain(error), "answered INTERNAL: {}", chain(error));
    Status::internal("INTERNAL")
}

/// The database did not do it.
///
/// ABORTED with `kehou-retry: db` when another transaction was in the way ([`is_conflict`]); UNAVAILABLE
/// `DATABASE_UNAVAILABLE` when no connection was to be had or it broke; else [`internal`].
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "made for `.map_err(status::database)`")]
pub fn database(error: DbErr) -> Status {
    if is_conflict(&error) {
        let mut status = aborted("DATABASE_CONFLICT");
        status.metadata_mut().insert(RETRY_KEY, MetadataValue::from_static("db"));
        return status;
    }
    if is_connection_lost(&error) {
        tracing::warn!(error = chain(&error), "the database is unavailable: {}", chain(&error));
        return unavailable("DATABASE_UNAVAILABLE");
    }
    internal(&error)
}

/// Says whether the whole transaction, begun again, could succeed: another one was in the way.
///
/// On PostgreSQL serialization failure (40001), deadlock (40P01) and lock timeout (55P03); on SQLite BUSY (5) and
/// LOCKED (6), whatever their extension.
/// Sources: PostgreSQL manual, appendix A; sqlite.org/rescode.html.
#[must_use]
pub fn is_conflict(error: &DbErr) -> bool {
    let Some(sqlx::Error::Database(error)) = sqlx_error(error) else {
        return false;
    };
    let Some(code) = error.code() else { return false };
    match code.as_ref() {
        "40001" | "40P01" | "55P03" => true,
        // SQLSTATEs have five characters; SQLite's extended codes have at most four digits.
        code if code.len() < 5 => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6)),
        _ => false,
    }
}

/// Says whether the connection failed rather than the statement.
fn is_connection_lost(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed)) {
        return true;
    }
    match sqlx_error(error) {
        Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => true,
        // Class 08: connection exception; class 57: the server is going down or coming up.
        Some(sqlx::Error::Database(error)) => error
            .code()
            .is_some_and(|code| code.len() == 5 && (code.starts_with("08") || code.starts_with("57P"))),
        _ => false,
    }
}

/// The driver's error below SeaORM's, if it came from there.
fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// The reason, if the status has one of ours.
#[must_use]
pub fn reason_of(status: &Status) -> Option<String> {
    status.get_details_error_info().filter(|info| info.domain == DOMAIN).map(|info| info.reason)
}

/// The facts beside the reason: name → value. Empty when there are none.
#[must_use]
pub fn facts_of(status: &Status) -> HashMap<String, String> {
    status
        .get_details_error_info()
        .filter(|info| info.domain == DOMAIN)
        .map(|info| info.metadata)
        .unwrap_or_default()
}

/// The fields that broke rules, in the order they were met. Empty when it is not about fields.
#[must_use]
pub fn violations_of(status: &Status) -> Violations {
    let mut violations = Violations::default();
    for field in status.get_details_bad_request().map(|request| request.field_violations).unwrap_or_default()
    {
        violations.note(field.field, field.description);
    }
    violations
}

/// How long to wait before a repeat, when the status says.
#[must_use]
pub fn retry_after_of(status: &Status) -> Option<Duration> {
    status.get_details_retry_info().and_then(|info| info.retry_delay)
}

/// Everything a status says beside its code. What the readers of single things find, read in one pass.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// As [`reason_of`].
    pub reason: Option<String>,
    /// As [`facts_of`].
    pub facts: HashMap<String, String>,
    /// As [`violations_of`].
    pub violations: Violations,
    /// As [`parts_of`].
    pub parts: Vec<FailedPart>,
    /// As [`retry_after_of`].
    pub retry_after: Option<Duration>,
}

/// Reads everything a status says: for whoever wants all of it, since each of the others takes the status apart anew.
#[must_use]
pub fn said(status: &Status) -> Said {
    let mut said = Said::default();
    let mut failed = Vec::new();
    for detail in status.get_error_details_vec() {
        match detail {
            ErrorDetail::ErrorInfo(info) if info.domain == DOMAIN && said.reason.is_none() => {
                said.reason = Some(info.reason);
                said.facts = info.metadata;
            }
            ErrorDetail::BadRequest(request) => {
                for field in request.field_violations {
                    said.violations.note(field.field, field.description);
                }
            }
            ErrorDetail::PreconditionFailure(failure) => failed = failure.violations,
            ErrorDetail::RetryInfo(info) => said.retry_after = info.retry_delay,
            _ => {}
        }
    }
    said.parts = failed_parts(failed, &said.facts);
    said
}

/// The code, with the transport's own word for "too late" (CANCELLED, `Timeout expired`) read as DEADLINE_EXCEEDED.
#[must_use]
pub fn code_of(status: &Status) -> Code {
    match status.code() {
        Code::Cancelled if status.message() == "Timeout expired" => Code::DeadlineExceeded,
        code => code,
    }
}

/// The HTTP status for a code. Source: the comments of `google/rpc/code.proto`.
#[must_use]
pub const fn http_code(code: Code) -> u16 {
    match code {
        Code::Ok => 200,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::ResourceExhausted => 429,
        Code::Cancelled => 499,
        Code::Internal | Code::Unknown | Code::DataLoss => 500,
        Code::Unimplemented => 501,
        Code::Unavailable => 503,
        Code::DeadlineExceeded => 504,
    }
}

/// A code's name, as gRPC writes it: `FAILED_PRECONDITION`.
#[must_use]
pub const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The code in the head of an answer; a success, whose code comes last, has none there.
pub(crate) fn code_in(headers: &http::HeaderMap) -> Code {
    headers.get("grpc-status").map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes()))
}

/// An error with its causes, outermost first: `a: b: c`. For logs.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Many errors already print their cause; once is enough.
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

fn with_reason(code: Code, reason: &str, facts: HashMap<String, String>) -> Status {
    Status::with_error_details(code, reason, ErrorDetails::with_error_info(reason, DOMAIN, facts))
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait as _, Database};

    use super::*;

    #[test]
    fn a_refusal_keeps_its_reason_and_facts_across_the_wire() {
        let sent = refused("CLASS_FULL", &[("seat_count", "28".to_owned())]);

        let received = Status::from_header_map(&sent.into_http::<()>().into_parts().0.headers).unwrap();

        assert_eq!(received.code(), Code::FailedPrecondition);
        assert_eq!(reason_of(&received).as_deref(), Some("CLASS_FULL"));
        assert_eq!(facts_of(&received).get("seat_count").map(String::as_str), Some("28"));
    }

    #[test]
    fn every_broken_field_is_reported() {
        let mut violations = Violations::default();
        violations.note("pupil_id", "not a UUID");
        violations.note("sections[2].slot_id", "missing");

        let status = invalid(&violations);

        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(reason_of(&status).as_deref(), Some("INVALID_FIELDS"));
        assert_eq!(violations_of(&status), violations);
    }

    #[test]
    fn a_missing_thing_is_named_by_its_kind() {
        let status = not_found("section", 7);

        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(reason_of(&status).as_deref(), Some("SECTION_NOT_FOUND"));
        assert_eq!(facts_of(&status), HashMap::from([("section_id".to_owned(), "7".to_owned())]));
    }

    #[test]
    fn overload_says_when_to_come_back() {
        let status = exhausted("OVERLOADED", Duration::from_millis(1500));

        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(retry_after_of(&status), Some(Duration::from_millis(1500)));
        assert_eq!(reason_of(&status).as_deref(), Some("OVERLOADED"));
    }

    #[test]
    fn a_fault_of_ours_tells_the_caller_nothing() {
        let status = internal(&std::io::Error::other("password of the database is wrong"));

        assert_eq!(status.message(), "INTERNAL");
        assert!(status.details().is_empty());
    }

    #[test]
    fn all_that_is_said_is_what_the_single_readers_find() {
        let full = refused("SECTION_FULL", &[("capacity_count", "28".to_owned())]);
        let mut violations = Violations::default();
        violations.note("pupil_id", "not a UUID");
        let basket = refused_parts(
            "BASKET_REFUSED",
            &[("part_count", "2".to_owned())],
            &[("a".to_owned(), full.clone())],
        );
        let wait = exhausted_with("QUEUE_FULL", Duration::from_secs(3), &[("waiting_count", "9".to_owned())]);
        let foreign =
            ErrorDetails::with_error_info("CLASS_FULL", "elsewhere", HashMap::<String, String>::new());
        let foreign = Status::with_error_details(Code::Internal, "x", foreign);

        for status in [full, invalid(&violations), basket, wait, foreign, Status::internal("INTERNAL")] {
            let said = said(&status);
            assert_eq!(said.reason, reason_of(&status));
            assert_eq!(said.facts, facts_of(&status));
            assert_eq!(said.violations, violations_of(&status));
            assert_eq!(said.parts, parts_of(&status));
            assert_eq!(said.retry_after, retry_after_of(&status));
        }
    }

    #[test]
    fn a_foreign_reason_is_not_taken_for_ours() {
        let details =
            ErrorDetails::with_error_info("CLASS_FULL", "elsewhere", HashMap::<String, String>::new());
        let status = Status::with_error_details(Code::Internal, "x", details);

        assert_eq!(reason_of(&status), None);
    }

    #[test]
    fn the_transports_timeout_is_read_as_too_late() {
        assert_eq!(code_of(&Status::cancelled("Timeout expired")), Code::DeadlineExceeded);
        assert_eq!(code_of(&Status::cancelled("by the caller")), Code::Cancelled);
    }

    #[test]
    fn codes_become_http_as_the_table_says() {
        let table = [
            (Code::InvalidArgument, 400),
            (Code::Unauthenticated, 401),
            (Code::PermissionDenied, 403),
            (Code::NotFound, 404),
            (Code::FailedPrecondition, 400),
            (Code::AlreadyExists, 409),
            (Code::Aborted, 409),
            (Code::ResourceExhausted, 429),
            (Code::Unavailable, 503),
            (Code::DeadlineExceeded, 504),
            (Code::Internal, 500),
        ];
        for (code, http) in table {
            assert_eq!(http_code(code), http, "{code:?}");
        }
    }

    #[test]
    fn a_pool_that_gives_no_connection_is_unavailable() {
        let status = database(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));

        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(reason_of(&status).as_deref(), Some("DATABASE_UNAVAILABLE"));
    }

    #[tokio::test]
    async fn two_writers_of_one_sqlite_file_are_told_to_try_again() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("a.db").display());
        let mut options = sea_orm::ConnectOptions::new(url);
        options.max_connections(1);
        options.map_sqlx_sqlite_opts(|options| options.busy_timeout(Duration::ZERO));
        let (one, other) =
            (Database::connect(options.clone()).await.unwrap(), Database::connect(options).await.unwrap());
        one.execute_unprepared("begin immediate").await.unwrap();

        let status = database(other.execute_unprepared("begin immediate").await.unwrap_err());

        assert_eq!(
            (status.code(), reason_of(&status).as_deref()),
            (Code::Aborted, Some("DATABASE_CONFLICT"))
        );
        assert_eq!(status.metadata().get(RETRY_KEY).map(|value| value.as_bytes()), Some(&b"db"[..]));
    }

    #[tokio::test]
    async fn a_broken_statement_is_internal() {
        let db = Database::connect("sqlite::memory:").await.unwrap();

        let status = database(db.execute_unprepared("select nothing from nowhere").await.unwrap_err());

        assert_eq!((status.code(), status.message()), (Code::Internal, "INTERNAL"));
    }

    #[test]
    fn a_broken_row_is_internal() {
        assert_eq!(database(DbErr::Type("not a state".to_owned())).code(), Code::Internal);
    }

    #[test]
    fn causes_are_chained_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot read the key")]
        struct Outer(#[source] std::io::Error);

        assert_eq!(chain(&Outer(std::io::Error::other("no such file"))), "cannot read the key: no such file");
    }
}
