//! Every refusal about priorities as a status.

use shared::status;
use shared::value::{Id, Priority as PriorityKind};
use tonic::Status;

use crate::domain::priority::{Error, GroupError, MAX_UNUSED_COUNT};
use crate::rpc::error::{by_clause, silent};

/// There is no such priority, or the caller may not know of it.
pub fn unknown(id: Id<PriorityKind>) -> Status {
    status::not_found("priority", id)
}

/// Refuses a command.
pub fn priority(error: &Error) -> Status {
    match error {
        Error::Decided => status::refused("PRIORITY_DECIDED", &[]),
        Error::SecondPerson => status::denied("SECOND_PERSON_REQUIRED"),
        Error::NotRefused => status::refused("PRIORITY_NOT_REFUSED", &[]),
        Error::NotApproved => status::refused("PRIORITY_NOT_APPROVED", &[]),
    }
}

/// Refuses a group; names those there are.
pub fn group(error: &GroupError) -> Status {
    match error {
        GroupError::Silent(error) => silent(error),
        GroupError::NotListed { groups, clause } => {
            let keys: Vec<_> = groups.iter().map(|group| group.key.as_str()).collect();
            let names: Vec<_> = groups.iter().map(|group| group.name_zh.as_str()).collect();
            let english: Vec<_> = keys.iter().map(|key| key.replace('_', " ")).collect();
            by_clause(
                "GROUP_NOT_LISTED",
                clause,
                &[
                    ("groups", keys.join(",")),
                    ("groups_zh", names.join("、")),
                    ("groups_en", english.join(", ")),
                ],
            )
        }
    }
}

/// A claim of the group waits already.
pub fn pending(id: Id<PriorityKind>) -> Status {
    status::refused("PRIORITY_PENDING", &[("priority_id", id.to_string())])
}

/// Documents are missing, or are not the guardian's to use.
pub fn evidence_required() -> Status {
    status::refused("EVIDENCE_REQUIRED", &[])
}

/// Too many documents wait for a claim.
pub fn evidence_too_many() -> Status {
    status::refused("EVIDENCE_TOO_MANY", &[("limit_count", MAX_UNUSED_COUNT.to_string())])
}
