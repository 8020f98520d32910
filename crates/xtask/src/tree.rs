//! The tree under check: every file that git knows or would take, with its text.

use crate::source::Source;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files by their path from the root, with `/` between the parts. Files that are no UTF-8 are not in it.
#[derive(Debug)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

/// The root of the checkout that this program was started in.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&manifest).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// The paths of all files that git tracks or that it would take (not ignored), sorted.
pub(crate) fn paths(root: &Path) -> Result<Vec<String>, String> {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("git ls-files: {error}"))?;
    if !listing.status.success() {
        return Err(format!("git ls-files: {}", String::from_utf8_lossy(&listing.stderr).trim()));
    }
    let mut paths: Vec<String> = String::from_utf8_lossy(&listing.stdout).split('\0').map(str::to_owned).collect();
    paths.retain(|path| !path.is_empty() && root.join(path).is_file());
    paths.sort();
    paths.dedup();
    Ok(paths)
}

impl Tree {
    /// Reads the checkout at `root`.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let texts = paths(root)?.into_iter().filter_map(|path| {
            let text = std::fs::read_to_string(root.join(&path)).ok()?;
            Some((path, text))
        });
        Ok(Self { files: texts.collect() })
    }

    /// Every file with its text.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The text of the file at `path`.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The names of the folders under `crates/` that hold a manifest.
    pub(crate) fn crates(&self) -> Vec<&str> {
        let manifests = self.files.keys().filter_map(|path| path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml"));
        manifests.filter(|name| !name.contains('/')).collect()
    }

    /// Every Rust file that people write: not the generated code in `pb/`.
    pub(crate) fn rust(&self) -> impl Iterator<Item = RustFile<'_>> {
        let rust = self.files().filter(|(path, _)| path.ends_with(".rs") && !path.contains("/pb/") && !path.ends_with("/pb.rs"));
        rust.map(|(path, text)| RustFile { path, source: Source::new(text.to_owned()) })
    }
}

/// A Rust file and where it belongs.
#[derive(Debug)]
pub(crate) struct RustFile<'a> {
    pub(crate) path: &'a str,
    pub(crate) source: Source,
}

impl<'a> RustFile<'a> {
    /// The crate's folder name.
    pub(crate) fn krate(&self) -> &'a str {
        self.path.strip_prefix("crates/").and_then(|rest| rest.split('/').next()).unwrap_or("")
    }

    /// True under `src/`; tests, examples and benches of a crate are elsewhere.
    pub(crate) fn is_src(&self) -> bool {
        self.path.split('/').nth(2) == Some("src")
    }

    /// True where the line stands in the file's test module, or the file is no part of the crate's library or binary.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        !self.is_src()
            || self.path.ends_with("/tests.rs")
            || self.path.ends_with("_tests.rs")
            || self.path.contains("/tests/")
            || line > self.source.lines_before_tests()
    }
}

#[cfg(test)]
impl Tree {
    /// A tree of these files, for the tests of the checks.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }
}
