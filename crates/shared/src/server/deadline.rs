//! How long a call may take, as gRPC writes it, and how much of it is left for the calls it makes itself.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

/// The header a caller says its patience in.
pub(crate) const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The header that names one tap, click or job across every call it causes. Made at the edge; kept as it came.
pub(crate) const CALL_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: Current;
}

/// The call being answered by this task.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    /// Names what caused it; see [`CALL_ID`].
    pub call_id: Option<HeaderValue>,
    /// When its caller stops waiting; none for a stream.
    pub ends_at: Option<Instant>,
}

impl Current {
    /// Runs `work` as this call.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// The call this task is answering. None in a job, and in a task spawned by a call.
    pub fn get() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }
}

/// Reads a deadline: up to 8 digits and a unit (H, M, S, m, u, n). None when absent or unreadable.
///
/// Source: gRPC over HTTP/2, the `Timeout` rule.
pub(crate) fn read(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let unit = text.chars().last()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        'H' => Some(Duration::from_secs(count * 3600)),
        'M' => Some(Duration::from_secs(count * 60)),
        'S' => Some(Duration::from_secs(count)),
        'm' => Some(Duration::from_millis(count)),
        'u' => Some(Duration::from_micros(count)),
        'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

/// Writes a deadline, to the millisecond, at least one.
pub(crate) fn write(headers: &mut HeaderMap, timeout: Duration) {
    // 8 digits of milliseconds are more than a day.
    let milliseconds = timeout.as_millis().clamp(1, 99_999_999);
    if let Ok(value) = HeaderValue::try_from(format!("{milliseconds}m")) {
        headers.insert(GRPC_TIMEOUT, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(GRPC_TIMEOUT, HeaderValue::from_str(text).unwrap())])
    }

    #[test]
    fn deadlines_are_read_in_every_unit() {
        let table = [
            ("1H", Some(Duration::from_secs(3600))),
            ("2M", Some(Duration::from_secs(120))),
            ("10S", Some(Duration::from_secs(10))),
            ("250m", Some(Duration::from_millis(250))),
            ("99999999u", Some(Duration::from_micros(99_999_999))),
            ("5n", Some(Duration::from_nanos(5))),
            ("100000000m", None),
            ("m", None),
            ("-1S", None),
            ("1.5S", None),
            ("10", None),
            ("10秒", None),
        ];
        for (text, duration) in table {
            // A header may carry any bytes; one that is not ASCII is unreadable.
            let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else {
                continue;
            };
            assert_eq!(read(&HeaderMap::from_iter([(GRPC_TIMEOUT, value)])), duration, "{text}");
        }
    }

    #[test]
    fn a_deadline_reads_back_as_it_was_written() {
        let mut written = headers("1H");

        write(&mut written, Duration::from_millis(4321));

        assert_eq!(read(&written), Some(Duration::from_millis(4321)));
    }
}
