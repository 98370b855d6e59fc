//! Settings: defaults, then a file, then the environment. The only place that reads the environment.

use std::path::Path;
use std::{fs, io};

use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key is unknown, missing or of the wrong type; the text names the key and the file or variable it
    /// came from.
    #[error("{0}")]
    Setting(Box<figment::Error>),
    /// The settings file cannot be read.
    #[error("settings file {path}: {error}")]
    File {
        /// The file's path.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// A file that holds a secret cannot be read.
    #[error("secret file {path}: {error}")]
    Secret {
        /// The file's path.
        path: String,
        /// Why.
        error: io::Error,
    },
}

/// Reads the settings of `name`: `T::default()`, over it the TOML `file` if one is given, over it the
/// environment.
///
/// A variable is `KEHOU_<NAME>__<KEY>`, with `__` before each nested key: `KEHOU_ENROLLMENT__DB__URL` is
/// `url` in the table `[db]` of `enrollment`. `T` says `#[serde(deny_unknown_fields)]`, at every level, so
/// that a misspelt key is refused and not overlooked.
///
/// # Errors
/// [`ConfigError`] with the key and where it came from.
pub fn load<T: Default + Serialize + DeserializeOwned>(
    name: &str,
    file: Option<&Path>,
) -> Result<T, ConfigError> {
    let mut figment = Figment::from(Serialized::defaults(T::default()));
    if let Some(path) = file {
        // A file that was named must be there: falling back to defaults would start with the wrong database.
        fs::metadata(path).map_err(|error| ConfigError::File { path: path.display().to_string(), error })?;
        figment = figment.merge(Toml::file_exact(path));
    }
    let prefix = format!("KEHOU_{}__", name.to_uppercase());
    figment
        .merge(Env::prefixed(&prefix).split("__"))
        .extract()
        .map_err(|error| ConfigError::Setting(Box::new(error)))
}

/// Reads a secret from a file of its own; white space around it does not count.
///
/// # Errors
/// [`ConfigError::Secret`] when the file cannot be read or is empty.
pub fn secret(path: &Path) -> Result<SecretString, ConfigError> {
    let refuse = |error| ConfigError::Secret { path: path.display().to_string(), error };
    let text = Zeroizing::new(fs::read_to_string(path).map_err(refuse)?);
    match text.trim() {
        "" => Err(refuse(io::Error::new(io::ErrorKind::InvalidData, "is empty"))),
        secret => Ok(SecretString::from(secret)),
    }
}

/// Reads one variable of the environment; none when it is not set, empty or not UTF-8.
///
/// For the few that are not settings of ours, such as `HOSTNAME`.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one home of the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::PathBuf;

    use secrecy::ExposeSecret as _;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        name: String,
        db: Nested,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nested {
        url: String,
        connection_count: u32,
        password_file: Option<PathBuf>,
    }

    impl Default for Settings {
        fn default() -> Self {
            let db = Nested { url: "sqlite://a.db".to_owned(), connection_count: 8, password_file: None };
            Self { name: "default".to_owned(), db }
        }
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn without_a_file_the_defaults_hold() {
        assert_eq!(load::<Settings>("nobody", None).unwrap(), Settings::default());
    }

    #[test]
    fn a_file_changes_only_what_it_names() {
        let file = file("[db]\nconnection_count = 3\n");

        let settings: Settings = load("nobody", Some(file.path())).unwrap();

        assert_eq!(settings.db.connection_count, 3);
        assert_eq!(settings.db.url, "sqlite://a.db");
        assert_eq!(settings.name, "default");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_name_and_file() {
        let file = file("[db]\nconection_count = 3\n");

        let error = load::<Settings>("nobody", Some(file.path())).unwrap_err().to_string();

        assert!(error.contains("conection_count"), "{error}");
        assert!(error.contains(file.path().file_name().unwrap().to_str().unwrap()), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_refused() {
        let error = load::<Settings>("nobody", Some(Path::new("/nowhere/kehou.toml"))).unwrap_err();
        assert!(matches!(error, ConfigError::File { .. }));
    }

    #[test]
    fn a_secret_is_read_without_its_line_end_and_an_empty_one_refused() {
        assert_eq!(secret(file("s3cret\n").path()).unwrap().expose_secret(), "s3cret");
        assert!(matches!(secret(file(" \n").path()), Err(ConfigError::Secret { .. })));
    }
}
