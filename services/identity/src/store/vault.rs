//! Sealed fields: what a row keeps of a person, and how it is found again.
//!
//! A field is sealed as `<table>.<column>:<row id>`: moved to another row or column it does not open. It is found by a blind index that is
//! as wide as it must be and no wider.
//!
//! | index | as wide as | why |
//! |---|---|---|
//! | pupil code | a school | codes are the school's; equal codes of two schools do not show |
//! | WeChat identity | a mini-program | |
//! | login name that failed | the platform | a person may have typed anything there |
//! | request content | a method | a request may hold a password or a code |

use std::fmt::Display;
use std::sync::Arc;

use shared::db::Error;
use shared::seal::{BlindIndex, Sealer};

/// Seals, opens and indexes fields. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    sealer: Arc<Sealer>,
    index: Arc<BlindIndex>,
}

impl Vault {
    /// A vault with these keys.
    #[must_use]
    pub const fn new(sealer: Arc<Sealer>, index: Arc<BlindIndex>) -> Self {
        Self { sealer, index }
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
        let context = format!("{table}.{column}:{id}");
        self.sealer
            .seal(&context, text)
            .map_err(|error| Error::inconsistent(table, id, format!("{column}: {error}")))
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
        let context = format!("{table}.{column}:{id}");
        self.sealer
            .open(&context, sealed)
            .map_err(|error| Error::inconsistent(table, id, format!("{column}: {error}")))
    }

    /// The blind index of `text` as `context`.
    #[must_use]
    pub fn index(&self, context: &str, text: &str) -> Vec<u8> {
        self.index.of(context, text).to_vec()
    }
}
