//! What tests need: a clock that stands still, a database of their own on each engine, and ports for programs they start.
//!
//! ```ignore
//! #[tokio::test]
//! async fn a_seat_is_taken_once() {
//!     for db in testing::each_database::<Migrator>().await {
//!         // given, when, then: `db` is a `Db`, migrated and empty, and nobody else's
//!     }
//! }
//! ```
//!
//! SQLite is a file in a temporary folder. PostgreSQL is the server of `KEHOU_TEST_DATABASE_URL` (a role that
//! may create databases), or else one that is started here and shared by all test programs that run at the
//! time: see `postgres`. Each test has a database of its own there, copied from a migrated template.
//!
//! Whatever cannot be set up panics: it is a test's way to fail.

mod clock;
mod database;
mod port;
mod postgres;

use prost::Message;
use sea_orm::{ConnectionTrait as _, Statement};
use uuid::Uuid;

pub use clock::{FixedClock, WrongClock, moment};
pub use database::{TestDb, database, each_database};
pub use port::free_port;

use crate::db::Db;

/// The events told in `db` so far, numbered or not, in the order of telling: name, subject, message.
pub async fn told<E: Message + Default>(db: &Db) -> Vec<(String, Uuid, E)> {
    let select = "select name, subject_id, payload from event order by seq";
    let statement = Statement::from_string(db.read().get_database_backend(), select);
    let rows = db.read().query_all_raw(statement).await.unwrap_or_else(|error| panic!("events: {error}"));
    let read = |row: &sea_orm::QueryResult| -> Result<_, Box<dyn std::error::Error>> {
        let payload: Vec<u8> = row.try_get_by("payload")?;
        Ok((row.try_get_by("name")?, row.try_get_by("subject_id")?, E::decode(payload.as_slice())?))
    };
    rows.iter().map(|row| read(row).unwrap_or_else(|error| panic!("event: {error}"))).collect()
}
