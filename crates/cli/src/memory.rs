//! What the command keeps between runs, under `$XDG_STATE_HOME/writ`, readable by its owner alone.
//!
//! `session` (or `--session FILE`), `heads.json` (the last signed checkpoint seen of each log), `forks/` (checkpoints that contradict one
//! that was seen), `pending/` (statements that were printed to be signed elsewhere).

mod heads;

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use writ_types::{PartyId, Secret, Time};

/// Larger files are not ours.
const FILE_BYTES_MAX: u64 = 1 << 20;

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

    /// Keeps a statement that was printed to be signed elsewhere.
    pub(crate) fn keep_statement(&self, name: &str, statement: &serde_json::Value) -> Result<(), Failure> {
        write(&self.dir.join("pending").join(name), statement)
    }

    /// A statement that was printed before.
    pub(crate) fn statement(&self, name: &str) -> Result<Option<serde_json::Value>, Failure> {
        read(&self.dir.join("pending").join(name))
    }
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
    write_text(path, &serde_json::to_string(value).map_err(Failure::bug)?)
}

fn write_text(path: &Path, text: &str) -> Result<(), Failure> {
    let temporary = path.with_extension(format!("new{}", std::process::id()));
    let write = || {
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let _ = std::fs::remove_file(&temporary);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(|error| Failure::file(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

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
