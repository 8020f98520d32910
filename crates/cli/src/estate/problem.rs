//! What is wrong with an estate file: where, what, and what to do about it.

use crate::failure::Failure;
use std::fmt;
use std::rc::Rc;

/// So many are told; a file with more is wrong as a whole.
const TOLD_MAX: usize = 100;

/// A place in a file, both counted from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) file: Rc<str>,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    pub(crate) spot: Spot,
    pub(crate) what: String,
    /// The next step.
    pub(crate) help: String,
}

/// Everything that is wrong, so that it is told at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn say(&mut self, spot: &Spot, what: impl Into<String>, help: impl Into<String>) {
        self.0.push(Problem { spot: spot.clone(), what: what.into(), help: help.into() });
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    #[cfg(test)]
    pub(crate) fn all(&self) -> &[Problem] {
        &self.0
    }

    /// The value, if nothing is wrong.
    pub(crate) fn none_or<T>(self, value: T) -> Result<T, Failure> {
        if self.0.is_empty() { Ok(value) } else { Err(self.into_failure()) }
    }

    /// One failure with a line a problem, in the files' order.
    fn into_failure(mut self) -> Failure {
        self.0.sort();
        let count = self.0.len();
        let mut lines: Vec<String> = self
            .0
            .into_iter()
            .take(TOLD_MAX)
            .map(|problem| format!("{}: {}: {}", problem.spot, problem.what, problem.help))
            .collect();
        if count > TOLD_MAX {
            lines.push(format!("… and {} more", count - TOLD_MAX));
        }
        let what = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
        lines.insert(0, format!("{what} in the estate files"));
        Failure::usage(lines.join("\n"), "mend each and run it again; nothing was filed")
    }
}
