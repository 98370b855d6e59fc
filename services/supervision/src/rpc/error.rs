//! Every refusal of a rule, as gRPC carries it.

use shared::status::{not_found, refused};
use tonic::Status;

use crate::domain::ticket;

/// There is no such ticket, or the caller may not know of it. `name` is the id or number the caller gave.
pub fn no_ticket(name: impl std::fmt::Display) -> Status {
    not_found("ticket", name)
}

impl From<ticket::Error> for Status {
    fn from(error: ticket::Error) -> Self {
        match error {
            ticket::Error::WrongState { state } => refused("TICKET_STATE", &[("state", state.to_owned())]),
            ticket::Error::HandlerMisplaced => refused("HANDLER_MISPLACED", &[]),
            ticket::Error::TooMany { limit_count } => {
                refused("TICKET_TOO_MANY", &[("limit_count", limit_count.to_string())])
            }
        }
    }
}
