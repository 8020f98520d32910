//! A process's directory under `/proc`.

use crate::AttestError;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::Pid;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

/// More than the kernel ever writes into `status`.
const STATUS_BYTES_MAX: u64 = 64 * 1024;

/// The open directory of one process: it answers for that process or not at all.
#[derive(Debug)]
pub(crate) struct Process {
    directory: OwnedFd,
}

impl Process {
    /// Opens the directory of whoever has the number now.
    pub(crate) fn open(number: Pid) -> Result<Self, AttestError> {
        let path = format!("/proc/{}", number.as_raw_nonzero());
        let directory = openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { directory })
    }

    /// The directory, for what lies in it.
    pub(crate) const fn directory(&self) -> &OwnedFd {
        &self.directory
    }

    /// The process's user and group ids.
    pub(crate) fn ids(&self) -> Result<Ids, AttestError> {
        let status = openat(&self.directory, "status", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let mut text = Vec::new();
        File::from(status).take(STATUS_BYTES_MAX).read_to_end(&mut text).map_err(gone_or_kernel)?;
        Ids::parse(&String::from_utf8_lossy(&text))
    }
}

/// Real, effective, saved and file system id, of user and group.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    uids: [u32; 4],
    gids: [u32; 4],
}

impl Ids {
    /// Holds if the process is `uid` and `gid` and can't be anybody else: a set-user-id program that connected, or
    /// that was executed after connecting, holds several.
    pub(crate) fn are(&self, uid: u32, gid: u32) -> Result<(), AttestError> {
        one("user", self.uids, uid)?;
        one("group", self.gids, gid)
    }

    fn parse(status: &str) -> Result<Self, AttestError> {
        let line = |label: &str| {
            let text = status.lines().find_map(|line| line.strip_prefix(label))?;
            let ids: Vec<u32> = text.split_ascii_whitespace().map_while(|id| id.parse().ok()).collect();
            <[u32; 4]>::try_from(ids).ok()
        };
        match (line("Uid:"), line("Gid:")) {
            (Some(uids), Some(gids)) => Ok(Self { uids, gids }),
            _ => Err(AttestError::Kernel(std::io::Error::other("`status` has no user or group ids"))),
        }
    }
}

fn one(which: &'static str, ids: [u32; 4], connected: u32) -> Result<(), AttestError> {
    let [first, rest @ ..] = ids;
    match rest.iter().all(|id| *id == first) {
        false => Err(AttestError::Several(which)),
        true if first == connected => Ok(()),
        true => Err(AttestError::Changed(which)),
    }
}

fn gone_or_kernel(error: std::io::Error) -> AttestError {
    rustix::io::Errno::from_io_error(&error).map_or(AttestError::Kernel(error), AttestError::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(uids: &str) -> Result<Ids, AttestError> {
        Ids::parse(&format!("Name:\tUid:\t9 9 9 9\nUid:\t{uids}\nGid:\t7\t7\t7\t7\n"))
    }

    /// R45: a process that can become somebody else is nobody.
    #[test]
    fn one_user_or_none() {
        assert!(ids("5\t5\t5\t5").unwrap().are(5, 7).is_ok());
        assert!(matches!(ids("5\t5\t5\t5").unwrap().are(6, 7), Err(AttestError::Changed("user"))));
        assert!(matches!(ids("5\t5\t5\t5").unwrap().are(5, 8), Err(AttestError::Changed("group"))));
        for several in ["5\t0\t0\t0", "0\t5\t5\t5", "5\t5\t0\t5", "5\t5\t5\t0"] {
            assert!(matches!(ids(several).unwrap().are(5, 7), Err(AttestError::Several("user"))), "{several}");
        }
        for unreadable in ["", "5 5 5", "5 5 5 5 5", "-1 5 5 5", "5 5 5 x"] {
            assert!(ids(unreadable).is_err(), "{unreadable}");
        }
    }
}
