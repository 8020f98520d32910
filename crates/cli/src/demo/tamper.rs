//! The step `tamper`: three ways of altering a log, and who catches each.

use super::forgery::Forgery;
use super::program::run;
use super::stage::Stage;
use super::trouble::{Result, Trouble, must};
use serde_json::Value;
use std::path::Path;
use writ_ledger::{Entry, LogSigner};
use writ_store::KeyDir;

/// Somebody flips a bit; swaps two entries and mends the tree; or holds the log's own key and writes "approved" alone.
pub(super) fn tamper(stage: &mut Stage) -> Result<String> {
    let copy = |name: &str| Forgery::copy(&stage.export, stage.world.path("out").join(name));

    let flipped = copy("flipped")?;
    flip(&flipped.bundle()?)?;
    let first = refused(stage, &flipped.dir, false)?;

    let swapped = copy("swapped")?;
    let mut leaves = swapped.leaves()?;
    let place = approval(&leaves)?;
    leaves.swap(place, place.saturating_sub(1));
    swapped.rewrite(&leaves, None)?;
    let second = refused(stage, &swapped.dir, false)?;

    let forged = copy("forged")?;
    let mut leaves = forged.leaves()?;
    let place = approval(&leaves)?;
    let leaf = leaves.get_mut(place).ok_or_else(|| Trouble::new("the approval's entry is gone"))?;
    *leaf = without_signature(leaf)?;
    forged.rewrite(&leaves, Some(&log_key(&stage.world.server())?))?;
    // Whoever holds the log's key can write any tree: it takes the laws to see that nobody signed.
    must(verify(stage, &forged.dir, false)?.is_empty(), || "the forged tree does not hold even as a tree".to_owned())?;
    let third = refused(stage, &forged.dir, true)?;
    Ok(format!(
        "a flipped bit: {first}; two entries swapped: {second}; \"approved\" by the server alone, with the log's key: {third}"
    ))
}

fn flip(file: &Path) -> Result<()> {
    let mut bytes = std::fs::read(file).map_err(|error| Trouble::file(file, &error))?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    std::fs::write(file, bytes).map_err(|error| Trouble::file(file, &error))
}

/// Where the first approval stands.
fn approval(leaves: &[Vec<u8>]) -> Result<usize> {
    let is = |leaf: &Vec<u8>| Entry::decode(leaf).is_ok_and(|entry| entry.kind.as_str() == "task.approved");
    leaves.iter().position(is).ok_or_else(|| Trouble::new("the log has no `task.approved`"))
}

fn without_signature(leaf: &[u8]) -> Result<Vec<u8>> {
    let failed = |error: writ_ledger::EntryError| Trouble::new(error.to_string());
    let entry = Entry::decode(leaf).map_err(failed)?;
    Entry { acts: Vec::new(), ..entry }.encode().map_err(failed)
}

fn log_key(server: &Path) -> Result<LogSigner> {
    let keys = KeyDir::open(&server.join("keys")).map_err(|error| Trouble::new(error.to_string()))?;
    let text = keys.read_text("log.key").map_err(|error| Trouble::new(error.to_string()))?;
    LogSigner::parse(&text).map_err(|error| Trouble::new(error.to_string()))
}

/// What `writ log verify` finds.
fn verify(stage: &Stage, dir: &Path, laws: bool) -> Result<Vec<String>> {
    let flags: &[&str] = if laws { &["log", "verify", "--laws"] } else { &["log", "verify"] };
    let mut verify = stage.cast()?.command("alice", flags);
    let said = run(verify.args(["-o", "json", "--genesis", stage.genesis()?]).arg(dir))?;
    let report = said.json()?;
    let problems = report.get("problems").and_then(Value::as_array).into_iter().flatten();
    let what = |problem: &Value| {
        let text = problem.get("what").and_then(Value::as_str).unwrap_or_default();
        let index = problem.get("index").and_then(Value::as_u64);
        index.map_or_else(|| text.to_owned(), |index| format!("entry {index}: {text}"))
    };
    let problems: Vec<String> = problems.map(what).collect();
    said.with(i32::from(!problems.is_empty()))?;
    Ok(problems)
}

/// That it is refused, and why.
fn refused(stage: &Stage, dir: &Path, laws: bool) -> Result<String> {
    let problems = verify(stage, dir, laws)?;
    problems.into_iter().next().ok_or_else(|| Trouble::new(format!("`{}` verifies", dir.display())))
}
