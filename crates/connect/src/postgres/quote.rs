//! The only place where a value becomes SQL text.

use writ_types::SqlName;

/// A name as an identifier.
pub(crate) fn identifier(name: &SqlName) -> String {
    // A `SqlName` has only a-z, 0-9 and `_`; the quotes keep reserved words from meaning anything.
    format!("\"{name}\"")
}

/// A text as a literal that reads the same whatever `standard_conforming_strings` says.
pub(crate) fn literal(text: &str) -> String {
    // PostgreSQL has no text with NUL; cutting there would change the meaning, so it is left out and never matches.
    let quoted = text.replace('\0', "").replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use writ_types::TextValue;

    #[test]
    fn quotes_and_backslashes_stay_inside_the_literal() {
        for (text, expected) in [
            ("", "''"),
            ("plain", "'plain'"),
            ("it's", "'it''s'"),
            (r"\'; drop role x; --", r"E'\\''; drop role x; --'"),
            ("nul\0l", "'null'"),
        ] {
            assert_eq!(literal(text), expected);
        }
        assert_eq!(identifier(&SqlName::parse("select").unwrap()), "\"select\"");
    }

    /// Reads a literal as PostgreSQL does, and gives what is left behind it.
    fn read(sql: &str) -> Option<(String, &str)> {
        let (escapes, body) = match sql.strip_prefix("E'") {
            Some(body) => (true, body),
            None => (false, sql.strip_prefix('\'')?),
        };
        let (mut out, mut chars) = (String::new(), body.char_indices().peekable());
        while let Some((at, c)) = chars.next() {
            match c {
                '\'' if chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                    chars.next();
                    out.push('\'');
                }
                '\'' => return Some((out, body.get(at + 1..)?)),
                '\\' if escapes => out.push(chars.next()?.1),
                '\\' => return None,
                c => out.push(c),
            }
        }
        None
    }

    proptest! {
        #[test]
        fn a_literal_reads_back_as_its_text_and_nothing_follows(text in "[\\PC'\\\\;\"$-]{0,40}") {
            let sql = literal(&text);
            prop_assert_eq!(read(&sql), Some((text, "")));
        }
    }
}
