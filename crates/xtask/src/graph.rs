//! The crate graph: which crate may import which, and who owns a hard dependency.

use crate::metadata::{Kind, Package};
use std::collections::{BTreeMap, BTreeSet};

/// One line of the crate table of ARCHITECTURE.md.
struct Row {
    layer: &'static str,
    krate: &'static str,
    may_import: &'static [&'static str],
}

const fn row(layer: &'static str, krate: &'static str, may_import: &'static [&'static str]) -> Row {
    Row { layer, krate, may_import }
}

/// The crates that exist, the pure core first. An edge that is not here is an architecture change: its own commit, with the reason.
const TABLE: &[Row] = &[
    row("words", "types", &[]),
    row("parts", "credential", &["types"]),
    row("parts", "policy", &["types"]),
    row("parts", "ledger", &["types"]),
    row("core", "plane", &["types", "credential", "policy", "ledger"]),
    row("edges", "issue", &["types", "credential", "ledger"]),
    row("edges", "wire", &["types"]),
    row("edges", "store", &["types", "ledger"]),
    row("edges", "connect", &["types", "ledger", "issue"]),
    row("edges", "attest", &["types", "credential"]),
    row("surface", "agent", &["types", "credential", "ledger", "wire", "attest"]),
    row(
        "surface",
        "server",
        &["types", "credential", "policy", "ledger", "plane", "issue", "wire", "store", "connect", "attest", "agent"],
    ),
    row("binary", "cli", &["types", "credential", "policy", "ledger", "plane", "wire", "store", "attest", "agent", "server"]),
    row("dev", "sim", &["types", "credential", "policy", "ledger", "plane"]),
    row("dev", "xtask", &[]),
];

/// The longest way from a crate down to one that imports nothing, counted in crates.
const DEPTH_MAX: usize = 6;

/// Outside dependencies that only these crates may name (a test of any crate may, to judge from outside).
const OWNERS: &[(&str, &[&str])] = &[
    ("anyhow", &["cli"]),
    // Digests, verifying, signing, SCRAM, workload keys; `server` only for the system's randomness, `sim` for people's keys.
    ("aws-lc-rs", &["types", "credential", "ledger", "issue", "connect", "attest", "agent", "server", "sim"]),
    ("cedar-policy", &["policy"]),
    ("x509-cert", &["credential"]),
    ("jiff", &["types"]),
    ("rusqlite", &["store"]),
    ("ssh-key", &["credential"]),
    ("tokio-postgres", &["connect"]),
    ("tokio-postgres-rustls", &["connect"]),
];

/// Every edge of the workspace that the table does not have, and every crate that it does not know.
pub(crate) fn check(packages: &[Package]) -> Vec<String> {
    let table: BTreeMap<&str, &Row> = TABLE.iter().map(|row| (row.krate, row)).collect();
    let mut problems = Vec::new();
    for package in packages {
        let krate = folder(&package.name);
        let Some(row) = table.get(krate) else {
            problems.push(format!("crate `{krate}`: the table in crates/xtask/src/graph.rs has no line for it"));
            continue;
        };
        for dependency in &package.dependencies {
            problems.extend(edge(row, &dependency.name, dependency.kind, packages));
        }
    }
    let known: BTreeSet<&str> = packages.iter().map(|package| folder(&package.name)).collect();
    let gone = TABLE.iter().filter(|row| !known.contains(row.krate));
    problems
        .extend(gone.map(|row| format!("crate `{}`: the table has a line for it, the workspace has no such crate", row.krate)));
    problems.extend(too_deep(packages));
    problems
}

/// The folder of a package under `crates/`.
fn folder(package: &str) -> &str {
    package.strip_prefix("writ-").unwrap_or(package)
}

fn edge(row: &Row, dependency: &str, kind: Kind, packages: &[Package]) -> Option<String> {
    let Row { layer, krate, may_import } = row;
    if kind == Kind::Dev {
        return None;
    }
    if kind == Kind::Build {
        return Some(format!(
            "crate `{krate}`: `{dependency}` is a build dependency; generated code is committed, nothing builds it"
        ));
    }
    if let Some((_, owners)) = OWNERS.iter().find(|(name, _)| *name == dependency) {
        let wrong = format!("edge `{krate} -> {dependency}`: only {} may name `{dependency}`", owners.join(", "));
        return (!owners.contains(krate)).then_some(wrong);
    }
    let ours = packages.iter().any(|package| package.name == dependency) || dependency.starts_with("writ-");
    let target = folder(dependency);
    (ours && !may_import.contains(&target)).then(|| {
        let imports = if may_import.is_empty() { "nothing".to_owned() } else { may_import.join(", ") };
        format!("edge `{krate} -> {target}` is not in the table, whose line is: {layer} | {krate} | may import {imports}")
    })
}

/// Follows imports as they are, so that a table that was widened by mistake is still measured.
fn too_deep(packages: &[Package]) -> Vec<String> {
    let imports = |krate: &str| -> Vec<&str> {
        let package = packages.iter().find(|package| folder(&package.name) == krate);
        let normal = package.into_iter().flat_map(|package| &package.dependencies).filter(|d| d.kind == Kind::Normal);
        normal.map(|d| d.name.as_str()).filter(|name| packages.iter().any(|p| p.name == *name)).map(folder).collect()
    };
    let mut problems = Vec::new();
    for package in packages {
        let mut level: BTreeSet<&str> = BTreeSet::from([folder(&package.name)]);
        let mut depth = 0;
        while !level.is_empty() && depth <= DEPTH_MAX {
            level = level.into_iter().flat_map(imports).collect();
            depth += 1;
        }
        if depth > DEPTH_MAX {
            problems.push(format!("crate `{}`: more than {DEPTH_MAX} crates deep", folder(&package.name)));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table itself as packages: the workspace that is right.
    fn right() -> Vec<Package> {
        let name = |krate: &str| if krate == "xtask" { krate.to_owned() } else { format!("writ-{krate}") };
        let package = |row: &Row| {
            let imports: Vec<String> = row.may_import.iter().map(|krate| name(krate)).collect();
            Package::of(&name(row.krate), &imports.iter().map(String::as_str).collect::<Vec<_>>())
        };
        TABLE.iter().map(package).collect()
    }

    fn add(packages: &mut [Package], krate: &str, dependency: &str, kind: Kind) {
        let package = packages.iter_mut().find(|p| folder(&p.name) == krate).unwrap();
        package.dependencies.push(crate::metadata::Dependency { name: dependency.to_owned(), kind });
    }

    #[test]
    fn the_table_is_a_graph_without_cycles_whose_lines_only_look_up() {
        assert_eq!(check(&right()), [""; 0]);
        for (i, row) in TABLE.iter().enumerate() {
            for target in row.may_import {
                assert!(TABLE[..i].iter().any(|above| above.krate == *target), "{} -> {target}", row.krate);
            }
        }
    }

    #[test]
    fn this_workspace_has_only_edges_of_the_table() {
        assert_eq!(check(&crate::metadata::workspace(&crate::tree::root()).unwrap()), [""; 0]);
    }

    #[test]
    fn adding_issue_to_a_crate_that_may_not_have_it_is_named() {
        for krate in
            ["types", "credential", "policy", "ledger", "plane", "wire", "store", "attest", "agent", "cli", "sim", "xtask"]
        {
            let mut packages = right();
            add(&mut packages, krate, "writ-issue", Kind::Normal);
            let problems = check(&packages);
            let edge = format!("edge `{krate} -> issue` is not in the table, whose line is: ");
            assert!(problems.iter().any(|p| p.starts_with(&edge) && p.contains("may import")), "{krate}: {problems:?}");
        }
        let mut packages = right();
        add(&mut packages, "cli", "writ-issue", Kind::Dev);
        assert_eq!(check(&packages), [""; 0], "a test may");
    }

    #[test]
    fn a_hard_dependency_outside_its_owner_is_named() {
        for (krate, dependency) in
            [("plane", "cedar-policy"), ("server", "rusqlite"), ("server", "tokio-postgres"), ("wire", "aws-lc-rs")]
        {
            let mut packages = right();
            add(&mut packages, krate, dependency, Kind::Normal);
            let problems = check(&packages);
            assert!(
                matches!(&problems[..], [one] if one.starts_with(&format!("edge `{krate} -> {dependency}`"))),
                "{problems:?}"
            );
        }
    }

    #[test]
    fn an_unknown_crate_a_missing_one_and_a_build_dependency_are_named() {
        let mut packages = right();
        packages.push(Package::of("writ-helpers", &[]));
        packages.retain(|p| p.name != "writ-sim");
        add(&mut packages, "wire", "tonic-prost-build", Kind::Build);
        let problems = check(&packages).join("\n");
        for part in ["crate `helpers`", "crate `sim`: the table has", "`tonic-prost-build` is a build dependency"] {
            assert!(problems.contains(part), "{part}: {problems}");
        }
    }

    #[test]
    fn a_longer_chain_than_six_is_named() {
        let names: Vec<String> = (0..7).map(|i| format!("writ-{i}")).collect();
        let chain = |count: usize| -> Vec<Package> {
            let package = |i: usize| Package::of(&names[i], if i == 0 { vec![] } else { vec![names[i - 1].as_str()] }.as_slice());
            (0..count).map(package).collect()
        };
        assert_eq!(too_deep(&chain(6)), [""; 0]);
        assert_eq!(too_deep(&chain(7)).len(), 1);
    }
}
