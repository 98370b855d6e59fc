//! What an answer of WeChat Pay means: did it happen, did it not, or must we ask?
//!
//! | answer | order, query, close, bill | refund |
//! |---|---|---|
//! | never left this machine | `NotSent` | `NotSent` |
//! | 429, 502, 503 | `Rejected` | `Unknown` |
//! | time-out, reset, 202, 3xx, other 5xx | `Unknown` | `Unknown` |
//! | 2xx without a good signature; a bad signature on any status | `Unverified` | `Unverified` |
//! | other 4xx | `Final` | `Final` |
//!
//! Source: WeChat Pay error code pages and the refund best-practice page.

use serde::Deserialize;

use crate::crypto::VerifyError;
use crate::http::Answer;

/// The outcome of a call that did not succeed, named by what the caller may believe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing left this machine. Repeat the identical request at leisure.
    #[error("not sent: {why}")]
    NotSent {
        /// The cause, without URL.
        why: String,
    },
    /// WeChat refused to look at it for now and did nothing. Back off, then repeat the identical request.
    #[error("refused for now: {status} {code}")]
    Rejected {
        /// HTTP status: 429, 502 or 503.
        status: u16,
        /// WeChat's code, empty when it gave none.
        code: String,
    },
    /// It may have happened. Query, or repeat with the same number and identical bytes; never with a new number.
    #[error("outcome unknown: {why}")]
    Unknown {
        /// The cause, without URL and without any part of a body.
        why: String,
    },
    /// An answer came that nobody can vouch for. Treat as [`Error::Unknown`]; nothing in it was used.
    #[error("answer {status} is not WeChat's: {why}")]
    Unverified {
        /// HTTP status of the answer.
        status: u16,
        /// What is wrong with its signature.
        why: VerifyError,
    },
    /// WeChat says no. Repeating does not help. Error answers may come unsigned, so a state of money is only ever
    /// settled by a successful query, not by this.
    #[error("refused: {status} {code}: {message}")]
    Final {
        /// HTTP status, 4xx.
        status: u16,
        /// WeChat's code, for programs: `PARAM_ERROR`, `NOT_ENOUGH`…
        code: String,
        /// WeChat's sentence, for a log line; wording is not stable.
        message: String,
    },
}

impl Error {
    /// Whether what was asked for may have happened, so that only a query can tell.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown { .. } | Self::Unverified { .. } => true,
            Self::NotSent { .. } | Self::Rejected { .. } | Self::Final { .. } => false,
        }
    }

    /// Whether WeChat says it knows no such order or refund: the creating call never took effect there.
    #[must_use]
    pub fn is_not_exist(&self) -> bool {
        matches!(self, Self::Final { status: 404, code, .. }
            if matches!(code.as_str(), "ORDER_NOT_EXIST" | "ORDERNOTEXIST" | "RESOURCE_NOT_EXISTS"))
    }

    /// WeChat's code, when it gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Rejected { code, .. } | Self::Final { code, .. } => Some(code),
            Self::NotSent { .. } | Self::Unknown { .. } | Self::Unverified { .. } => None,
        }
    }
}

/// Whether a refusal for the moment can be believed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Order, query, close, bill: 429 and 503 mean that nothing was done.
    Ordinary,
    /// Refund: WeChat documents that a refund answered 429 may be under way.
    Refund,
}

/// WeChat's error body.
#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// Gives the answer back when it is a verified success, or says what it means.
///
/// `verified` is the result of checking the signature headers; `MissingHeader` on an error status is normal.
pub(super) fn classify(
    answer: Answer,
    verified: Result<(), VerifyError>,
    effect: Effect,
) -> Result<Answer, Error> {
    let status = answer.status.as_u16();
    let unsigned_is_normal = status >= 400;
    match verified {
        Ok(()) => {}
        Err(VerifyError::MissingHeader { .. }) if unsigned_is_normal => {}
        Err(why) => return Err(Error::Unverified { status, why }),
    }
    if matches!(status, 200 | 204) {
        return Ok(answer);
    }
    let refusal = serde_json::from_slice(&answer.body);
    let Refusal { code, message } =
        refusal.unwrap_or(Refusal { code: String::new(), message: String::new() });
    let unknown = || Error::Unknown { why: format!("answered {status} {code}") };
    match (status, effect) {
        (429 | 502 | 503, Effect::Ordinary) => Err(Error::Rejected { status, code }),
        (429 | 502 | 503, Effect::Refund) => Err(unknown()),
        (400..=499, _) => Err(Error::Final { status, code, message }),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Answer {
        Answer {
            status: http::StatusCode::from_u16(status).unwrap(),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::from_static(br#"{"code":"C","message":"m"}"#),
        }
    }

    fn name(result: Result<Answer, Error>) -> &'static str {
        match result {
            Ok(_) => "ok",
            Err(Error::NotSent { .. }) => "not sent",
            Err(Error::Rejected { .. }) => "rejected",
            Err(Error::Unknown { .. }) => "unknown",
            Err(Error::Unverified { .. }) => "unverified",
            Err(Error::Final { .. }) => "final",
        }
    }

    #[test]
    fn every_signed_status_has_its_meaning() {
        for (status, ordinary, refund) in [
            (200, "ok", "ok"),
            (204, "ok", "ok"),
            (201, "unknown", "unknown"),
            (202, "unknown", "unknown"),
            (302, "unknown", "unknown"),
            (400, "final", "final"),
            (401, "final", "final"),
            (403, "final", "final"),
            (404, "final", "final"),
            (429, "rejected", "unknown"),
            (500, "unknown", "unknown"),
            (502, "rejected", "unknown"),
            (503, "rejected", "unknown"),
            (504, "unknown", "unknown"),
        ] {
            assert_eq!(name(classify(answer(status), Ok(()), Effect::Ordinary)), ordinary, "{status}");
            assert_eq!(name(classify(answer(status), Ok(()), Effect::Refund)), refund, "{status}");
        }
    }

    #[test]
    fn only_an_error_may_come_without_signature() {
        let missing = || Err(VerifyError::MissingHeader { name: "Wechatpay-Serial" });

        for (status, meaning) in [
            (200, "unverified"),
            (204, "unverified"),
            (202, "unverified"),
            (302, "unverified"),
            (400, "final"),
            (500, "unknown"),
        ] {
            assert_eq!(name(classify(answer(status), missing(), Effect::Ordinary)), meaning, "{status}");
        }
    }

    #[test]
    fn a_bad_signature_makes_any_answer_worthless() {
        for status in [200, 204, 400, 404, 500] {
            let bad = Err(VerifyError::Signature);
            assert_eq!(name(classify(answer(status), bad, Effect::Ordinary)), "unverified", "{status}");
        }
    }
}
