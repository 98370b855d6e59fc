//! Every refusal about notices as a status.

use shared::status;
use shared::value::{Id, Notice as NoticeKind};
use tonic::Status;

use crate::domain::notice::Error;
use crate::rpc::error::{by_clause, silent};

/// There is no such notice, or the caller may not know of it.
pub fn unknown(id: Id<NoticeKind>) -> Status {
    status::not_found("notice", id)
}

/// Refuses to send.
pub fn notice(error: &Error) -> Status {
    match error {
        Error::AudienceEmpty => status::refused("AUDIENCE_EMPTY", &[]),
        Error::DisclosureUnknown { keys } => {
            status::refused("DISCLOSURE_UNKNOWN", &[("keys", keys.join(","))])
        }
        Error::DisclosureIncomplete { missing, clause } => {
            let keys: Vec<_> = missing.iter().map(|item| item.key.as_str()).collect();
            let names: Vec<_> = missing.iter().map(|item| item.name_zh.as_str()).collect();
            let english: Vec<_> = keys.iter().map(|key| key.replace('_', " ")).collect();
            by_clause(
                "DISCLOSURE_INCOMPLETE",
                clause,
                &[
                    ("missing", keys.join(",")),
                    ("missing_zh", names.join("、")),
                    ("missing_en", english.join(", ")),
                ],
            )
        }
        Error::Silent(error) => silent(error),
    }
}
