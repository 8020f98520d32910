//! A log to try things on.

use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;
use writ_ledger::{Actor, Blob, Entry, Kind, Lane, Log, LogSigner, LogStore, Salt, Staged, StoreError};
use writ_store::{Options, SqliteStore};
use writ_types::{ActorKind, Digest, EventId, Random, Secret, TextValue, Time, Via};

/// Small enough that a test's disk does not notice.
pub(crate) const OPTIONS: Options = Options { reserve_bytes: 64 << 10, pages_max: None };
pub(crate) const ORIGIN: &str = "prod.example/writ";

/// A counter in place of randomness: the same bits on every run.
#[derive(Debug, Default)]
pub(crate) struct Counter(pub(crate) u64);

impl Random for Counter {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            self.0 += 1;
            let digest = Digest::of(&self.0.to_be_bytes());
            chunk.copy_from_slice(&digest.as_bytes()[..chunk.len()]);
        }
    }
}

pub(crate) fn signer_text() -> Secret<String> {
    LogSigner::mint(ORIGIN, &mut Counter(1 << 40)).unwrap()
}

pub(crate) fn signer() -> LogSigner {
    LogSigner::parse(&signer_text()).unwrap()
}

pub(crate) fn entry(kind: &str, seconds: u64, random: &mut Counter) -> Entry {
    Entry {
        v: 1,
        kind: Kind::parse(kind).unwrap(),
        at: Time::from_seconds(1_795_000_000 + seconds),
        id: EventId::mint(random),
        salt: Salt::mint(random),
        epoch: 1,
        actor: Actor { id: "writ".to_owned(), kind: ActorKind::System, via: Via::Timer },
        on: Vec::new(),
        cause: Vec::new(),
        decision: None,
        policy_set: None,
        body: json!({"v": 1, "text": format!("entry at {seconds} s")}),
        acts: Vec::new(),
        blobs: Vec::new(),
    }
}

pub(crate) fn genesis(key: &str) -> Entry {
    let mut genesis = entry("log.genesis", 0, &mut Counter(1 << 41));
    genesis.body = json!({"v": 1, "content": {"log_key": key, "origin": key.split('+').next()}});
    genesis
}

pub(crate) fn staged(entry: Entry) -> Staged<()> {
    Staged { entry, blobs: Vec::new(), order: () }
}

/// A policy set that some entries name, canonical.
pub(crate) fn policies() -> BTreeSet<Vec<u8>> {
    BTreeSet::from([br#"{"policies":[],"schema":""}"#.to_vec()])
}

/// A genesis and `size - 1` more entries; every tenth names a blob, every seventh the policy set.
pub(crate) fn fill<S: LogStore>(log: &mut Log<S>, size: u64) {
    fill_signed_by(log, size, &signer());
}

pub(crate) fn fill_signed_by<S: LogStore>(log: &mut Log<S>, size: u64, signer: &LogSigner) {
    let random = &mut Counter(log.size() << 20);
    let mut batch = Vec::new();
    for index in log.size()..size {
        let mut staged = staged(if index == 0 { genesis(&signer.key().to_string()) } else { entry("task.ended", index, random) });
        staged.entry.cause = if index > 1 { vec![index / 2] } else { Vec::new() };
        if index % 7 == 3 {
            staged.entry.policy_set = policies().first().map(|text| Digest::of(text));
        }
        if index % 10 == 3 {
            let blob = Blob::new(json!({"mail": format!("person-{index}@example.org")}), Salt::mint(random)).unwrap();
            staged.entry.blobs = vec![blob.name()];
            staged.blobs = vec![blob];
        }
        batch.push(staged);
        if batch.len() == 50 {
            drop(log.append(Lane::Grant, std::mem::take(&mut batch)).unwrap());
        }
    }
    drop(log.append(Lane::Grant, batch).unwrap());
}

/// A new log of `size` entries with a checkpoint over all of them.
pub(crate) fn new_log(dir: &Path, size: u64) -> Log<SqliteStore> {
    let mut log = Log::open(SqliteStore::create(dir, OPTIONS).unwrap(), |_, _| {}).unwrap();
    fill(&mut log, size);
    log.sign_checkpoint(&signer()).unwrap();
    log
}

/// Opens and verifies; the text of the first thing that is wrong.
pub(crate) fn open(dir: &Path) -> Result<Log<SqliteStore>, String> {
    let store = SqliteStore::open(dir, OPTIONS).map_err(|error| error.to_string())?;
    Log::open(store, |_, _| {}).map_err(|error: StoreError| error.to_string())
}

/// Everything that a log holds.
pub(crate) fn content<S: LogStore>(log: &Log<S>) -> Vec<Vec<u8>> {
    let mut all = log.leaves(0..log.size()).unwrap();
    for leaf in all.clone() {
        for name in Entry::decode(&leaf).unwrap().blobs {
            all.push(format!("{name} {:?}", log.store().blob(&name).unwrap()).into_bytes());
        }
    }
    all.push(log.checkpoint().map(ToString::to_string).unwrap_or_default().into_bytes());
    all
}

pub(crate) fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for item in std::fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy_dir(&item.path(), &target);
        } else {
            std::fs::copy(item.path(), target).unwrap();
        }
    }
}
