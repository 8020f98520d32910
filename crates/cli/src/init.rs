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
use crate::people::People;
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
use writ_ledger::{Blob, Lane, Log, LogSigner, Salt, SignedAct, Staged, WitnessKey};
use writ_policy::PolicySource;
use writ_store::{KeyDir, Options, SqliteStore};
use writ_types::{ActKind, Handle, OwnerRole, PartyId, Secret, TextValue as _, TrustDomain};

/// The name of the log key's file.
const LOG_KEY: &str = "log.key";
/// The directory of key files below the server's.
const KEYS: &str = "keys";

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
    #[arg(long = "witness", value_name = "VKEY", value_parser = parsed::<WitnessKey>)]
    witnesses: Vec<WitnessKey>,
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
        let mut begun = match Pending::read(dir)? {
            Some(pending) => {
                let same = |flag: bool| if flag { Ok(()) } else { Err(pending.begun_otherwise()) };
                pending.is_of(trust_domain, &public, self.dev)?;
                same(self.quorum.is_none_or(|quorum| quorum == pending.content.quorum))?;
                same(self.witnesses.is_empty() || self.witnesses == pending.content.witnesses)?;
                Begun { pending, log_key: None }
            }
            None => self.begin(dir, trust_domain, &public, &mut random)?,
        };
        let names = begun.pending.names();
        begun.pending.renew(now(), &mut random)?;
        // Nothing is kept of what does not hold: the next call begins anew.
        let wrong = writ_plane::genesis_problems(&begun.pending.content);
        if !wrong.is_empty() {
            let mut failure =
                Failure::usage("the genesis does not hold", "mend each and run `writ init` again; nothing was written");
            failure.missing = wrong.iter().map(|wrong| names.spell(wrong)).collect();
            return Err(failure);
        }
        if self.print {
            begun.keep(dir)?;
            note(&told(&begun.pending.content, &names));
            return print_bytes(&begun.pending.statement()?.to_bytes()?);
        }
        let lacking = self.collect(&mut begun.pending, &public, &mut random)?;
        if !lacking.is_empty() {
            begun.keep(dir)?;
            let mut failure = Failure::new(
                Exit::Waiting,
                "not every founder has signed the genesis",
                "there: sign what `writ init … --print` prints with `ssh-keygen -Y sign -n writ.genesis`; here: `--signature NAME=FILE`",
            );
            failure.missing = lacking.iter().map(|name| format!("the signature of founder `{name}`")).collect();
            failure.who_can = lacking.iter().map(ToString::to_string).collect();
            return Err(failure);
        }
        self.open(dir, begun, &names, &mut random)
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
        dir: &Path,
        trust_domain: &TrustDomain,
        public: &BTreeMap<Handle, PublicKey>,
        random: &mut OsRandom,
    ) -> Result<Begun, Failure> {
        vacant(dir)?;
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
        let (log_key, verifier) = log_key(dir, &origin, random)?;
        let quorum = self.quorum.unwrap_or_else(|| u32::try_from(founders.len().min(2)).unwrap_or(2));
        let content = GenesisContent {
            trust_domain: trust_domain.clone(),
            log_key: verifier,
            root: root(&founders.iter().map(|founder| founder.party).collect::<Vec<_>>()),
            founders,
            quorum,
            witnesses: self.witnesses.clone(),
            dev: self.dev,
            policy: base_policy(),
            origin,
        };
        Ok(Begun { pending: Pending::new(content, blobs, now(), random)?, log_key })
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
    fn open(&self, dir: &Path, begun: Begun, names: &People, random: &mut OsRandom) -> Outcome {
        vacant(dir)?;
        let Pending { content, blobs, acts, .. } = begun.pending.clone();
        let signed =
            |act: writ_wire::api::Act| SignedAct { by: act.by, key: act.key, statement: act.statement, sshsig: act.sshsig };
        let order = |act: &SignedAct| content.founders.iter().position(|founder| founder.party == act.by);
        let mut acts: Vec<SignedAct> = acts.into_iter().map(signed).collect();
        acts.sort_by_key(order);
        let entries = writ_plane::found(content.clone(), acts, now(), random)?;
        let blobs = blobs.iter().map(pending::open_blob).collect::<Result<Vec<_>, _>>()?;
        let keys = begun.keep(dir)?;
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
            print(&told(&content, names));
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

/// A genesis on its way, and the log's key where it is not in the directory yet.
struct Begun {
    pending: Pending,
    log_key: Option<Secret<String>>,
}

impl Begun {
    /// Writes it into the directory.
    fn keep(&self, dir: &Path) -> Result<KeyDir, Failure> {
        let wrong = |error: std::io::Error| Failure::file(dir, &error);
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(wrong)?;
        let keys = KeyDir::open(&dir.join(KEYS)).map_err(failed)?;
        if let Some(key) = &self.log_key {
            keys.create(LOG_KEY, key.expose().as_bytes()).map_err(failed)?;
        }
        self.pending.write(dir)?;
        Ok(keys)
    }
}

/// The log's key as it is in the directory, or a new one; and its verifier.
fn log_key(dir: &Path, origin: &str, random: &mut OsRandom) -> Result<(Option<Secret<String>>, String), Failure> {
    let keys = dir.join(KEYS);
    let known = match keys.exists() {
        true => KeyDir::open(&keys).and_then(|keys| keys.has(LOG_KEY).map(|has| has.then_some(keys))).map_err(failed)?,
        false => None,
    };
    let verifier = |text: &Secret<String>| LogSigner::parse(text).map(|signer| signer.key().to_string()).map_err(failed);
    if let Some(keys) = known {
        return Ok((None, verifier(&keys.read_text(LOG_KEY).map_err(failed)?)?));
    }
    let minted = LogSigner::mint(origin, random)?;
    let verifier = verifier(&minted)?;
    Ok((Some(minted), verifier))
}

/// Refuses a directory that holds a log.
fn vacant(dir: &Path) -> Result<(), Failure> {
    if dir.join("log.db").exists() {
        let message = format!("`{}` holds a log already", dir.display());
        return Err(Failure::failed(message, "serve it with `writ serve --dir DIR`, or name another directory"));
    }
    Ok(())
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
fn told(content: &GenesisContent, names: &People) -> String {
    let mut out = format!("trust domain {}, log {}\nlog key {}\n", content.trust_domain, content.origin, plain(&content.log_key));
    for founder in &content.founders {
        let holds = |map: &BTreeMap<OwnerRole, PartyId>| {
            let roles = map.iter().filter(|(_, party)| **party == founder.party).map(|(role, _)| role.to_string());
            roles.collect::<Vec<_>>().join(", ")
        };
        let fingerprint = PublicKey::from_line(&founder.key).map(|key| key.fingerprint().to_string()).unwrap_or_default();
        let (owners, backups) = (holds(&content.root.owners), holds(&content.root.backups));
        let backups = if backups.is_empty() { String::new() } else { format!("; backup for {backups}") };
        out.push_str(&format!("founder {} with {fingerprint}: {owners}{backups}\n", names.handle(&founder.party)));
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
