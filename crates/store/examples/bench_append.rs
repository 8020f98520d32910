//! Durable appends beside the disk's own limit, in one run: prints one line of JSON.
//!
//! `cargo run --release -p writ-store --example bench_append [DIR]`. For groups of 1, 64 and 512 entries of about 700 bytes:
//! appends per second through `Log::append` (entry encoded, hashed, checked, committed), the store alone, and the raw limit,
//! a write of the same bytes and an fdatasync. `syncs_per_1000`: 1,000 threads append at once through a queue.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]
#![expect(clippy::disallowed_methods, reason = "it measures")]

use serde_json::{Value, json};
use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Barrier, mpsc};
use std::time::{Duration, Instant};
use writ_ledger::{Actor, Batch, Entry, GENESIS_KIND, Kind, Lane, Log, LogSigner, LogStore as _, Salt, Staged, leaf_hash};
use writ_store::{Options, SqliteStore};
use writ_types::{ActorKind, Digest, EventId, Random, TextValue as _, Time, Via};

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(100);
const CALLERS: usize = 1_000;

struct Counter(u64);

impl Random for Counter {
    fn fill(&mut self, out: &mut [u8]) {
        self.0 += 1;
        let digest = Digest::of(&self.0.to_be_bytes());
        out.iter_mut().zip(digest.as_bytes().iter().cycle()).for_each(|(slot, byte)| *slot = *byte);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let top = match std::env::args().nth(1) {
        Some(dir) => tempfile::tempdir_in(dir)?,
        None => tempfile::tempdir()?,
    };
    let random = &mut Counter(0);
    let mut rows = Vec::new();
    let entry_bytes = entry("task.ended", random)?.encode()?.len();
    let thousandths = |ratio: f64| (ratio * 1000.0).round() / 1000.0;
    for group in [1usize, 64, 512] {
        let mut log = new_log(&top.path().join(format!("log-{group}")), random)?;
        let mut bare = new_log(&top.path().join(format!("store-{group}")), random)?.into_store();
        let entries: Vec<Entry> = (0..group).map(|_| entry("task.ended", random)).collect::<Result<_, _>>()?;
        let leaves: Vec<Vec<u8>> = entries.iter().map(Entry::encode).collect::<Result<_, _>>()?;
        let hashes: Vec<Digest> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let file = &mut File::create(top.path().join(format!("raw-{group}")))?;
        let rounds = &mut Vec::new();
        // By turns, in short rounds: what else the machine does then hits all alike.
        for _ in 0..ROUNDS {
            let raw = rate(group, || Ok(file.write_all(&leaves.concat()).and_then(|()| file.sync_data())?))?;
            let whole = rate(group, || {
                let staged = entries.iter().map(|entry| Staged { entry: entry.clone(), blobs: Vec::new(), order: () });
                drop(log.append(Lane::Grant, staged.collect())?);
                Ok(())
            })?;
            let store = rate(group, || {
                let head = bare.head()?;
                Ok(bare.append(&Batch {
                    lane: Lane::Grant,
                    expected_size: head.size,
                    leaves: &leaves,
                    hashes: &hashes,
                    blobs: &[],
                    root: head.root,
                })?)
            })?;
            rounds.push((raw, whole, store));
        }
        let of = |what: fn(&(f64, f64, f64)) -> f64| median(rounds.iter().map(what).collect());
        let ratio = thousandths(of(|round| round.1 / round.0));
        rows.push(json!({
            "measure": format!("durable append, {group} at a time"), "value": of(|round| round.1).round(), "unit": "1/s",
            "raw_limit": of(|round| round.0).round(), "ratio": ratio, "budget": "ratio >= 0.5 of write + fdatasync", "met": ratio >= 0.5,
            "store_alone": of(|round| round.2).round(), "entry_bytes": entry_bytes,
        }));
    }
    let syncs = syncs_of_callers(&top.path().join("callers"), random)?;
    rows.push(json!({
        "measure": "syncs of 1,000 concurrent appends", "value": syncs, "unit": "syncs", "raw_limit": CALLERS,
        "ratio": thousandths(syncs as f64 / CALLERS as f64), "budget": "<= 100", "met": syncs <= 100,
    }));
    println!("{}", Value::Array(rows));
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

/// Entries per second of something that takes `group` of them at a time.
fn rate(group: usize, mut once: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let (start, mut done) = (Instant::now(), 0);
    while start.elapsed() < ROUND {
        once()?;
        done += group;
    }
    Ok(done as f64 / start.elapsed().as_secs_f64())
}

/// 1,000 callers at once; each waits for its own answer.
fn syncs_of_callers(dir: &Path, random: &mut Counter) -> Result<u64, Box<dyn Error>> {
    let mut log = new_log(dir, random)?;
    let before = log.store().appends_committed();
    let (queue, waiting) = mpsc::sync_channel::<mpsc::SyncSender<u64>>(256);
    let start = Barrier::new(CALLERS);
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            let (queue, start) = (queue.clone(), &start);
            let call = move || {
                let (answer, answered) = mpsc::sync_channel(1);
                start.wait();
                queue.send(answer).ok().and_then(|()| answered.recv().ok())
            };
            std::thread::Builder::new().stack_size(64 << 10).spawn_scoped(scope, call)?;
        }
        drop(queue);
        while let Ok(first) = waiting.recv() {
            let batch = std::iter::once(first).chain(waiting.try_iter().take(511));
            let batch = batch.map(|order| Ok(Staged { entry: entry("task.ended", random)?, blobs: Vec::new(), order }));
            for answer in log.append(Lane::Grant, batch.collect::<Result<_, Box<dyn Error>>>()?)? {
                let index = answer.index();
                answer.into_order().send(index)?;
            }
        }
        Ok::<_, Box<dyn Error>>(())
    })?;
    Ok(log.store().appends_committed() - before)
}

fn new_log(dir: &Path, random: &mut Counter) -> Result<Log<SqliteStore>, Box<dyn Error>> {
    let signer = LogSigner::parse(&LogSigner::mint("bench.example/writ", random)?)?;
    let mut log = Log::open(SqliteStore::create(dir, Options::default())?, |_, _| {})?;
    let mut genesis = entry(GENESIS_KIND, random)?;
    genesis.body = json!({"v": 1, "content": {"log_key": signer.key().to_string(), "origin": signer.key().name()}});
    genesis.cause.clear();
    drop(log.append(Lane::Grant, vec![Staged { entry: genesis, blobs: Vec::new(), order: () }])?);
    Ok(log)
}

fn entry(kind: &str, random: &mut Counter) -> Result<Entry, Box<dyn Error>> {
    Ok(Entry {
        v: 1,
        kind: Kind::parse(kind)?,
        at: Time::from_seconds(1_795_000_000),
        id: EventId::mint(random),
        salt: Salt::mint(random),
        epoch: 1,
        actor: Actor { id: "pty_00112233445566778899aabbccddeeff".to_owned(), kind: ActorKind::Human, via: Via::Key },
        on: vec!["tsk_00112233445566778899aabbccddeeff".to_owned()],
        cause: vec![0],
        decision: None,
        policy_set: Some(Digest::of(b"policy")),
        body: json!({"v": 1, "text": "x".repeat(250)}),
        acts: Vec::new(),
        blobs: Vec::new(),
    })
}
