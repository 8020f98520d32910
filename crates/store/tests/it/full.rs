//! A full disk.

use crate::world::{Counter, content, entry, new_log, signer, staged};
use std::path::Path;
use std::process::Command;
use writ_ledger::{AppendError, Lane, Log, StoreError};
use writ_store::{Options, SqliteStore};

const DIR: &str = "WRIT_TEST_FULL_DIR";

fn grow(log: &mut Log<SqliteStore>, lane: Lane) -> Result<(), AppendError> {
    let mut next = entry("task.ended", 1_000, &mut Counter(log.size() << 20));
    next.body = serde_json::json!({"v": 1, "text": "x".repeat(20_000)});
    log.append(lane, vec![staged(next)]).map(drop)
}

/// Appends until there is no space; what was there stays, and nothing of the refused batch is there.
fn until_full(log: &mut Log<SqliteStore>, lane: Lane) -> StoreError {
    for _ in 0..100_000 {
        let before = log.head();
        if let Err(error) = grow(log, lane) {
            assert_eq!((log.head(), log.stopped()), (before, None));
            match error {
                AppendError::Store(error) => return error,
                other => panic!("{other}"),
            }
        }
    }
    panic!("it is never full")
}

#[test]
fn a_full_database_refuses_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    drop(new_log(dir.path(), 5));
    let options = Options { reserve_bytes: 64 << 10, pages_max: Some(60) };
    let mut log = Log::open(SqliteStore::open(dir.path(), options).unwrap(), |_, _| {}).unwrap();
    assert!(matches!(until_full(&mut log, Lane::Grant), StoreError::Full(_)));
    assert!(log.size() > 8);
    // A limit that the reserve does not lift: the cut lane gives the reserve up, and says so too.
    assert!(log.store().reserve_held() && dir.path().join("reserve").exists());
    assert!(matches!(until_full(&mut log, Lane::Cut), StoreError::Full(_)));
    assert!(!log.store().reserve_held() && !dir.path().join("reserve").exists());
    let held = content(&log);
    drop(log);
    let mut log = Log::open(SqliteStore::open(dir.path(), Options::default()).unwrap(), |_, _| {}).unwrap();
    assert_eq!(content(&log), held);
    grow(&mut log, Lane::Grant).unwrap();
}

/// On a real file system of 4 MiB, in a mount namespace of the child's own: granting stops when the disk is full, endings
/// go on in the reserve, granting comes back with the space.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let (dir, ballast) = (Path::new(&dir).join("log"), Path::new(&dir).join("ballast"));
    std::fs::write(&ballast, vec![0; 2 << 20]).unwrap();
    let options = Options { reserve_bytes: 512 << 10, pages_max: None };
    let mut log = Log::open(SqliteStore::create(&dir, options).unwrap(), |_, _| {}).unwrap();
    crate::world::fill(&mut log, 5);
    let error = until_full(&mut log, Lane::Grant);
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    assert!(log.store().reserve_held());
    for _ in 0..6 {
        grow(&mut log, Lane::Cut).unwrap();
    }
    assert!(!log.store().reserve_held());
    assert!(matches!(grow(&mut log, Lane::Grant), Err(AppendError::Store(StoreError::Full(_)))), "the space is for endings");
    let held = content(&log);
    drop(log);
    // Closing took no space from the endings; opened on a full disk, it still is the same log.
    let mut log = Log::open(SqliteStore::open(&dir, options).unwrap(), |_, _| {}).unwrap();
    assert_eq!(content(&log), held);
    grow(&mut log, Lane::Cut).unwrap();
    assert!(matches!(grow(&mut log, Lane::Grant), Err(AppendError::Store(StoreError::Full(_)))));
    std::fs::remove_file(ballast).unwrap();
    // No restart is needed: the first grant takes the reserve back.
    grow(&mut log, Lane::Grant).unwrap();
    assert!(log.store().reserve_held());
    log.sign_checkpoint(&signer()).unwrap();
    println!("the full disk was real");
}

#[test]
fn on_a_full_disk_endings_are_still_logged() {
    let dir = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=4m tmpfs \"$0\" && exec \"$1\" full::child --exact --nocapture";
    let mut tried = Vec::new();
    // As root a mount namespace is enough; otherwise a user namespace lets us mount.
    for flags in ["-m", "-Urm"] {
        let child = Command::new("unshare")
            .args([flags, "sh", "-c", script])
            .args([dir.path(), &std::env::current_exe().unwrap()])
            .env(DIR, dir.path())
            .output();
        match child {
            Ok(output) if String::from_utf8_lossy(&output.stdout).contains("the full disk was real") => return,
            Ok(output) if String::from_utf8_lossy(&output.stdout).contains("running 1 test") => {
                panic!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
            }
            Ok(output) => tried.push(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => tried.push(error.to_string()),
        }
    }
    eprintln!("left out, no small file system can be mounted here: {tried:?}");
}
