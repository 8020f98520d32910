//! The database: its tables, opening it, and what is checked before anybody reads a leaf.

use crate::dir::DirError;
use crate::sqlite::Options;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;
use writ_ledger::{Head, StoreError};
use writ_types::Digest;

/// The database's file.
pub(crate) const DB_FILE: &str = "log.db";
/// `writ` in ASCII, where SQLite keeps whose file it is.
pub(crate) const APPLICATION_ID: i64 = 0x7772_6974;
/// The layout of the tables.
pub(crate) const SCHEMA_VERSION: i64 = 1;
/// The tables. The leaves have no index but their place: a random one on this path costs five times the rest. `c` is the
/// first 8 bytes of the leaf's hash: it says which leaf is broken, the root says that one is.
pub(crate) const SCHEMA: [(&str, &str); 4] = [
    ("blob", "CREATE TABLE blob(name BLOB PRIMARY KEY, bytes BLOB) STRICT"),
    (
        "checkpoint",
        "CREATE TABLE checkpoint(one INTEGER PRIMARY KEY CHECK(one = 1), size INTEGER NOT NULL, note TEXT NOT NULL) STRICT",
    ),
    ("head", "CREATE TABLE head(one INTEGER PRIMARY KEY CHECK(one = 1), size INTEGER NOT NULL, root BLOB NOT NULL) STRICT"),
    ("leaf", "CREATE TABLE leaf(i INTEGER PRIMARY KEY, b BLOB NOT NULL, c INTEGER NOT NULL) STRICT"),
];

pub(crate) fn connect(path: &Path, options: Options, more: OpenFlags) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more)?;
    // Looking must not change what is there: SQLite would move a write-ahead log that it could not read to its end, and
    // remove it. The first append allows it.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    db.pragma_update(None, "secure_delete", "ON")?;
    db.pragma_update(None, "cell_size_check", "ON")?;
    db.pragma_update(None, "trusted_schema", "OFF")?;
    if let Some(pages) = options.pages_max {
        db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
    }
    Ok(db)
}

/// After an orderly end the file is as long as its first page says. SQLite itself reads what is cut off as zeros.
pub(crate) fn check_length(path: &Path) -> Result<(), DirError> {
    let wal = path.with_extension("db-wal");
    if std::fs::metadata(wal).is_ok_and(|wal| wal.len() > 0) {
        // After a kill, what is missing may lie there.
        return Ok(());
    }
    let mut header = [0; 32];
    let mut read = || {
        let file = File::open(path)?;
        file.read_exact_at(&mut header, 0)?;
        Ok::<_, io::Error>(file.metadata()?.len())
    };
    let length = match read() {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(corrupt(None, "it has no first page").into()),
        outcome => outcome.map_err(|source| DirError::io(path, source))?,
    };
    // SQLite's file format, section 1.3: the page size at 16, the number of pages at 28.
    let [.., size_high, size_low, _, _, _, _, _, _, _, _, _, _, a, b, c, d] = header;
    let said = u64::from(u16::from_be_bytes([size_high, size_low])) * u64::from(u32::from_be_bytes([a, b, c, d]));
    if said == length { Ok(()) } else { Err(corrupt(None, &format!("it has {length} bytes, its first page says {said}")).into()) }
}

/// Reads all pages once, and the head.
pub(crate) fn check(db: &Connection) -> Result<Head, StoreError> {
    let number = |pragma: &str| db.query_row(pragma, [], |row| row.get::<_, i64>(0)).map_err(|error| at_open(&error));
    if number("PRAGMA application_id")? != APPLICATION_ID {
        return Err(corrupt(None, "it is not a log of Writ"));
    }
    let version = number("PRAGMA user_version")?;
    if version != SCHEMA_VERSION {
        return Err(corrupt(None, &format!("its layout is version {version}, this program knows {SCHEMA_VERSION}")));
    }
    let verdict: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(|error| at_open(&error))?;
    if verdict != "ok" {
        return Err(corrupt(None, &verdict.replace('\n', " ")));
    }
    let tables = || {
        let mut select = db.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")?;
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<Vec<(String, String)>>>()
    };
    let tables = tables().map_err(|error| at_open(&error))?;
    if !tables.iter().map(|(name, sql)| (name.as_str(), sql.as_str())).eq(SCHEMA) {
        return Err(corrupt(None, "its tables are not those of a log"));
    }
    let head = read_head(db)?;
    let last: Option<u64> = db.query_row("SELECT max(i) FROM leaf", [], |row| row.get(0)).map_err(|error| at_open(&error))?;
    let size = last.map_or(0, |last| last.saturating_add(1));
    if size != head.size {
        return Err(corrupt(Some(size.min(head.size)), &format!("it holds entries up to {size}, but ends at {}", head.size)));
    }
    Ok(head)
}

pub(crate) fn read_head(db: &Connection) -> Result<Head, StoreError> {
    let row = db.prepare_cached("SELECT size, root FROM head WHERE one = 1").and_then(|mut statement| {
        statement.query_row([], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, [u8; 32]>(1)?))).optional()
    });
    let (size, root) = row.map_err(|error| at_open(&error))?.ok_or_else(|| corrupt(None, "it has no head"))?;
    Ok(Head { size, root: Digest::from_bytes(root) })
}

pub(crate) fn check_of(hash: &Digest) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

pub(crate) fn corrupt(index: Option<u64>, what: &str) -> StoreError {
    StoreError::Corrupt { file: DB_FILE.to_owned(), index, what: what.to_owned() }
}

/// An error after which nothing of a transaction is there.
pub(crate) fn before_commit(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(error.to_string()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => corrupt(None, &error.to_string()),
        _ => StoreError::Io(error.to_string()),
    }
}

/// An error of the commit itself. Only a full disk is known to leave nothing behind: the commit's own frame is then not
/// written. After a failed sync it may be.
pub(crate) fn at_commit(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(error.to_string()),
        _ => StoreError::UnknownOutcome(error.to_string()),
    }
}

/// An error while opening: what can't be read as it was written is broken, unless the disk says otherwise.
pub(crate) fn at_open(error: &rusqlite::Error) -> StoreError {
    match before_commit(error) {
        StoreError::Io(why)
            if !matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::CannotOpen | ErrorCode::DatabaseBusy | ErrorCode::PermissionDenied)
            ) =>
        {
            corrupt(None, &why)
        }
        other => other,
    }
}
