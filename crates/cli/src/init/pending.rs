//! A genesis that not every founder has signed yet, kept in the server's directory between runs.

use crate::act::Question;
use crate::failure::Failure;
use crate::system::OsRandom;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use writ_credential::{PublicKey, Statement};
use writ_ledger::Blob;
use writ_ledger::body::GenesisContent;
use writ_types::{ActKind, Digest, Handle, Time, TrustDomain, Ttl, canonical};
use writ_wire::api::Act;

/// A printed statement that counts for less than this is printed anew.
const LEFT: Ttl = Ttl::from_seconds(3_600);

/// A genesis, its blobs, the statement that is printed, and the signatures so far.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pending {
    pub(super) content: GenesisContent,
    pub(super) blobs: Vec<Value>,
    statement: Value,
    pub(super) acts: Vec<Act>,
}

impl Pending {
    pub(super) fn new(content: GenesisContent, blobs: Vec<Value>, now: Time, random: &mut OsRandom) -> Result<Self, Failure> {
        let mut pending = Self { content, blobs, statement: Value::Null, acts: Vec::new() };
        pending.renew(now, random)?;
        Ok(pending)
    }

    /// What every founder signs.
    pub(super) fn statement(&self) -> Result<Statement, Failure> {
        Ok(Statement::from_value(&self.statement)?)
    }

    /// Makes a new statement where the old one is about to expire, and drops signatures that have expired.
    pub(super) fn renew(&mut self, now: Time, random: &mut OsRandom) -> Result<(), Failure> {
        let lasts = |value: &Value, ttl| Statement::from_value(value).is_ok_and(|statement| statement.expires > now.after(ttl));
        self.acts.retain(|act| lasts(&act.statement, Ttl::from_seconds(60)));
        if lasts(&self.statement, LEFT) {
            return Ok(());
        }
        let content = serde_json::to_value(&self.content).map_err(Failure::bug)?;
        let origin = self.content.origin.as_str();
        let question = Question { origin, act: ActKind::Genesis, id: origin, content: &content, roles: &[] };
        self.statement = question.elsewhere(random)?.to_value()?;
        Ok(())
    }

    /// Refuses to go on with another domain or other founders than those that were begun with.
    pub(super) fn is_of(&self, domain: &TrustDomain, public: &BTreeMap<Handle, PublicKey>, dev: bool) -> Result<(), Failure> {
        let begun: BTreeSet<&str> = self.content.founders.iter().map(|founder| founder.key.as_str()).collect();
        let named: BTreeSet<String> = public.values().map(ToString::to_string).collect();
        let same = begun.len() == named.len() && named.iter().all(|key| begun.contains(key.as_str()));
        if self.content.trust_domain == *domain && same && self.content.dev == dev {
            return Ok(());
        }
        Err(Failure::usage(
            format!("a genesis of `{}` was begun here with other founders or flags", self.content.trust_domain),
            format!("repeat it as it was begun, or remove `{FILE}` from the directory to begin anew"),
        ))
    }

    pub(super) fn read(dir: &Path) -> Result<Option<Self>, Failure> {
        let path = path(dir);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::file(&path, &error)),
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| Failure::failed(format!("`{}` can't be read", path.display()), "remove it to begin anew"))
    }

    pub(super) fn write(&self, dir: &Path) -> Result<(), Failure> {
        let (path, temporary) = (path(dir), dir.join(format!("{FILE}.new")));
        let bytes = serde_json::to_vec(self).map_err(Failure::bug)?;
        let write = || {
            let _ = std::fs::remove_file(&temporary);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&temporary, &path)
        };
        write().map_err(|error| Failure::file(&path, &error))
    }

    pub(super) fn remove(dir: &Path) -> Result<(), Failure> {
        let path = path(dir);
        std::fs::remove_file(&path).map_err(|error| Failure::file(&path, &error))
    }
}

/// The file's name.
const FILE: &str = "genesis.pending.json";

fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// A blob from its JSON.
pub(super) fn open_blob(blob: &Value) -> Result<Blob, Failure> {
    let bytes = canonical(blob).map_err(Failure::bug)?;
    Blob::open(Digest::of(&bytes), bytes).map_err(Failure::bug)
}
