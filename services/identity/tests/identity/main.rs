//! Identity over real gRPC, on SQLite and on PostgreSQL, with the WeChat sandbox behind it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod guardians;
mod messages;
mod nodes;
mod pupils;
mod reads;
mod secrecy;
mod staff;
mod world;
