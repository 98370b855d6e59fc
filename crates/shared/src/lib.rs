//! What every Kehou service needs and none of them owns.
//!
//! | module | knows |
//! |---|---|
//! | [`caller`] | who calls, and the permits a method takes |
//! | [`check`] | what must hold over all rows, and what was found |
//! | [`client`] | calling another service |
//! | [`clock`] | the time of day |
//! | [`config`] | settings: defaults, file, environment; secrets from files |
//! | [`db`] | PostgreSQL and SQLite: connections, transactions, migrations |
//! | [`feed`] | events between services: told, numbered, followed |
//! | [`pace`] | how fast a queue is served, and how long to stay away from it |
//! | [`program`] | a service as a program of its own |
//! | [`random`] | ids, tokens, codes |
//! | [`request`] | request ids: nothing happens twice |
//! | [`seal`] | encrypting fields, and finding them |
//! | [`server`] | serving gRPC: what every call passes, health, draining |
//! | [`status`] | refusals as gRPC carries them |
//! | [`table`] | tables people bring as files: Excel and comma-separated text |
//! | [`telemetry`] | logs, traces, metrics |
//! | `testing` | for tests: a fixed clock, a database of each engine (feature `testing`) |
//! | [`value`] | money, ids, pages, and reading messages with all their errors at once |

pub mod caller;
pub mod check;
pub mod client;
pub mod clock;
pub mod config;
pub mod db;
pub mod feed;
pub mod pace;
pub mod program;
pub mod random;
pub mod request;
pub mod seal;
pub mod server;
pub mod status;
pub mod table;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod value;
