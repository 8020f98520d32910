//! Writing a log out as the tree of files of C2SP tlog-tiles.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use writ_ledger::{Blob, Entry, Log, LogError, LogKey, LogStore, StoreError, Stored, Tile, tiles};
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
/// `policy/<hex>` for these policy sets and `blob/<hex>` for every blob that is not erased.
///
/// # Errors
/// When the directory is not empty, there is no checkpoint, or something can't be read or written.
pub fn export<S: LogStore>(log: &Log<S>, dir: &Path, policies: &BTreeSet<Vec<u8>>) -> Result<Exported, ExportError> {
    let (Some(checkpoint), Some(key)) = (log.checkpoint(), log.key()) else { return Err(ExportError::NoCheckpoint) };
    let size = checkpoint.checkpoint().size;
    let mut out = ExportTree::create(dir)?;
    out.vkey(key)?;
    for tile in tiles(size) {
        out.tile(tile, &log.tile(tile)?)?;
    }
    for text in policies {
        out.policy(text)?;
    }
    let mut written = BTreeSet::new();
    let mut from = 0;
    while from < size {
        let to = size.min(from + READ_AT_ONCE);
        for (index, leaf) in (from..to).zip(log.leaves(from..to)?) {
            let entry = Entry::decode(&leaf).map_err(|error| log.store().corrupt(Some(index), error.to_string()))?;
            for name in entry.blobs {
                if let Stored::Here(blob) = log.store().blob(&name)?
                    && written.insert(name)
                {
                    out.blob(&blob)?;
                }
            }
        }
        from = to;
    }
    Ok(Exported { size, files: out.finish(&checkpoint.to_string())? })
}

/// The tree of files of an exported log, on its way to disk. A tree that was not finished has no checkpoint, and is none.
#[derive(Debug)]
pub struct ExportTree<'a> {
    dir: &'a Path,
    files: u64,
}

impl<'a> ExportTree<'a> {
    /// A tree in `dir`, which is made, or is empty.
    ///
    /// # Errors
    /// When it is neither.
    pub fn create(dir: &'a Path) -> Result<Self, ExportError> {
        let wrong = |source| ExportError::Io { path: dir.to_owned(), source };
        std::fs::create_dir_all(dir).map_err(wrong)?;
        if std::fs::read_dir(dir).map_err(wrong)?.next().is_some() {
            return Err(ExportError::NotEmpty(dir.to_owned()));
        }
        Ok(Self { dir, files: 0 })
    }

    /// The log's verifier key.
    ///
    /// # Errors
    /// As all below: when the file can't be written.
    pub fn vkey(&mut self, key: &LogKey) -> Result<(), ExportError> {
        self.write("vkey", format!("{key}\n").as_bytes())
    }

    /// A tile of hashes, or a bundle of entries.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn tile(&mut self, tile: Tile, bytes: &[u8]) -> Result<(), ExportError> {
        self.write(&tile.to_string(), bytes)
    }

    /// A policy set, by its canonical text.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn policy(&mut self, text: &[u8]) -> Result<(), ExportError> {
        self.write(&format!("policy/{}", hex(&Digest::of(text))), text)
    }

    /// A blob.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn blob(&mut self, blob: &Blob) -> Result<(), ExportError> {
        self.write(&format!("blob/{}", hex(&blob.name())), blob.bytes())
    }

    /// The checkpoint comes last. How many files there are.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn finish(mut self, checkpoint: &str) -> Result<u64, ExportError> {
        self.write("checkpoint", checkpoint.as_bytes())?;
        Ok(self.files)
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

/// A digest as a file's name.
pub(crate) fn hex(digest: &Digest) -> String {
    let text = digest.to_string();
    text.strip_prefix("sha256:").unwrap_or(&text).to_owned()
}
