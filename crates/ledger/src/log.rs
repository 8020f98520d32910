//! The log: the one place where an order becomes a committed one.

use crate::blob::Blob;
use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::entry::Entry;
use crate::note::{LogKey, LogSigner};
use crate::proof::{ProofError, Prover};
use crate::receipt::Receipt;
use crate::store::{Batch, Head, Lane, LogStore, StoreError, Stored};
use crate::tile::{Tile, TileError, TileKind, encode_bundle, encode_hashes};
use crate::tree::leaf_hash;
use crate::verify::{Chain, EntryFault};
use std::ops::Range;
use writ_types::{Digest, Order, OrderKind, Time};

/// How many entries are read at a time.
const READ_AT_ONCE: u64 = 1024;

/// An entry that waits to be appended, with the blobs that it names and the order that it records.
#[derive(Debug)]
pub struct Staged<T> {
    /// The entry.
    pub entry: Entry,
    /// Those of its blobs that are not stored yet. They become durable with it.
    pub blobs: Vec<Blob>,
    /// What is to be done once it is durable.
    pub order: T,
}

/// An order whose entry is durable. Only [`Log::append`] makes one, and whoever acts on it consumes it.
#[derive(Debug)]
#[must_use = "the entry is durable: what it orders is to be done"]
pub struct Committed<T> {
    index: u64,
    order: T,
}

impl<T> Committed<T> {
    /// The index of its entry.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The order.
    pub const fn order(&self) -> &T {
        &self.order
    }

    /// Consumes it, to do what is ordered.
    pub fn into_order(self) -> T {
        self.order
    }
}

impl<T> Committed<Option<T>> {
    /// The commitment to the order that there is, if there is one.
    pub fn some(self) -> Option<Committed<T>> {
        self.order.map(|order| Committed { index: self.index, order })
    }
}

impl Committed<Order> {
    /// The same commitment, where the order is of kind `K`. The kinds are closed: what was not ordered can't be made of it.
    ///
    /// # Errors
    /// The commitment as it was, where the order is of another kind.
    #[expect(clippy::result_large_err, reason = "what is not of this kind is given back whole")]
    pub fn narrow<K: OrderKind>(self) -> Result<Committed<K>, Self> {
        match self.order.narrow() {
            Ok(order) => Ok(Committed { index: self.index, order }),
            Err(order) => Err(Self { index: self.index, order }),
        }
    }
}

/// Why a batch was not appended. After `Stopped` and every `Store` error but `Full` and `Io`, the log is to be opened anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// An entry that does not fit; nothing was appended.
    #[error("entry {place} of the batch: {fault}")]
    Entry {
        /// Its place in the batch.
        place: usize,
        /// What is wrong with it.
        fault: EntryFault,
    },
    /// An entry names a blob that is neither in the batch nor stored; nothing was appended.
    #[error("entry {place} of the batch names the blob {name}, which is not there")]
    Blob {
        /// Its place in the batch.
        place: usize,
        /// The blob.
        name: Digest,
    },
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An earlier append left it unknown where the log ends.
    #[error("the log has stopped: {0}")]
    Stopped(String),
}

/// Why something can't be read from or said about the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such entry, size or tile.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A tile that the log's size does not have.
    #[error("the log has no `{0}`")]
    NoTile(Tile),
    /// An entry too long for a bundle.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// The checkpoint can't be signed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// There is no checkpoint yet that covers it.
    #[error("no checkpoint covers entry {0} yet")]
    NotCovered(u64),
    /// The signing key is not the one that the genesis names.
    #[error("the signing key `{0}` is not the log's")]
    OtherKey(String),
    /// An earlier append left it unknown where the log ends.
    #[error("the log has stopped: {0}")]
    Stopped(String),
}

/// A verified log over a store.
#[derive(Debug)]
pub struct Log<S> {
    store: S,
    chain: Chain,
    checkpoint: Option<SignedCheckpoint>,
    stopped: Option<String>,
}

impl<S: LogStore> Log<S> {
    /// Opens a log and verifies all of it: every entry reads and follows the one before, every blob that it names is there or
    /// erased, the root is the one that was written with the last batch, and the checkpoint is signed and lies on the way.
    /// `fold` gets every entry in order; what it folded is to be discarded on an error.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names what does not hold. Nothing is repaired.
    pub fn open(store: S, mut fold: impl FnMut(u64, Entry)) -> Result<Self, StoreError> {
        let head = store.head()?;
        let note = store.checkpoint()?;
        let mut chain = Chain::default();
        let mut signed = None;
        while chain.size() < head.size {
            let from = chain.size();
            for leaf in store.read(from..head.size.min(from + READ_AT_ONCE))? {
                let index = chain.size();
                let broken = |what: String| store.corrupt(Some(index), what);
                let entry = chain.take(&leaf).map_err(|fault| broken(fault.to_string()))?;
                for name in &entry.blobs {
                    if store.blob(name)? == Stored::Absent {
                        return Err(broken(format!("its blob {name} is lost")));
                    }
                }
                if let (0, Some(note), Some(key)) = (index, &note, chain.key()) {
                    let opened = SignedCheckpoint::open(note, key);
                    signed = Some(opened.map_err(|error| store.corrupt(None, format!("the checkpoint: {error}")))?);
                }
                if let Some(checkpoint) = signed.as_ref().map(SignedCheckpoint::checkpoint).filter(|c| c.size == chain.size())
                    && checkpoint.root != chain.tree().frontier().root()
                {
                    return Err(store.corrupt(None, format!("the entries up to {index} are not those of the checkpoint")));
                }
                fold(index, entry);
            }
        }
        if chain.tree().frontier().root() != head.root {
            return Err(store.corrupt(None, "the entries do not have the root that was written with them".to_owned()));
        }
        match signed.as_ref().map(|signed| signed.checkpoint().size) {
            Some(size) if size > head.size => {
                return Err(store.corrupt(None, format!("the log ends at {}, before its checkpoint's {size}", head.size)));
            }
            Some(0) => return Err(store.corrupt(None, "a checkpoint of nothing".to_owned())),
            None if note.is_some() => return Err(store.corrupt(None, "a checkpoint without entries".to_owned())),
            _ => {}
        }
        Ok(Self { store, chain, checkpoint: signed, stopped: None })
    }

    /// Appends the whole batch, or nothing, durably. Costs what the batch costs, however long the log is.
    ///
    /// # Errors
    /// Nothing was appended, unless the error is [`StoreError::UnknownOutcome`]; then the log stops.
    pub fn append<T>(&mut self, lane: Lane, staged: Vec<Staged<T>>) -> Result<Vec<Committed<T>>, AppendError> {
        if let Some(why) = &self.stopped {
            return Err(AppendError::Stopped(why.clone()));
        }
        let first = self.size();
        let extension = self
            .chain
            .extend(staged.iter().map(|staged| &staged.entry))
            .map_err(|(place, fault)| AppendError::Entry { place, fault })?;
        let blobs: Vec<Blob> = staged.iter().flat_map(|staged| &staged.blobs).cloned().collect();
        for (place, staged) in staged.iter().enumerate() {
            for name in &staged.entry.blobs {
                if !blobs.iter().any(|blob| blob.name() == *name) && self.store.blob(name)? == Stored::Absent {
                    return Err(AppendError::Blob { place, name: *name });
                }
            }
        }
        if !extension.leaves.is_empty() {
            let (leaves, hashes, root) = (&extension.leaves, &extension.hashes, extension.root);
            if let Err(error) = self.store.append(&Batch { lane, expected_size: first, leaves, hashes, blobs: &blobs, root }) {
                if !matches!(error, StoreError::Full(_) | StoreError::Io(_)) {
                    self.stopped = Some(error.to_string());
                }
                return Err(error.into());
            }
        }
        self.chain.accept(extension);
        Ok((first..).zip(staged).map(|(index, staged)| Committed { index, order: staged.order }).collect())
    }

    /// Signs and keeps a checkpoint of the log as it is.
    ///
    /// # Errors
    /// When the key is not the log's, the log is empty or has stopped, or the checkpoint can't be kept.
    pub fn sign_checkpoint(&mut self, signer: &LogSigner) -> Result<&SignedCheckpoint, LogError> {
        if let Some(why) = &self.stopped {
            return Err(LogError::Stopped(why.clone()));
        }
        if self.key() != Some(signer.key()) {
            return Err(LogError::OtherKey(signer.key().to_string()));
        }
        let signed = SignedCheckpoint::sign(self.size(), self.root(), signer)?;
        if self.checkpoint.as_ref() != Some(&signed) {
            self.store.put_checkpoint(self.size(), &signed.to_string())?;
        }
        Ok(self.checkpoint.insert(signed))
    }

    /// How many entries.
    pub const fn size(&self) -> u64 {
        self.chain.size()
    }

    /// The root of the tree.
    pub fn root(&self) -> Digest {
        self.chain.tree().frontier().root()
    }

    /// Size and root.
    pub fn head(&self) -> Head {
        Head { size: self.size(), root: self.root() }
    }

    /// The time of the last entry: the next one is not earlier.
    pub fn last_time(&self) -> Option<Time> {
        self.chain.last_time()
    }

    /// The hash of the genesis entry, which an auditor pins.
    pub fn genesis(&self) -> Option<Digest> {
        self.chain.genesis()
    }

    /// The log's key, from its genesis.
    pub fn key(&self) -> Option<&LogKey> {
        self.chain.key()
    }

    /// The newest checkpoint. It may lie behind the log's end.
    pub const fn checkpoint(&self) -> Option<&SignedCheckpoint> {
        self.checkpoint.as_ref()
    }

    /// Why nothing can be appended any more, where that is so.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// The store, for reading.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Gives the store back.
    pub fn into_store(self) -> S {
        self.store
    }

    /// What may be done to the store beside appending.
    pub const fn upkeep(&mut self) -> StoreUpkeep<'_, S> {
        StoreUpkeep { store: &mut self.store }
    }

    /// The entry at `index`.
    ///
    /// # Errors
    /// When there is none, or it can't be read.
    pub fn entry(&self, index: u64) -> Result<Entry, LogError> {
        self.has(index.saturating_add(1))?;
        let leaf = self.store.read(index..index + 1)?.pop().unwrap_or_default();
        Entry::decode(&leaf).map_err(|error| self.store.corrupt(Some(index), error.to_string()).into())
    }

    /// The bytes of the entries of these indexes.
    ///
    /// # Errors
    /// When some are not there, or can't be read.
    pub fn leaves(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, LogError> {
        self.has(range.end)?;
        Ok(self.store.read(range)?)
    }

    /// The receipt of the entry at `index`, under the newest checkpoint.
    ///
    /// # Errors
    /// When no checkpoint covers it yet, or the entries can't be read.
    pub fn receipt(&self, index: u64) -> Result<Receipt, LogError> {
        let signed =
            self.checkpoint.as_ref().filter(|signed| index < signed.checkpoint().size).ok_or(LogError::NotCovered(index))?;
        let proof = Prover::new(signed.checkpoint().size, |level, n, width| self.hashes(level, n, width)).inclusion(index)?;
        Ok(Receipt::new(index, proof, signed))
    }

    /// The hashes that show that the tree of `size` continues the one of `old`.
    ///
    /// # Errors
    /// When the log is shorter, or the entries can't be read.
    pub fn consistency(&self, old: u64, size: u64) -> Result<Vec<Digest>, LogError> {
        self.has(size)?;
        Prover::new(size, |level, n, width| self.hashes(level, n, width)).consistency(old)
    }

    /// The bytes of a tile or an entry bundle.
    ///
    /// # Errors
    /// When the log is too short to have it, or the entries can't be read.
    pub fn tile(&self, tile: Tile) -> Result<Vec<u8>, LogError> {
        match tile.kind {
            TileKind::Entries if tile.end() <= self.size() => {
                let leaves = self.store.read(tile.first()..tile.end())?;
                Ok(encode_bundle(leaves.iter().map(Vec::as_slice))?)
            }
            TileKind::Hashes(level) => Ok(encode_hashes(&self.hashes(level, tile.n, tile.width)?)),
            TileKind::Entries => Err(LogError::NoTile(tile)),
        }
    }

    fn hashes(&self, level: u8, n: u64, width: u16) -> Result<Vec<Digest>, LogError> {
        let tile = Tile { kind: TileKind::Hashes(level), n, width };
        if level > 0 {
            let hashes = self.chain.tree().hashes(level, tile.first(), tile.end());
            return hashes.map(<[Digest]>::to_vec).ok_or(LogError::NoTile(tile));
        }
        if tile.end() > self.size() {
            return Err(LogError::NoTile(tile));
        }
        Ok(self.store.read(tile.first()..tile.end())?.iter().map(|leaf| leaf_hash(leaf)).collect())
    }

    const fn has(&self, size: u64) -> Result<(), ProofError> {
        if size > self.size() { Err(ProofError::OutOfTree(size, self.size())) } else { Ok(()) }
    }
}

/// What may be done to a log's store beside appending.
#[derive(Debug)]
pub struct StoreUpkeep<'a, S> {
    store: &'a mut S,
}

impl<S: LogStore> StoreUpkeep<'_, S> {
    /// Keeps a blob before the entry that names it.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn put_blob(&mut self, blob: &Blob) -> Result<(), StoreError> {
        self.store.put_blob(blob)
    }

    /// Erases a blob, once the entry that says so is durable.
    ///
    /// # Errors
    /// When it can't be erased.
    pub fn erase_blob(&mut self, name: &Digest) -> Result<(), StoreError> {
        self.store.erase_blob(name)
    }
}
