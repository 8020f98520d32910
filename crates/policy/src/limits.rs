//! The bounds of a policy's text, checked before Cedar reads it.

use crate::errors::PolicySetError;
use writ_types::{Name, is_bidi};

/// How many policies a set may have.
pub const POLICIES_MAX: usize = 10_000;
/// How long one policy's text may be, in bytes.
pub const POLICY_BYTES_MAX: usize = 16 * 1024;
/// How long all texts together may be, in bytes.
pub const SET_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How deep brackets and `if`s may nest in a policy; each `if` counts, because `else if` nests too.
pub const NESTING_MAX: usize = 32;
/// How many words and signs one policy may have: Cedar walks a chain of operators by recursion.
pub(crate) const TOKENS_MAX: usize = 1_000;
/// How long a policy's reason may be, in characters.
pub const REASON_CHARS_MAX: usize = 300;

/// Cedar parses, validates and converts by recursion, unchecked: some 50 KiB a bracket or operator in a debug build.
pub(crate) const COMPILE_STACK_BYTES: usize = 64 * 1024 * 1024;
/// The stack that Cedar keeps in reserve, and ours around it.
const EVALUATE_BASE_BYTES: usize = 256 * 1024;
/// What one level of an expression can add to it: measured at most 110 KiB in a debug build.
const EVALUATE_LEVEL_BYTES: usize = if cfg!(debug_assertions) { 128 * 1024 } else { 32 * 1024 };

/// How much stack evaluating an expression of so many levels can take.
pub(crate) const fn stack_bytes(levels: usize) -> usize {
    EVALUATE_BASE_BYTES + levels * EVALUATE_LEVEL_BYTES
}

/// Evaluates with that much stack. Cedar gives up near the stack's end, and that is a denial: with enough of it, no
/// decision depends on who asks. Only a caller that is short of it pays for a new one.
pub(crate) fn with_stack<R>(bytes: usize, evaluate: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(bytes, bytes, evaluate)
}

/// Refuses a text that a reader or a parser could choke on.
pub(crate) fn check_text(id: &Name, text: &str) -> Result<(), PolicySetError> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(PolicySetError::TooLong { id: id.clone(), bytes: text.len() });
    }
    for (line, content) in (1_usize..).zip(text.split('\n')) {
        // Confusables inside strings are the validator's; a comment that reorders the line is nobody's but ours.
        let hidden = content.chars().find(|c| (c.is_control() && *c != '\t') || is_bidi(*c));
        if let Some(character) = hidden {
            return Err(PolicySetError::Character { id: id.clone(), line, character: character.escape_unicode().to_string() });
        }
    }
    let shape = shape(text);
    if shape.depth > NESTING_MAX {
        return Err(PolicySetError::TooDeep { id: id.clone() });
    }
    if shape.tokens > TOKENS_MAX {
        return Err(PolicySetError::TooComplex { id: id.clone() });
    }
    Ok(())
}

struct Shape {
    depth: usize,
    tokens: usize,
}

/// Counts words, signs and the deepest bracket, outside strings and comments. It need not know Cedar's grammar: where it
/// is wrong about one, Cedar refuses the text anyway.
fn shape(text: &str) -> Shape {
    let mut shape = Shape { depth: 0, tokens: 0 };
    let mut open = 0_usize;
    let mut branches = 0_usize;
    let mut word = String::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c.is_alphanumeric() || c == '_' {
            shape.tokens += usize::from(word.is_empty());
            word.push(c);
            continue;
        }
        branches += usize::from(word == "if");
        word.clear();
        shape.tokens += usize::from(!c.is_whitespace());
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            '"' => {
                while let Some(inner) = characters.next() {
                    match inner {
                        '\\' => drop(characters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '/' if characters.peek() == Some(&'/') => drop(characters.by_ref().find(|inner| *inner == '\n')),
            _ => {}
        }
        shape.depth = shape.depth.max(open + branches);
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_outside_strings_and_comments_only() {
        let shape = shape("permit(principal, action) // ((((\n when { \"{{\\\"{{\" == [[x]] };");
        assert_eq!(shape.depth, 3);
        assert_eq!(super::shape("if a then b else if iff then { } \"if if\" ").depth, 3);
        assert_eq!(shape.tokens, 19);
    }
}
