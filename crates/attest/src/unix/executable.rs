//! The program that a process runs: the file itself, not what lies under its name.

use crate::AttestError;
use crate::unix::process::Process;
use aws_lc_rs::digest::{Context, SHA256};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat, fstat, openat, readlinkat, statat};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use writ_types::{Digest, ExecutablePath, TextValue};

/// The largest executable that is hashed. A larger one has no digest, so no identity that asks for one.
pub const EXECUTABLE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// The program of a process at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Executable {
    file: FileState,
    /// Where it lies in our file system, if it lies there.
    pub(crate) path: Option<ExecutablePath>,
    /// Its digest, if it is small enough.
    pub(crate) sha256: Option<Digest>,
}

impl Executable {
    /// Reads the program of `process`; `None` where we may not look.
    pub(crate) fn read(process: &Process) -> Result<Option<Self>, AttestError> {
        let Some(open) = open(process)? else { return Ok(None) };
        let file = FileState::of(&open)?;
        let path = path(process, &file);
        let sha256 = hash(open, &file)?;
        Ok(Some(Self { file, path, sha256 }))
    }

    /// Reads the program of `process` again, which must be the same one. Where its file was touched, renamed or deleted meanwhile
    /// (an upgrade does so), its content decides, and it keeps the name under which it was started.
    pub(crate) fn again(&self, process: &Process) -> Result<Self, AttestError> {
        let changed = || AttestError::Changed("program");
        let open = open(process)?.ok_or_else(changed)?;
        let file = FileState::of(&open)?;
        if file == self.file {
            return Ok(self.clone());
        }
        if self.sha256.is_none() || !file.is_same_inode(&self.file) || hash(open, &file)? != self.sha256 {
            return Err(changed());
        }
        Ok(Self { file, path: self.path.clone(), sha256: self.sha256 })
    }

    /// Holds if we still may not look at the program of `process`.
    pub(crate) fn unreadable(process: &Process) -> Result<(), AttestError> {
        open(process)?.map_or(Ok(()), |_| Err(AttestError::Changed("program")))
    }

    /// What makes it the same program, whatever happened to its name.
    pub(crate) const fn identity(&self) -> (u64, u64, Option<Digest>) {
        (self.file.device, self.file.inode, self.sha256)
    }

    /// Holds if the process still runs this file, and the file has not been written.
    pub(crate) fn still_runs(&self, process: &Process) -> Result<(), AttestError> {
        let now = open(process)?.map(|open| FileState::of(&open)).transpose()?;
        if now.as_ref() == Some(&self.file) { Ok(()) } else { Err(AttestError::Changed("program")) }
    }
}

/// Which file, and whether it was written: nobody but root can set a file's change time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileState {
    device: u64,
    inode: u64,
    size: i64,
    modified: (i64, u64),
    changed: (i64, u64),
}

impl FileState {
    const fn is_same_inode(&self, other: &Self) -> bool {
        self.device == other.device && self.inode == other.inode
    }

    fn of(file: &impl AsFd) -> Result<Self, AttestError> {
        Ok(Self::from_stat(&fstat(file)?))
    }

    #[expect(clippy::unnecessary_cast, reason = "the types of these fields differ between architectures")]
    const fn from_stat(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as i64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as u64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as u64),
        }
    }
}

/// Opens the running file itself: `exe` is a link to the file and not to its name.
fn open(process: &Process) -> Result<Option<OwnedFd>, AttestError> {
    match openat(process.directory(), "exe", OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty()) {
        Ok(open) => Ok(Some(open)),
        // Another user's process, and we are not root.
        Err(Errno::ACCESS | Errno::PERM) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The name under which the running file lies here. The kernel's answer alone is a name in the process's own file system, which an
/// unprivileged user can arrange at will (mount namespaces); so the name must lead to the very file from here too.
fn path(process: &Process, running: &FileState) -> Option<ExecutablePath> {
    let link = readlinkat(process.directory(), "exe", Vec::new()).ok()?;
    let path = ExecutablePath::parse(link.to_str().ok()?).ok()?;
    let here = statat(CWD, path.as_str(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
    (FileState::from_stat(&here) == *running).then_some(path)
}

fn hash(open: OwnedFd, state: &FileState) -> Result<Option<Digest>, AttestError> {
    if u64::try_from(state.size).map_or(true, |size| size > EXECUTABLE_BYTES_MAX) {
        return Ok(None);
    }
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0u8; 64 * 1024];
    // A file that grows while it is read is not read for ever; that it grew shows in the comparison afterwards.
    let mut file = File::from(open).take(EXECUTABLE_BYTES_MAX);
    loop {
        let read = file.read(&mut buffer).map_err(AttestError::Kernel)?;
        match buffer.get(..read) {
            Some(chunk) if read > 0 => context.update(chunk),
            _ => break,
        }
    }
    let digest: Result<[u8; 32], _> = context.finish().as_ref().try_into();
    Ok(digest.ok().map(Digest::from_bytes))
}
