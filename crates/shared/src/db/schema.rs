//! Tables as the migrations make them.

use sea_orm::{ConnectionTrait as _, DbErr, Statement};
use sea_orm_migration::{MigrationStatus, MigratorTrait};

use super::{Db, Error, Kind};

/// The schema is not the one this program was built for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Migrations of this program were not applied: run `migrate` first.
    #[error("migrations not applied yet: {}", .0.join(", "))]
    Pending(Vec<String>),
    /// The database has migrations that this program does not know: it is older than the database.
    #[error("migrations unknown to this program: {0}")]
    Unknown(String),
    /// The database could not be asked.
    #[error(transparent)]
    Database(#[from] Error),
}

/// Applies the migrations of `M` that are not applied yet: all of them or none.
///
/// Any number of processes may do it at once; one works, the others wait and find it done. On PostgreSQL the
/// schema of [`super::DbConfig::schema`] is made first.
///
/// # Errors
/// When the database refuses, or has migrations that `M` does not know.
pub async fn migrate<M: MigratorTrait>(db: &Db) -> Result<(), Error> {
    let tx = db.begin().await?;
    if tx.kind() == Kind::Postgres {
        // Waiting for another process's migration may take long; waiting for a table in use must not:
        // everybody else would queue behind the wait.
        tx.execute_unprepared("set local statement_timeout = 0; set local lock_timeout = 0").await?;
        tx.execute_raw(Statement::from_string(
            tx.get_database_backend(),
            "select pg_advisory_xact_lock(hashtext('kehou migrations'), hashtext(current_setting('search_path')))",
        ))
        .await?;
        tx.execute_unprepared("set local lock_timeout = '5s'").await?;
        if let Some(schema) = db.schema() {
            tx.execute_unprepared(&format!("create schema if not exists \"{schema}\"")).await?;
        }
    }
    M::up(&tx.inner, None).await?;
    tx.commit().await
}

/// Checks that the migrations of `M`, and no others, are applied. A service calls it before it serves.
///
/// # Errors
/// [`SchemaError`] with the migrations that differ.
pub async fn check_schema<M: MigratorTrait>(db: &Db) -> Result<(), SchemaError> {
    let migrations = match M::get_migration_with_status_read_only(db.read()).await {
        Ok(migrations) => migrations,
        Err(DbErr::Custom(unknown)) => return Err(SchemaError::Unknown(unknown)),
        Err(error) => return Err(SchemaError::Database(error.into())),
    };
    let pending: Vec<_> = migrations
        .iter()
        .filter(|migration| migration.status() == MigrationStatus::Pending)
        .map(|migration| migration.name().to_owned())
        .collect();
    if pending.is_empty() { Ok(()) } else { Err(SchemaError::Pending(pending)) }
}
