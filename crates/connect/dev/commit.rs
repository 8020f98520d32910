//! Committed orders for tests and benchmarks, made in the only way there is: by appending to a log.

use std::sync::{Mutex, OnceLock};
use writ_ledger::{Actor, Committed, ENTRY_VERSION, Entry, GENESIS_KIND, Kind, Lane, Log, LogSigner, Salt, Staged};
use writ_store::{Options, SqliteStore};
use writ_types::{ActorKind, EventId, Random, TextValue, Time, Via};

/// The operating system's randomness.
pub(crate) struct OsRandom;

impl Random for OsRandom {
    fn fill(&mut self, out: &mut [u8]) {
        aws_lc_rs::rand::fill(out).expect("randomness");
    }
}

struct World {
    log: Log<SqliteStore>,
    _directory: tempfile::TempDir,
}

static WORLD: OnceLock<Mutex<World>> = OnceLock::new();

/// Appends an entry for each order, in one batch.
pub(crate) fn commit_all<T>(orders: Vec<T>) -> Vec<Committed<T>> {
    let world = WORLD.get_or_init(|| Mutex::new(World::new()));
    let mut world = world.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let staged = orders
        .into_iter()
        .map(|order| Staged { entry: entry("credential.granted", r#"{"v":1}"#), blobs: Vec::new(), order })
        .collect();
    world.log.append(Lane::Grant, staged).expect("the log takes it")
}

/// Appends an entry for one order.
pub(crate) fn commit<T>(order: T) -> Committed<T> {
    commit_all(vec![order]).remove(0)
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::create(&directory.path().join("log"), Options::default()).expect("a store");
        let mut log = Log::open(store, |_, _| ()).expect("a log");
        let signer = LogSigner::parse(&LogSigner::mint("log.example", &mut OsRandom).expect("a key")).expect("a key");
        let body = format!(r#"{{"v":1,"content":{{"log_key":"{}","origin":"log.example"}}}}"#, signer.key());
        let staged = Staged { entry: entry(GENESIS_KIND, &body), blobs: Vec::new(), order: () };
        let _ = log.append(Lane::Grant, vec![staged]).expect("the log takes its genesis");
        Self { log, _directory: directory }
    }
}

fn entry(kind: &str, body: &str) -> Entry {
    Entry {
        v: ENTRY_VERSION,
        kind: Kind::parse(kind).expect("a kind"),
        at: Time::from_seconds(1_700_000_000),
        id: EventId::mint(&mut OsRandom),
        salt: Salt::mint(&mut OsRandom),
        epoch: 1,
        actor: Actor { id: "writ".to_owned(), kind: ActorKind::System, via: Via::Timer },
        on: Vec::new(),
        cause: Vec::new(),
        decision: None,
        policy_set: None,
        body: serde_json::from_str(body).expect("a body"),
        acts: Vec::new(),
        blobs: Vec::new(),
    }
}
