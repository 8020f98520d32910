//! Why a caller is not attested.

use std::io;

/// Why there are no facts about a caller. Each is a refusal: doubt never attests.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// The process that connected has ended, or its number belongs to another one.
    #[error("the calling process has ended")]
    Gone,
    /// The process runs another program, or is another user, than when it was first looked at.
    #[error("the calling process changed its {0} while it was connected")]
    Changed(&'static str),
    /// Real, effective, saved and file system ids differ: the process can be somebody else at will.
    #[error("the calling process holds more than one {0} id at once")]
    Several(&'static str),
    /// The process lives where it has no number here.
    #[error("the calling process is not visible from here: it lives in an unrelated pid namespace")]
    Invisible,
    /// The process has not answered its challenge: it may only have inherited or lent the connection.
    #[error("the calling process has not answered yet")]
    Unheard,
    /// The kernel's answer can't be had or read: the operator's to mend.
    #[error("the kernel does not tell what the calling process is")]
    Kernel(#[source] io::Error),
}

impl From<rustix::io::Errno> for AttestError {
    fn from(error: rustix::io::Errno) -> Self {
        use rustix::io::Errno;
        match error {
            // `/proc` of a process that has ended answers with either.
            Errno::NOENT | Errno::SRCH => Self::Gone,
            other => Self::Kernel(other.into()),
        }
    }
}
