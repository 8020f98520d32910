//! A caller, pinned: the one process that connected, running the one program that answers.
//!
//! A process number names nobody for long. Here it is used once, to open the process's directory under `/proc`; an open
//! directory belongs to the process and not to the number, and answers nothing once the process has ended. That it is the
//! directory of the process that connected is shown by the pidfd of the socket (Linux 6.5): a number has one live owner at a time, so
//! if the pidfd's process is still alive after the directory was opened, it is the directory's. Older kernels have no such pidfd; there
//! one is opened by number, and the answer below is what shows whose it is.
//!
//! A connection outlives the program that opened it: its process may execute another program (a trusted one) while a child keeps the
//! other end. So a look is not enough. After the first look the peer gets a challenge; the answer must come from the process itself
//! ([`crate::PeerStream`] checks that); and every later look must find what the first one found. Then the program that was
//! looked at is the program that answered.

use crate::unix::executable::Executable;
use crate::unix::process::Process;
use crate::{AttestError, Attested};
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::{PeerCredentials, PeerPidfd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// By what the process is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinned {
    /// By the socket itself (`SO_PEERPIDFD`, Linux 6.5).
    BySocket,
    /// By its number.
    ByNumber,
}

/// The process at the other end of a Unix socket.
#[derive(Debug)]
pub struct Peer {
    pidfd: OwnedFd,
    process: Process,
    uid: u32,
    gid: u32,
    pid: u32,
    pinned: Pinned,
    challenge: OnceLock<[u8; 8]>,
    answered: AtomicBool,
    /// What the first look found. A process that is anything else later is not the one that connected.
    first: OnceLock<Option<Executable>>,
}

impl Peer {
    /// Pins the process that connected `socket`.
    ///
    /// # Errors
    /// When it has ended, can't be seen from here, or the kernel refuses to tell.
    pub fn of(socket: &impl AsFd) -> Result<Self, AttestError> {
        Self::pin(socket, true)
    }

    /// As [`Peer::of`], as on a kernel before Linux 6.5.
    ///
    /// # Errors
    /// As [`Peer::of`].
    #[doc(hidden)]
    pub fn of_by_number(socket: &impl AsFd) -> Result<Self, AttestError> {
        Self::pin(socket, false)
    }

    fn pin(socket: &impl AsFd, by_socket: bool) -> Result<Self, AttestError> {
        let credentials = getsockopt(&socket.as_fd(), PeerCredentials).map_err(kernel)?;
        let number = Pid::from_raw(credentials.pid()).ok_or(AttestError::Invisible)?;
        let (pidfd, pinned) = match getsockopt(&socket.as_fd(), PeerPidfd) {
            Ok(pidfd) if by_socket => (pidfd, Pinned::BySocket),
            Ok(_) | Err(nix::errno::Errno::ENOPROTOOPT) => (pidfd_open(number, PidfdFlags::empty())?, Pinned::ByNumber),
            Err(nix::errno::Errno::ESRCH) => return Err(AttestError::Gone),
            // A process that was reaped has no pidfd, and the kernel says so in more than one way.
            Err(nix::errno::Errno::EINVAL | nix::errno::Errno::ENODATA) => return Err(AttestError::Gone),
            Err(error) => return Err(kernel(error)),
        };
        let process = Process::open(number)?;
        let peer = Self {
            pidfd,
            process,
            uid: credentials.uid(),
            gid: credentials.gid(),
            pid: number.as_raw_nonzero().get().unsigned_abs(),
            pinned,
            challenge: OnceLock::new(),
            answered: AtomicBool::new(false),
            first: OnceLock::new(),
        };
        // The number was the pidfd's until now, so the directory is too.
        peer.alive()?;
        Ok(peer)
    }

    /// The first look, and the challenge that must be answered after it: `nonce` is random, and is sent to the peer only after
    /// this returns. Reads the whole executable: it blocks for as long as the disk does.
    ///
    /// # Errors
    /// As [`Peer::attest`].
    pub fn challenge(&self, nonce: [u8; 8]) -> Result<[u8; 8], AttestError> {
        self.look()?;
        Ok(*self.challenge.get_or_init(|| nonce))
    }

    /// Takes the peer's answer, read from its [`crate::PeerStream`]. What isn't the challenge's nonce is nothing.
    pub fn answer(&self, nonce: [u8; 8]) {
        if self.challenge.get() == Some(&nonce) {
            self.answered.store(true, Ordering::Release);
        }
    }

    /// Whether the challenge was answered.
    pub fn answered(&self) -> bool {
        self.answered.load(Ordering::Acquire)
    }

    /// What the process is, now: the facts of one process running one program from the beginning of the look to its end, the same
    /// ones as when it was challenged.
    ///
    /// # Errors
    /// When the process has ended, runs another program, holds several ids, or has not answered.
    pub fn attest(&self) -> Result<Attested, AttestError> {
        if self.answered() { self.look() } else { Err(AttestError::Unheard) }
    }

    fn look(&self) -> Result<Attested, AttestError> {
        self.process.ids()?.are(self.uid, self.gid)?;
        let program = match self.first.get() {
            None => Executable::read(&self.process)?,
            Some(None) => Executable::unreadable(&self.process).map(|()| None)?,
            Some(Some(first)) => first.again(&self.process).map(Some)?,
        };
        // Again: what was read above belongs together only if nothing moved meanwhile.
        if let Some(program) = &program {
            program.still_runs(&self.process)?;
        }
        self.process.ids()?.are(self.uid, self.gid)?;
        self.alive()?;
        let first = self.first.get_or_init(|| program.clone());
        // Two first looks at once may have seen two programs.
        if first.as_ref().map(Executable::identity) != program.as_ref().map(Executable::identity) {
            return Err(AttestError::Changed("program"));
        }
        let (path, sha256) = program.map_or((None, None), |program| (program.path, program.sha256));
        Ok(Attested::new(self.uid, self.gid, self.pid, path, sha256))
    }

    /// By what the process is held.
    pub const fn pinned(&self) -> Pinned {
        self.pinned
    }

    /// The user that connected, before any look: good for counting connections, not for granting anything.
    pub const fn claimed_uid(&self) -> u32 {
        self.uid
    }

    /// The process number, for logs and for comparing with the sender of bytes.
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// Resolves when the process ends.
    ///
    /// # Errors
    /// When the runtime can't watch the pidfd.
    pub async fn ended(&self) -> std::io::Result<()> {
        #[expect(deprecated, reason = "deprecated for types that may change their descriptor; an `OwnedFd` keeps its own")]
        let watched = AsyncFd::with_interest(self.pidfd.try_clone()?, Interest::READABLE)?;
        let _guard = watched.readable().await?;
        Ok(())
    }

    /// A pidfd is readable once its process has ended.
    fn alive(&self) -> Result<(), AttestError> {
        let mut watched = [PollFd::new(&self.pidfd, PollFlags::IN)];
        match poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? {
            0 => Ok(()),
            _ => Err(AttestError::Gone),
        }
    }
}

fn kernel(error: nix::errno::Errno) -> AttestError {
    AttestError::Kernel(error.into())
}
