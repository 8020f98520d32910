//! The mark: the sizes and roots of the last two appends, in a file beside the database.
//!
//! SQLite takes a damaged tail of its write-ahead log for an unfinished transaction and drops it without a word. The mark is
//! written after each append, without a sync of its own: whatever end it names was durable. A database that ends before
//! it has lost entries. After a loss of power the mark may lag, which is no error.

use crate::dir::DirError;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use writ_ledger::{Head, StoreError};
use writ_types::Digest;

/// The file's name.
pub(crate) const MARK_FILE: &str = "head";
/// Each slot lies within one sector of the disk, so it is written whole or not at all.
const SLOT_BYTES: usize = 64;
const SLOTS: usize = 2;

/// The open mark.
#[derive(Debug)]
pub(crate) struct Mark {
    file: File,
    next: usize,
}

impl Mark {
    /// A mark that says `head`.
    pub(crate) fn create(dir: &Path, head: &Head) -> Result<Self, DirError> {
        let path = dir.join(MARK_FILE);
        let wrong = |source| DirError::io(&path, source);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).map_err(wrong)?;
        file.write_all_at(&[0; SLOT_BYTES * SLOTS], 0).map_err(wrong)?;
        let mut mark = Self { file, next: 0 };
        mark.set(head).map_err(wrong)?;
        mark.file.sync_all().map_err(wrong)?;
        Ok(mark)
    }

    /// Reads the mark and compares it with where the database ends.
    pub(crate) fn open(dir: &Path, head: &Head) -> Result<Self, DirError> {
        let path = dir.join(MARK_FILE);
        let broken = |what: &str| StoreError::Corrupt { file: MARK_FILE.to_owned(), index: None, what: what.to_owned() };
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(broken("it is missing").into()),
            Err(error) => return Err(DirError::io(&path, error)),
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|source| DirError::io(&path, source))?;
        if bytes.len() != SLOT_BYTES * SLOTS {
            return Err(broken("it has another length").into());
        }
        let mut last: Option<(usize, Head)> = None;
        for (place, slot) in bytes.as_chunks::<SLOT_BYTES>().0.iter().enumerate() {
            if slot.iter().all(|byte| *byte == 0) {
                continue;
            }
            let said = decode(slot).ok_or_else(|| broken("a slot does not have its own digest"))?;
            if last.as_ref().is_none_or(|(_, last)| said.size >= last.size) {
                last = Some((place, said));
            }
        }
        let (place, said) = last.ok_or_else(|| broken("it is empty"))?;
        if said.size > head.size || (said.size == head.size && said.root != head.root) {
            let what = format!("it ends at {} ({}), but {} ({}) was durable", head.size, head.root, said.size, said.root);
            return Err(StoreError::Corrupt { file: "log.db-wal".to_owned(), index: Some(head.size), what }.into());
        }
        Ok(Self { file, next: (place + 1) % SLOTS })
    }

    /// Names the end of an append that is durable.
    pub(crate) fn set(&mut self, head: &Head) -> io::Result<()> {
        let offset = u64::try_from(self.next * SLOT_BYTES).unwrap_or_default();
        self.file.write_all_at(&encode(head), offset)?;
        self.next = (self.next + 1) % SLOTS;
        Ok(())
    }
}

/// Size, root, the first 16 bytes of the digest of both, zeros.
fn encode(head: &Head) -> Vec<u8> {
    let size = head.size.to_be_bytes();
    let check = Digest::of_parts(&[b"writ head\n", &size, head.root.as_bytes()]);
    let mut slot: Vec<u8> = [&size[..], head.root.as_bytes(), check.as_bytes()].concat();
    slot.truncate(56);
    slot.resize(SLOT_BYTES, 0);
    slot
}

fn decode(slot: &[u8; SLOT_BYTES]) -> Option<Head> {
    let (size, rest) = slot.split_first_chunk::<8>()?;
    let (root, _) = rest.split_first_chunk::<32>()?;
    let head = Head { size: u64::from_be_bytes(*size), root: Digest::from_bytes(*root) };
    (encode(&head) == slot).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(size: u64) -> Head {
        Head { size, root: Digest::of(&size.to_be_bytes()) }
    }

    #[test]
    fn an_end_before_the_mark_is_a_loss_and_one_after_it_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut mark = Mark::create(dir.path(), &head(0)).unwrap();
        for size in [3, 4, 9] {
            mark.set(&head(size)).unwrap();
        }
        assert!(Mark::open(dir.path(), &head(9)).is_ok());
        for lost in [0, 4, 8] {
            let error = Mark::open(dir.path(), &head(lost)).unwrap_err().to_string();
            assert!(error.contains("log.db-wal") && error.contains(&format!("ends at {lost}")), "{error}");
        }
        assert!(Mark::open(dir.path(), &Head { size: 9, root: Digest::of(b"other") }).is_err());
        assert!(Mark::open(dir.path(), &head(12)).is_ok());
        Mark::open(dir.path(), &head(12)).unwrap().set(&head(13)).unwrap();
        assert!(Mark::open(dir.path(), &head(13)).is_ok() && Mark::open(dir.path(), &head(12)).is_err());
    }

    #[test]
    fn every_flipped_byte_of_the_mark_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let mut mark = Mark::create(dir.path(), &head(0)).unwrap();
        mark.set(&head(3)).unwrap();
        let path = dir.path().join(MARK_FILE);
        let good = std::fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            std::fs::write(&path, bad).unwrap();
            let error = Mark::open(dir.path(), &head(3)).unwrap_err().to_string();
            assert!(error.contains("`head`"), "{error}");
        }
        std::fs::write(&path, &good[..100]).unwrap();
        assert!(Mark::open(dir.path(), &head(3)).is_err());
        std::fs::remove_file(&path).unwrap();
        assert!(Mark::open(dir.path(), &head(3)).unwrap_err().to_string().contains("missing"));
    }
}
