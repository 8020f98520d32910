//! A store in memory that fails when it is told to, and what of it survives a crash.

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use writ_ledger::{Batch, Blob, Durability, Head, Lane, LogStore, StoreError, Stored, empty_root};
use writ_types::Digest;

/// What survives the process: leaves, blobs, the checkpoint. Clones are the same disk.
#[derive(Debug, Clone)]
pub struct Disk(Rc<RefCell<Platters>>);

#[derive(Debug, Clone)]
struct Platters {
    leaves: Vec<Vec<u8>>,
    root: Digest,
    blobs: BTreeMap<Digest, Option<Blob>>,
    checkpoint: Option<(u64, String)>,
    fault: Option<Fault>,
    crash: Option<Crash>,
    crashed: Option<Crash>,
    appends: u64,
}

/// How a store fails until it is healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No space for grants; the reserve for endings is still there.
    Full,
    /// No space at all.
    FullToTheReserve,
    /// Nothing can be written.
    Io,
    /// Nothing can be written or read.
    Gone,
    /// The next append is not known to be durable, and is.
    UnknownKept,
    /// The next append is not known to be durable, and is not.
    UnknownLost,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 6] = [Self::Full, Self::FullToTheReserve, Self::Io, Self::Gone, Self::UnknownKept, Self::UnknownLost];
}

/// Where in an append the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Nothing of the batch is on the disk.
    BeforeAppend,
    /// All of it is.
    AfterAppend,
}

impl Default for Disk {
    fn default() -> Self {
        Self(Rc::new(RefCell::new(Platters {
            leaves: Vec::new(),
            root: empty_root(),
            blobs: BTreeMap::new(),
            checkpoint: None,
            fault: None,
            crash: None,
            crashed: None,
            appends: 0,
        })))
    }
}

/// What is on a disk, apart from any process.
#[derive(Debug, Clone)]
pub struct Image(Platters);

impl Disk {
    /// What is on it.
    pub fn image(&self) -> Image {
        Image(self.0.borrow().clone())
    }

    /// A disk of its own with this on it.
    pub fn of(image: &Image) -> Self {
        Self(Rc::new(RefCell::new(image.0.clone())))
    }

    /// The store that one process opens.
    pub fn store(&self) -> MemoryStore {
        MemoryStore(self.clone())
    }

    /// Fails like this until told otherwise.
    pub fn fail(&self, fault: Option<Fault>) {
        self.0.borrow_mut().fault = fault;
    }

    /// How it fails.
    pub fn fault(&self) -> Option<Fault> {
        self.0.borrow().fault
    }

    /// The process dies in the next append, or does not.
    pub fn crash_next(&self, crash: Option<Crash>) {
        self.0.borrow_mut().crash = crash;
    }

    /// Whether the process died in an append; asking forgets it.
    pub fn take_crash(&self) -> Option<Crash> {
        self.0.borrow_mut().crashed.take()
    }

    /// How many appends became durable.
    pub fn appends(&self) -> u64 {
        self.0.borrow().appends
    }

    /// The durable leaves.
    pub fn leaves(&self) -> Ref<'_, [Vec<u8>]> {
        Ref::map(self.0.borrow(), |platters| platters.leaves.as_slice())
    }
}

/// One process's handle of a disk.
#[derive(Debug)]
pub struct MemoryStore(Disk);

impl MemoryStore {
    fn reads(&self) -> Result<Ref<'_, Platters>, StoreError> {
        let platters = self.0.0.borrow();
        if platters.fault == Some(Fault::Gone) {
            return Err(StoreError::Io("the disk is gone".to_owned()));
        }
        Ok(platters)
    }
}

impl Platters {
    fn keep(&mut self, batch: &Batch<'_>) {
        self.leaves.extend_from_slice(batch.leaves);
        self.root = batch.root;
        self.blobs.extend(batch.blobs.iter().map(|blob| (blob.name(), Some(blob.clone()))));
        self.appends += 1;
    }
}

impl LogStore for MemoryStore {
    fn head(&self) -> Result<Head, StoreError> {
        let platters = self.reads()?;
        Ok(Head { size: platters.leaves.len() as u64, root: platters.root })
    }

    fn append(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        let mut platters = self.0.0.borrow_mut();
        let found = platters.leaves.len() as u64;
        if found != batch.expected_size {
            return Err(StoreError::Conflict { expected: batch.expected_size, found });
        }
        if let Some(crash) = platters.crash.take() {
            platters.crashed = Some(crash);
            if crash == Crash::AfterAppend {
                platters.keep(batch);
            }
            return Err(StoreError::UnknownOutcome("the process died".to_owned()));
        }
        match platters.fault {
            Some(Fault::Full) if batch.lane == Lane::Grant => return Err(StoreError::Full("the disk is full".to_owned())),
            Some(Fault::FullToTheReserve) => return Err(StoreError::Full("the reserve is used up".to_owned())),
            Some(Fault::Io | Fault::Gone) => return Err(StoreError::Io("the disk does not answer".to_owned())),
            Some(fault @ (Fault::UnknownKept | Fault::UnknownLost)) => {
                platters.fault = None;
                if fault == Fault::UnknownKept {
                    platters.keep(batch);
                }
                return Err(StoreError::UnknownOutcome("the sync failed".to_owned()));
            }
            Some(Fault::Full) | None => {}
        }
        platters.keep(batch);
        Ok(())
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, StoreError> {
        let platters = self.reads()?;
        let place = |index: u64| usize::try_from(index).unwrap_or(usize::MAX);
        let leaves = platters.leaves.get(place(range.start)..place(range.end));
        leaves.map(<[_]>::to_vec).ok_or_else(|| self.corrupt(Some(range.start), "entries are missing".to_owned()))
    }

    fn put_blob(&mut self, blob: &Blob) -> Result<(), StoreError> {
        self.reads()?;
        self.0.0.borrow_mut().blobs.insert(blob.name(), Some(blob.clone()));
        Ok(())
    }

    fn blob(&self, name: &Digest) -> Result<Stored, StoreError> {
        Ok(match self.reads()?.blobs.get(name) {
            Some(Some(blob)) => Stored::Here(blob.clone()),
            Some(None) => Stored::Erased,
            None => Stored::Absent,
        })
    }

    fn erase_blob(&mut self, name: &Digest) -> Result<(), StoreError> {
        self.reads()?;
        self.0.0.borrow_mut().blobs.insert(*name, None);
        Ok(())
    }

    fn put_checkpoint(&mut self, size: u64, note: &str) -> Result<(), StoreError> {
        self.reads()?;
        self.0.0.borrow_mut().checkpoint = Some((size, note.to_owned()));
        Ok(())
    }

    fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        Ok(self.reads()?.checkpoint.as_ref().map(|(_, note)| note.clone()))
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn file(&self) -> &'static str {
        "memory"
    }
}
