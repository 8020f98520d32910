//! `writ log export`: the log as a tree of files, from its directory, or from a server that holds the directory.

use crate::failure::{Exit, Failure, Outcome};
use crate::link::{Link, Reach};
use crate::show::print;
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use writ_ledger::body::Body;
use writ_ledger::{Blob, Chain, Entry, SignedCheckpoint, TileKind, encode_bundle, encode_hashes, leaf_hash, tiles};
use writ_store::{DirError, Options, SqliteStore, verify_dir};
use writ_types::{Digest, canonical};
use writ_wire::api::EntryView;

/// Export the log as a tree of files
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The directory to write, which must be empty or not there
    to: PathBuf,
    #[command(flatten)]
    reach: Reach,
}

/// The policy sets of a log, by hash.
type Policies = BTreeMap<Digest, Vec<u8>>;

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

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::failed(error.to_string(), "nothing is repaired silently: look at the log's directory")
}

/// The policy set that a genesis holds.
fn learn_policy(entry: &Entry, policies: &mut Policies) {
    if let Ok(Body::Genesis(genesis)) = Body::decode(entry.kind.as_str(), &entry.body)
        && let Ok(text) = canonical(&genesis.content.policy)
    {
        policies.insert(Digest::of(&text), text);
    }
}

fn from_store(store: SqliteStore, to: &Path) -> Result<Digest, Failure> {
    let mut policies = Policies::new();
    let log = writ_ledger::Log::open(store, |index, entry| {
        if index == 0 {
            learn_policy(&entry, &mut policies);
        }
    });
    let log = log.map_err(failed)?;
    writ_store::export(&log, to, &policies).map_err(failed)?;
    log.genesis().ok_or_else(|| failed("the log is empty"))
}

/// Reads every entry up to the checkpoint, and builds the tiles here.
fn from_server(reach: &Reach, to: &Path) -> Result<Digest, Failure> {
    let link = Link::open(reach)?;
    let note = link.text("/v1/log/checkpoint")?;
    let parsed = writ_ledger::Note::parse(&note).map_err(failed)?;
    let size = writ_ledger::Checkpoint::parse(parsed.unverified_text()).map_err(failed)?.size;
    let (mut chain, mut leaves, mut hashes) = (Chain::default(), Vec::new(), Vec::new());
    let (mut named, mut policies) = (BTreeSet::new(), Policies::new());
    for index in 0..size {
        let view: EntryView = link.get(&format!("/v1/log/entries/{index}"))?;
        let leaf = canonical(&view.entry).map_err(Failure::bug)?;
        let entry = chain.take(&leaf).map_err(failed)?;
        if index == 0 {
            learn_policy(&entry, &mut policies);
        }
        named.extend(entry.blobs);
        hashes.push(leaf_hash(&leaf));
        leaves.push(leaf);
    }
    let (Some(key), Some(genesis)) = (chain.key(), chain.genesis()) else { return Err(failed("the log is empty")) };
    SignedCheckpoint::open(&note, key).map_err(failed)?;
    if genesis != link.status().genesis {
        return Err(failed("the entries are not those of the log that the server answers for"));
    }
    let mut out = Out::new(to)?;
    out.write("vkey", format!("{key}\n").as_bytes())?;
    for tile in tiles(size) {
        let missing = || Failure::bug(format!("`{tile}` can't be built"));
        let range = usize::try_from(tile.first()).ok().zip(usize::try_from(tile.end()).ok());
        let (first, end) = range.ok_or_else(missing)?;
        let bytes = match tile.kind {
            TileKind::Entries => {
                let bundle: &[Vec<u8>] = leaves.get(first..end).ok_or_else(missing)?;
                encode_bundle(bundle.iter().map(Vec::as_slice)).map_err(failed)?
            }
            TileKind::Hashes(0) => encode_hashes(hashes.get(first..end).ok_or_else(missing)?),
            TileKind::Hashes(level) => encode_hashes(chain.tree().hashes(level, tile.first(), tile.end()).ok_or_else(missing)?),
        };
        out.write(&tile.to_string(), &bytes)?;
    }
    for (hash, text) in &policies {
        out.write(&format!("policy/{}", hex(hash)), text)?;
    }
    // Of the blobs, those that a session shows: the names of parties.
    for party in link.estate()?.parties.iter().filter(|party| named.contains(&party.name)) {
        let blob = party.blob.as_ref().and_then(|blob| Blob::open(party.name, canonical(blob).ok()?).ok());
        if let Some(blob) = blob {
            out.write(&format!("blob/{}", hex(&blob.name())), blob.bytes())?;
        }
    }
    out.write("checkpoint", note.as_bytes())?;
    Ok(genesis)
}

fn hex(digest: &Digest) -> String {
    digest.to_string().trim_start_matches("sha256:").to_owned()
}

struct Out<'a>(&'a Path);

impl<'a> Out<'a> {
    fn new(dir: &'a Path) -> Result<Self, Failure> {
        let wrong = |error: std::io::Error| Failure::file(dir, &error);
        std::fs::create_dir_all(dir).map_err(wrong)?;
        if std::fs::read_dir(dir).map_err(wrong)?.next().is_some() {
            return Err(Failure::usage(format!("`{}` is not empty", dir.display()), "name a directory that is not there yet"));
        }
        Ok(Self(dir))
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.0.join(name);
        let write = || {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(bytes)
        };
        write().map_err(|error| Failure::file(&path, &error))
    }
}
