//! Signatures taken out, for stock `ssh-keygen -Y verify` to judge.

use super::prove::Proven;
use crate::failure::Failure;
use crate::link::Link;
use crate::show::plain;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use writ_credential::{PublicKey, Statement, allowed_signers_line};
use writ_ledger::body::{Body, Genesis};
use writ_types::{ActKind, PartyId};
use writ_wire::api::EntryView;

/// What was written.
pub(super) struct Written {
    pub(super) told: String,
    pub(super) left_out: bool,
}

/// Writes `allowed_signers` and, for each act, its message and signature. A key that is no longer known is left out, and said.
pub(super) fn export(link: &Link, entries: &[Proven], dir: &Path) -> Result<Written, Failure> {
    std::fs::create_dir_all(dir).map_err(|error| Failure::file(dir, &error))?;
    let keys = keys(link)?;
    let mut signers: BTreeMap<(PartyId, String), BTreeSet<ActKind>> = BTreeMap::new();
    let (mut commands, mut left_out) = (Vec::new(), Vec::new());
    for Proven { index, entry } in entries {
        for (place, act) in entry.acts.iter().enumerate() {
            let statement = Statement::from_value(&act.statement)?;
            if !keys.contains_key(&act.key) {
                left_out.push(format!("the key {} of entry {index} is not known any more", plain(&act.key)));
                continue;
            }
            let name = format!("{index}-{place}-{}", statement.act);
            write(&dir.join(format!("{name}.json")), &statement.to_bytes()?)?;
            write(&dir.join(format!("{name}.json.sig")), act.sshsig.as_bytes())?;
            signers.entry((act.by, act.key.clone())).or_default().insert(statement.act);
            commands.push(format!(
                "ssh-keygen -Y verify -f allowed_signers -I {} -n {} -s {name}.json.sig < {name}.json",
                act.by,
                statement.act.namespace()
            ));
        }
    }
    let mut allowed = String::new();
    for ((party, key), acts) in &signers {
        if let Some(key) = keys.get(key) {
            allowed.push_str(&allowed_signers_line(party, &acts.iter().copied().collect::<Vec<_>>(), key));
        }
    }
    write(&dir.join("allowed_signers"), allowed.as_bytes())?;
    let mut told = format!("{} signatures are in {}; in it, run\n", commands.len(), dir.display());
    commands.iter().for_each(|command| told.push_str(&format!("  {command}\n")));
    left_out.iter().for_each(|what| told.push_str(&format!("left out: {what}\n")));
    Ok(Written { told, left_out: !left_out.is_empty() })
}

/// The keys by fingerprint: those in force, and the founders'.
fn keys(link: &Link) -> Result<BTreeMap<String, PublicKey>, Failure> {
    let mut lines: Vec<String> = link.estate()?.keys.iter().map(|key| key.key.clone()).collect();
    let genesis: EntryView = link.get("/v1/log/entries/0")?;
    let body = genesis.entry.get("body").cloned().unwrap_or_default();
    if let Ok(Body::Genesis(genesis)) = Body::decode("log.genesis", &body) {
        let Genesis { content } = *genesis;
        lines.extend(content.founders.into_iter().map(|founder| founder.key));
    }
    let keys = lines.iter().filter_map(|line| PublicKey::from_line(line).ok());
    Ok(keys.map(|key| (key.fingerprint().to_string(), key)).collect())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| Failure::file(path, &error))?;
    file.write_all(bytes).map_err(|error| Failure::file(path, &error))
}
