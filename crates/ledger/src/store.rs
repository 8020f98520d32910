//! What a log needs of the thing that keeps it.

use crate::blob::Blob;
use std::ops::Range;
use writ_types::Digest;

/// Keeps the leaves of one log, its blobs and its last checkpoint. One writer at a time.
///
/// It moves bytes and knows nothing of entries. Nothing that it finds broken is repaired: it says what is broken, and where.
pub trait LogStore {
    /// Where the log ends.
    ///
    /// # Errors
    /// When it can't be read.
    fn head(&self) -> Result<Head, StoreError>;

    /// Appends the whole batch or nothing. When this returns `Ok`, the batch survives a crash.
    ///
    /// # Errors
    /// [`StoreError::UnknownOutcome`] where the batch may or may not be durable: the caller stops and opens the log anew. After
    /// any other error nothing of the batch is there.
    fn append(&mut self, batch: &Batch<'_>) -> Result<(), StoreError>;

    /// The leaves of these indexes, all of them.
    ///
    /// # Errors
    /// When one is missing or broken.
    fn read(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Keeps a blob, durably; it may be there already.
    ///
    /// # Errors
    /// When it can't be written, or was erased.
    fn put_blob(&mut self, blob: &Blob) -> Result<(), StoreError>;

    /// What is known of the blob of this name.
    ///
    /// # Errors
    /// When it can't be read, or its bytes are not those of its name.
    fn blob(&self, name: &Digest) -> Result<Stored, StoreError>;

    /// Erases a blob's bytes for good; that it was erased stays known. Its entry is durable before.
    ///
    /// # Errors
    /// When it can't be erased.
    fn erase_blob(&mut self, name: &Digest) -> Result<(), StoreError>;

    /// Keeps the newest signed checkpoint, whose size is given, in place of the one before.
    ///
    /// # Errors
    /// When it can't be written, or a larger one is there.
    fn put_checkpoint(&mut self, size: u64, note: &str) -> Result<(), StoreError>;

    /// The newest signed checkpoint.
    ///
    /// # Errors
    /// When it can't be read.
    fn checkpoint(&self) -> Result<Option<String>, StoreError>;

    /// What a returned append has survived.
    fn durability(&self) -> Durability;

    /// The name of what holds the leaves, for messages.
    fn file(&self) -> &str;

    /// Says that what holds the leaves is broken.
    fn corrupt(&self, index: Option<u64>, what: String) -> StoreError {
        StoreError::Corrupt { file: self.file().to_owned(), index, what }
    }
}

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many leaves.
    pub size: u64,
    /// The root of the tree at that size, written together with the last batch.
    pub root: Digest,
}

/// What is appended at once.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Whether it may use what is kept back for endings.
    pub lane: Lane,
    /// Where the caller believes that the log ends. Elsewhere, nothing is appended.
    pub expected_size: u64,
    /// The leaves, in order.
    pub leaves: &'a [Vec<u8>],
    /// Their hashes in the tree, in order.
    pub hashes: &'a [Digest],
    /// The blobs that they name, kept no later than they.
    pub blobs: &'a [Blob],
    /// The root of the tree with them.
    pub root: Digest,
}

/// What an append is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Ending: it goes first, and may use the reserve.
    Cut,
    /// Everything else.
    Grant,
}

/// A blob as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// Here it is.
    Here(Blob),
    /// It was, and was erased.
    Erased,
    /// It never was, or it was lost.
    Absent,
}

/// What a returned append has survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Nothing: it lies in memory. For simulation.
    Memory,
    /// The loss of the process and of power: it was synced to a disk.
    Disk,
}

/// Why a store did not do what it was asked. All but `Conflict` are the operator's to act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The log ends elsewhere: somebody else appended.
    #[error("the log ends at {found}, not at {expected}")]
    Conflict {
        /// Where the caller believed that it ends.
        expected: u64,
        /// Where it ends.
        found: u64,
    },
    /// No space is left for this lane.
    #[error("no space is left for the log: {0}")]
    Full(String),
    /// Something that was durable is not what it was.
    #[error("`{file}`{} is broken: {what}", .index.map(|index| format!(", entry {index},")).unwrap_or_default())]
    Corrupt {
        /// The file.
        file: String,
        /// The entry, where it is known.
        index: Option<u64>,
        /// What is broken.
        what: String,
    },
    /// The batch may or may not be durable.
    #[error("it is not known whether the append is durable: {0}")]
    UnknownOutcome(String),
    /// It could not be done, and nothing happened.
    #[error("the log's store fails: {0}")]
    Io(String),
}
