//! The catalog's methods, over real gRPC, on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod authorization;
mod courses;
mod import;
mod life;
mod menus;
mod providers;
mod rows;
mod sections;
mod slots;
mod terms;
mod world;
