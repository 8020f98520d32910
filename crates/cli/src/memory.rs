//! What the command keeps between runs, under `$XDG_STATE_HOME/writ`, readable by its owner alone.
//!
//! `session` (or `--session FILE`), `heads.json` (the last head seen of each log), `names.json` (the names in change sets that were
//! filed here), `pending/` (statements that were printed to be signed elsewhere).

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use writ_types::{Digest, PartyId, Secret, Time};
use writ_wire::api::Status;

/// Larger files are not ours.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// So many names are kept, the newest.
const NAMES_MAX: usize = 500;

/// The command's own directory.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    dir: PathBuf,
    session: PathBuf,
}

/// An open session, as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    /// The server's socket.
    pub(crate) socket: PathBuf,
    /// The log's origin.
    pub(crate) origin: String,
    /// Whose session.
    pub(crate) party: PartyId,
    /// The key file that opened it.
    pub(crate) key: PathBuf,
    /// When it ends.
    pub(crate) expires: Time,
    token: String,
}

impl Session {
    pub(crate) fn new(socket: PathBuf, origin: String, party: PartyId, key: PathBuf, expires: Time, token: String) -> Self {
        Self { socket, origin, party, key, expires, token }
    }

    pub(crate) fn token(&self) -> Secret<String> {
        Secret::new(self.token.clone())
    }
}

/// What was last seen of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seen {
    pub(crate) genesis: Digest,
    pub(crate) size: u64,
    pub(crate) root: Digest,
}

impl Memory {
    /// The directory of this user; the session lies elsewhere where `--session` says so.
    pub(crate) fn open(session: Option<&Path>) -> Result<Self, Failure> {
        let given = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = given("XDG_STATE_HOME").or_else(|| given("HOME").map(|home| home.join(".local/state")));
        let Some(state) = state else {
            return Err(Failure::usage("neither `XDG_STATE_HOME` nor `HOME` names a directory", "set one of them"));
        };
        Ok(Self::at(&state.join("writ"), session))
    }

    /// The memory in `dir`.
    pub(crate) fn at(dir: &Path, session: Option<&Path>) -> Self {
        Self { dir: dir.to_owned(), session: session.map_or_else(|| dir.join("session"), Path::to_owned) }
    }

    /// The session that is open at `now`.
    pub(crate) fn session(&self, now: Time) -> Result<Option<Session>, Failure> {
        let session: Option<Session> = read(&self.session)?;
        Ok(session.filter(|session| session.expires > now))
    }

    /// The last session, also one that has ended: it still says whose key it was opened with.
    pub(crate) fn last_session(&self) -> Result<Option<Session>, Failure> {
        read(&self.session)
    }

    pub(crate) fn keep_session(&self, session: &Session) -> Result<PathBuf, Failure> {
        write(&self.session, session)?;
        Ok(self.session.clone())
    }

    /// Compares the server's head with the last one seen, and remembers it. `pinned` is a genesis hash from elsewhere.
    pub(crate) fn see(&self, status: &Status, pinned: Option<&Digest>) -> Result<(), Failure> {
        let path = self.dir.join("heads.json");
        let mut heads: BTreeMap<String, Seen> = read(&path)?.unwrap_or_default();
        if let Some(pinned) = pinned.filter(|pinned| **pinned != status.genesis) {
            let message = format!("the genesis of `{}` is {}, not the pinned {pinned}", status.origin, status.genesis);
            return Err(Failure::failed(message, "this is another log: don't sign anything for it"));
        }
        let new = Seen { genesis: status.genesis, size: status.size, root: status.root };
        if let Some(old) = heads.get(&status.origin) {
            still_the_same(&status.origin, old, &new)?;
        }
        if heads.get(&status.origin) == Some(&new) {
            return Ok(());
        }
        heads.insert(status.origin.clone(), new);
        write(&path, &heads)
    }

    /// Forgets what was seen of a log, because people opened a new one under the same name.
    pub(crate) fn begin(&self, origin: &str, genesis: Digest, size: u64, root: Digest) -> Result<(), Failure> {
        let path = self.dir.join("heads.json");
        let mut heads: BTreeMap<String, Seen> = read(&path)?.unwrap_or_default();
        heads.insert(origin.to_owned(), Seen { genesis, size, root });
        write(&path, &heads)
    }

    /// Keeps the name blobs of a change set that this user filed, so that it is known again while it waits.
    pub(crate) fn keep_names(&self, blobs: &[serde_json::Value]) -> Result<(), Failure> {
        if blobs.is_empty() {
            return Ok(());
        }
        let mut names = self.names()?;
        names.extend_from_slice(blobs);
        let old = names.len().saturating_sub(NAMES_MAX);
        write(&self.dir.join("names.json"), &names.split_off(old))
    }

    /// The name blobs of change sets that this user filed, newest last.
    pub(crate) fn names(&self) -> Result<Vec<serde_json::Value>, Failure> {
        Ok(read(&self.dir.join("names.json"))?.unwrap_or_default())
    }

    /// Keeps a statement that was printed to be signed elsewhere.
    pub(crate) fn keep_statement(&self, name: &str, statement: &serde_json::Value) -> Result<(), Failure> {
        write(&self.dir.join("pending").join(name), statement)
    }

    /// A statement that was printed before.
    pub(crate) fn statement(&self, name: &str) -> Result<Option<serde_json::Value>, Failure> {
        read(&self.dir.join("pending").join(name))
    }
}

/// A head never gets smaller, and one size has one root.
fn still_the_same(origin: &str, old: &Seen, new: &Seen) -> Result<(), Failure> {
    let help = "it was rolled back or replaced: tell the security owner before anybody signs anything";
    if old.genesis != new.genesis {
        return Err(Failure::failed(format!("the log `{origin}` has another genesis than the one seen before"), help));
    }
    if new.size < old.size {
        let message = format!("the log `{origin}` has {} entries, and {} were seen before", new.size, old.size);
        return Err(Failure::failed(message, help));
    }
    if new.size == old.size && new.root != old.root {
        return Err(Failure::failed(format!("the log `{origin}` has other entries than those seen before"), help));
    }
    Ok(())
}

/// Reads a file that only its owner can read; none if it is not there.
fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, Failure> {
    let meta = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::file(path, &error)),
    };
    if !meta.is_file() || meta.mode() & 0o077 != 0 || meta.len() > FILE_BYTES_MAX {
        let message = format!("`{}` is not a file that only you can read", path.display());
        return Err(Failure::failed(message, "remove it, and run `writ login` again"));
    }
    let bytes = std::fs::read(path).map_err(|error| Failure::file(path, &error))?;
    serde_json::from_slice(&bytes).map(Some).map_err(|_| {
        let message = format!("`{}` can't be read", path.display());
        Failure::failed(message, "remove it, and run `writ login` again")
    })
}

/// Replaces a file as a whole, 0600.
fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), Failure> {
    let bytes = serde_json::to_vec(value).map_err(Failure::bug)?;
    let temporary = path.with_extension(format!("new{}", std::process::id()));
    let write = || {
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let _ = std::fs::remove_file(&temporary);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(&bytes)?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(|error| Failure::file(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use writ_types::TextValue as _;

    fn status(size: u64, root: &[u8]) -> Status {
        Status {
            trust_domain: writ_types::TrustDomain::parse("example.org").unwrap(),
            origin: "example.org/writ".to_owned(),
            dev: false,
            epoch: 1,
            size,
            root: Digest::of(root),
            genesis: Digest::of(b"genesis"),
            clock_sure: true,
            version: String::new(),
            api: None,
            closing: 0,
        }
    }

    #[test]
    fn a_log_that_shrinks_or_changes_is_refused() {
        let top = tempfile::tempdir().unwrap();
        let memory = Memory::at(&top.path().join("writ"), None);
        assert_eq!(memory.see(&status(5, b"five"), None), Ok(()));
        assert_eq!(memory.see(&status(5, b"five"), None), Ok(()));
        assert_eq!(memory.see(&status(7, b"seven"), Some(&Digest::of(b"genesis"))), Ok(()));
        for (bad, pinned) in
            [(status(6, b"six"), None), (status(7, b"other"), None), (status(9, b"nine"), Some(Digest::of(b"x")))]
        {
            let failure = memory.see(&bad, pinned.as_ref()).unwrap_err();
            assert_eq!(failure.exit, crate::failure::Exit::Failed, "{failure:?}");
        }
        let other = Status { genesis: Digest::of(b"other"), ..status(9, b"nine") };
        assert!(memory.see(&other, None).unwrap_err().message.contains("another genesis"));
        assert_eq!(memory.see(&status(8, b"eight"), None), Ok(()), "a refused head is not remembered");
    }

    #[test]
    fn a_session_is_kept_for_its_owner_alone_and_until_it_ends() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("s");
        let memory = Memory::at(&top.path().join("writ"), Some(&file));
        let at = Time::from_seconds(100);
        assert!(memory.session(at).unwrap().is_none());
        let party = PartyId::from_bits([1; 16]);
        let session = Session::new("/s".into(), "o".to_owned(), party, "k".into(), Time::from_seconds(200), "token".to_owned());
        memory.keep_session(&session).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(memory.session(at).unwrap().unwrap().party, party);
        assert!(memory.session(Time::from_seconds(200)).unwrap().is_none());
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(memory.session(at).is_err());
    }
}
