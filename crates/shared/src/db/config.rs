//! Which database, and how patient with it.

use std::fmt;
use std::path::{Path, PathBuf};

use sea_orm::DbBackend;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::Error;

/// The engine behind a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A file of our own, one writer at a time.
    Sqlite,
    /// A PostgreSQL server, 15 or later.
    Postgres,
}

impl Kind {
    /// The engine behind a SeaORM connection. What is not PostgreSQL is SQLite: no other driver is built in.
    pub(super) fn of(backend: DbBackend) -> Self {
        if backend == DbBackend::Postgres { Self::Postgres } else { Self::Sqlite }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// The settings of a database: the table `[db]` of a service's settings.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DbConfig {
    /// `sqlite://<path>` or `postgres://<user>@<host>:<port>/<database>`. Default `sqlite://kehou.db`.
    pub url: String,
    /// A file with PostgreSQL's password and nothing else. Default none: the password is in the URL, or none
    /// is needed.
    pub password_file: Option<PathBuf>,
    /// The PostgreSQL schema that holds this service's tables: lower-case letters, digits and `_`. Default
    /// none: `public`. Services that share a database must each have their own. SQLite ignores it.
    pub schema: Option<String>,
    /// The most connections at once; on SQLite the readers, beside one writer. Default 8: more make
    /// PostgreSQL slower, not faster.
    pub max_connections: u32,
    /// How long one statement may run, in milliseconds; 0 for ever. Default 30,000. PostgreSQL only.
    pub statement_timeout_ms: u64,
    /// How long one statement may wait for a lock, in milliseconds; 0 for ever. Default 5,000. PostgreSQL
    /// only.
    pub lock_timeout_ms: u64,
    /// How long a transaction may stand idle before the server ends it, in milliseconds; 0 for ever. Default
    /// 30,000. PostgreSQL only.
    pub idle_transaction_timeout_ms: u64,
}

impl Default for DbConfig {
    fn default() -> Self {
        Self {
            url: "sqlite://kehou.db".to_owned(),
            password_file: None,
            schema: None,
            max_connections: 8,
            statement_timeout_ms: 30_000,
            lock_timeout_ms: 5_000,
            idle_transaction_timeout_ms: 30_000,
        }
    }
}

impl fmt::Debug for DbConfig {
    /// Leaves out what stands before the `@` of the URL: there may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match (self.url.split_once("://"), self.url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, place))) => format!("{scheme}://…@{place}"),
            _ => self.url.clone(),
        };
        f.debug_struct("DbConfig")
            .field("url", &url)
            .field("schema", &self.schema)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

impl DbConfig {
    /// The settings for `url`, all else as by default.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// Which engine the URL names.
    ///
    /// # Errors
    /// [`Error::Config`] when it is neither of the two.
    pub fn kind(&self) -> Result<Kind, Error> {
        match self.url.split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() && !path.starts_with(":memory:") => Ok(Kind::Sqlite),
            Some(("postgres" | "postgresql", _)) => Ok(Kind::Postgres),
            _ => Err(Error::Config("db.url must be sqlite://<path> or postgres://…".to_owned())),
        }
    }

    /// The schema to be confined to, checked: it becomes part of statements.
    pub(super) fn schema(&self) -> Result<Option<String>, Error> {
        let Some(schema) = self.schema.as_deref().filter(|_| self.kind() == Ok(Kind::Postgres)) else {
            return Ok(None);
        };
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let starts_well = schema.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
        if starts_well && schema.len() <= 40 && schema.bytes().all(is_plain) {
            return Ok(Some(schema.to_owned()));
        }
        Err(Error::Config(
            "db.schema must be 1 to 40 lower-case letters, digits and `_`, no digit first".to_owned(),
        ))
    }

    /// The file of a SQLite database.
    pub(super) fn sqlite_path(&self) -> &Path {
        let path = self.url.strip_prefix("sqlite://").unwrap_or(&self.url);
        Path::new(path.split_once('?').map_or(path, |(path, _)| path))
    }

    pub(super) fn password(&self) -> Result<Option<SecretString>, Error> {
        let read =
            |path: &PathBuf| crate::config::secret(path).map_err(|error| Error::Config(error.to_string()));
        self.password_file.as_ref().map(read).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_names_the_engine() {
        assert_eq!(DbConfig::new("sqlite://data/catalog.db").kind(), Ok(Kind::Sqlite));
        assert_eq!(DbConfig::new("postgres://kehou@db/kehou").kind(), Ok(Kind::Postgres));
        for url in ["mysql://db/kehou", "kehou.db", "sqlite://:memory:", "sqlite://"] {
            assert!(matches!(DbConfig::new(url).kind(), Err(Error::Config(_))), "{url}");
        }
    }

    #[test]
    fn a_schema_that_could_carry_a_statement_is_refused() {
        let with = |schema: &str| DbConfig {
            schema: Some(schema.to_owned()),
            ..DbConfig::new("postgres://db/kehou")
        };

        assert_eq!(with("enrollment").schema(), Ok(Some("enrollment".to_owned())));
        for schema in ["", "a b", "a;drop", "Enrollment", "1a", "课后", "a,public"] {
            assert!(with(schema).schema().is_err(), "{schema}");
        }
    }

    #[test]
    fn a_password_in_the_url_is_not_shown() {
        let shown = format!("{:?}", DbConfig::new("postgres://kehou:s3cret@db:5432/kehou"));

        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("db:5432/kehou"), "{shown}");
    }
}
