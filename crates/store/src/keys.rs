//! Key files: readable by their owner alone, written whole or not at all.

use crate::dir;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use writ_types::Secret;

/// Larger files are no keys.
const KEY_BYTES_MAX: u64 = 64 * 1024;

/// A directory of key files.
#[derive(Debug)]
pub struct KeyDir {
    dir: PathBuf,
}

/// Why a key file can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a file's name.
    #[error("`{0}` is not the name of a key file: it is 1 to 64 of `a-z`, `0-9`, `-` and `.`, starting with a letter")]
    Name(String),
    /// Others could read or change it, or it is no plain file of ours.
    #[error("`{}` {why}", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and how to mend it.
        why: &'static str,
    },
    /// It is there already.
    #[error("`{}` exists: a key is not overwritten", .0.display())]
    Exists(PathBuf),
    /// It can't be read or written.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl KeyDir {
    /// The key directory at `dir`, made 0700 unless it is there.
    ///
    /// # Errors
    /// When it can't be made, or others may enter it.
    pub fn open(dir: &Path) -> Result<Self, KeyError> {
        let wrong = |source| KeyError::Io { path: dir.to_owned(), source };
        dir::make(dir).map_err(wrong)?;
        let meta = std::fs::symlink_metadata(dir).map_err(wrong)?;
        if !meta.is_dir() || meta.mode() & 0o077 != 0 {
            return Err(KeyError::Exposed { path: dir.to_owned(), why: "can be entered by others: `chmod 700` it" });
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// Writes a new key file, durably, 0600.
    ///
    /// # Errors
    /// When it is there already, or can't be written.
    pub fn create(&self, name: &str, key: &[u8]) -> Result<(), KeyError> {
        let path = self.path(name)?;
        let temporary = self.dir.join(format!(".{name}.new"));
        let wrong = |source| KeyError::Io { path: path.clone(), source };
        // A leftover of an earlier attempt that did not come to its end is nobody's key.
        match std::fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(wrong(error)),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary).map_err(wrong)?;
        let written = file.write_all(key).and_then(|()| file.sync_all()).and_then(|()| std::fs::hard_link(&temporary, &path));
        let removed = std::fs::remove_file(&temporary);
        match written {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(KeyError::Exists(path)),
            outcome => outcome.map_err(wrong)?,
        }
        removed.and_then(|()| dir::sync(&self.dir)).map_err(wrong)
    }

    /// True if there is such a file.
    ///
    /// # Errors
    /// When the name is none, or the directory can't be read.
    pub fn has(&self, name: &str) -> Result<bool, KeyError> {
        let path = self.path(name)?;
        match std::fs::symlink_metadata(&path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(KeyError::Io { path, source }),
        }
    }

    /// Reads a key file that only its owner can read.
    ///
    /// # Errors
    /// When others could read or change it, it is not a plain file of ours, or can't be read.
    pub fn read(&self, name: &str) -> Result<Secret<Vec<u8>>, KeyError> {
        let path = self.path(name)?;
        let wrong = |source| KeyError::Io { path: path.clone(), source };
        let file = File::open(&path).map_err(wrong)?;
        let (meta, link) = (file.metadata().map_err(wrong)?, std::fs::symlink_metadata(&path).map_err(wrong)?);
        let exposed = |why| Err(KeyError::Exposed { path: path.clone(), why });
        if !link.is_file() || !meta.is_file() {
            return exposed("is not a plain file");
        }
        if meta.mode() & 0o077 != 0 {
            return exposed("can be read by others: `chmod 600` it, and replace the key if others could have read it");
        }
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return exposed("belongs to another user");
        }
        if meta.len() > KEY_BYTES_MAX {
            return exposed("is too large for a key");
        }
        // Room for all of it at once: growing would leave copies behind.
        let mut key = Vec::with_capacity(usize::try_from(KEY_BYTES_MAX).unwrap_or_default());
        let read = file.take(KEY_BYTES_MAX).read_to_end(&mut key);
        let key = Secret::new(key);
        read.map_err(wrong)?;
        Ok(key)
    }

    /// Reads a key file that is text.
    ///
    /// # Errors
    /// As [`KeyDir::read`]; also when it is not UTF-8.
    pub fn read_text(&self, name: &str) -> Result<Secret<String>, KeyError> {
        let key = self.read(name)?;
        let text =
            std::str::from_utf8(key.expose()).map_err(|_| KeyError::Exposed { path: self.dir.join(name), why: "is not text" })?;
        Ok(Secret::new(text.to_owned()))
    }

    fn path(&self, name: &str) -> Result<PathBuf, KeyError> {
        let fits = (1..=64).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
        if fits { Ok(self.dir.join(name)) } else { Err(KeyError::Name(name.escape_debug().take(64).collect())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_key_file_is_written_once_and_read_only_while_it_is_private() {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("keys");
        let keys = KeyDir::open(&dir).unwrap();
        assert!(!keys.has("log.key").unwrap());
        keys.create("log.key", b"secret").unwrap();
        assert_eq!(keys.read("log.key").unwrap().expose(), b"secret");
        assert_eq!(keys.read_text("log.key").unwrap().expose(), "secret");
        assert_eq!(std::fs::metadata(dir.join("log.key")).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1, "no temporary file stays");
        assert!(matches!(keys.create("log.key", b"other"), Err(KeyError::Exists(_))));
        assert_eq!(keys.read("log.key").unwrap().expose(), b"secret");
        for mode in [0o640, 0o604, 0o620] {
            chmod(&dir.join("log.key"), mode);
            assert!(matches!(keys.read("log.key"), Err(KeyError::Exposed { .. })), "{mode:o}");
        }
        chmod(&dir.join("log.key"), 0o600);
        std::os::unix::fs::symlink(dir.join("log.key"), dir.join("link")).unwrap();
        assert!(matches!(keys.read("link"), Err(KeyError::Exposed { .. })));
        for name in ["", "../log.key", "/etc/passwd", ".hidden", "a b", "A", "a\0b", &"a".repeat(65)] {
            assert!(matches!(keys.read(name), Err(KeyError::Name(_))), "{name:?}");
        }
        chmod(&dir, 0o750);
        assert!(KeyDir::open(&dir).is_err());
    }
}
