//! Documents people hand in: what they may be, told by their first bytes and never by a name.

/// The most bytes of a document: 5 MiB.
pub const DOCUMENT_BYTES: usize = 5 * 1024 * 1024;

/// What kind of document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// A JPEG picture.
    Jpeg,
    /// A PNG picture.
    Png,
    /// A PDF document.
    Pdf,
}

/// Why a document is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is empty.
    #[error("must not be empty")]
    Empty,
    /// It is larger than [`DOCUMENT_BYTES`].
    #[error("must have at most 5 MiB")]
    TooLarge,
    /// Its first bytes are none of the three kinds'.
    #[error("must be a JPEG, PNG or PDF")]
    Kind,
}

impl ContentType {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::Pdf];

    /// The kind's name in HTTP and in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Pdf => "application/pdf",
        }
    }

    /// The first bytes of every document of the kind.
    const fn magic(self) -> &'static [u8] {
        match self {
            Self::Jpeg => &[0xff, 0xd8, 0xff],
            Self::Png => &[0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'],
            Self::Pdf => b"%PDF-",
        }
    }

    /// Tells the kind of a document by its first bytes.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn of(content: &[u8]) -> Result<Self, DocumentError> {
        if content.is_empty() {
            return Err(DocumentError::Empty);
        }
        if content.len() > DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge);
        }
        Self::ALL.into_iter().find(|kind| content.starts_with(kind.magic())).ok_or(DocumentError::Kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_known_by_its_first_bytes() {
        assert_eq!(ContentType::of(b"\xff\xd8\xff\xe0 rest"), Ok(ContentType::Jpeg));
        assert_eq!(ContentType::of(b"\x89PNG\r\n\x1a\n rest"), Ok(ContentType::Png));
        assert_eq!(ContentType::of(b"%PDF-1.7 rest"), Ok(ContentType::Pdf));
        assert_eq!(ContentType::of(b"GIF89a"), Err(DocumentError::Kind));
        assert_eq!(ContentType::of(b"MZ%PDF-"), Err(DocumentError::Kind));
        assert_eq!(ContentType::of(b""), Err(DocumentError::Empty));
    }

    #[test]
    fn five_mebibytes_are_taken_and_one_byte_more_is_not() {
        let mut content = b"%PDF-".to_vec();
        content.resize(DOCUMENT_BYTES, 0);
        assert_eq!(ContentType::of(&content), Ok(ContentType::Pdf));
        content.push(0);
        assert_eq!(ContentType::of(&content), Err(DocumentError::TooLarge));
    }
}
