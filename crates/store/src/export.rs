//! Writing a log out as the tree of files of C2SP tlog-tiles.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use writ_ledger::{Entry, Log, LogError, LogStore, StoreError, Stored, tiles};
use writ_types::Digest;

/// How many entries are read at a time.
const READ_AT_ONCE: u64 = 1024;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// The size of the log at its checkpoint. What was appended after it is not exported.
    pub size: u64,
    /// How many files.
    pub files: u64,
}

/// Why a log was not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The directory has something in it.
    #[error("`{}` is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The log has no checkpoint: there is nothing to vouch for.
    #[error("the log has no checkpoint yet")]
    NoCheckpoint,
    /// A policy set whose text is not the one of its hash.
    #[error("the policy set {0} is not the text of its hash")]
    Policy(Digest),
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file can't be written.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Log(error.into())
    }
}

/// Writes the log, as its newest checkpoint covers it, into the empty directory `dir`: `checkpoint`, `vkey`, `tile/…`,
/// `policy/<hex>` for these policy sets (canonical text by its SHA-256) and `blob/<hex>` for every blob that is not erased.
///
/// # Errors
/// When the directory is not empty, there is no checkpoint, or something can't be read or written.
pub fn export<S: LogStore>(log: &Log<S>, dir: &Path, policies: &BTreeMap<Digest, Vec<u8>>) -> Result<Exported, ExportError> {
    let (Some(checkpoint), Some(key)) = (log.checkpoint(), log.key()) else { return Err(ExportError::NoCheckpoint) };
    let size = checkpoint.checkpoint().size;
    let mut out = Out::new(dir)?;
    out.write("vkey", format!("{key}\n").as_bytes())?;
    for tile in tiles(size) {
        out.write(&tile.to_string(), &log.tile(tile)?)?;
    }
    for (hash, text) in policies {
        if Digest::of(text) != *hash {
            return Err(ExportError::Policy(*hash));
        }
        out.write(&format!("policy/{}", hex(hash)), text)?;
    }
    let mut written = std::collections::BTreeSet::new();
    let mut from = 0;
    while from < size {
        let to = size.min(from + READ_AT_ONCE);
        for (index, leaf) in (from..to).zip(log.leaves(from..to)?) {
            let entry = Entry::decode(&leaf).map_err(|error| log.store().corrupt(Some(index), error.to_string()))?;
            for name in entry.blobs {
                if let Stored::Here(blob) = log.store().blob(&name)?
                    && written.insert(name)
                {
                    out.write(&format!("blob/{}", hex(&name)), blob.bytes())?;
                }
            }
        }
        from = to;
    }
    // The checkpoint comes last: a tree without one is an export that did not come to its end.
    out.write("checkpoint", checkpoint.to_string().as_bytes())?;
    Ok(Exported { size, files: out.files })
}

/// A digest as a file's name.
pub(crate) fn hex(digest: &Digest) -> String {
    let text = digest.to_string();
    text.strip_prefix("sha256:").unwrap_or(&text).to_owned()
}

struct Out<'a> {
    dir: &'a Path,
    files: u64,
}

impl<'a> Out<'a> {
    fn new(dir: &'a Path) -> Result<Self, ExportError> {
        let wrong = |source| ExportError::Io { path: dir.to_owned(), source };
        std::fs::create_dir_all(dir).map_err(wrong)?;
        if std::fs::read_dir(dir).map_err(wrong)?.next().is_some() {
            return Err(ExportError::NotEmpty(dir.to_owned()));
        }
        Ok(Self { dir, files: 0 })
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let path = self.dir.join(name);
        let write = || {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(bytes)
        };
        write().map_err(|source| ExportError::Io { path: path.clone(), source })?;
        self.files += 1;
        Ok(())
    }
}
