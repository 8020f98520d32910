//! The reserve: disk space kept back so that endings can be logged when the disk is full.

use crate::dir;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Space that is ours as long as the file is there.
#[derive(Debug, Clone)]
pub(crate) struct Reserve {
    dir: PathBuf,
    bytes: u64,
    held: Arc<AtomicBool>,
}

impl Reserve {
    /// Takes the space, or finds that it can't be had: then only endings are logged.
    pub(crate) fn open(dir: &Path, bytes: u64) -> Self {
        let mut reserve = Self { dir: dir.to_owned(), bytes, held: Arc::default() };
        // A full disk is no reason not to open: endings must go on. `held` says that it is so.
        let _ = reserve.restore();
        reserve
    }

    /// True while the space is kept back.
    pub(crate) fn held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    /// Whether it is kept back, for others to ask.
    pub(crate) fn watch(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.held)
    }

    /// Gives the space up. False if it was given up before.
    pub(crate) fn release(&mut self) -> io::Result<bool> {
        if !self.held() {
            return Ok(false);
        }
        self.held.store(false, Ordering::Relaxed);
        std::fs::remove_file(self.path())?;
        dir::sync(&self.dir)?;
        Ok(true)
    }

    /// Takes the space back.
    pub(crate) fn restore(&mut self) -> io::Result<()> {
        if self.held() {
            return Ok(());
        }
        let outcome = self.fill();
        if outcome.is_err() {
            // What was taken of it belongs to the endings.
            let _ = std::fs::remove_file(self.path());
        }
        self.held.store(outcome.is_ok(), Ordering::Relaxed);
        outcome
    }

    fn fill(&self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(self.path())?;
        match fallocate(&file, FallocateFlags::empty(), 0, self.bytes) {
            Err(Errno::OPNOTSUPP) => zeros(&file, self.bytes)?,
            outcome => outcome?,
        }
        file.sync_all()?;
        dir::sync(&self.dir)
    }

    fn path(&self) -> PathBuf {
        self.dir.join("reserve")
    }
}

/// For file systems that can't allocate without writing.
fn zeros(mut file: &File, bytes: u64) -> io::Result<()> {
    let block = [0u8; 64 * 1024];
    let mut left = bytes;
    while let Some(part) =
        block.get(..usize::try_from(left).unwrap_or(usize::MAX).min(block.len())).filter(|part| !part.is_empty())
    {
        file.write_all(part)?;
        left -= part.len() as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn the_reserve_takes_real_blocks_and_gives_them_back_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut reserve = Reserve::open(dir.path(), 1 << 20);
        let blocks = || std::fs::metadata(dir.path().join("reserve")).map(|m| m.blocks() * 512);
        assert!(reserve.held() && blocks().unwrap() >= 1 << 20);
        assert!(reserve.release().unwrap() && !reserve.held() && blocks().is_err());
        assert!(!reserve.release().unwrap());
        reserve.restore().unwrap();
        assert!(reserve.held() && blocks().unwrap() >= 1 << 20);
        let mut more = Reserve::open(dir.path(), u64::MAX >> 2);
        assert!(!more.held() && !more.release().unwrap());
        let file = File::create(dir.path().join("zeros")).unwrap();
        zeros(&file, 100_000).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 100_000);
    }
}
