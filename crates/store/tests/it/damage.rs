//! What happens to a directory behind our back is noticed and named, never mended.

use crate::world::{OPTIONS, content, copy_dir, fill, new_log, open, signer};
use rusqlite::Connection;
use std::path::Path;
use writ_ledger::{Chain, Entry, leaf_hash};
use writ_store::{DirError, SqliteStore};

/// A directory as a kill leaves it: the last appends lie in the write-ahead log alone.
fn killed(at: &Path) {
    let dir = tempfile::tempdir().unwrap();
    closed(dir.path(), 20);
    let mut log = open(dir.path()).unwrap();
    for size in 21..30 {
        fill(&mut log, size);
    }
    log.sign_checkpoint(&signer()).unwrap();
    for size in 30..34 {
        fill(&mut log, size);
    }
    copy_dir(dir.path(), at);
    std::fs::remove_file(at.join("log.db-shm")).unwrap();
}

/// A directory that was closed in order.
fn closed(at: &Path, size: u64) {
    drop(new_log(at, size));
    assert!(!at.join("log.db-wal").exists());
}

/// Flips one byte in each sampled place of a file. The log must refuse to open and name a file, or be the very same.
fn flip(make: &dyn Fn(&Path), file: &str, samples: usize) -> (usize, usize) {
    let top = tempfile::tempdir().unwrap();
    let (good, bad) = (top.path().join("good"), top.path().join("bad"));
    make(&good);
    let (bytes, want) = {
        copy_dir(&good, &bad);
        let want = content(&open(&bad).unwrap());
        std::fs::remove_dir_all(&bad).unwrap();
        (std::fs::read(good.join(file)).unwrap(), want)
    };
    let (mut caught, mut harmless) = (0, 0);
    for sample in 0..samples {
        // Spread over the file, at places that are no multiples of anything.
        let at = (sample * bytes.len() / samples + sample * 37) % bytes.len();
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (sample % 8);
        copy_dir(&good, &bad);
        std::fs::write(bad.join(file), &flipped).unwrap();
        match open(&bad) {
            Err(error) => {
                assert!(error.contains("`log.db") || error.contains("`head`"), "byte {at}: {error}");
                caught += 1;
            }
            Ok(log) => {
                assert_eq!(content(&log), want, "byte {at} of {file} changed the log unnoticed");
                harmless += 1;
            }
        }
        std::fs::remove_dir_all(&bad).unwrap();
    }
    (caught, harmless)
}

#[test]
fn no_flipped_byte_of_the_database_changes_the_log_unnoticed() {
    let (caught, harmless) = flip(&|at| closed(at, 120), "log.db", 160);
    // Harmless is what nobody reads: free space within pages.
    assert!(caught > 80, "{caught} caught, {harmless} harmless");
}

#[test]
fn no_flipped_byte_of_the_write_ahead_log_loses_an_entry_unnoticed() {
    let (caught, harmless) = flip(&killed, "log.db-wal", 120);
    assert!(caught > 80, "{caught} caught, {harmless} harmless");
}

#[test]
fn a_flipped_byte_within_an_entry_names_the_entry() {
    let dir = tempfile::tempdir().unwrap();
    closed(dir.path(), 60);
    let path = dir.path().join("log.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let text = b"entry at 41 s";
    let at = bytes.windows(text.len()).position(|part| part == text).unwrap();
    bytes[at + 9] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(error.contains("`log.db`, entry 41,"), "{error}");
    assert_eq!(open(dir.path()).unwrap_err(), error, "looking does not mend it");
}

/// A name, what is done, and what the error must name.
type Case<'a, T> = (&'a str, &'a dyn Fn(&T), &'a str);

#[test]
fn torn_and_missing_files_are_named() {
    let cases: [Case<'_, Path>; 9] = [
        ("the database is cut within a page", &|dir| truncate(&dir.join("log.db"), 3), "log.db"),
        ("the database is cut by a page", &|dir| truncate(&dir.join("log.db"), 4096), "log.db"),
        ("the database is empty", &|dir| truncate(&dir.join("log.db"), u64::MAX), "log.db"),
        ("the database is missing", &|dir| std::fs::remove_file(dir.join("log.db")).unwrap(), "log.db"),
        ("the write-ahead log is torn", &|dir| truncate(&dir.join("log.db-wal"), 100), "log.db-wal"),
        ("the write-ahead log lost its last appends", &|dir| truncate(&dir.join("log.db-wal"), 20_000), "log.db-wal"),
        ("the write-ahead log is empty", &|dir| truncate(&dir.join("log.db-wal"), u64::MAX), "log.db-wal"),
        ("the write-ahead log is missing", &|dir| std::fs::remove_file(dir.join("log.db-wal")).unwrap(), "log.db-wal"),
        ("the mark is missing", &|dir| std::fs::remove_file(dir.join("head")).unwrap(), "head"),
    ];
    for (name, damage, file) in cases {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("log");
        if file == "log.db" {
            closed(&dir, 34)
        } else {
            killed(&dir)
        }
        damage(&dir);
        let bytes = || ["log.db", "log.db-wal", "head"].map(|file| std::fs::read(dir.join(file)).unwrap_or_default());
        let before = bytes();
        let error = SqliteStore::open(&dir, OPTIONS).map(|_| ()).expect_err(name);
        assert!(bytes() == before, "{name}: looking changed it");
        assert!(matches!(error, DirError::Store(_)), "{name}: {error}");
        assert!(error.to_string().contains(&format!("`{file}`")), "{name}: {error}");
    }
}

/// Cuts `bytes` off a file's end.
fn truncate(path: &Path, bytes: u64) {
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len().saturating_sub(bytes)).unwrap();
}

#[test]
fn an_older_copy_of_the_database_is_not_taken_for_the_log() {
    let dir = tempfile::tempdir().unwrap();
    closed(dir.path(), 40);
    let older = std::fs::read(dir.path().join("log.db")).unwrap();
    let mut log = open(dir.path()).unwrap();
    fill(&mut log, 45);
    drop(log);
    std::fs::write(dir.path().join("log.db"), older).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(error.contains("ends at 40") && error.contains("45"), "{error}");
}

/// Somebody who writes to the database with SQLite itself, without the log's key.
#[test]
fn edits_with_sqlite_itself_are_caught() {
    let cases: [Case<'_, Connection>; 8] = [
        ("an entry's bytes", &|db| run(db, "UPDATE leaf SET b = replace(b, 'at 7 s', 'at 8 s') WHERE i = 7"), "entry 7"),
        ("two entries swapped", &|db| swap(db, 7, 8), "entry 8"),
        ("an entry removed", &|db| run(db, "DELETE FROM leaf WHERE i = 7"), "entry 7"),
        ("the last entry removed", &|db| run(db, "DELETE FROM leaf WHERE i = 29"), "entry 29"),
        ("an entry more", &|db| run(db, "INSERT INTO leaf SELECT 30, b, c FROM leaf WHERE i = 29"), "entry 30"),
        ("a blob removed", &|db| run(db, "DELETE FROM blob WHERE rowid = 1"), "entry 3,"),
        ("a blob's bytes", &|db| run(db, "UPDATE blob SET bytes = replace(bytes, 'person', 'nobody') WHERE rowid = 1"), "blob"),
        ("an index more", &|db| run(db, "CREATE INDEX more ON leaf(c)"), "tables"),
    ];
    for (name, edit, named) in cases {
        let dir = tempfile::tempdir().unwrap();
        closed(dir.path(), 30);
        edit(&Connection::open(dir.path().join("log.db")).unwrap());
        let error = open(dir.path()).map(|_| ()).unwrap_err();
        assert!(error.contains(named), "{name}: {error}");
    }
}

fn run(db: &Connection, sql: &str) {
    // `replace` gives text; the columns are strict.
    let sql =
        sql.replace("replace(b,", "CAST(replace(CAST(b AS TEXT),").replace("replace(bytes,", "CAST(replace(CAST(bytes AS TEXT),");
    let sql = if sql.contains("CAST(replace") { sql.replace("') WHERE", "') AS BLOB) WHERE") } else { sql };
    assert!(db.execute(&sql, []).unwrap() <= 1);
}

fn swap(db: &Connection, a: u64, b: u64) {
    for (from, to) in [(a, 999), (b, a), (999, b)] {
        assert_eq!(db.execute("UPDATE leaf SET i = ? WHERE i = ?", [to, from]).unwrap(), 1);
    }
}

/// Somebody who rewrites an entry, every check, the head and the mark, but can't sign.
#[test]
fn a_rewritten_log_does_not_match_its_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    closed(dir.path(), 30);
    let log = open(dir.path()).unwrap();
    let mut leaves = log.leaves(0..30).unwrap();
    drop(log);
    let mut forged = Entry::decode(&leaves[9]).unwrap();
    forged.actor.id = "somebody-else".to_owned();
    leaves[9] = forged.encode().unwrap();
    let mut chain = Chain::default();
    let db = Connection::open(dir.path().join("log.db")).unwrap();
    for (index, leaf) in leaves.iter().enumerate() {
        chain.take(leaf).unwrap();
        let check = i64::from_be_bytes(leaf_hash(leaf).as_bytes()[..8].try_into().unwrap());
        db.execute("UPDATE leaf SET b = ?, c = ? WHERE i = ?", rusqlite::params![leaf, check, index as i64]).unwrap();
    }
    let root = chain.tree().frontier().root();
    db.execute("UPDATE head SET root = ?", [root.as_bytes().as_slice()]).unwrap();
    drop(db);
    // The mark names the old root: it goes with a log of the same size elsewhere.
    let other = tempfile::tempdir().unwrap();
    drop(SqliteStore::create(other.path(), OPTIONS).unwrap());
    std::fs::copy(other.path().join("head"), dir.path().join("head")).unwrap();
    let error = open(dir.path()).map(|_| ()).unwrap_err();
    assert!(error.contains("checkpoint"), "{error}");
}
