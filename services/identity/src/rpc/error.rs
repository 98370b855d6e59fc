//! Every refusal as a status.

use std::time::Duration;

use shared::status;
use shared::value::Moment;
use tonic::Status;
use wechat::mini;

use crate::domain::attempt::Locked;
use crate::domain::consent::{Refusal, VERSION};

/// How long a guardian waits whom WeChat limits: its window is a minute.
const WECHAT_WINDOW: Duration = Duration::from_secs(60);

/// A binding that was not even tried.
#[must_use]
pub fn refusal(refusal: Refusal) -> Status {
    match refusal {
        Refusal::PhoneNotVerified => status::refused("PHONE_NOT_VERIFIED", &[]),
        Refusal::ConsentRequired => status::refused("CONSENT_REQUIRED", &[("version", VERSION.to_owned())]),
        Refusal::ConsentOutdated => status::refused("CONSENT_OUTDATED", &[("version", VERSION.to_owned())]),
    }
}

/// Somebody who failed too often.
#[must_use]
pub fn locked(reason: &'static str, locked: Locked, now: Moment) -> Status {
    status::exhausted(reason, (locked.until - now).to_std().unwrap_or_default())
}

/// WeChat did not say who it is.
#[must_use]
pub fn wechat(error: &mini::Error) -> Status {
    match error {
        mini::Error::CodeInvalid { .. } | mini::Error::OtherApp => {
            status::unauthenticated("WECHAT_CODE_INVALID")
        }
        mini::Error::Blocked => status::denied("WECHAT_USER_BLOCKED"),
        mini::Error::RateLimited { .. } => status::exhausted("WECHAT_RATE_LIMITED", WECHAT_WINDOW),
        mini::Error::Busy { .. } | mini::Error::Unknown { .. } => {
            tracing::warn!(%error, "WeChat gave no answer: {error}");
            status::unavailable("WECHAT_UNAVAILABLE")
        }
        mini::Error::Configuration { .. }
        | mini::Error::TokenRefused { .. }
        | mini::Error::NotSubscribed
        | mini::Error::RecipientUnknown
        | mini::Error::MessageRefused { .. }
        | mini::Error::MessageInvalid(_)
        | mini::Error::Other { .. } => {
            tracing::error!(%error, "WeChat refuses us, which a person must look at: {error}");
            status::unavailable("WECHAT_UNAVAILABLE")
        }
    }
}

/// A fault of ours that is no error of the database: logged with its causes.
#[must_use]
pub fn fault(error: &anyhow::Error) -> Status {
    status::internal(error.as_ref())
}

/// Another transaction took what this one was about to take: done again, it sees it.
#[must_use]
pub fn overtaken() -> Status {
    let mut status = status::aborted("DATABASE_CONFLICT");
    status.metadata_mut().insert(status::RETRY_KEY, tonic::metadata::MetadataValue::from_static("db"));
    status
}
