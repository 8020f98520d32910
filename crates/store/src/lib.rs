//! Where a log, its blobs and its key files lie: one directory, held by one process.
//!
//! ```text
//! DIR/lock      held by the one process that has the directory open
//! DIR/log.db    leaves, blobs, head and checkpoint (SQLite; beside it log.db-wal and log.db-shm)
//! DIR/head      the last appends' sizes and roots, beside the database, so that a lost tail is noticed
//! DIR/reserve   space kept back for endings; gone while they need it
//! DIR/keys/     key files, 0600
//! ```

mod dir;
mod export;
mod exported;
mod keys;
mod mark;
mod reserve;
mod schema;
mod sqlite;
mod wal;

pub use dir::DirError;
pub use export::{ExportError, ExportTree, Exported, export};
pub use exported::{ExportedLog, Problem, Verification, verify_dir};
pub use keys::{KeyDir, KeyError};
pub use sqlite::{Options, SqliteStore};
pub use wal::WalCheckpointer;
