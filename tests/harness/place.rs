//! Where a world's data lie. Loading the demonstration takes seconds, so each test program does it once for each database and every
//! world gets a copy.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kehou::platform::{Platform, Settings};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use shared::db::Kind;
use shared::testing::{self, FixedClock, TestDb};
use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell};

use crate::world::MORNING;

/// A folder of one's own, and a database where there is a server.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    database: Option<Owned>,
}

/// A database and who will drop it.
#[derive(Debug)]
enum Owned {
    /// Dropped by `shared::testing` when it is let go.
    Fresh(TestDb),
    /// Dropped by [`Place::leave`]; should the process end before that, by the next one that tests here.
    Copy(String),
}

/// A migrator of nothing: what it migrates is empty.
#[derive(Debug)]
struct Nothing;

impl MigratorTrait for Nothing {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        Vec::new()
    }
}

impl Place {
    /// An empty place.
    ///
    /// # Errors
    /// When no folder can be made.
    pub async fn empty(kind: Kind) -> anyhow::Result<Self> {
        let database = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(Owned::Fresh(testing::database::<Nothing>(Kind::Postgres).await)),
        };
        Ok(Self { folder: tempfile::tempdir()?, database })
    }

    /// A place with the demonstration loaded, as of [`MORNING`].
    ///
    /// # Errors
    /// When it cannot be loaded or copied.
    pub async fn loaded(kind: Kind) -> anyhow::Result<Self> {
        static TEMPLATES: [OnceCell<Place>; 2] = [const { OnceCell::const_new() }; 2];
        let slot = match kind {
            Kind::Sqlite => &TEMPLATES[0],
            Kind::Postgres => &TEMPLATES[1],
        };
        slot.get_or_try_init(|| Self::load(kind)).await?.copy().await
    }

    async fn load(kind: Kind) -> anyhow::Result<Self> {
        let place = Self::empty(kind).await?;
        let clock = FixedClock::at(testing::moment(MORNING));
        let platform =
            Platform::start(&place.settings(), clock.shared()).await.context("loading the demonstration")?;
        platform.stop().await?;
        if let Some(Owned::Fresh(database)) = &place.database {
            // Nobody may be connected to what is copied.
            database.close(std::time::Duration::from_secs(5)).await;
        }
        Ok(place)
    }

    async fn copy(&self) -> anyhow::Result<Self> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
        let folder = tempfile::tempdir()?;
        copy_folder(self.folder.path(), folder.path())?;
        let database = match self.url() {
            None => None,
            Some(url) => {
                let _turn = ONE_AT_A_TIME.lock().await;
                let random = u64::from_be_bytes(shared::random::bytes());
                let (from, to) = (name_of(&url), format!("t_{}_{random:016x}", std::process::id()));
                administer(&url, &format!("create database {to} template {from}")).await?;
                Some(Owned::Copy(with_name(&url, &to)))
            }
        };
        Ok(Self { folder, database })
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The database's URL; none on SQLite, whose files lie in the folder.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        match self.database.as_ref()? {
            Owned::Fresh(database) => Some(database.config().url.clone()),
            Owned::Copy(url) => Some(url.clone()),
        }
    }

    /// Settings for a platform in this place: any free port, and limits no test meets by accident.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let limits = gateway::config::Limits {
            requests_per_second: 1_000_000,
            request_burst: 1_000_000,
            sign_ins_per_second: 1_000_000,
            sign_in_burst: 1_000_000,
            timeout_seconds: 60,
            ..gateway::config::Limits::default()
        };
        Settings {
            database: self.url(),
            listen: "127.0.0.1:0".to_owned(),
            sandbox_listen: "127.0.0.1:0".to_owned(),
            limits,
            policies: checkout().join("policies"),
            demo: Some(checkout().join("demo")),
            ..Settings::new(self.folder())
        }
    }

    /// Gives everything back.
    ///
    /// # Errors
    /// When the database cannot be dropped.
    pub async fn leave(self) -> anyhow::Result<()> {
        match self.database {
            Some(Owned::Copy(url)) => {
                administer(&url, &format!("drop database if exists {} with (force)", name_of(&url))).await
            }
            Some(Owned::Fresh(_)) | None => Ok(()),
        }
    }
}

/// The checkout's root.
#[must_use]
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The database's name in a URL: what stands between the last `/` before any `?` and the `?`.
fn name_of(url: &str) -> String {
    let address = url.split('?').next().unwrap_or_default();
    address.rsplit('/').next().unwrap_or_default().to_owned()
}

fn with_name(url: &str, name: &str) -> String {
    url.replacen(&format!("/{}", name_of(url)), &format!("/{name}"), 1)
}

async fn administer(url: &str, statement: &str) -> anyhow::Result<()> {
    let mut options = ConnectOptions::new(with_name(url, "postgres"));
    options.max_connections(1).sqlx_logging(false);
    let server = Database::connect(options).await?;
    server.execute_unprepared(statement).await.with_context(|| statement.to_owned())?;
    server.close().await?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
