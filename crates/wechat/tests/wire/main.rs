//! The client against the sandbox, over real HTTP: every method, every refusal that matters, every fault.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at the first surprise")]

mod bill;
mod fault;
mod mini;
mod notification;
mod order;
mod refund;
mod restart;
mod support;
