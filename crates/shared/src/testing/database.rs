//! A database of one's own for each test.

use std::cell::Cell;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::ops::Deref;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::{Mutex, OnceLock, PoisonError};

use sea_orm_migration::MigratorTrait;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
use tempfile::TempDir;

use super::postgres;
use crate::db::{self, Db, DbConfig, Kind};
use crate::{config, random};

/// A migrated, empty database of one test. Gone some time after it is dropped.
///
/// When a test panics while it holds one, the engine's name is printed.
#[derive(Debug)]
pub struct TestDb {
    db: Db,
    config: DbConfig,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder { _folder: TempDir },
    Server { name: String },
}

/// One empty database of each engine, migrated by `M`: SQLite, then PostgreSQL.
///
/// # Panics
/// When one cannot be had.
pub async fn each_database<M: MigratorTrait>() -> [TestDb; 2] {
    [database::<M>(Kind::Sqlite).await, database::<M>(Kind::Postgres).await]
}

/// One empty database of the given engine, migrated by `M`.
///
/// # Panics
/// When it cannot be had.
pub async fn database<M: MigratorTrait>(kind: Kind) -> TestDb {
    let made = match kind {
        Kind::Sqlite => sqlite::<M>().await,
        Kind::Postgres => on_server::<M>().await,
    };
    made.unwrap_or_else(|error| panic!("no {kind} database for the test: {error:#}"))
}

impl TestDb {
    /// How to connect to it: for a service under test, or a second process on the same database.
    #[must_use]
    pub fn config(&self) -> &DbConfig {
        &self.config
    }

    /// Opens it once more, with connections of its own, as another process would.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn reopen(&self) -> Db {
        Db::connect(&self.config).await.unwrap_or_else(|error| panic!("the test's database: {error}"))
    }
}

impl Deref for TestDb {
    type Target = Db;
    fn deref(&self) -> &Db {
        &self.db
    }
}

impl Drop for TestDb {
    #[expect(clippy::print_stderr, reason = "tells the reader of a failed test which engine it was")]
    fn drop(&mut self) {
        // Those a loop has not come to yet are dropped after the one it held.
        if std::thread::panicking() && !NAMED.replace(true) {
            eprintln!("the test failed on {}", self.db.kind());
        }
        if let Place::Server { name } = &self.place {
            // Dropping needs a connection, which cannot be awaited here: the next test does it.
            FINISHED.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        }
    }
}

thread_local! {
    /// Whether this thread's failed test has named its engine.
    static NAMED: Cell<bool> = const { Cell::new(false) };
}

/// The databases of tests of this process that have ended.
static FINISHED: Mutex<Vec<String>> = Mutex::new(Vec::new());

async fn sqlite<M: MigratorTrait>() -> anyhow::Result<TestDb> {
    let folder = tempfile::tempdir()?;
    let config = DbConfig::new(format!("sqlite://{}", folder.path().join("test.db").display()));
    let db = Db::connect(&config).await?;
    db::migrate::<M>(&db).await?;
    Ok(TestDb { db, config, place: Place::Folder { _folder: folder } })
}

async fn on_server<M: MigratorTrait>() -> anyhow::Result<TestDb> {
    let server = tokio::task::spawn_blocking(server).await??;
    let mut admin = PgConnection::connect_with(&PgConnectOptions::from_str(&server.url("postgres"))?).await?;
    drop_finished(&mut admin, server).await?;

    let template = template::<M>(&mut admin, server).await?;
    let name = format!("t_{}_{:016x}", std::process::id(), u64::from_be_bytes(random::bytes()));
    execute(&mut admin, format!("create database {name} template {template}")).await?;
    admin.close().await?;

    let config = DbConfig::new(server.url(&name));
    let db = Db::connect(&config).await?;
    Ok(TestDb { db, config, place: Place::Server { name } })
}

/// Makes the migrated database that tests copy, once for each test program and migrator.
async fn template<M: MigratorTrait>(admin: &mut PgConnection, server: &Server) -> anyhow::Result<String> {
    // A program that was built again may carry other migrations under the same names.
    let mut hasher = DefaultHasher::new();
    let program = std::env::current_exe()?;
    let metadata = fs::metadata(&program)?;
    (program, metadata.len(), metadata.modified()?, std::any::type_name::<M>()).hash(&mut hasher);
    let name = format!("tpl_{:016x}", hasher.finish());

    execute(admin, format!("select pg_advisory_lock(hashtext('{name}'))")).await?;
    let exists =
        sqlx::query("select 1 from pg_database where datname = $1").bind(&name).fetch_optional(&mut *admin);
    if exists.await?.is_none() {
        let unfinished = format!("{name}_new");
        execute(admin, format!("drop database if exists {unfinished}")).await?;
        execute(admin, format!("create database {unfinished}")).await?;
        let db =
            Db::connect(&DbConfig { max_connections: 1, ..DbConfig::new(server.url(&unfinished)) }).await?;
        let migrated = db::migrate::<M>(&db).await;
        db.close(std::time::Duration::from_secs(5)).await;
        migrated?;
        execute(admin, format!("alter database {unfinished} rename to {name}")).await?;
    }
    execute(admin, format!("select pg_advisory_unlock(hashtext('{name}'))")).await?;
    Ok(name)
}

/// Drops what tests have left: of this process, and on our own server also of processes that have ended.
async fn drop_finished(admin: &mut PgConnection, server: &Server) -> anyhow::Result<()> {
    static LEFT_BY_OTHERS: OnceLock<()> = OnceLock::new();
    let mut names = std::mem::take(&mut *FINISHED.lock().unwrap_or_else(PoisonError::into_inner));
    if server.is_ours() && LEFT_BY_OTHERS.set(()).is_ok() {
        let rows =
            sqlx::query(r"select datname from pg_database where datname like 't\_%'").fetch_all(&mut *admin);
        for row in rows.await? {
            let name: String = row.try_get(0)?;
            let process = name.split('_').nth(1).unwrap_or_default();
            if !Path::new("/proc").join(process).exists() {
                names.push(name);
            }
        }
    }
    for name in names {
        execute(admin, format!("drop database if exists {name} with (force)")).await?;
    }
    Ok(())
}

async fn execute(admin: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    admin.execute(AssertSqlSafe(sql)).await.map(|_| ())
}

/// The PostgreSQL server of this process's tests.
enum Server {
    Given { url: String },
    Own(postgres::Server),
}

impl Server {
    fn url(&self, database: &str) -> String {
        match self {
            Self::Given { url } => with_database(url, database),
            Self::Own(server) => server.url(database),
        }
    }

    fn is_ours(&self) -> bool {
        matches!(self, Self::Own(_))
    }
}

/// Gives the server, after starting it if need be. Blocks.
fn server() -> anyhow::Result<&'static Server> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    let server = SERVER.get_or_init(|| match config::variable("KEHOU_TEST_DATABASE_URL") {
        Some(url) => Ok(Server::Given { url }),
        None => postgres::join().map(Server::Own).map_err(|error| format!("{error:#}")),
    });
    server.as_ref().map_err(|error| anyhow::anyhow!("{error}"))
}

/// The URL with another database: `postgres://host/a?x=y` becomes `postgres://host/b?x=y`.
fn with_database(url: &str, database: &str) -> String {
    let (address, parameters) =
        url.split_once('?').map_or((url, None), |(address, rest)| (address, Some(rest)));
    let authority_at = address.find("://").map_or(0, |at| at + 3);
    let end = address[authority_at..].find('/').map_or(address.len(), |at| authority_at + at);
    let parameters = parameters.map(|parameters| format!("?{parameters}")).unwrap_or_default();
    format!("{}/{database}{parameters}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        let table = [
            ("postgres://u:p@host:5433/old?sslmode=disable", "postgres://u:p@host:5433/new?sslmode=disable"),
            ("postgres://host", "postgres://host/new"),
            ("postgres://host/", "postgres://host/new"),
        ];
        for (url, expected) in table {
            assert_eq!(with_database(url, "new"), expected);
        }
    }
}
