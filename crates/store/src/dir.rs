//! Holding the directory: one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use writ_ledger::StoreError;

/// Why a directory can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum DirError {
    /// Another process has it open.
    #[error("`{}` is held by another process{by}", dir.display())]
    Held {
        /// The directory.
        dir: PathBuf,
        /// ` (pid N)`, where the holder says so.
        by: String,
    },
    /// There is a log already.
    #[error("`{}` holds a log already", .0.display())]
    Exists(PathBuf),
    /// There is no log.
    #[error("`{}` holds no log: it begins with `writ init`", .0.display())]
    Missing(PathBuf),
    /// The directory or a file in it can't be used.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The log in it is broken, or its disk is.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DirError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// The lock on a directory, for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Hold {
    _lock: File,
}

impl Hold {
    pub(crate) fn take(dir: &Path) -> Result<Self, DirError> {
        let path = dir.join("lock");
        let wrong = |source| DirError::io(&path, source);
        let mut lock =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(wrong)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // Only for the message: what can't be read is left out of it.
                let _ = lock.take(20).read_to_string(&mut pid);
                let pid = pid.trim();
                let known = !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit());
                return Err(DirError::Held {
                    dir: dir.to_owned(),
                    by: if known { format!(" (pid {pid})") } else { String::new() },
                });
            }
            Err(TryLockError::Error(source)) => return Err(wrong(source)),
        }
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(wrong)?;
        Ok(Self { _lock: lock })
    }
}

/// Makes a directory that only its owner can enter, unless there is one.
pub(crate) fn make(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Makes what was created or removed in a directory survive a loss of power.
pub(crate) fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
