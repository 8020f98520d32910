//! `cargo xtask soak`: what CI runs, many times over: more races, more seeds. Minutes to hours, so a command of its own.

use crate::{run, tree};
use std::path::Path;
use std::process::ExitCode;

/// A package's example that takes a count.
pub(crate) struct Soak {
    name: &'static str,
    package: &'static str,
    example: &'static str,
    count: &'static str,
}

const SOAKS: &[Soak] = &[
    Soak { name: "races", package: "attest", example: "race_soak", count: "10000" },
    Soak { name: "simulator", package: "sim", example: "soak", count: "10000" },
];

/// Runs all of them, or the one named with its count: `soak [NAME [COUNT]]`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let root = tree::root();
    let exist: Vec<&Soak> = SOAKS.iter().filter(|soak| soak.exists(&root)).collect();
    let names: Vec<&str> = exist.iter().map(|soak| soak.name).collect();
    let usage = format!("usage: cargo xtask soak [NAME [COUNT]]; names: {}", names.join(", "));
    let (name, count) = match arguments {
        [] => (None, None),
        [name] => (Some(name), None),
        [name, count] => (Some(name), Some(count.as_str())),
        _ => return Err(usage),
    };
    let chosen: Vec<&Soak> = exist.into_iter().filter(|soak| name.is_none_or(|name| name == soak.name)).collect();
    if chosen.is_empty() {
        return Err(usage);
    }
    let mut code = ExitCode::SUCCESS;
    for soak in chosen {
        let Soak { name, package, example, .. } = soak;
        let count = count.unwrap_or(soak.count);
        println!("\n== {name} {count}");
        let package = format!("writ-{package}");
        let run = ["run", "--release", "--locked", "--quiet", "--package", &package, "--example", example, "--", count];
        let status = run::status(&mut run::command(&root, "cargo", &run))?;
        if !status.success() {
            println!("FAILED {name}: {status}");
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

impl Soak {
    fn exists(&self, root: &Path) -> bool {
        root.join(format!("crates/{}/examples/{}.rs", self.package, self.example)).is_file()
    }
}
