//! The log in SQLite: one file, one process, one transaction and one sync for each batch.

use crate::dir::{self, DirError, Hold};
use crate::mark::Mark;
use crate::reserve::Reserve;
use crate::schema::{
    APPLICATION_ID, DB_FILE, SCHEMA, SCHEMA_VERSION, at_commit, at_open, before_commit, check, check_length, check_of, connect,
    corrupt, read_head,
};
use crate::wal::WalCheckpointer;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use writ_ledger::{Batch, Blob, Durability, Head, Lane, LogStore, StoreError, Stored, empty_root, leaf_hash};
use writ_types::Digest;

/// When nobody runs the [`WalCheckpointer`], an append moves the write-ahead log itself after this many bytes.
const WAL_BYTES_MAX: u64 = 64 << 20;

/// A log in a directory.
#[derive(Debug)]
pub struct SqliteStore {
    db: Connection,
    path: PathBuf,
    options: Options,
    head: Head,
    mark: Mark,
    reserve: Reserve,
    /// Bytes appended since SQLite's write-ahead log was last moved into the database.
    pending: Arc<AtomicU64>,
    appends_committed: u64,
    hold: Arc<Hold>,
}

/// Limits of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How much space is kept back for endings.
    pub reserve_bytes: u64,
    /// The most pages of 4,096 bytes that the database has; none for no limit of its own.
    pub pages_max: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self { reserve_bytes: 8 << 20, pages_max: None }
    }
}

impl SqliteStore {
    /// Makes an empty log in `dir`, which is made if it is not there.
    ///
    /// # Errors
    /// When there is a log already, another process holds the directory, or it can't be written.
    pub fn create(dir: &Path, options: Options) -> Result<Self, DirError> {
        dir::make(dir).map_err(|source| DirError::io(dir, source))?;
        let hold = Hold::take(dir)?;
        let path = dir.join(DB_FILE);
        if path.try_exists().map_err(|source| DirError::io(&path, source))? {
            return Err(DirError::Exists(dir.to_owned()));
        }
        let head = Head { size: 0, root: empty_root() };
        let mark = Mark::create(dir, &head)?;
        let db = connect(&path, options, OpenFlags::SQLITE_OPEN_CREATE).map_err(|error| at_open(&error))?;
        let make = || {
            db.execute_batch("BEGIN IMMEDIATE")?;
            for (_, sql) in SCHEMA {
                db.execute_batch(sql)?;
            }
            db.execute("INSERT INTO head VALUES (1, 0, ?)", [head.root.as_bytes().as_slice()])?;
            db.pragma_update(None, "application_id", APPLICATION_ID)?;
            db.pragma_update(None, "user_version", SCHEMA_VERSION)?;
            db.execute_batch("COMMIT")
        };
        make().map_err(|error| at_open(&error))?;
        dir::sync(dir).map_err(|source| DirError::io(dir, source))?;
        Ok(Self::assemble(db, path, options, head, mark, Reserve::open(dir, options.reserve_bytes), hold))
    }

    /// Opens the log in `dir` and checks that the database is whole and ends where its last append ended. That its entries
    /// are those that were appended is checked by `Log::open`.
    ///
    /// # Errors
    /// When there is no log, another process holds the directory, or something is broken. Nothing is repaired.
    pub fn open(dir: &Path, options: Options) -> Result<Self, DirError> {
        let path = dir.join(DB_FILE);
        if !dir.is_dir() {
            return Err(DirError::Missing(dir.to_owned()));
        }
        let hold = Hold::take(dir)?;
        if !path.try_exists().map_err(|source| DirError::io(&path, source))? {
            // With its mark beside it, the database is not missing but lost.
            return Err(match dir.join(crate::mark::MARK_FILE).try_exists() {
                Ok(false) => DirError::Missing(dir.to_owned()),
                _ => corrupt(None, "it is missing").into(),
            });
        }
        check_length(&path)?;
        let db = connect(&path, options, OpenFlags::empty()).map_err(|error| at_open(&error))?;
        let head = check(&db)?;
        let mark = Mark::open(dir, &head)?;
        Ok(Self::assemble(db, path, options, head, mark, Reserve::open(dir, options.reserve_bytes), hold))
    }

    /// What opens the log anew while this store is still there, for reading: after an append of unknown outcome it appends
    /// nothing more. Both hold the directory.
    ///
    /// What the log then ends with is moved into the database and synced there: a write-ahead log whose sync has failed may say
    /// ever after that it is synced.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], and when the disk can't be written.
    pub fn again(&self) -> impl FnOnce() -> Result<Self, DirError> + Send + use<> {
        let (path, options) = (self.path.clone(), self.options);
        let (reserve, pending, hold) = (self.reserve.clone(), Arc::clone(&self.pending), Arc::clone(&self.hold));
        let appends_committed = self.appends_committed;
        move || {
            let db = connect(&path, options, OpenFlags::empty()).map_err(|error| at_open(&error))?;
            let head = check(&db)?;
            let mark = Mark::open(path.parent().unwrap_or(Path::new(".")), &head)?;
            let store = Self { db, path, options, head, mark, reserve, pending, appends_committed, hold };
            store.move_wal("TRUNCATE")?;
            store.tend_closing();
            Ok(store)
        }
    }

    fn assemble(db: Connection, path: PathBuf, options: Options, head: Head, mark: Mark, reserve: Reserve, hold: Hold) -> Self {
        let (pending, hold) = (Arc::new(AtomicU64::new(0)), Arc::new(hold));
        Self { db, path, options, head, mark, reserve, pending, appends_committed: 0, hold }
    }

    /// Closing moves the write-ahead log into the database, but not before a first append (whoever only looks changes
    /// nothing), and not while endings live on what the reserve gave: moving takes space.
    fn tend_closing(&self) {
        let leave = self.appends_committed == 0 || !self.reserve.held();
        // Failing to set this can cost space, never an entry.
        let _ = self.db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave);
    }

    /// How many appends were made durable since the directory was opened. Each is one transaction with one sync.
    pub const fn appends_committed(&self) -> u64 {
        self.appends_committed
    }

    /// True while space is kept back for endings. While it is not, only endings are appended.
    pub fn reserve_held(&self) -> bool {
        self.reserve.held()
    }

    /// Gives up the space that is kept back for endings. False if it was given up before.
    fn release_reserve(&mut self) -> Result<bool, StoreError> {
        let released = self.reserve.release().map_err(|error| StoreError::Io(format!("the reserve: {error}")));
        self.tend_closing();
        released
    }

    /// Takes the space back if it was given up: an error while the disk is still full.
    fn restore_reserve(&mut self) -> Result<(), StoreError> {
        if self.reserve.held() {
            return Ok(());
        }
        let restored = self.reserve.restore().map_err(|error| StoreError::Full(format!("the reserve: {error}")));
        self.tend_closing();
        restored
    }

    /// What moves SQLite's write-ahead log into the database; its owner runs it beside the appends.
    ///
    /// # Errors
    /// When the database can't be opened a second time.
    pub fn wal_checkpointer(&self) -> Result<WalCheckpointer, StoreError> {
        WalCheckpointer::open(&self.path, Arc::clone(&self.pending), self.reserve.watch(), Arc::clone(&self.hold))
            .map_err(|error| before_commit(&error))
    }

    /// The whole batch in one transaction.
    fn commit(&mut self, batch: &Batch<'_>) -> Result<Head, StoreError> {
        let size = batch.expected_size + batch.leaves.len() as u64;
        let head = Head { size, root: batch.root };
        let written = self
            .db
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(|error| before_commit(&error))
            .and_then(|()| self.write(batch, &head));
        let outcome = written.and_then(|()| self.db.execute_batch("COMMIT").map_err(|error| at_commit(&error)));
        if let Err(error) = outcome {
            if !self.db.is_autocommit() && self.db.execute_batch("ROLLBACK").is_err() {
                return Err(StoreError::UnknownOutcome(error.to_string()));
            }
            // What was refused before the commit, or for want of space, must have left the head where it was.
            return match read_head(&self.db) {
                Ok(head) if head == self.head => Err(error),
                _ => Err(StoreError::UnknownOutcome(error.to_string())),
            };
        }
        Ok(head)
    }

    fn write(&self, batch: &Batch<'_>, head: &Head) -> Result<(), StoreError> {
        let wrong = |error: rusqlite::Error| before_commit(&error);
        let moved = self
            .db
            .prepare_cached("UPDATE head SET size = ?, root = ? WHERE one = 1 AND size = ?")
            .and_then(|mut statement| statement.execute(params![head.size, head.root.as_bytes().as_slice(), batch.expected_size]))
            .map_err(wrong)?;
        if moved != 1 {
            return Err(StoreError::Conflict { expected: batch.expected_size, found: read_head(&self.db)?.size });
        }
        for blob in batch.blobs {
            self.insert_blob(blob)?;
        }
        let mut insert = self.db.prepare_cached("INSERT INTO leaf VALUES (?, ?, ?)").map_err(wrong)?;
        for ((index, leaf), hash) in (batch.expected_size..).zip(batch.leaves).zip(batch.hashes) {
            insert.execute(params![index, leaf, check_of(hash)]).map_err(wrong)?;
        }
        Ok(())
    }

    fn insert_blob(&self, blob: &Blob) -> Result<(), StoreError> {
        let inserted = self
            .db
            .prepare_cached("INSERT INTO blob VALUES (?, ?) ON CONFLICT DO NOTHING")
            .and_then(|mut statement| statement.execute(params![blob.name().as_bytes().as_slice(), blob.bytes()]))
            .map_err(|error| before_commit(&error))?;
        if inserted == 0 && self.blob(&blob.name())? == Stored::Erased {
            return Err(StoreError::Io(format!("the blob {} was erased", blob.name())));
        }
        Ok(())
    }

    fn move_wal(&self, how: &str) -> Result<(), StoreError> {
        let busy: i64 = self
            .db
            .query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| row.get(0))
            .map_err(|error| before_commit(&error))?;
        if busy == 0 { Ok(()) } else { Err(StoreError::Io("another connection reads the log's database".to_owned())) }
    }
}

impl LogStore for SqliteStore {
    fn head(&self) -> Result<Head, StoreError> {
        Ok(self.head)
    }

    fn append(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        if batch.expected_size != self.head.size {
            return Err(StoreError::Conflict { expected: batch.expected_size, found: self.head.size });
        }
        if batch.leaves.len() != batch.hashes.len() {
            return Err(StoreError::Io("a batch with more or fewer hashes than leaves".to_owned()));
        }
        // The first grant after the disk has space again takes the reserve back; until then what is left is for endings.
        if batch.lane == Lane::Grant && self.restore_reserve().is_err() {
            return Err(StoreError::Full("what is left is kept for endings".to_owned()));
        }
        let mut outcome = self.commit(batch);
        if batch.lane == Lane::Cut && matches!(outcome, Err(StoreError::Full(_))) && self.release_reserve()? {
            outcome = self.commit(batch);
        }
        let head = outcome?;
        self.head = head;
        self.appends_committed += 1;
        if self.appends_committed == 1 {
            self.tend_closing();
        }
        self.mark
            .set(&head)
            .map_err(|error| StoreError::UnknownOutcome(format!("the append is durable, its mark is not written: {error}")))?;
        let bytes: usize = batch.leaves.iter().map(Vec::len).chain(batch.blobs.iter().map(|blob| blob.bytes().len())).sum();
        if self.pending.fetch_add(bytes as u64, Ordering::Relaxed) > WAL_BYTES_MAX
            && self.reserve.held()
            && self.move_wal("RESTART").is_ok()
        {
            self.pending.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, StoreError> {
        let wrong = |error: rusqlite::Error| before_commit(&error);
        let mut select = self.db.prepare_cached("SELECT i, b, c FROM leaf WHERE i >= ? AND i < ? ORDER BY i").map_err(wrong)?;
        let mut rows = select.query(params![range.start, range.end]).map_err(wrong)?;
        let mut leaves = Vec::new();
        for index in range {
            let broken = |what: &str| corrupt(Some(index), what);
            let row = rows.next().map_err(wrong)?.ok_or_else(|| broken("it is missing"))?;
            let (place, leaf, check): (u64, Vec<u8>, i64) =
                (|| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))().map_err(|_: rusqlite::Error| broken("its row is not one"))?;
            if place != index {
                return Err(broken("it is missing"));
            }
            if check != check_of(&leaf_hash(&leaf)) {
                return Err(broken("it is not what was appended"));
            }
            leaves.push(leaf);
        }
        Ok(leaves)
    }

    fn put_blob(&mut self, blob: &Blob) -> Result<(), StoreError> {
        self.insert_blob(blob)
    }

    fn blob(&self, name: &Digest) -> Result<Stored, StoreError> {
        let row: Option<Option<Vec<u8>>> = self
            .db
            .prepare_cached("SELECT bytes FROM blob WHERE name = ?")
            .and_then(|mut statement| statement.query_row([name.as_bytes().as_slice()], |row| row.get(0)).optional())
            .map_err(|error| before_commit(&error))?;
        match row {
            None => Ok(Stored::Absent),
            Some(None) => Ok(Stored::Erased),
            Some(Some(bytes)) => {
                Blob::open(*name, bytes).map(Stored::Here).map_err(|error| corrupt(None, &format!("blob {name}: {error}")))
            }
        }
    }

    fn erase_blob(&mut self, name: &Digest) -> Result<(), StoreError> {
        // `secure_delete` overwrites the bytes in the database; moving the write-ahead log ends the copies in it.
        self.db
            .execute("INSERT INTO blob VALUES (?, NULL) ON CONFLICT DO UPDATE SET bytes = NULL", [name.as_bytes().as_slice()])
            .map_err(|error| before_commit(&error))?;
        self.move_wal("TRUNCATE")
    }

    fn put_checkpoint(&mut self, size: u64, note: &str) -> Result<(), StoreError> {
        let put = "INSERT INTO checkpoint VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET size = excluded.size, note = excluded.note \
                   WHERE excluded.size >= size";
        let moved = self.db.execute(put, params![size, note]).map_err(|error| before_commit(&error))?;
        if moved == 1 {
            return Ok(());
        }
        let found =
            self.db.query_row("SELECT size FROM checkpoint", [], |row| row.get(0)).map_err(|error| before_commit(&error))?;
        Err(StoreError::Conflict { expected: size, found })
    }

    fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        self.db.query_row("SELECT note FROM checkpoint", [], |row| row.get(0)).optional().map_err(|error| before_commit(&error))
    }

    fn durability(&self) -> Durability {
        Durability::Disk
    }

    fn file(&self) -> &str {
        DB_FILE
    }
}
