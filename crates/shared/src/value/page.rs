//! Pages of a list, by key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The key of the last row a caller has seen, opaque to the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageToken(String);

/// The token was not made by us, or for another list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a page token of this list")]
pub struct PageTokenError;

impl PageToken {
    /// Writes the key of the last row of a page.
    #[must_use]
    pub fn of(key: &impl Serialize) -> Self {
        // A key is a tuple of ids and times: it always has a JSON form.
        Self(serde_json::to_vec(key).map(|json| URL_SAFE_NO_PAD.encode(json)).unwrap_or_default())
    }

    /// Reads the key back.
    ///
    /// # Errors
    /// [`PageTokenError`] when the text is not a key of this list.
    pub fn key<K: DeserializeOwned>(text: &str) -> Result<K, PageTokenError> {
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| PageTokenError)?;
        serde_json::from_slice(&json).map_err(|_| PageTokenError)
    }

    /// Gives the text for the caller; empty means there is no next page.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

/// Which part of a list is wanted: at most `size` rows after the row with key `after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    /// 1 to the list's maximum.
    pub size: u64,
    /// The key of the last row already seen; none for the first page.
    pub after: Option<K>,
}

impl<K: DeserializeOwned> Page<K> {
    /// Rows on a page when the caller does not say.
    pub const DEFAULT_SIZE: u64 = 50;
    /// The most rows on a page; more is cut to this.
    pub const MAX_SIZE: u64 = 200;

    /// Reads `page_size` (0 means [`Page::DEFAULT_SIZE`]) and `page_token` (empty means the first page).
    ///
    /// # Errors
    /// [`PageTokenError`] when the token is not one of this list.
    pub fn parse(page_size: i32, page_token: &str) -> Result<Self, PageTokenError> {
        let size = match u64::try_from(page_size) {
            Ok(0) | Err(_) => Self::DEFAULT_SIZE,
            Ok(size) => size.min(Self::MAX_SIZE),
        };
        let after = if page_token.is_empty() { None } else { Some(PageToken::key(page_token)?) };
        Ok(Self { size, after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_its_key_back() {
        let text = PageToken::of(&(7_i64, "x")).into_text();
        assert_eq!(PageToken::key::<(i64, String)>(&text), Ok((7, "x".to_owned())));
    }

    #[test]
    fn a_foreign_token_is_refused() {
        assert_eq!(PageToken::key::<(i64, String)>("???"), Err(PageTokenError));
        let other = PageToken::of(&"one word").into_text();
        assert_eq!(PageToken::key::<(i64, String)>(&other), Err(PageTokenError));
    }
}
