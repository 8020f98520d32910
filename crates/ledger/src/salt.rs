//! Salts: what keeps a leaf or a blob's name from being guessed from its content.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use writ_types::{ParseError, Random, TextValue};

/// 128 random bits. Text: 22 characters of base64url without padding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Salt([u8; 16]);

impl Salt {
    /// A salt from 128 bits, which must be random.
    pub const fn from_bits(bits: [u8; 16]) -> Self {
        Self(bits)
    }

    /// A new salt.
    pub fn mint(random: &mut dyn Random) -> Self {
        Self(random.bits_128())
    }
}

impl fmt::Display for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TextValue for Salt {
    const WANTED: &'static str = "a salt";
    fn parse(text: &str) -> Result<Self, ParseError> {
        URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bits| bits.try_into().ok())
            .map(Self)
            .ok_or_else(|| ParseError::new(text, Self::WANTED, "it is 22 characters of base64url for 128 bits"))
    }
}

impl TryFrom<String> for Salt {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Salt> for String {
    fn from(salt: Salt) -> Self {
        salt.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_has_one_text() {
        let salt = Salt::from_bits([0xfb; 16]);
        assert_eq!(salt.to_string().len(), 22);
        assert_eq!(Salt::parse(&salt.to_string()), Ok(salt));
        // The last character carries four bits: its two spare bits must be zero.
        for bad in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAAA==", "++++++++++++++++++++AA"] {
            assert!(Salt::parse(bad).is_err(), "{bad}");
        }
    }
}
