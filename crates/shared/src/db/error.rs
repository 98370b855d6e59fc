//! What can go wrong with stored things.

use std::fmt::Display;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::ErrorKind;
use tonic::Status;

use crate::status;

/// An error of the database, or of a row in it. Every store function may return it as it is.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The settings make no sense.
    #[error("{0}")]
    Config(String),
    /// The database did not do it.
    #[error(transparent)]
    Database(#[from] DbErr),
    /// A row breaks a promise of its table. Never mended by a default: a person must look.
    #[error("row {id} of {table} is inconsistent: {why}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The row's key.
        id: String,
        /// The promise it breaks. No personal data: it is logged.
        why: String,
    },
}

impl Error {
    /// A row of `table` with key `id` that breaks a promise.
    pub fn inconsistent(table: &'static str, id: impl Display, why: impl Display) -> Self {
        Self::Inconsistent { table, id: id.to_string(), why: why.to_string() }
    }

    /// Says whether the whole transaction, begun again, could succeed: another one was in the way.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Database(error) if status::is_conflict(error))
    }

    /// The constraint a statement violated, by name, if that is what happened.
    ///
    /// | | PostgreSQL | SQLite |
    /// |---|---|---|
    /// | unique index or constraint | its name | `<table>_<column>_…_key`: so name it ([`super::column::unique`] does) |
    /// | primary key | its name, `<table>_pkey` if not chosen | `<table>_pkey` |
    /// | check | its name | its name |
    /// | foreign key | its name | `foreign_key`: SQLite does not say which |
    /// | not null | `<column>_not_null` | `<column>_not_null` |
    #[must_use]
    pub fn violated(&self) -> Option<String> {
        match self {
            Self::Database(error) => violated(error),
            Self::Config(_) | Self::Inconsistent { .. } => None,
        }
    }
}

/// The constraint a statement violated: see [`Error::violated`].
fn violated(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    let sqlx::Error::Database(error) = error.as_ref() else {
        return None;
    };
    if let Some(postgres) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        return match error.kind() {
            ErrorKind::NotNullViolation => postgres.column().map(|column| format!("{column}_not_null")),
            _ => postgres.constraint().map(ToOwned::to_owned),
        };
    }
    // SQLite: `UNIQUE constraint failed: seat.pupil_id, seat.slot_id`.
    let (_, subject) = error.message().split_once("constraint failed: ").unwrap_or_default();
    let columns = || subject.split(", ").filter_map(|column| column.split_once('.'));
    match error.kind() {
        ErrorKind::UniqueViolation if error.code().as_deref() == Some(SQLITE_PRIMARY_KEY) => {
            columns().next().map(|(table, _)| format!("{table}_pkey"))
        }
        ErrorKind::UniqueViolation => match subject.strip_prefix("index '") {
            Some(index) => Some(index.trim_end_matches('\'').to_owned()),
            None => columns().next().map(|(table, _)| {
                let names: Vec<_> = columns().map(|(_, column)| column).collect();
                format!("{table}_{}_key", names.join("_"))
            }),
        },
        ErrorKind::CheckViolation => Some(subject.to_owned()),
        ErrorKind::ForeignKeyViolation => Some("foreign_key".to_owned()),
        ErrorKind::NotNullViolation => columns().next().map(|(_, column)| format!("{column}_not_null")),
        _ => None,
    }
}

/// `SQLITE_CONSTRAINT_PRIMARYKEY`. Source: sqlite.org/rescode.html.
const SQLITE_PRIMARY_KEY: &str = "1555";

impl From<Error> for Status {
    /// Refuses the call: see [`status::database`]; settings and rows that break promises are faults of ours.
    fn from(error: Error) -> Self {
        match error {
            Error::Database(error) => status::database(error),
            Error::Config(_) | Error::Inconsistent { .. } => status::internal(&error),
        }
    }
}
