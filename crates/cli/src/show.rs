//! Text for people: what others wrote is quoted, and nothing in it can move the cursor or reorder the line.

use std::io::{self, Write};
use writ_types::is_bidi;

/// The text in double quotes, with everything that a reader can't see escaped.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text, true))
}

/// The text without quotes, with everything that a reader can't see escaped.
pub(crate) fn plain(text: &str) -> String {
    escaped(text, false)
}

fn escaped(text: &str, quotes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' if quotes => out.extend(['\\', c]),
            '"' | '\\' | '\'' => out.push(c),
            c if is_bidi(c) => out.extend(c.escape_unicode()),
            // Also what is not printable, or would melt into the character before it.
            c => out.extend(c.escape_debug()),
        }
    }
    out
}

/// Rows in aligned columns, two spaces apart; the last column is not padded.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Writes text to standard output, with a newline at its end. Who closed it has read enough.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    let _ = write!(out, "{text}{newline}").and_then(|()| out.flush());
}

/// Writes JSON to standard output.
pub(crate) fn print_json<T: serde::Serialize>(value: &T) {
    let text = serde_json::to_string(value).unwrap_or_default();
    print(&text);
}

/// Writes text beside the answer, to standard error.
pub(crate) fn note(text: &str) {
    let mut err = io::stderr().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    let _ = write!(err, "{text}{newline}").and_then(|()| err.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_unseen_reaches_a_terminal() {
        let text = "a\u{1b}[2J\u{202e}b\n\"c\\\u{200b}é";
        assert_eq!(quoted(text), "\"a\\u{1b}[2J\\u{202e}b\\n\\\"c\\\\\\u{200b}é\"");
        for c in (0..=0x10ffff).filter_map(char::from_u32).filter(|c| c.is_control() || is_bidi(*c)) {
            assert!(!plain(&c.to_string()).contains(c), "{:x}", u32::from(c));
        }
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [vec!["a".to_owned(), "b".to_owned()], vec!["long".to_owned(), "c".to_owned()]];
        assert_eq!(table(&rows), "a     b\nlong  c\n");
    }
}
