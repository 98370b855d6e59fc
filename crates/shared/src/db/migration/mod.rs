//! Migrations, written as the statements they are; and those of the tables that the shared modules need
//! everywhere.

mod m20260901_000001_request;
mod m20260901_000002_feed;

use sea_orm_migration::prelude::{ConnectionTrait as _, DbErr, MigrationName, MigrationTrait, SchemaManager};
use sea_orm_migration::sea_query::{IndexCreateStatement, TableAlterStatement, TableCreateStatement};

use super::Kind;

/// The shared migrations, in order. Every service's `Migrator` lists them before its own.
///
/// ```
/// use sea_orm_migration::prelude::{MigrationTrait, MigratorTrait, Table};
/// use shared::db::{column, migration};
///
/// // In `store/migration/m20260915_080000_seat.rs`:
/// fn seat() -> Box<dyn MigrationTrait> {
///     migration::named("m20260915_080000_seat")
///         .table(Table::create().table("seat").col(column::key("id")).col(column::id("pupil_id")))
///         .index(column::unique("seat", &["pupil_id"]))
///         .sql_on(shared::db::Kind::Postgres, "alter table seat set (fillfactor = 50)")
///         .boxed()
/// }
///
/// // In `store/migration/mod.rs`:
/// struct Migrator;
///
/// impl MigratorTrait for Migrator {
///     fn migrations() -> Vec<Box<dyn MigrationTrait>> {
///         let mut migrations = migration::shared();
///         migrations.extend([seat()]);
///         migrations
///     }
/// }
/// ```
#[must_use]
pub fn shared() -> Vec<Box<dyn MigrationTrait>> {
    vec![m20260901_000001_request::migration(), m20260901_000002_feed::migration()]
}

/// Begins a migration. `name` is that of its file: `mYYYYMMDD_HHMMSS_what`. It never changes once released.
pub fn named(name: &'static str) -> Migration {
    Migration { name, steps: Vec::new() }
}

/// One migration: statements that are all applied or none.
#[must_use]
pub struct Migration {
    name: &'static str,
    steps: Vec<Step>,
}

enum Step {
    Table(Box<TableCreateStatement>),
    Alter(Box<TableAlterStatement>),
    Index(Box<IndexCreateStatement>),
    Sql(String),
    SqlOn(Kind, String),
}

impl Migration {
    /// Makes a table.
    pub fn table(self, table: &mut TableCreateStatement) -> Self {
        self.with(Step::Table(Box::new(table.take())))
    }

    /// Changes a table. SQLite takes one change a statement, and cannot change a column's type.
    pub fn alter(self, alteration: &mut TableAlterStatement) -> Self {
        self.with(Step::Alter(Box::new(alteration.take())))
    }

    /// Makes an index.
    pub fn index(self, index: IndexCreateStatement) -> Self {
        self.with(Step::Index(Box::new(index)))
    }

    /// Does what `sql` says, which both databases read the same.
    pub fn sql(self, sql: impl Into<String>) -> Self {
        self.with(Step::Sql(sql.into()))
    }

    /// Does what `sql` says on one of the two databases only.
    pub fn sql_on(self, kind: Kind, sql: impl Into<String>) -> Self {
        self.with(Step::SqlOn(kind, sql.into()))
    }

    /// The migration, as `MigratorTrait::migrations` lists it.
    #[must_use]
    pub fn boxed(self) -> Box<dyn MigrationTrait> {
        Box::new(self)
    }

    fn with(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl MigrationName for Migration {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait leaves the lifetime out; written here it would be another signature"
)]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let kind = Kind::of(manager.get_database_backend());
        for step in &self.steps {
            match step {
                Step::Table(table) => manager.create_table((**table).clone()).await?,
                Step::Alter(alteration) => manager.alter_table((**alteration).clone()).await?,
                Step::Index(index) => manager.create_index((**index).clone()).await?,
                Step::SqlOn(only, _) if *only != kind => {}
                Step::Sql(sql) | Step::SqlOn(_, sql) => {
                    manager.get_connection().execute_unprepared(sql).await?;
                }
            }
        }
        Ok(())
    }
}
