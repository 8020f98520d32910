//! `writ init`: the founders open a trust domain, and each signs the genesis; also on several machines, one after another.

mod example;
#[cfg(test)]
pub(crate) use example::FILES as EXAMPLE;
mod pending;

use crate::act::Question;
use crate::args::{Output, parsed};
use crate::failure::{Exit, Failure, Outcome};
use crate::head::Seen;
use crate::memory::Memory;
use crate::show::{note, plain, print, print_json};
use crate::sign::print_bytes;
use crate::signer::{Signer, read_public, read_text};
use crate::system::{OsRandom, now};
use clap::Args;
use pending::Pending;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use writ_credential::PublicKey;
use writ_ledger::body::{Founder, GenesisContent, PolicyText, Root, TextOfPolicy};
use writ_ledger::{Blob, Lane, Log, LogSigner, Salt, SignedAct, Staged};
use writ_policy::PolicySource;
use writ_store::{KeyDir, Options, SqliteStore};
use writ_types::{ActKind, Handle, OwnerRole, PartyId, Secret, TextValue as _, TrustDomain};

/// The name of the log key's file.
const LOG_KEY: &str = "log.key";

/// Open a trust domain: its founders sign the genesis
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The directory of the server, made if it is not there
    #[arg(long, value_name = "DIR", required_unless_present = "example")]
    dir: Option<PathBuf>,
    /// The trust domain, like `example.org`
    #[arg(long, value_name = "NAME", value_parser = parsed::<TrustDomain>, required_unless_present = "example")]
    trust_domain: Option<TrustDomain>,
    /// A founder and the founder's public key
    #[arg(long = "founder", value_name = "NAME=FILE", value_parser = named, required_unless_present = "example")]
    founders: Vec<(Handle, PathBuf)>,
    /// How many holders of `administer` enrol a key; two where there are two founders
    #[arg(long, value_name = "COUNT")]
    quorum: Option<u32>,
    /// A witness's verifier key
    #[arg(long = "witness", value_name = "VKEY")]
    witnesses: Vec<String>,
    /// Print the statement, to be signed on another machine with `ssh-keygen -Y sign -n writ.genesis`
    #[arg(long)]
    print: bool,
    /// A founder's signature that was made on another machine
    #[arg(long = "signature", value_name = "NAME=FILE", value_parser = named)]
    signatures: Vec<(Handle, PathBuf)>,
    /// A founder's private key; without it, the one beside the public key or in `ssh-agent`
    #[arg(long = "key", value_name = "NAME=FILE", value_parser = named)]
    keys: Vec<(Handle, PathBuf)>,
    /// A development domain, which every other server and verifier refuses
    #[arg(long)]
    dev: bool,
    /// Write a small estate to begin from into this directory
    #[arg(long, value_name = "DIR")]
    example: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

fn named(text: &str) -> Result<(Handle, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("it is like `alice=alice.pub`")?;
    let name = Handle::parse(name).map_err(|error| error.to_string())?;
    if file.is_empty() { Err("no file is named after `=`".to_owned()) } else { Ok((name, PathBuf::from(file))) }
}

impl Init {
    pub(crate) fn run(self) -> Outcome {
        if let Some(dir) = &self.example {
            example::write(dir)?;
            note(&format!("an estate to begin from is in {}", dir.display()));
        }
        let (Some(dir), Some(trust_domain)) = (&self.dir, &self.trust_domain) else { return Ok(Exit::Done) };
        let public = self.public_keys()?;
        let mut random = OsRandom::new()?;
        let keys = key_dir(dir)?;
        let mut pending = match Pending::read(dir)? {
            Some(pending) => {
                pending.is_of(trust_domain, &public, self.dev)?;
                pending
            }
            None => self.begin(trust_domain, &public, &keys, &mut random)?,
        };
        pending.renew(now(), &mut random)?;
        pending.write(dir)?;
        if self.print {
            note(&told(&pending.content));
            return print_bytes(&pending.statement()?.to_bytes()?);
        }
        let lacking = self.collect(&mut pending, &public, &mut random)?;
        pending.write(dir)?;
        if !lacking.is_empty() {
            let mut failure = Failure::new(
                Exit::Waiting,
                "not every founder has signed the genesis",
                "there: sign what `writ init … --print` prints with `ssh-keygen -Y sign -n writ.genesis`; here: `--signature NAME=FILE`",
            );
            failure.missing = lacking.iter().map(|name| format!("the signature of founder `{name}`")).collect();
            failure.who_can = lacking.iter().map(ToString::to_string).collect();
            return Err(failure);
        }
        self.open(dir, pending, &keys, &mut random)
    }

    fn public_keys(&self) -> Result<BTreeMap<Handle, PublicKey>, Failure> {
        let mut public = BTreeMap::new();
        for (name, file) in &self.founders {
            if public.insert(name.clone(), read_public(file)?).is_some() {
                return Err(Failure::usage(format!("founder `{name}` stands there twice"), "name each founder once"));
            }
        }
        let others = self.signatures.iter().chain(&self.keys).find(|(name, _)| !public.contains_key(name));
        match others {
            Some((name, _)) => Err(Failure::usage(format!("`{name}` is not a founder"), "add `--founder NAME=FILE`")),
            None => Ok(public),
        }
    }

    /// A genesis that nobody has signed yet.
    fn begin(
        &self,
        trust_domain: &TrustDomain,
        public: &BTreeMap<Handle, PublicKey>,
        keys: &KeyDir,
        random: &mut OsRandom,
    ) -> Result<Pending, Failure> {
        let origin = format!("{trust_domain}/writ");
        let (mut founders, mut blobs) = (Vec::new(), Vec::new());
        // In the order in which they were named: the first answers for control, business and platform.
        for (name, _) in &self.founders {
            let Some(key) = public.get(name) else { continue };
            let content = crate::people::name_content(name, None, None);
            let blob = Blob::new(content, Salt::mint(random)).map_err(Failure::bug)?;
            founders.push(Founder { party: PartyId::mint(random), name: blob.name(), key: key.to_string() });
            blobs.push(serde_json::from_slice(blob.bytes()).map_err(Failure::bug)?);
        }
        let quorum = self.quorum.unwrap_or_else(|| u32::try_from(founders.len().min(2)).unwrap_or(2));
        let content = GenesisContent {
            trust_domain: trust_domain.clone(),
            log_key: log_key(keys, &origin, random)?,
            root: root(&founders.iter().map(|founder| founder.party).collect::<Vec<_>>()),
            founders,
            quorum,
            witnesses: self.witnesses.clone(),
            dev: self.dev,
            policy: base_policy(),
            origin,
        };
        Pending::new(content, blobs, now(), random)
    }

    /// Takes every signature that can be had here; the founders who are lacking.
    fn collect(
        &self,
        pending: &mut Pending,
        public: &BTreeMap<Handle, PublicKey>,
        random: &mut OsRandom,
    ) -> Result<Vec<Handle>, Failure> {
        let content: Value = serde_json::to_value(&pending.content).map_err(Failure::bug)?;
        let origin = pending.content.origin.clone();
        let mut lacking = Vec::new();
        for (name, file) in &self.founders {
            let Some(key) = public.get(name) else { continue };
            let line = key.to_string();
            let Some(party) = pending.content.founders.iter().find(|founder| founder.key == line).map(|founder| founder.party)
            else {
                continue;
            };
            if pending.acts.iter().any(|act| act.by == party) {
                continue;
            }
            let of = |list: &[(Handle, PathBuf)]| list.iter().find(|(of, _)| of == name).map(|(_, file)| file.clone());
            let question = Question { origin: &origin, act: ActKind::Genesis, id: &origin, content: &content, roles: &[] };
            if let Some(signature) = of(&self.signatures) {
                let statement = pending.statement()?.to_value()?;
                pending.acts.push(question.answered(party, key, &statement, read_text(&signature)?)?);
                continue;
            }
            let private = of(&self.keys);
            let signer = Signer::of(private.as_deref().unwrap_or(file))?;
            if signer.public() != key {
                let message = format!("the key of founder `{name}` is another than the public key that was named");
                return Err(Failure::usage(message, "name the private half of that key"));
            }
            match question.answer(party, &signer, random) {
                Ok(act) => pending.acts.push(act),
                // A key that was named must sign; one that was only looked for may be on another machine.
                Err(failure) if private.is_some() => return Err(failure),
                Err(_) => lacking.push(name.clone()),
            }
        }
        Ok(lacking)
    }

    /// Makes the log with its first entries.
    fn open(&self, dir: &Path, pending: Pending, keys: &KeyDir, random: &mut OsRandom) -> Outcome {
        let Pending { content, blobs, acts, .. } = pending;
        let signed =
            |act: writ_wire::api::Act| SignedAct { by: act.by, key: act.key, statement: act.statement, sshsig: act.sshsig };
        let order = |act: &SignedAct| content.founders.iter().position(|founder| founder.party == act.by);
        let mut acts: Vec<SignedAct> = acts.into_iter().map(signed).collect();
        acts.sort_by_key(order);
        let entries = writ_plane::found(content.clone(), acts, now(), random)?;
        let blobs = blobs.iter().map(pending::open_blob).collect::<Result<Vec<_>, _>>()?;
        let signer = LogSigner::parse(&keys.read_text(LOG_KEY).map_err(failed)?).map_err(failed)?;
        let store = SqliteStore::create(dir, Options::default()).map_err(failed)?;
        let mut log = Log::open(store, |_, _| {}).map_err(failed)?;
        let staged = entries.into_iter().enumerate();
        let staged = staged.map(|(i, entry)| Staged { entry, blobs: if i == 0 { blobs.clone() } else { Vec::new() }, order: () });
        for committed in log.append(Lane::Grant, staged.collect()).map_err(failed)? {
            committed.into_order();
        }
        let checkpoint = log.sign_checkpoint(&signer).map_err(failed)?.to_string();
        let genesis = log.genesis().ok_or_else(|| Failure::bug("the log has no genesis"))?;
        Memory::open(None)?.begin(&content.origin, Seen { genesis, key: content.log_key.clone(), checkpoint })?;
        Pending::remove(dir)?;
        if self.output.is_json() {
            print_json(&json!({ "trust_domain": content.trust_domain, "origin": content.origin, "genesis": genesis }));
        } else {
            print(&told(&content));
            print(&format!(
                "genesis {genesis}\npin this hash: an auditor verifies the log with `writ log verify DIR --genesis {genesis}`\n\
                 next: `writ serve --dir {0}`, then `writ login --dir {0} --key FILE`",
                dir.display()
            ));
        }
        Ok(Exit::Done)
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::failed(error.to_string(), "mend it and run `writ init` again; what was signed so far is kept")
}

/// The verifier of the log's key, which is made if it is not there.
fn log_key(keys: &KeyDir, origin: &str, random: &mut OsRandom) -> Result<String, Failure> {
    if !keys.has(LOG_KEY).map_err(failed)? {
        let text: Secret<String> = LogSigner::mint(origin, random)?;
        keys.create(LOG_KEY, text.expose().as_bytes()).map_err(failed)?;
    }
    let signer = LogSigner::parse(&keys.read_text(LOG_KEY).map_err(failed)?).map_err(failed)?;
    Ok(signer.key().to_string())
}

/// The first founder answers for control, business and platform, the second for identity and security; each is the other's backup.
fn root(founders: &[PartyId]) -> Root {
    let mut root = Root { owners: BTreeMap::new(), backups: BTreeMap::new(), duties: BTreeMap::new() };
    let Some(first) = founders.first() else { return root };
    let second = founders.get(1).unwrap_or(first);
    for role in OwnerRole::ALL {
        let (owner, backup) = match role {
            OwnerRole::Control | OwnerRole::Business | OwnerRole::Platform => (first, second),
            OwnerRole::Identity | OwnerRole::Security => (second, first),
        };
        root.owners.insert(*role, *owner);
        if owner != backup {
            root.backups.insert(*role, *backup);
        }
    }
    root
}

fn base_policy() -> PolicyText {
    let base = PolicySource::base();
    let policies = base.policies().map(|(id, text)| TextOfPolicy { id: id.to_string(), text: text.to_owned() });
    PolicyText { schema: base.schema().to_owned(), policies: policies.collect() }
}

/// What the founders sign, for people.
fn told(content: &GenesisContent) -> String {
    let mut out = format!("trust domain {}, log {}\nlog key {}\n", content.trust_domain, content.origin, plain(&content.log_key));
    for founder in &content.founders {
        let holds = |map: &BTreeMap<OwnerRole, PartyId>| {
            let roles = map.iter().filter(|(_, party)| **party == founder.party).map(|(role, _)| role.to_string());
            roles.collect::<Vec<_>>().join(", ")
        };
        let fingerprint = PublicKey::from_line(&founder.key).map(|key| key.fingerprint().to_string()).unwrap_or_default();
        let (owners, backups) = (holds(&content.root.owners), holds(&content.root.backups));
        let backups = if backups.is_empty() { String::new() } else { format!("; backup for {backups}") };
        out.push_str(&format!("founder {} with {fingerprint}: {owners}{backups}\n", founder.party));
    }
    out.push_str(&format!("a key is enrolled by {} holders of `administer`\n", content.quorum));
    if content.founders.len() == 1 {
        out.push_str("one founder alone holds every power: a finding until a second person is enrolled\n");
    }
    if content.dev {
        out.push_str("a DEVELOPMENT domain: every other server and verifier refuses it\n");
    }
    out
}

/// The key directory below the server's directory, which has no log yet.
fn key_dir(dir: &Path) -> Result<KeyDir, Failure> {
    let wrong = |error: std::io::Error| Failure::file(dir, &error);
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(wrong)?;
    if dir.join("log.db").exists() {
        let message = format!("`{}` holds a log already", dir.display());
        return Err(Failure::failed(message, "serve it with `writ serve --dir DIR`, or name another directory"));
    }
    KeyDir::open(&dir.join("keys")).map_err(failed)
}
