//! WeChat, from both sides: the client Kehou speaks with, and the sandbox that answers it.
//!
//! | module | knows |
//! |---|---|
//! | [`crypto`] | keys, signatures on raw bytes, notification encryption; nothing of HTTP |
//! | [`mini`] | the mini-program server API: login code, phone number, subscribe message |
//! | [`pay`] | WeChat Pay APIv3 for direct and partner merchants: order, query, close, refund, bill, notification |
//! | [`sandbox`] | the other end of the same wire: WeChat's limits, books, faults and a page to pay by hand |
//!
//! Time and base URLs are passed in: a test sets the clock, and the sandbox is just another base URL. Amounts are
//! `i64` fen in fields ending in `_fen`. Nothing here logs an openid, a phone number, a token, a key or a body.

use std::sync::Arc;

use chrono::{DateTime, Utc};

pub mod crypto;
mod http;
pub mod mini;
pub mod pay;
pub mod sandbox;

pub use crate::http::SetupError;

/// Where the present moment comes from. Shared by the client and, in tests, by the sandbox.
pub type Now = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;
