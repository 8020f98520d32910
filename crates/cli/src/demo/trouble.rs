//! Why a step did not come true.

use std::fmt;
use std::path::Path;

/// A sentence for the step's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble(String);

impl Trouble {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// A file that can't be read or written.
    pub(super) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self(format!("`{}`: {error}", path.display()))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a part of the demo comes to.
pub(super) type Result<T> = std::result::Result<T, Trouble>;

/// The sentence, unless `holds`.
pub(super) fn must(holds: bool, what: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(Trouble(what())) }
}
