//! The proof of what a caller is.

use std::collections::BTreeSet;
use writ_types::{Digest, ExecutablePath, Selector};

/// What a process was while it was looked at: facts of one process and one program, none of them its own word.
///
/// Only [`crate::Peer::attest`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested {
    uid: u32,
    gid: u32,
    pid: u32,
    path: Option<ExecutablePath>,
    sha256: Option<Digest>,
    selectors: BTreeSet<Selector>,
}

impl Attested {
    pub(crate) fn new(uid: u32, gid: u32, pid: u32, path: Option<ExecutablePath>, sha256: Option<Digest>) -> Self {
        let mut selectors = BTreeSet::from([Selector::Uid(uid), Selector::Gid(gid)]);
        selectors.extend(path.clone().map(Selector::Path));
        selectors.extend(sha256.map(Selector::Sha256));
        Self { uid, gid, pid, path, sha256, selectors }
    }

    /// The one user that the process is: real, effective, saved and file system user alike.
    pub const fn uid(&self) -> u32 {
        self.uid
    }

    /// The one group that the process is.
    pub const fn gid(&self) -> u32 {
        self.gid
    }

    /// The process number, for people who read logs: it names nobody once the process has ended.
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// Where the executable lies here. Absent where the server may not look, where the file is gone or replaced, or where the
    /// process lives in another file system.
    pub const fn path(&self) -> Option<&ExecutablePath> {
        self.path.as_ref()
    }

    /// The digest of the executable. Absent where the server may not look, and for files over [`crate::EXECUTABLE_BYTES_MAX`].
    pub const fn sha256(&self) -> Option<Digest> {
        self.sha256
    }

    /// Every fact, in the form that identities ask for it.
    pub const fn selectors(&self) -> &BTreeSet<Selector> {
        &self.selectors
    }

    /// Whether every one of `wanted` is a fact. Nothing wanted is not a match: an identity without selectors is nobody's.
    pub fn matches(&self, wanted: &BTreeSet<Selector>) -> bool {
        !wanted.is_empty() && wanted.is_subset(&self.selectors)
    }
}
