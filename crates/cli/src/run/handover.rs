//! What a child is handed: a directory in memory with passfile, service file and authority, never a secret in its environment.

use crate::failure::Failure;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use writ_credential::x509::{PemLabel, pem_encode};
use writ_types::{CredentialId, Name, Secret};
use writ_wire::api::{Database, TakenCredential};

/// Where `writ take` puts what it took, when `writ run` started it.
pub(crate) const DIR_VARIABLE: &str = "WRIT_RUN_DIR";
/// A file system that lives in memory (linux/magic.h).
const TMPFS_MAGIC: i64 = 0x0102_1994;

/// Variables that libpq would put before what is handed over, or that hold a password.
pub(crate) const REPLACED: [&str; 4] = ["PGPASSWORD", "PGHOSTADDR", "PGSSLMODE", "PGSSLROOTCERT"];

/// A private directory in memory.
pub(crate) enum RunDir {
    /// Removed when it is let go.
    Own(TempDir),
    /// Somebody else's, or left for the caller.
    Kept(PathBuf),
}

/// One credential as files.
#[derive(Debug, Clone)]
pub(crate) struct Handover {
    pub(crate) credential: CredentialId,
    pub(crate) database: Database,
    pub(crate) service: Name,
    pub(crate) passfile: PathBuf,
    pub(crate) servicefile: PathBuf,
    ca: Option<PathBuf>,
}

impl RunDir {
    /// A fresh one, 0700, in `$XDG_RUNTIME_DIR` or `/dev/shm`, whichever is in memory and can be written.
    pub(crate) fn new() -> Result<Self, Failure> {
        let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        let places = own.into_iter().chain([PathBuf::from("/dev/shm")]);
        for place in places.filter(|place| is_in_memory(place)) {
            let mut builder = tempfile::Builder::new();
            if let Ok(dir) = builder.prefix("writ-").permissions(Permissions::from_mode(0o700)).tempdir_in(place) {
                return Ok(Self::Own(dir));
            }
        }
        Err(Failure::failed(
            "there is no place in memory for the passfile: neither `XDG_RUNTIME_DIR` nor `/dev/shm` is a tmpfs that can be written",
            "mount a tmpfs, and name it in `XDG_RUNTIME_DIR`: a password is not written to a disk",
        ))
    }

    /// The directory of the `writ run` that started this process, or a fresh one that stays.
    pub(crate) fn kept() -> Result<Self, Failure> {
        let given = std::env::var_os(DIR_VARIABLE).map(PathBuf::from).filter(|path| path.is_absolute() && is_in_memory(path));
        Ok(Self::Kept(match (given, Self::new()) {
            (Some(dir), _) => dir,
            (None, Ok(Self::Own(dir))) => dir.keep(),
            (None, Ok(Self::Kept(dir))) => dir,
            (None, Err(failure)) => return Err(failure),
        }))
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Own(dir) => dir.path(),
            Self::Kept(dir) => dir,
        }
    }

    /// Writes the certificates that the actor shows: public, and a scrap that `writ why` knows.
    pub(crate) fn write_document(&self, chain: &[Vec<u8>]) -> Result<(), Failure> {
        let pem = pem_encode(PemLabel::Certificate, chain.iter().map(Vec::as_slice));
        create(self.path(), "svid.pem", pem.as_bytes()).map(drop)
    }

    /// Writes a credential, for `service`.
    pub(crate) fn write(&self, service: &Name, taken: TakenCredential) -> Result<Handover, Failure> {
        let TakenCredential { credential, database, password, .. } = taken;
        let password = Secret::new(password);
        let dir = self.path();
        let ca = match &database.ca {
            Some(pem) => Some(create(dir, &format!("{credential}.ca.pem"), pem.as_bytes())?),
            None => None,
        };
        let passfile = create(dir, &format!("{credential}.pass"), passfile(&database, &password).expose().as_bytes())?;
        let servicefile = servicefile(service, &database, &passfile, ca.as_deref());
        let servicefile = create(dir, &format!("{credential}.service"), servicefile.as_bytes())?;
        Ok(Handover { credential, database, service: service.clone(), passfile, servicefile, ca })
    }
}

impl Handover {
    /// What libpq and its like read.
    pub(crate) fn environment(&self) -> Vec<(&'static str, OsString)> {
        let text = |text: &dyn std::fmt::Display| OsString::from(text.to_string());
        let file = |path: &Path| path.as_os_str().to_owned();
        let mut variables = vec![
            ("PGPASSFILE", file(&self.passfile)),
            ("PGSERVICEFILE", file(&self.servicefile)),
            ("PGSERVICE", text(&self.service)),
            ("PGHOST", text(&self.database.host)),
            ("PGPORT", text(&self.database.port)),
            ("PGDATABASE", text(&self.database.dbname)),
            ("PGUSER", text(&self.database.user)),
        ];
        if let Some(ca) = &self.ca {
            variables.push(("PGSSLMODE", OsStr::new("verify-full").to_owned()));
            variables.push(("PGSSLROOTCERT", file(ca)));
        }
        variables
    }
}

/// The lines for libpq: the password is good for this user at this address, whichever database is asked for.
fn passfile(database: &Database, password: &Secret<String>) -> Secret<String> {
    let escape = |text: &str| text.replace('\\', "\\\\").replace(':', "\\:");
    let password = Secret::new(escape(password.expose()));
    let mut lines = String::new();
    // libpq looks up the socket in its default directory as `localhost`.
    let socket = database.host.starts_with('/').then_some("localhost");
    for host in socket.into_iter().chain([database.host.as_str()]) {
        lines.push_str(&format!("{}:{}:*:{}:{}\n", escape(host), database.port, database.user, password.expose()));
    }
    Secret::new(lines)
}

/// A service of libpq: who reads it needs no environment, and no password stands in it.
fn servicefile(service: &Name, database: &Database, passfile: &Path, ca: Option<&Path>) -> String {
    let Database { host, port, dbname, user, .. } = database;
    let passfile = passfile.display();
    let mut text = format!("[{service}]\nhost={host}\nport={port}\ndbname={dbname}\nuser={user}\npassfile={passfile}\n");
    if let Some(ca) = ca {
        text.push_str(&format!("sslmode=verify-full\nsslrootcert={}\n", ca.display()));
    }
    text
}

fn create(dir: &Path, name: &str, content: &[u8]) -> Result<PathBuf, Failure> {
    let path = dir.join(name);
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    written.and_then(|mut file: File| file.write_all(content)).map_err(|error| Failure::file(&path, &error))?;
    Ok(path)
}

fn is_in_memory(path: &Path) -> bool {
    // The type of the field differs between machines.
    rustix::fs::statfs(path).is_ok_and(|facts| i128::from(facts.f_type) == i128::from(TMPFS_MAGIC))
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_types::{RevocationClass, SqlName, TextValue as _, Time};

    fn taken(host: &str, ca: Option<&str>) -> TakenCredential {
        let (dbname, user) = (SqlName::parse("billing").unwrap(), SqlName::parse("writ_t_1").unwrap());
        TakenCredential {
            credential: CredentialId::from_bits([7; 16]),
            database: Database { host: host.to_owned(), port: 5432, dbname, user, ca: ca.map(str::to_owned) },
            password: "hush:\\".to_owned(),
            expires: Time::from_seconds(9),
            class: RevocationClass::CutsLive,
        }
    }

    /// R72: the password is in one file that only its owner reads, in memory; not in the environment, and gone with the directory.
    #[test]
    fn the_password_is_in_the_passfile_and_nowhere_else() {
        let dir = RunDir::new().unwrap();
        let path = dir.path().to_owned();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        let handover = dir.write(&Name::parse("billing-db").unwrap(), taken("db.internal", Some("PEM"))).unwrap();
        for entry in std::fs::read_dir(&path).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            let holds = std::fs::read_to_string(entry.path()).unwrap().contains("hush");
            assert_eq!(holds, entry.path() == handover.passfile, "{}", entry.path().display());
        }
        assert_eq!(std::fs::read_to_string(&handover.passfile).unwrap(), "db.internal:5432:*:writ_t_1:hush\\:\\\\\n");
        assert!(handover.environment().iter().all(|(_, value)| !value.to_string_lossy().contains("hush")));
        assert!(handover.environment().contains(&("PGSSLMODE", OsString::from("verify-full"))));
        drop(dir);
        assert!(!path.exists());
    }

    #[test]
    fn a_unix_socket_is_found_in_the_passfile_by_both_its_names() {
        let lines = passfile(&taken("/run/postgresql", None).database, &Secret::new("x".to_owned()));
        assert_eq!(lines.expose(), "localhost:5432:*:writ_t_1:x\n/run/postgresql:5432:*:writ_t_1:x\n");
    }
}
