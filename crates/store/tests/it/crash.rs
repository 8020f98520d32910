//! kill -9.

use crate::world::{Counter, OPTIONS, entry, new_log, open, signer, staged};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use writ_ledger::{Lane, Log};
use writ_store::SqliteStore;

const DIR: &str = "WRIT_TEST_CRASH_DIR";

/// Not a test of its own: the process that is killed. It appends and says what was made durable.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let mut log = Log::open(SqliteStore::open(dir.as_ref(), OPTIONS).unwrap(), |_, _| {}).unwrap();
    let mut wal = log.store().wal_checkpointer().unwrap();
    let mut out = std::io::stdout();
    for round in 0.. {
        let random = &mut Counter(log.size() << 20);
        let batch = (0..1 + round % 9).map(|_| staged(entry("task.ended", 1, random))).collect();
        let committed = log.append(Lane::Grant, batch).unwrap();
        writeln!(out, "durable {}", committed.last().unwrap().index() + 1).unwrap();
        out.flush().unwrap();
        if round % 10 == 9 {
            log.sign_checkpoint(&signer()).unwrap();
            wal.run().unwrap();
        }
    }
}

/// What was answered before the kill is there after it, and the log goes on.
#[test]
fn a_killed_process_has_lost_nothing_that_it_answered() {
    let dir = tempfile::tempdir().unwrap();
    drop(new_log(dir.path(), 1));
    let mut answered = 1;
    for kill in 0..6 {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["crash::child", "--exact", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said = |line: String| line.rsplit_once("durable ").and_then(|(_, size)| size.parse::<u64>().ok());
        // Each round kills at another point; what is said between the last line read here and the kill counts too.
        let enough = 3 + kill * 17;
        answered = lines.by_ref().filter_map(said).take(enough).last().unwrap();
        process.kill().unwrap();
        answered = lines.filter_map(said).last().unwrap_or(answered);
        process.wait().unwrap();
        let log = open(dir.path()).unwrap_or_else(|error| panic!("after kill {kill}: {error}"));
        assert!(log.size() >= answered, "{} of {answered} after kill {kill}", log.size());
    }
    assert!(answered > 6 * 10);
}
