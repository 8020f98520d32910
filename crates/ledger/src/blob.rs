//! Blobs: content that an entry names by a salted digest and that can be erased.

use crate::Salt;
use crate::entry::one_line;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use writ_types::{CanonicalError, Digest, canonical};

/// The most bytes that a blob has.
pub const BLOB_BYTES_MAX: usize = 1 << 20;

/// Detached content with its own salt: `{"content":…,"salt":"…","v":1}` in RFC 8785 form, named by its SHA-256.
///
/// The salt keeps the name from being guessed, so erasing the blob erases the content though its name stays in the log.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob {
    name: Digest,
    bytes: Vec<u8>,
    content: Value,
}

/// Why content is no blob, or bytes are not the blob of a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// More than [`BLOB_BYTES_MAX`] bytes.
    #[error("a blob of {0} bytes is longer than {BLOB_BYTES_MAX}")]
    TooLong(usize),
    /// A number that readers would round, or too deep a nesting.
    #[error("a blob has no canonical form: {0}")]
    Canonical(#[from] CanonicalError),
    /// Bytes whose digest is another.
    #[error("the bytes hash to {found}, not to their name {name}")]
    Name {
        /// The name that was asked for.
        name: Digest,
        /// What the bytes hash to.
        found: Digest,
    },
    /// Not the members of a blob, or not in canonical form.
    #[error("not a blob: {0}")]
    Shape(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layout {
    content: Value,
    salt: Salt,
    v: u64,
}

impl Blob {
    /// A blob of `content`.
    ///
    /// # Errors
    /// When the content is too long, or a number in it is not exact.
    pub fn new(content: Value, salt: Salt) -> Result<Self, BlobError> {
        let layout = Layout { content, salt, v: 1 };
        let bytes = canonical(&layout)?;
        if bytes.len() > BLOB_BYTES_MAX {
            return Err(BlobError::TooLong(bytes.len()));
        }
        Ok(Self { name: Digest::of(&bytes), bytes, content: layout.content })
    }

    /// The blob of this name, from its bytes.
    ///
    /// # Errors
    /// When the bytes hash to another name, or are not a blob.
    pub fn open(name: Digest, bytes: Vec<u8>) -> Result<Self, BlobError> {
        if bytes.len() > BLOB_BYTES_MAX {
            return Err(BlobError::TooLong(bytes.len()));
        }
        let found = Digest::of(&bytes);
        if found != name {
            return Err(BlobError::Name { name, found });
        }
        let layout: Layout = serde_json::from_slice(&bytes).map_err(|error| BlobError::Shape(one_line(&error.to_string())))?;
        if layout.v != 1 || canonical(&layout)? != bytes {
            return Err(BlobError::Shape("not version 1 in canonical form".to_owned()));
        }
        Ok(Self { name, bytes, content: layout.content })
    }

    /// Its name: the SHA-256 of its bytes.
    pub const fn name(&self) -> Digest {
        self.name
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it holds.
    pub const fn content(&self) -> &Value {
        &self.content
    }
}

/// Only the name: the content may be personal.
impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_blob_opens_only_under_its_name_and_hides_its_content() {
        let blob = Blob::new(json!({"mail": "alice@example.org"}), Salt::from_bits([1; 16])).unwrap();
        assert_eq!(Blob::open(blob.name(), blob.bytes().to_vec()).unwrap(), blob);
        assert!(!format!("{blob:?}").contains("alice"));
        let other = Blob::new(json!({"mail": "alice@example.org"}), Salt::from_bits([2; 16])).unwrap();
        assert_ne!(other.name(), blob.name());
        assert!(matches!(Blob::open(blob.name(), other.bytes().to_vec()), Err(BlobError::Name { .. })));
        let loose = b"{ \"content\":1,\"salt\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"v\":1}".to_vec();
        assert!(matches!(Blob::open(Digest::of(&loose), loose), Err(BlobError::Shape(_))));
        assert!(Blob::new(json!("x".repeat(BLOB_BYTES_MAX)), Salt::from_bits([1; 16])).is_err());
    }
}
