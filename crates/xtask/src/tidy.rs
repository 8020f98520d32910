//! `cargo xtask tidy`: what a reader of the tree can see to be wrong, without building it.

use crate::{budget, codemap, graph, licences, metadata, tree, words};
use std::process::ExitCode;

/// Prints every problem; fails where there is one. `--shrink` first narrows the ratchet to what is still needed.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let root = tree::root();
    match arguments {
        [] => {}
        [shrink] if shrink == "--shrink" => {
            let ratchet = budget::shrunk(&tree::Tree::read(&root)?)?;
            std::fs::write(root.join(budget::RATCHET), ratchet).map_err(|error| format!("{}: {error}", budget::RATCHET))?;
        }
        _ => return Err("usage: cargo xtask tidy [--shrink]".to_owned()),
    }
    let problems = problems()?;
    for problem in &problems {
        println!("tidy: {problem}");
    }
    if problems.is_empty() {
        println!("tidy: crate graph, owners of dependencies, lengths, words, licences and codemap are as they should be");
        return Ok(ExitCode::SUCCESS);
    }
    println!("tidy: {} to mend", problems.len());
    Ok(ExitCode::FAILURE)
}

fn problems() -> Result<Vec<String>, String> {
    let root = tree::root();
    let tree = tree::Tree::read(&root)?;
    let mut problems = graph::check(&metadata::workspace(&root)?);
    problems.extend(codemap::check(&tree));
    problems.extend(budget::check(&tree));
    problems.extend(words::check(&tree));
    problems.extend(licences::check(&metadata::all(&root)?, tree.text("deny.toml").unwrap_or("")));
    Ok(problems)
}
