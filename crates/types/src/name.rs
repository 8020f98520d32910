//! Names that people choose.

use crate::text::{is_bidi, through_text};
use crate::{ParseError, TextValue};
use std::fmt;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $wanted:literal, $rule:ident, $why:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TextValue for $name {
            const WANTED: &'static str = $wanted;
            fn parse(text: &str) -> Result<Self, ParseError> {
                if $rule(text) { Ok(Self(text.to_owned())) } else { Err(ParseError::new(text, Self::WANTED, $why)) }
            }
        }

        through_text!($name);
    )*};
}

names! {
    /// The name of a boundary, an identity or a resource.
    Name, "a name", label, "it is 1 to 63 of `a-z`, `0-9` and `-`, and neither starts nor ends with `-`";
    /// A party's handle, the short name in estate files. It is personal: it stays out of the log.
    Handle, "a handle", label, "it is 1 to 63 of `a-z`, `0-9` and `-`, and neither starts nor ends with `-`";
    /// Why a task exists: a code that its charter names, never free text.
    Purpose, "a purpose", purpose, "it is 1 to 64 characters of one line without control or reordering characters, not starting or ending with a space";
    /// A name inside a database: a role, a group or a database.
    SqlName, "a database name", sql_name, "it is 1 to 63 of `a-z`, `0-9` and `_`, starting with a letter";
}

fn label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn purpose(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= 64 && text.trim() == text && !text.chars().any(|c| c.is_control() || is_bidi(c))
}

fn sql_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused_with_a_reason() {
        let long = "a".repeat(64 * 1024);
        for bad in ["", "-a", "a-", "A", "a b", "a'b", "a\"b", "a\0b", "\u{202e}a", "../a", "é", &long] {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
            assert!(SqlName::parse(bad).is_err(), "{bad:?}");
            let shown = Name::parse(bad).unwrap_err().to_string();
            assert!(shown.len() < 800 && !shown.contains('\0') && !shown.contains('\u{202e}'), "{shown}");
        }
        assert!(Purpose::parse("close invoices").is_ok());
        for bad in ["", " a", "a\n", "a\u{2066}b", &long] {
            assert!(Purpose::parse(bad).is_err(), "{bad:?}");
        }
    }
}
