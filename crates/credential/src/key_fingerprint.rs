//! The short name of a person's key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::fmt;
use writ_types::{Digest, ParseError, TextValue, through_text};

/// SHA-256 of a public key's wire form. Text: `SHA256:` and 43 characters of base64 without padding, as
/// `ssh-keygen -l` prints it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyFingerprint([u8; 32]);

impl KeyFingerprint {
    /// The fingerprint of a key's wire form.
    pub(crate) fn of(wire: &[u8]) -> Self {
        Self(*Digest::of(wire).as_bytes())
    }
}

impl fmt::Display for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", STANDARD_NO_PAD.encode(self.0))
    }
}

impl TextValue for KeyFingerprint {
    const WANTED: &'static str = "a key fingerprint";
    fn parse(text: &str) -> Result<Self, ParseError> {
        text.strip_prefix("SHA256:")
            .filter(|base64| base64.len() == 43)
            .and_then(|base64| STANDARD_NO_PAD.decode(base64).ok())
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| ParseError::new(text, Self::WANTED, "it is `SHA256:` and 43 characters of base64 without padding"))
    }
}

through_text!(KeyFingerprint);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_one_textual_form() {
        let text = KeyFingerprint::of(b"abc").to_string();
        assert_eq!(text, "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0");
        assert_eq!(KeyFingerprint::parse(&text).unwrap(), KeyFingerprint::of(b"abc"));
        // The last character carries four bits; the two others must be zero.
        let loose = format!("{}1", text.trim_end_matches('0'));
        for bad in ["", "SHA256:", &text.to_lowercase(), &format!("{text}="), &loose] {
            assert!(KeyFingerprint::parse(bad).is_err(), "{bad}");
        }
    }
}
