//! Sealed fields: what a row keeps of a person. A field is sealed as `<table>.<column>:<row id>`; moved to another row or column it does
//! not open.

use std::fmt::Display;
use std::sync::Arc;

use shared::db::Error;
use shared::seal::Sealer;

/// Seals and opens fields. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Sealer>);

impl Vault {
    /// A vault with these keys.
    #[must_use]
    pub const fn new(sealer: Arc<Sealer>) -> Self {
        Self(sealer)
    }

    /// Seals `text` for the field `<table>.<column>` of the row `id`.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] when the ring of keys cannot seal.
    pub fn seal(
        &self,
        table: &'static str,
        column: &str,
        id: impl Display,
        text: &str,
    ) -> Result<Vec<u8>, Error> {
        let sealed = self.0.seal(&format!("{table}.{column}:{id}"), text);
        sealed.map_err(|error| Error::inconsistent(table, id, format!("{column}: {error}")))
    }

    /// Opens the field `<table>.<column>` of the row `id`.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] when it was not sealed for this field, or was changed since.
    pub fn open(
        &self,
        table: &'static str,
        column: &str,
        id: impl Display,
        sealed: &[u8],
    ) -> Result<String, Error> {
        let opened = self.0.open(&format!("{table}.{column}:{id}"), sealed);
        opened.map_err(|error| Error::inconsistent(table, id, format!("{column}: {error}")))
    }
}
