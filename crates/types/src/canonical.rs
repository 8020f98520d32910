//! Canonical JSON (RFC 8785), narrowed to what Writ writes: no fractions, integers below 2^53.

use serde::Serialize;
use serde_json::Value;
use std::cmp::Ordering;
use std::fmt::Write as _;

/// The largest integer that every JSON reader keeps exact: 2^53 − 1.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Deeper nesting than this is refused.
const DEPTH_MAX: u32 = 64;

/// Why a value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// A number with a fraction or an exponent, or beyond 2^53 − 1 in size.
    #[error("`{0}` is not an integer that JSON readers keep exact")]
    Number(String),
    /// Nested too deeply.
    #[error("nested deeper than {DEPTH_MAX}")]
    Depth,
    /// The value can't be written as JSON at all.
    #[error("not JSON: {0}")]
    Json(String),
}

/// The RFC 8785 form of `value`.
///
/// # Errors
/// When it holds a number that is not an exact integer, or nests too deeply.
pub fn canonical<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let value = serde_json::to_value(value).map_err(|error| CanonicalError::Json(error.to_string()))?;
    let mut out = String::with_capacity(1024);
    write(&value, 0, &mut out)?;
    Ok(out.into_bytes())
}

/// Adds the RFC 8785 form of `value` to `out`, without a copy of the value; on an error `out` is of no use.
///
/// # Errors
/// As [`canonical`].
pub fn canonical_into(value: &Value, out: &mut String) -> Result<(), CanonicalError> {
    // It stands within something, so it may nest a little less deeply than alone.
    write(value, 1, out)
}

fn write(value: &Value, depth: u32, out: &mut String) -> Result<(), CanonicalError> {
    if depth > DEPTH_MAX {
        return Err(CanonicalError::Depth);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => {
            let exact = match (number.as_u64(), number.as_i64()) {
                (Some(n), _) => n <= INTEGER_MAX,
                (None, Some(n)) => n.unsigned_abs() <= INTEGER_MAX,
                (None, None) => false,
            };
            if !exact {
                return Err(CanonicalError::Number(number.to_string()));
            }
            out.push_str(&number.to_string());
        }
        Value::String(text) => string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, depth + 1, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            // RFC 8785 section 3.2.3: members are sorted by the UTF-16 code units of their names.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| utf16(a, b));
            out.push('{');
            for (i, (name, member)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                string(name, out);
                out.push(':');
                write(member, depth + 1, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// Among ASCII names, the order of bytes is the order of UTF-16 code units.
fn utf16(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

/// RFC 8785 section 3.2.2.2: the short escapes, `\u00xx` for other control characters, the rest as it is.
fn string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    // Each escaped character is one byte of its own, so the text is cut at characters.
    while let Some(at) = rest.bytes().position(|b| b < 0x20 || b == b'"' || b == b'\\') {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = from.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\u{08}') => out.push_str("\\b"),
            Some('\u{09}') => out.push_str("\\t"),
            Some('\u{0a}') => out.push_str("\\n"),
            Some('\u{0c}') => out.push_str("\\f"),
            Some('\u{0d}') => out.push_str("\\r"),
            Some(c) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sorts_by_utf16_and_escapes_as_rfc_8785_does() {
        let value = json!({"\u{20ac}": "Euro", "\r": "CR", "1": "One", "\u{1f600}": "Smiley", "\u{fb33}": "Dalet", "o": ["\u{0f}\n\u{7f}", -3, null]});
        assert_eq!(
            String::from_utf8(canonical(&value).unwrap()).unwrap(),
            "{\"\\r\":\"CR\",\"1\":\"One\",\"o\":[\"\\u000f\\n\u{7f}\",-3,null],\"\u{20ac}\":\"Euro\",\"\u{1f600}\":\"Smiley\",\"\u{fb33}\":\"Dalet\"}"
        );
    }

    #[test]
    fn refuses_what_readers_would_round() {
        assert!(canonical(&json!(1.5)).is_err());
        assert!(canonical(&json!(INTEGER_MAX + 1)).is_err());
        assert!(canonical(&json!(INTEGER_MAX)).is_ok());
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert_eq!(canonical(&deep), Err(CanonicalError::Depth));
    }
}
