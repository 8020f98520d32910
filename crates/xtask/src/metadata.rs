//! What cargo knows about packages: names, licences, sources and what each depends on.

use crate::json::Json;
use std::path::Path;
use std::process::Command;

/// One package as `cargo metadata` tells it.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    /// Where it comes from; none for a package of this workspace.
    pub(crate) source: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a package's `[dependencies]`.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Dev,
    Build,
}

/// Only the workspace's own packages.
pub(crate) fn workspace(root: &Path) -> Result<Vec<Package>, String> {
    read(root, &["--no-deps"])
}

/// The workspace and all that it depends on, on every platform.
pub(crate) fn all(root: &Path) -> Result<Vec<Package>, String> {
    read(root, &[])
}

fn read(root: &Path, more: &[&str]) -> Result<Vec<Package>, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1"])
        .args(more)
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(packages(&Json::parse(&String::from_utf8_lossy(&output.stdout))?))
}

/// The packages of a `cargo metadata` document.
pub(crate) fn packages(document: &Json) -> Vec<Package> {
    let text = |json: &Json| json.as_text().map(str::to_owned);
    let dependency = |json: &Json| {
        let kind = match json.get("kind").as_text() {
            Some("dev") => Kind::Dev,
            Some("build") => Kind::Build,
            _ => Kind::Normal,
        };
        Some(Dependency { name: text(json.get("name"))?, kind })
    };
    let package = |json: &Json| {
        Some(Package {
            name: text(json.get("name"))?,
            version: text(json.get("version"))?,
            licence: text(json.get("license")),
            source: text(json.get("source")),
            dependencies: json.get("dependencies").items().iter().filter_map(dependency).collect(),
        })
    };
    document.get("packages").items().iter().filter_map(package).collect()
}

#[cfg(test)]
impl Package {
    /// A package of this workspace with these normal dependencies, for the tests of the checks.
    pub(crate) fn of(name: &str, dependencies: &[&str]) -> Self {
        let normal = |name: &&str| Dependency { name: (*name).to_owned(), kind: Kind::Normal };
        Self {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            licence: Some("Apache-2.0".to_owned()),
            source: None,
            dependencies: dependencies.iter().map(normal).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_licences_are_read() {
        let document = r#"{"packages":[{"name":"a","version":"1.0.0","license":"MIT","source":null,"dependencies":[
            {"name":"b","kind":null},{"name":"c","kind":"dev"},{"name":"d","kind":"build"}]}]}"#;
        let found = packages(&Json::parse(document).unwrap());
        let kinds: Vec<Kind> = found[0].dependencies.iter().map(|d| d.kind).collect();
        assert_eq!(kinds, [Kind::Normal, Kind::Dev, Kind::Build]);
        assert_eq!(found[0].licence.as_deref(), Some("MIT"));
    }
}
