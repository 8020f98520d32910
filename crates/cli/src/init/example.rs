//! A small estate to begin from.

use crate::failure::Failure;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

/// The files, by name.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("README.md", include_str!("../../example/README.md")),
    ("boundary.yaml", include_str!("../../example/boundary.yaml")),
    ("identity.yaml", include_str!("../../example/identity.yaml")),
    ("resource.yaml", include_str!("../../example/resource.yaml")),
];

/// Writes the files; one that is there already is left alone, and said.
pub(super) fn write(dir: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(dir).map_err(|error| Failure::file(dir, &error))?;
    for (name, text) in FILES {
        let path = dir.join(name);
        let mut file =
            OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| Failure::file(&path, &error))?;
        file.write_all(text.as_bytes()).map_err(|error| Failure::file(&path, &error))?;
    }
    Ok(())
}
