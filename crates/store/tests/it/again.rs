//! An append of unknown outcome, and the log opened anew in the same process.

use crate::world::{Counter, content, entry, new_log, open, staged};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::Command;
use writ_ledger::{AppendError, Lane, Log, StoreError};
use writ_store::{DirError, SqliteStore};

const DIR: &str = "WRIT_TEST_AGAIN_DIR";

/// From now on no file of this process's can grow beyond so many bytes; none: as before.
fn limit_files(bytes: Option<u64>) {
    setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum: getrlimit(Resource::Fsize).maximum }).unwrap();
}

fn grow(log: &mut Log<SqliteStore>) -> Result<(), AppendError> {
    let next = entry("task.ended", 1_000, &mut Counter(log.size() << 20));
    log.append(Lane::Grant, vec![staged(next)]).map(drop)
}

/// In a process of its own, whose files can't grow for a while.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let dir = std::path::Path::new(&dir);
    let mut log = new_log(dir, 5);
    let before = (log.head(), content(&log));

    // The mark has room, the write-ahead log has none.
    limit_files(Some(4_096));
    let error = grow(&mut log).unwrap_err();
    assert!(matches!(error, AppendError::Store(StoreError::UnknownOutcome(_))), "{error}");
    assert!(matches!(grow(&mut log), Err(AppendError::Stopped(_))));
    // What was durable can be read all the while.
    assert_eq!((log.head(), content(&log)), before);
    let again = log.store().again();
    assert!(std::thread::spawn(move || again().map(drop)).join().unwrap().is_err());

    limit_files(None);
    let store = log.store().again()().unwrap();
    let mut anew = Log::open(store, |_, _| {}).unwrap();
    assert!(content(&anew).starts_with(&before.1));
    drop(log);
    assert!(matches!(SqliteStore::open(dir, crate::world::OPTIONS), Err(DirError::Held { .. })), "it lets go of the directory");
    grow(&mut anew).unwrap();
    let held = (anew.head(), content(&anew));
    drop(anew);
    let log = open(dir).unwrap();
    assert_eq!((log.head(), content(&log)), held);
    println!("the limit was real");
}

/// R88: the store goes on in the same process, with the directory held all the while, from what was durable.
#[test]
fn a_log_of_unknown_end_is_opened_anew() {
    let dir = tempfile::tempdir().unwrap();
    // By default the kernel ends a process whose file can't grow.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" again::child --exact --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env(DIR, dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("the limit was real"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
