//! The one way between a value and its text.

use std::fmt;

/// A text that is not a value of the wanted kind. The text itself is shown shortened and escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not {wanted}: {why}")]
pub struct ParseError {
    shown: String,
    wanted: &'static str,
    why: String,
}

impl ParseError {
    /// Says that `text` is not `wanted` because of `why`.
    pub fn new(text: &str, wanted: &'static str, why: impl Into<String>) -> Self {
        Self { shown: shorten(text), wanted, why: why.into() }
    }

    /// What is wrong with the text, without the text.
    pub fn why(&self) -> &str {
        &self.why
    }
}

/// At most 64 characters, control and bidirectional characters escaped.
fn shorten(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(64) {
        if c.is_control() || is_bidi(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    if text.chars().nth(64).is_some() {
        out.push('…');
    }
    out
}

/// True for the characters that reorder what a reader sees (Unicode TR 9 and TR 36).
pub fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A value with exactly one textual form.
pub trait TextValue: Sized + fmt::Display {
    /// What the text is, with its article, for errors: `a task id`.
    const WANTED: &'static str;

    /// Parses the one textual form.
    ///
    /// # Errors
    /// Says what of the text is wrong.
    fn parse(text: &str) -> Result<Self, ParseError>;
}

/// Gives a `TextValue` its `FromStr`, `Debug`, `Serialize` and `Deserialize`, all through its text. The caller depends on `serde`.
#[macro_export]
macro_rules! through_text {
    ($($name:ty),* $(,)?) => {$(
        impl std::str::FromStr for $name {
            type Err = $crate::ParseError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <$name as $crate::TextValue>::parse(text)
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                <$name as $crate::TextValue>::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}
pub(crate) use through_text;
