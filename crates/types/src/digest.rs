//! SHA-256 digests.

use crate::id::{hex, unhex};
use crate::text::through_text;
use crate::{ParseError, TextValue};
use aws_lc_rs::digest::{Context, SHA256};
use std::fmt;

/// A SHA-256 digest. Text: `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of one byte string.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_parts(&[bytes])
    }

    /// The digest of the concatenation of `parts`.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(part);
        }
        let mut out = [0u8; 32];
        for (slot, byte) in out.iter_mut().zip(context.finish().as_ref()) {
            *slot = *byte;
        }
        Self(out)
    }

    /// A digest that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        hex(&self.0, f)
    }
}

impl TextValue for Digest {
    const WANTED: &'static str = "a digest";
    fn parse(text: &str) -> Result<Self, ParseError> {
        text.strip_prefix("sha256:")
            .and_then(unhex)
            .map(Self)
            .ok_or_else(|| ParseError::new(text, Self::WANTED, "it is `sha256:` and 64 lower-case hexadecimal digits"))
    }
}

through_text!(Digest);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sha256_and_round_trips() {
        let digest = Digest::of_parts(&[b"a", b"bc"]);
        assert_eq!(digest.to_string(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(Digest::parse(&digest.to_string()), Ok(digest));
        assert!(Digest::parse("sha256:BA").is_err());
    }
}
