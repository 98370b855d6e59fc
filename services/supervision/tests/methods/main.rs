//! The service over real gRPC and a real database: one file per method, and one per theme that is nobody's method alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accept_ticket;
mod assign_ticket;
mod authorization;
mod check;
mod explain_policy;
mod follow_enrollment;
mod follow_identity;
mod rate_ticket;
mod read_ticket;
mod reply_ticket;
mod return_ticket;
mod sealed;
mod submit_ticket;
mod support;
