//! The breaks that `cargo xtask mutate` makes, each with the test that must see it.

/// One break: in `file`, `find` (which stands there exactly once) becomes `replace`, and `test` of `package` reddens.
#[derive(Debug)]
pub(crate) struct Break {
    /// Its name, which says what is broken.
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) find: &'static str,
    pub(crate) replace: &'static str,
    /// The crate's folder name.
    pub(crate) package: &'static str,
    /// What `cargo test` builds of it: `LIB`, or `&["--test", NAME]`.
    pub(crate) target: &'static [&'static str],
    /// The test's whole name, as `cargo test` prints it.
    pub(crate) test: &'static str,
}

/// The tests inside a library.
const LIB: &[&str] = &["--lib"];

/// A check skipped, a phase left out, an answer before its sync, a gate reversed.
pub(crate) const TABLE: &[Break] = &[];
