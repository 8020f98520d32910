//! `cargo xtask test`: all that CI runs, in order.

use crate::needs::{self, For};
use crate::{run, tidy, tree};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Runs every step, also after one failed, and ends with what each came to.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, String> {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask test".to_owned());
    }
    let root = tree::root();
    heading("the machine");
    let lacking = needs::provide(For::Test)?;
    if !lacking.is_empty() {
        let names: Vec<&str> = lacking.iter().map(|need| need.what).collect();
        return Err(format!("the machine lacks {}; nothing was tested", names.join(", ")));
    }
    println!("it has all that the tests need; a first build takes about five minutes on two cores");

    let mut steps = vec![timed("tidy", || tidy::run(&[]).map(|code| code == ExitCode::SUCCESS))];
    for arguments in CARGO {
        steps.push(step(&format!("cargo {}", arguments.join(" ")), &mut run::command(&root, "cargo", arguments)));
    }
    steps.extend(interop(&root));
    heading("total");
    for Step { name, passed, took } in &steps {
        println!("{} {name} ({} s)", if *passed { "passed" } else { "FAILED" }, took.as_secs());
    }
    let failed = steps.iter().filter(|step| !step.passed).count();
    println!("{} steps, {failed} failed", steps.len());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Cargo's steps: its own closing lines say how many tests ran.
const CARGO: &[&[&str]] = &[
    &["fmt", "--all", "--check"],
    &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    &["test", "--workspace", "--locked", "--no-fail-fast"],
];

struct Step {
    name: String,
    passed: bool,
    took: Duration,
}

/// The foreign judges in Go, a module a folder: their programs must build and be sound; the Rust tests run them.
fn interop(root: &Path) -> Vec<Step> {
    let Some(go) = needs::go() else { return Vec::new() };
    let go = go.to_string_lossy();
    let folders = std::fs::read_dir(root.join("interop")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut modules: Vec<_> = folders.filter(|folder| folder.join("go.mod").is_file()).collect();
    modules.sort();
    let mut steps = Vec::new();
    for folder in modules {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for verb in ["vet", "test"] {
            steps.push(step(&format!("go {verb} (interop/{name})"), &mut run::command(&folder, &go, &[verb, "./..."])));
        }
    }
    steps
}

fn step(name: &str, command: &mut Command) -> Step {
    timed(name, || run::status(command).map(|status| status.success()))
}

#[expect(clippy::disallowed_methods, reason = "how long a step took, for people; nothing is decided by it")]
fn timed(name: &str, work: impl FnOnce() -> Result<bool, String>) -> Step {
    heading(name);
    let start = std::time::Instant::now();
    let passed = work().unwrap_or_else(|problem| {
        println!("{problem}");
        false
    });
    Step { name: name.to_owned(), passed, took: start.elapsed() }
}

fn heading(name: &str) {
    println!("\n== {name}");
}
