//! `writ apply` and `writ diff`: from estate files to a change set.

use crate::args::Output;
use crate::estate::difference::{Difference, difference};
use crate::estate::known::Known;
use crate::estate::{describe, read_files, resolve};
use crate::failure::{Exit, Failure, Outcome};
use crate::filing;
use crate::link::{Keyed, Link, Reach};
use crate::people::People;
use crate::show::{note, print, print_json};
use clap::Args;
use std::path::PathBuf;

/// File what differs between estate files and what is in force
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// Estate files
    #[arg(short, long = "file", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    keyed: Keyed,
    #[command(flatten)]
    output: Output,
}

/// Show what `writ apply` would file
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// Estate files
    #[arg(short, long = "file", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    output: Output,
}

impl Apply {
    pub(crate) fn run(self) -> Outcome {
        let (link, known, found) = compare(&self.files, &self.reach)?;
        let mut people = filing::people(&link, &known)?;
        learn(&mut people, &found);
        if found.changes.is_empty() {
            return Ok(nothing(&found));
        }
        let me = link.me(&self.keyed)?;
        if !self.output.is_json() {
            print(&describe::difference(&found, &people));
        }
        let items = found.changes.into_iter().map(|changed| changed.item).collect();
        let seen = filing::file(&link, &known, &me, items, &found.blobs)?;
        filing::report(&seen, &people, self.output)
    }
}

impl Diff {
    pub(crate) fn run(self) -> Outcome {
        let (link, known, found) = compare(&self.files, &self.reach)?;
        let mut people = filing::people(&link, &known)?;
        learn(&mut people, &found);
        if self.output.is_json() {
            let items: Vec<_> = found.changes.iter().map(|changed| &changed.item).collect();
            print_json(&serde_json::json!({ "items": items, "waiting": found.waiting }));
            return Ok(Exit::Done);
        }
        if found.changes.is_empty() {
            nothing(&found);
            return Ok(Exit::Done);
        }
        print(&describe::difference(&found, &people));
        Ok(Exit::Done)
    }
}

/// Reads the files before anything else: what is wrong in them is told without a server too.
fn compare(files: &[PathBuf], reach: &Reach) -> Result<(Link, Known, Difference), Failure> {
    let documents = read_files(files)?;
    let link = Link::open(reach)?;
    let known = filing::known(&link)?;
    let resolved = resolve::resolve(&documents, &known, &mut *link.random())?;
    let found = difference(resolved.items, resolved.blobs, &known);
    Ok((link, known, found))
}

/// Lets `people` know the parties that the files describe.
fn learn(people: &mut People, found: &Difference) {
    let blobs: Vec<_> = found.blobs.iter().filter_map(|blob| serde_json::from_slice(blob.bytes()).ok()).collect();
    for changed in &found.changes {
        if let writ_ledger::body::Item::Party(party) = &changed.item {
            people.learn(party.party, &party.name, &blobs);
        }
    }
}

/// Says why nothing is filed.
fn nothing(found: &Difference) -> Exit {
    if found.waiting.is_empty() {
        note("nothing to file: all of it is in force as written");
        return Exit::Done;
    }
    let waiting: Vec<String> = found.waiting.iter().map(ToString::to_string).collect();
    note(&format!("nothing to file: the rest waits for signatures in {}; see `writ sign`", waiting.join(", ")));
    Exit::Waiting
}
