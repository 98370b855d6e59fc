//! The database: one code for PostgreSQL and SQLite.
//!
//! | | PostgreSQL | SQLite |
//! |---|---|---|
//! | writing | READ COMMITTED, rows locked | one connection, `BEGIN IMMEDIATE` |
//! | reading outside a transaction | the same pool | a pool of its own that cannot write |
//! | durability | the server's `synchronous_commit` | WAL, `synchronous = FULL` |
//! | several services on one server | a schema each ([`DbConfig::schema`]) | a file each |
//!
//! A change is `begin`, store functions that take `&tx`, `commit`. A [`Tx`] that is dropped rolls back.

pub mod column;
mod config;
mod error;
pub mod migration;
mod retry;
mod schema;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    ExecResult, QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait as _,
};
use secrecy::ExposeSecret as _;
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use tokio::sync::Notify;

pub use config::{DbConfig, Kind};
pub use error::Error;
pub use retry::{Backoff, retry};
pub use schema::{SchemaError, check_schema, migrate};

use crate::clock::Clock;
use crate::value::Moment;

/// A database with its connections. Cheap to clone; all clones share them.
#[derive(Clone, Debug)]
pub struct Db(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    schema: Option<String>,
    write: DatabaseConnection,
    read: DatabaseConnection,
    told: Notify,
}

impl Db {
    /// Opens the connections. Creates no table; a SQLite file (with its folder) is made when there is none.
    ///
    /// # Errors
    /// When the settings make no sense or the database cannot be reached.
    pub async fn connect(config: &DbConfig) -> Result<Self, Error> {
        let kind = config.kind()?;
        let (write, read) = match kind {
            Kind::Sqlite => connect_sqlite(config).await?,
            Kind::Postgres => connect_postgres(config).await?,
        };
        Ok(Self(Arc::new(Inner { kind, schema: config.schema()?, write, read, told: Notify::new() })))
    }

    /// Which engine it is: for the few statements that must differ.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// For reading what is committed, outside a transaction. On SQLite it cannot write.
    #[must_use]
    pub fn read(&self) -> &DatabaseConnection {
        &self.0.read
    }

    /// Begins a transaction that may write. On SQLite it waits until no other one is open.
    ///
    /// # Errors
    /// When no connection is to be had in time.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let options = TransactionOptions {
            // On SQLite a transaction that began by reading could not write later once another had written.
            sqlite_transaction_mode: (self.0.kind == Kind::Sqlite)
                .then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let inner = self.0.write.begin_with_options(options).await?;
        Ok(Tx { inner, db: self.clone(), told: AtomicBool::new(false) })
    }

    /// Closes the connections, waiting up to `patience` for those in use. Nothing can be done with the
    /// database afterwards.
    pub async fn close(&self, patience: Duration) {
        let close = async {
            // The writer last: SQLite's last connection folds the log back into the file.
            let read = self.0.read.clone().close().await;
            let write = self.0.write.clone().close().await;
            read.and(write)
        };
        match tokio::time::timeout(patience, close).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the database did not close cleanly: {error}"),
            Err(_) => tracing::warn!("connections of the database were still in use when it closed"),
        }
    }

    /// Checks that a connection answers.
    ///
    /// # Errors
    /// When none does.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.0.read.ping().await?)
    }

    /// The PostgreSQL schema this database is confined to, if it is.
    pub(crate) fn schema(&self) -> Option<&str> {
        self.0.schema.as_deref()
    }

    /// The pool behind PostgreSQL, for what SeaORM does not speak (LISTEN); none on SQLite.
    pub(crate) fn postgres(&self) -> Option<&sqlx::PgPool> {
        (self.0.kind == Kind::Postgres).then(|| self.0.write.get_postgres_connection_pool())
    }

    /// Waits until a transaction of this process that told events has committed. A hint: others' are not
    /// heard here.
    pub(crate) async fn told(&self) {
        self.0.told.notified().await;
    }
}

/// A transaction that may write. Store functions take `&Tx`; SeaORM takes it wherever it takes a connection.
///
/// Dropped without [`Tx::commit`] it rolls back.
#[derive(Debug)]
pub struct Tx {
    inner: DatabaseTransaction,
    db: Db,
    told: AtomicBool,
}

impl Db {
    /// The moment it is, as [`Tx::now`] has it: for whoever looks for what is due before anything is locked.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn now(&self, clock: &dyn Clock) -> Result<Moment, Error> {
        shared_now(self.read(), self.kind(), clock).await
    }
}

/// The moment everybody sees who shares this database.
async fn shared_now(
    connection: &impl ConnectionTrait,
    kind: Kind,
    clock: &dyn Clock,
) -> Result<Moment, Error> {
    if kind == Kind::Sqlite || clock.is_set_by_hand() {
        return Ok(clock.now());
    }
    let statement =
        Statement::from_string(connection.get_database_backend(), "select clock_timestamp() as moment");
    let row = connection.query_one_raw(statement).await?;
    let row = row.ok_or_else(|| Error::inconsistent("clock", "now", "it shows nothing"))?;
    Ok(row.try_get("", "moment")?)
}

impl Tx {
    /// Which engine it is: for the few statements that must differ.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.db.kind()
    }

    /// The moment it is, as everybody sees it who shares this database: PostgreSQL's own clock, read now and not when the
    /// transaction began. SQLite has no clock but its process's; a clock set by hand is believed on both.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn now(&self, clock: &dyn Clock) -> Result<Moment, Error> {
        shared_now(self, self.kind(), clock).await
    }

    /// Makes it all true at once. If events were told, wakes the feed's sequencer.
    ///
    /// # Errors
    /// When the database refuses; after a lost connection it is not known whether it was done, which is what
    /// request ids are for.
    pub async fn commit(self) -> Result<(), Error> {
        self.inner.commit().await?;
        if self.told.into_inner() {
            self.db.0.told.notify_one();
        }
        Ok(())
    }

    /// Undoes it all now. Dropping does the same a little later.
    ///
    /// # Errors
    /// When the connection is lost; the database then undoes it by itself.
    pub async fn rollback(self) -> Result<(), Error> {
        Ok(self.inner.rollback().await?)
    }

    /// Notes that an event was told in this transaction.
    pub(crate) fn note_told(&self) {
        self.told.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.inner.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.inner.query_all_raw(statement).await
    }
}

/// How long one waits for a connection, and SQLite for another process's lock.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

fn options(config: &DbConfig) -> ConnectOptions {
    let mut options = ConnectOptions::new(config.url.clone());
    // Statements are seen as spans and in the metrics; a log line for each would drown the others.
    options.sqlx_logging(false).acquire_timeout(ACQUIRE_TIMEOUT);
    options
}

async fn connect_sqlite(config: &DbConfig) -> Result<(DatabaseConnection, DatabaseConnection), Error> {
    if let Some(folder) = config.sqlite_path().parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            Error::Config(format!("folder {} of the database: {error}", folder.display()))
        })?;
    }
    // One writer: SQLite has one at a time anyway, and a fair queue here beats polling for its lock there.
    let mut write = options(config);
    write.min_connections(1).max_connections(1).idle_timeout(None).max_lifetime(None);
    write.map_sqlx_sqlite_opts(|options| {
        options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(ACQUIRE_TIMEOUT)
    });
    let write = Database::connect(write).await?;

    let mut read = options(config);
    read.max_connections(config.max_connections).idle_timeout(None).max_lifetime(None);
    read.map_sqlx_sqlite_opts(|options| options.pragma("query_only", "ON").busy_timeout(ACQUIRE_TIMEOUT));
    Ok((write, Database::connect(read).await?))
}

async fn connect_postgres(config: &DbConfig) -> Result<(DatabaseConnection, DatabaseConnection), Error> {
    let password = config.password()?;
    let mut settings = vec![
        ("default_transaction_isolation", "read committed".to_owned()),
        ("statement_timeout", config.statement_timeout_ms.to_string()),
        ("lock_timeout", config.lock_timeout_ms.to_string()),
        ("idle_in_transaction_session_timeout", config.idle_transaction_timeout_ms.to_string()),
    ];
    settings.extend(config.schema()?.map(|schema| ("search_path", schema)));

    let mut options = options(config);
    // A connection that was used a moment ago is not asked first whether it lives: that would be one more
    // round trip.
    options.max_connections(config.max_connections).test_before_acquire_if_idle_for(Duration::from_secs(30));
    options.map_sqlx_postgres_opts(move |mut options| {
        if let Some(password) = &password {
            options = options.password(password.expose_secret());
        }
        options.options(settings.iter().map(|(name, value)| (*name, value.as_str())))
    });
    let connection = Database::connect(options).await?;
    Ok((connection.clone(), connection))
}
