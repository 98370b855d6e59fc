//! Columns and constraints for migrations, the same on both databases and named as the house names them.
//!
//! ```
//! use sea_orm_migration::prelude::Table;
//! use shared::db::column;
//!
//! let seat = Table::create()
//!     .table("seat")
//!     .col(column::key("id"))
//!     .col(column::id("pupil_id"))
//!     .col(column::text("state"))
//!     .col(column::fen("price_fen"))
//!     .col(column::optional(column::moment("hold_expires_at")))
//!     .check(column::one_of("seat", "state", &["held", "confirmed", "released"]))
//!     .check(column::check("seat", "hold", "(state = 'held') = (hold_expires_at is not null)"))
//!     .check(column::at_least("seat", "price_fen", 0))
//!     .to_owned();
//! let index = column::unique("seat", &["pupil_id", "hold_expires_at"]);
//! ```

use sea_orm_migration::prelude::{ColumnDef, Expr, Index, IndexCreateStatement, IntoIden};
use sea_orm_migration::sea_query::Check;

/// A UUID that is the table's primary key.
#[must_use]
pub fn key(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().not_null().primary_key().take()
}

/// A UUID that names a row, of this table or another's.
#[must_use]
pub fn id(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().not_null().take()
}

/// A moment to the microsecond, in UTC. Set by the application, never by the database.
#[must_use]
pub fn moment(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().not_null().take()
}

/// A calendar day without a time.
#[must_use]
pub fn date(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).date().not_null().take()
}

/// Money in whole fen. The name ends in `_fen`.
#[must_use]
pub fn fen(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// A count. The name ends in `_count`.
#[must_use]
pub fn count(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().take()
}

/// A whole number of 64 bits that is no money: a version, a position.
#[must_use]
pub fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// Text.
#[must_use]
pub fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

/// Bytes: sealed fields, blind indexes, encoded messages.
#[must_use]
pub fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().take()
}

/// Yes or no.
#[must_use]
pub fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().take()
}

/// JSON: lists and nested values that no query looks into.
#[must_use]
pub fn json(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).json_binary().not_null().take()
}

/// The same column, where absence means something.
#[must_use]
pub fn optional(mut column: ColumnDef) -> ColumnDef {
    column.null().take()
}

/// The check `<table>_<column>_check`: the text is one of `words`, lower-case and without quotes.
#[must_use]
pub fn one_of(table: &str, column: &str, words: &[&str]) -> Check {
    let words = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
    check(table, column, &format!("{column} in ({words})"))
}

/// The check `<table>_<column>_check`: the number is `least` or more.
#[must_use]
pub fn at_least(table: &str, column: &str, least: i64) -> Check {
    check(table, column, &format!("{column} >= {least}"))
}

/// The check `<table>_<about>_check`: `condition`, in SQL that both databases read.
#[must_use]
pub fn check(table: &str, about: &str, condition: &str) -> Check {
    Check::named(format!("{table}_{about}_check"), Expr::cust(condition.to_owned()))
}

/// The unique index `<table>_<column>_…_key`: the name that [`super::Error::violated`] gives on both
/// databases.
#[must_use]
pub fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = index(table, columns);
    index.name(format!("{table}_{}_key", columns.join("_"))).unique().take()
}

/// The index `<table>_<column>_…_idx`.
#[must_use]
pub fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("{table}_{}_idx", columns.join("_"))).table(table);
    for column in columns {
        index.col(column.into_iden());
    }
    index
}
