//! `writ log export`: the log as a tree of files, from its directory, or from a server that holds the directory.

use crate::failure::{Exit, Failure, Outcome};
use crate::link::{Link, Reach};
use crate::show::print;
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use writ_ledger::body::Body;
use writ_ledger::{Blob, Checkpoint, Entry, Note, TileKind, decode_bundle, genesis_key, tiles};
use writ_store::{DirError, ExportError, ExportTree, Options, SqliteStore, verify_dir};
use writ_types::{Digest, canonical};

/// Export the log as a tree of files
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The directory to write, which must be empty or not there
    to: PathBuf,
    #[command(flatten)]
    reach: Reach,
}

impl Export {
    pub(crate) fn run(self) -> Outcome {
        let genesis = match self.reach.dir.as_ref().map(|dir| SqliteStore::open(dir, Options::default())) {
            Some(Ok(store)) => from_store(store, &self.to)?,
            // A server holds it, and exports it.
            Some(Err(DirError::Held { .. })) | None => from_server(&self.reach, &self.to)?,
            Some(Err(error)) => return Err(Failure::failed(error.to_string(), "name the directory that `writ init` made")),
        };
        let found = verify_dir(&self.to, Some(&genesis));
        if let Some(problem) = found.problems.first() {
            let message = format!("what was written does not verify: {}", problem.what);
            return Err(Failure::failed(message, "look at it with `writ log verify`, and report this"));
        }
        print(&format!("{} entries are in {}\ngenesis {genesis}", found.entries, self.to.display()));
        Ok(Exit::Done)
    }
}

/// The canonical text of the policy set that a genesis holds.
fn policy_of(genesis: &Entry) -> Option<Vec<u8>> {
    match Body::decode(genesis.kind.as_str(), &genesis.body) {
        Ok(Body::Genesis(genesis)) => canonical(&genesis.content.policy).ok(),
        _ => None,
    }
}

fn from_store(store: SqliteStore, to: &Path) -> Result<Digest, Failure> {
    let mut policies = BTreeSet::new();
    let log = writ_ledger::Log::open(store, |index, entry| {
        if index == 0 {
            policies.extend(policy_of(&entry));
        }
    });
    let log = log.map_err(failed)?;
    writ_store::export(&log, to, &policies).map_err(wrong)?;
    log.genesis().ok_or_else(|| failed("the log is empty"))
}

/// Takes every tile that the server's checkpoint covers. What came is verified like any export, once it lies there.
fn from_server(reach: &Reach, to: &Path) -> Result<Digest, Failure> {
    let link = Link::open(reach)?;
    let checkpoint = link.text("/v1/log/checkpoint")?;
    let note = Note::parse(&checkpoint).map_err(failed)?;
    let size = Checkpoint::parse(note.unverified_text()).map_err(failed)?.size;
    let mut out = ExportTree::create(to).map_err(wrong)?;
    let mut named = BTreeSet::new();
    for tile in tiles(size) {
        let bytes = link.bytes(&format!("/v1/log/{tile}"))?;
        out.tile(tile, &bytes).map_err(wrong)?;
        if tile.kind != TileKind::Entries {
            continue;
        }
        for (index, leaf) in (tile.first()..).zip(decode_bundle(&bytes, tile.width).map_err(failed)?) {
            let entry = Entry::decode(leaf).map_err(failed)?;
            if index == 0 {
                out.vkey(&genesis_key(&entry).map_err(failed)?).map_err(wrong)?;
                if let Some(policy) = policy_of(&entry) {
                    out.policy(&policy).map_err(wrong)?;
                }
            }
            named.extend(entry.blobs);
        }
    }
    // Of the blobs, those that a session shows: the names of parties.
    for party in link.estate()?.parties.iter().filter(|party| named.contains(&party.name)) {
        if let Some(blob) = party.blob.as_ref().and_then(|blob| Blob::open(party.name, canonical(blob).ok()?).ok()) {
            out.blob(&blob).map_err(wrong)?;
        }
    }
    out.finish(&checkpoint).map_err(wrong)?;
    Ok(link.status().genesis)
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::failed(error.to_string(), "nothing is repaired silently: look at the log's directory")
}

/// Why the files are not there.
fn wrong(error: ExportError) -> Failure {
    match error {
        ExportError::NotEmpty(_) => Failure::usage(error.to_string(), "name a directory that is not there yet"),
        ExportError::Io { path, source } => Failure::file(&path, &source),
        other => failed(other),
    }
}
