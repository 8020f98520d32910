//! `writ log verify`: every byte of an exported log; with `--laws`, that the law was kept too.

use crate::args::{Output, parsed};
use crate::failure::{Exit, Outcome};
use crate::show::{plain, print, print_json};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use writ_ledger::Entry;
use writ_ledger::body::Body;
use writ_plane::Laws;
use writ_store::ExportedLog;
use writ_types::Digest;

/// Verify an exported log, offline
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The directory that `writ log export` wrote
    dir: PathBuf,
    /// Check every signature and repeat every decision too
    #[arg(long)]
    laws: bool,
    /// The hash of the genesis that the log must begin with
    #[arg(long, value_name = "HASH", value_parser = parsed::<Digest>)]
    genesis: Option<Digest>,
    /// Take a development domain's log
    #[arg(long)]
    dev: bool,
    #[command(flatten)]
    output: Output,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Found {
    origin: Option<String>,
    size: u64,
    root: Option<Digest>,
    /// For people only: the JSON's members are a contract.
    #[serde(skip)]
    genesis: Option<Digest>,
    entries: u64,
    signatures: u64,
    decisions: u64,
    ok: bool,
    problems: Vec<Problem>,
}

/// Something that does not hold.
#[derive(Debug, Serialize)]
struct Problem {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    what: String,
}

impl Verify {
    pub(crate) fn run(self) -> Outcome {
        let found = self.found();
        if self.output.is_json() {
            print_json(&found);
        } else {
            print(&told(&found, self.laws, self.genesis.is_some()));
        }
        Ok(if found.ok { Exit::Done } else { Exit::Failed })
    }

    fn found(&self) -> Found {
        let mut laws = Laws::default();
        let mut dev = false;
        let verified = ExportedLog::new(&self.dir).verify(self.genesis.as_ref(), |index, entry| {
            dev |= index == 0 && is_dev(&entry);
            if self.laws {
                laws.add(&entry);
            }
        });
        let mut problems: Vec<Problem> = verified
            .problems
            .into_iter()
            .map(|problem| Problem { file: problem.file, index: problem.index, what: problem.what })
            .collect();
        if dev && !self.dev {
            let what = "its genesis is of a development domain, which vouches for nothing; `--dev` takes it".to_owned();
            problems.push(Problem { file: None, index: Some(0), what });
        }
        let breaches = laws.breaches().iter();
        problems.extend(breaches.map(|breach| Problem { file: None, index: Some(breach.index), what: breach.what.clone() }));
        Found {
            origin: verified.origin,
            size: verified.size,
            root: verified.root,
            genesis: verified.genesis,
            entries: verified.entries,
            signatures: laws.signatures(),
            decisions: laws.decisions(),
            ok: problems.is_empty(),
            problems,
        }
    }
}

fn is_dev(genesis: &Entry) -> bool {
    matches!(Body::decode(genesis.kind.as_str(), &genesis.body), Ok(Body::Genesis(genesis)) if genesis.content.dev)
}

fn told(found: &Found, laws: bool, pinned: bool) -> String {
    let mut out = String::new();
    let text = |digest: &Option<Digest>| digest.map_or_else(|| "-".to_owned(), |digest| digest.to_string());
    out.push_str(&format!("log      {}\n", found.origin.as_deref().map_or_else(|| "-".to_owned(), plain)));
    out.push_str(&format!("entries  {}\nroot     {}\n", found.entries, text(&found.root)));
    let how = if pinned { "as pinned" } else { "not pinned: compare it with what the founders printed, or add `--genesis`" };
    out.push_str(&format!("genesis  {} ({how})\n", text(&found.genesis)));
    if laws {
        out.push_str(&format!(
            "laws     {} signatures hold, {} decisions came out the same\n",
            found.signatures, found.decisions
        ));
    }
    for problem in &found.problems {
        let file = problem.file.as_deref().map(|file| format!("{}: ", plain(file))).unwrap_or_default();
        let index = problem.index.map(|index| format!("entry {index}: ")).unwrap_or_default();
        out.push_str(&format!("problem: {file}{index}{}\n", plain(&problem.what)));
    }
    out.push_str(if found.ok { "it holds\n" } else { "it does not hold\n" });
    out
}
