//! Moving SQLite's write-ahead log into the database, off the append's path.

use crate::dir::Hold;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use writ_ledger::StoreError;

/// When this much has been appended since the last checkpoint of SQLite's log, [`WalCheckpointer::run`] is worth its while.
const WORTH_BYTES: u64 = 4 << 20;

/// A second connection that moves what is durable in SQLite's write-ahead log into the database file.
///
/// It never blocks an append. Its owner runs it now and then, on a thread of its own; where nobody does, the append moves it
/// itself each 64 MiB. It holds the directory, as the store does.
#[derive(Debug)]
pub struct WalCheckpointer {
    db: Connection,
    pending: Arc<AtomicU64>,
    reserve_held: Arc<AtomicBool>,
    _hold: Arc<Hold>,
}

impl WalCheckpointer {
    pub(crate) fn open(
        path: &Path,
        pending: Arc<AtomicU64>,
        reserve_held: Arc<AtomicBool>,
        hold: Arc<Hold>,
    ) -> rusqlite::Result<Self> {
        let db = Connection::open(path)?;
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(Self { db, pending, reserve_held, _hold: hold })
    }

    /// True if enough has been appended since the last time.
    pub fn is_due(&self) -> bool {
        self.pending.load(Ordering::Relaxed) >= WORTH_BYTES
    }

    /// Moves what can be moved without making anybody wait. It takes space, so it does nothing while endings live on the reserve.
    ///
    /// # Errors
    /// When the disk fails. Nothing is lost then: it lies in the write-ahead log.
    pub fn run(&mut self) -> Result<(), StoreError> {
        if !self.reserve_held.load(Ordering::Relaxed) {
            return Ok(());
        }
        let before = self.pending.load(Ordering::Relaxed);
        let (log, moved): (i64, i64) = self
            .db
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(1)?, row.get(2)?)))
            .map_err(|error| StoreError::Io(error.to_string()))?;
        // All moved: the next append starts the write-ahead log from its beginning.
        if log == moved {
            self.pending.fetch_sub(before, Ordering::Relaxed);
        }
        Ok(())
    }
}
