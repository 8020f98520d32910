//! What an append promises.

use crate::world::{Counter, OPTIONS, content, entry, fill, new_log, open, signer, staged};
use serde_json::json;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, mpsc};
use writ_ledger::{
    AppendError, Batch, Blob, Committed, Durability, EntryFault, Head, Lane, Log, LogError, LogSigner, LogStore, Salt, Staged,
    StoreError, Stored, verify_consistency,
};
use writ_store::{DirError, SqliteStore};
use writ_types::{Digest, Time};

#[derive(Debug, PartialEq)]
enum Order {
    Sign(&'static str),
    Cut(&'static str),
}

#[test]
fn each_order_comes_back_committed_at_the_index_of_its_entry() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = new_log(dir.path(), 3);
    let random = &mut Counter(7);
    let batch = [Some(Order::Sign("a")), None, Some(Order::Cut("b"))];
    let batch = batch.map(|order| Staged { entry: entry("task.ended", 10, random), blobs: Vec::new(), order });
    let committed = log.append(Lane::Grant, batch.into()).unwrap();
    assert_eq!(committed.iter().map(Committed::index).collect::<Vec<_>>(), [3, 4, 5]);
    let orders: Vec<Committed<Order>> = committed.into_iter().filter_map(Committed::some).collect();
    let signs: Vec<_> = orders.into_iter().map(|order| (order.index(), order.into_order())).collect();
    assert_eq!(signs, [(3, Order::Sign("a")), (5, Order::Cut("b"))]);
    assert_eq!(log.size(), 6);
}

#[test]
fn a_batch_with_one_bad_entry_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = new_log(dir.path(), 3);
    let before = (log.head(), content(&log));
    let random = &mut Counter(7);
    let (good, early) = (entry("task.ended", 10, random), entry("task.ended", 1, random));
    let refused = log.append(Lane::Grant, vec![staged(good.clone()), staged(early)]).unwrap_err();
    assert!(matches!(refused, AppendError::Entry { place: 1, fault: EntryFault::Time { .. } }), "{refused}");
    let mut hostile = good.clone();
    hostile.body = json!({"v": 1, "text": "x".repeat(70_000)});
    assert!(matches!(log.append(Lane::Grant, vec![staged(hostile)]), Err(AppendError::Entry { place: 0, .. })));
    let mut nameless = good.clone();
    nameless.blobs = vec![Digest::of(b"nowhere")];
    let refused = log.append(Lane::Grant, vec![staged(good.clone()), staged(nameless)]).unwrap_err();
    assert!(matches!(refused, AppendError::Blob { place: 1, .. }), "{refused}");
    assert_eq!((log.head(), content(&log)), before);
    // The log goes on.
    assert_eq!(log.append(Lane::Grant, vec![staged(good)]).unwrap().len(), 1);
    assert_eq!(log.last_time(), Some(Time::from_seconds(1_795_000_010)));
}

/// R140, R141, R142: what was recorded is there, in order, after the process that recorded it is gone.
#[test]
fn a_reopened_log_is_the_same_log() {
    let dir = tempfile::tempdir().unwrap();
    let log = new_log(dir.path(), 300);
    let before = (log.head(), log.genesis(), log.last_time(), content(&log));
    drop(log);
    let mut seen = Vec::new();
    let store = SqliteStore::open(dir.path(), OPTIONS).unwrap();
    let mut log = Log::open(store, |index, entry| seen.push((index, entry.at))).unwrap();
    assert_eq!((log.head(), log.genesis(), log.last_time(), content(&log)), before);
    assert!(seen.iter().map(|(index, _)| *index).eq(0..300) && seen.is_sorted_by_key(|(_, at)| *at));
    fill(&mut log, 310);
    assert_eq!(open_after(log, dir.path()).size(), 310);
}

fn open_after(log: Log<SqliteStore>, dir: &std::path::Path) -> Log<SqliteStore> {
    drop(log);
    open(dir).unwrap()
}

#[test]
fn one_process_holds_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let log = new_log(dir.path(), 3);
    let second = SqliteStore::open(dir.path(), OPTIONS).unwrap_err();
    assert!(matches!(second, DirError::Held { .. }));
    let (shown, pid) = (second.to_string(), std::process::id());
    assert!(shown.contains(&dir.path().display().to_string()) && shown.contains(&format!("pid {pid}")), "{shown}");
    // What moves the write-ahead log holds it too.
    let mut wal = log.store().wal_checkpointer().unwrap();
    drop(log);
    assert!(SqliteStore::open(dir.path(), OPTIONS).is_err());
    wal.run().unwrap();
    drop(wal);
    assert!(matches!(SqliteStore::create(dir.path(), OPTIONS), Err(DirError::Exists(_))));
    assert!(matches!(SqliteStore::open(&dir.path().join("other"), OPTIONS), Err(DirError::Missing(_))));
    assert_eq!(open(dir.path()).unwrap().size(), 3);
}

#[test]
fn a_store_takes_a_batch_only_where_the_log_ends() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = new_log(dir.path(), 5).into_store();
    let before = store.head().unwrap();
    for expected_size in [0, 4, 6] {
        let batch = Batch {
            lane: Lane::Cut,
            expected_size,
            leaves: &[b"x".to_vec()],
            hashes: &[before.root],
            blobs: &[],
            root: before.root,
        };
        assert_eq!(store.append(&batch), Err(StoreError::Conflict { expected: expected_size, found: 5 }));
    }
    assert_eq!((store.head().unwrap(), store.read(0..5).unwrap().len()), (before, 5));
    assert!(store.read(0..6).is_err());
}

/// 1,000 callers at once share their syncs, and each is answered after its own.
#[test]
fn a_thousand_concurrent_appends_cost_at_most_a_hundred_syncs() {
    const CALLERS: usize = 1000;
    let dir = tempfile::tempdir().unwrap();
    let mut log = new_log(dir.path(), 1);
    let (before, durable) = (log.store().appends_committed(), AtomicU64::new(0));
    let (queue, waiting) = mpsc::sync_channel::<mpsc::SyncSender<u64>>(256);
    let start = Barrier::new(CALLERS);
    let mut indexes = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (queue, start, durable) = (queue.clone(), &start, &durable);
                let call = move || {
                    let (answer, answered) = mpsc::sync_channel(1);
                    start.wait();
                    queue.send(answer).unwrap();
                    let index = answered.recv().unwrap();
                    assert!(index < durable.load(Ordering::SeqCst), "an answer before its sync");
                    index
                };
                std::thread::Builder::new().stack_size(64 << 10).spawn_scoped(scope, call).unwrap()
            })
            .collect();
        drop(queue);
        let random = &mut Counter(9);
        while let Ok(first) = waiting.recv() {
            let batch: Vec<_> = std::iter::once(first).chain(waiting.try_iter().take(255)).collect();
            let batch = batch
                .into_iter()
                .map(|order| Staged { entry: entry("task.ended", 5, random), blobs: Vec::new(), order })
                .collect();
            let committed = log.append(Lane::Grant, batch).unwrap();
            durable.store(log.store().head().unwrap().size, Ordering::SeqCst);
            for answer in committed {
                let index = answer.index();
                answer.into_order().send(index).unwrap();
            }
        }
        callers.into_iter().map(|caller| caller.join().unwrap()).collect::<Vec<_>>()
    });
    indexes.sort_unstable();
    assert!(indexes.into_iter().eq(1..=CALLERS as u64));
    let syncs = log.store().appends_committed() - before;
    assert!((1..=100).contains(&syncs), "{syncs} syncs");
    assert_eq!(open_after(log, dir.path()).size(), 1001);
}

/// A store whose appends are durable, but nobody learns of it.
#[derive(Debug)]
struct Mute(SqliteStore);

impl LogStore for Mute {
    fn head(&self) -> Result<Head, StoreError> {
        self.0.head()
    }
    fn append(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        self.0.append(batch)?;
        Err(StoreError::UnknownOutcome("the answer was lost".to_owned()))
    }
    fn read(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, StoreError> {
        self.0.read(range)
    }
    fn put_blob(&mut self, blob: &Blob) -> Result<(), StoreError> {
        self.0.put_blob(blob)
    }
    fn blob(&self, name: &Digest) -> Result<Stored, StoreError> {
        self.0.blob(name)
    }
    fn erase_blob(&mut self, name: &Digest) -> Result<(), StoreError> {
        self.0.erase_blob(name)
    }
    fn put_checkpoint(&mut self, size: u64, note: &str) -> Result<(), StoreError> {
        self.0.put_checkpoint(size, note)
    }
    fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        self.0.checkpoint()
    }
    fn durability(&self) -> Durability {
        self.0.durability()
    }
    fn file(&self) -> &str {
        self.0.file()
    }
}

#[test]
fn an_unknown_outcome_stops_the_log_until_it_is_opened_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_log(dir.path(), 3).into_store();
    let mut log = Log::open(Mute(store), |_, _| {}).unwrap();
    let next = |random: u64| vec![staged(entry("task.ended", 10, &mut Counter(random)))];
    assert!(matches!(log.append(Lane::Grant, next(1)), Err(AppendError::Store(StoreError::UnknownOutcome(_)))));
    assert!(matches!(log.append(Lane::Cut, next(2)), Err(AppendError::Stopped(_))));
    assert!(matches!(log.sign_checkpoint(&signer()), Err(LogError::Stopped(_))));
    assert!(log.stopped().is_some() && log.size() == 3);
    drop(log);
    assert_eq!(open(dir.path()).unwrap().size(), 4);
}

#[test]
fn an_erased_blob_is_gone_from_the_disk_and_known_as_erased() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = new_log(dir.path(), 1);
    let secret = "a-mail-address-to-forget@example.org";
    let blob = Blob::new(json!({ "mail": secret }), Salt::from_bits([3; 16])).unwrap();
    let mut naming = staged(entry("party.set", 1, &mut Counter(1)));
    naming.entry.blobs = vec![blob.name()];
    naming.blobs = vec![blob.clone()];
    drop(log.append(Lane::Grant, vec![naming]).unwrap());
    let on_disk = || {
        let has = |name: &str| {
            std::fs::read(dir.path().join(name)).unwrap().windows(secret.len()).any(|part| part == secret.as_bytes())
        };
        has("log.db") || has("log.db-wal")
    };
    assert!(on_disk());
    assert_eq!(log.store().blob(&blob.name()), Ok(Stored::Here(blob.clone())));
    log.upkeep().erase_blob(&blob.name()).unwrap();
    assert_eq!(log.store().blob(&blob.name()), Ok(Stored::Erased));
    assert!(!on_disk());
    assert!(log.upkeep().put_blob(&blob).is_err());
    assert_eq!(open_after(log, dir.path()).store().blob(&blob.name()), Ok(Stored::Erased));
}

/// R143: each entry's receipt holds under the log's key alone, and later checkpoints continue earlier ones.
#[test]
fn receipts_and_consistency_hold_under_the_logs_key() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = new_log(dir.path(), 270);
    fill(&mut log, 530);
    let signed = log.sign_checkpoint(&signer()).unwrap().clone();
    fill(&mut log, 531);
    for index in [0, 1, 255, 256, 511, 529] {
        let (receipt, leaf) = (log.receipt(index).unwrap(), log.leaves(index..index + 1).unwrap().remove(0));
        assert_eq!(receipt.verify(&leaf, signer().key()).as_ref(), Ok(signed.checkpoint()));
    }
    assert!(matches!(log.receipt(530), Err(LogError::NotCovered(530))));
    let other = LogSigner::parse(&LogSigner::mint("prod.example/writ", &mut Counter(5)).unwrap()).unwrap();
    assert!(matches!(log.sign_checkpoint(&other), Err(LogError::OtherKey(_))));
    let root_at = |log: &Log<SqliteStore>, size: u64| {
        let mut tree = writ_ledger::Tree::default();
        log.leaves(0..size).unwrap().iter().for_each(|leaf| tree.push(writ_ledger::leaf_hash(leaf)));
        tree.frontier().root()
    };
    for (old, new) in [(1, 531), (256, 300), (270, 531), (512, 513), (531, 531)] {
        let proof = log.consistency(old, new).unwrap();
        assert_eq!(verify_consistency(old, &root_at(&log, old), new, &root_at(&log, new), &proof), Ok(()));
    }
    assert!(log.consistency(1, 532).is_err());
}

#[test]
fn the_write_ahead_log_moves_beside_the_appends() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = new_log(dir.path(), 1);
    let mut wal = log.store().wal_checkpointer().unwrap();
    let size = || std::fs::metadata(dir.path().join("log.db-wal")).unwrap().len();
    for round in 1..4 {
        fill(&mut log, round * 400);
        wal.run().unwrap();
    }
    let (once, before) = (size(), log.size());
    for round in 1..4 {
        fill(&mut log, before + round * 50);
        wal.run().unwrap();
    }
    assert_eq!(size(), once, "the write-ahead log is used again from its beginning");
    assert!(!wal.is_due());
    drop(wal);
    assert_eq!(open_after(log, dir.path()).size(), 1350);
}
