//! The laws, told a second time: it reads what is durable and looks at what has left the server, and knows nothing of the
//! writer's state.

macro_rules! law {
    ($holds:expr, $($words:tt)*) => { if !$holds { return Err(format!($($words)*)); } };
}

mod holders;
mod tasks;

use crate::cast::ORIGIN;
use crate::{Backend, Outside};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use writ_credential::{Expected, PublicKey, verify_act};
use writ_ledger::body::{ApprovalContent, Body, BoundaryItem, ChangeContent, Delegation, Effect, Item, PartyType};
use writ_ledger::{Entry, SignedAct};
use writ_types::{
    ActKind, ChangeId, Closure, CredentialId, DecisionId, Digest, IdentityId, Name, OwnerRole, PartyId, ResourceId, Section,
    SqlName, TaskId, Time, canonical,
};

/// Seven days: law 7.
const REST: u64 = 7 * 86_400 * 1_000_000;
/// No X.509-SVID lives longer.
const SVID_LIFE: u64 = 3_600 * 1_000_000;

/// A law that does not hold, in words.
pub(crate) type Broken = String;

/// What the durable log says, as the laws need it.
#[derive(Debug, Default)]
pub struct Model {
    size: u64,
    last_at: Option<Time>,
    people: BTreeMap<PartyId, bool>,
    keys: BTreeMap<String, Key>,
    boundaries: BTreeMap<Name, Boundary>,
    identities: BTreeMap<IdentityId, Name>,
    resources: BTreeMap<ResourceId, Name>,
    changes: BTreeMap<ChangeId, ChangeContent>,
    signed: holders::Signed,
    decisions: BTreeMap<DecisionId, bool>,
    tasks: BTreeMap<TaskId, Task>,
    credentials: BTreeMap<CredentialId, Credential>,
    /// Whom each names; nobody for the server's own.
    certificates: BTreeMap<Digest, Option<IdentityId>>,
    acts: BTreeSet<Digest>,
    /// Passwords and certificates that have been seen outside.
    seen: BTreeSet<String>,
}

#[derive(Debug)]
struct Key {
    party: PartyId,
    line: String,
    at: Time,
    by: Vec<PartyId>,
    removed: bool,
}

#[derive(Debug)]
struct Boundary {
    item: Option<BoundaryItem>,
    owners: BTreeMap<OwnerRole, PartyId>,
    backups: BTreeMap<OwnerRole, PartyId>,
    signed: BTreeSet<Section>,
}

#[derive(Debug)]
struct Task {
    content: Delegation,
    proposal: Option<ApprovalContent>,
    approvers: BTreeSet<PartyId>,
    ends_at: Option<Time>,
    ended: bool,
}

#[derive(Debug)]
struct Credential {
    user: SqlName,
    task: TaskId,
    made: bool,
    over: bool,
    closed: bool,
}

impl Task {
    fn of(content: &Delegation, proposal: Option<ApprovalContent>) -> Self {
        Self { content: content.clone(), proposal, approvers: BTreeSet::new(), ends_at: None, ended: false }
    }
}

impl Model {
    /// How many entries were read.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Reads the next entry of the durable log.
    ///
    /// # Errors
    /// The law that it breaks.
    pub fn read(&mut self, entry: &Entry, body: &Body) -> Result<(), Broken> {
        law!(self.last_at.is_none_or(|last| last <= entry.at), "time goes back at entry {}", self.size);
        self.people(entry, body)?;
        self.estate(entry, body)?;
        self.tasks(entry, body)?;
        self.credentials(entry, body)?;
        (self.size, self.last_at) = (self.size + 1, Some(entry.at));
        Ok(())
    }

    /// One signature of an active person over exactly this, never used before.
    fn act<T: Serialize>(
        &mut self,
        entry: &Entry,
        by: Option<PartyId>,
        act: ActKind,
        id: &str,
        content: &T,
    ) -> Result<(), Broken> {
        let signed = entry.acts.iter().find(|act| by.is_none_or(|by| act.by == by));
        let Some(signed) = signed else { return Err(format!("entry {} has no signature by {by:?}", self.size)) };
        let key = self.keys.get(&signed.key).filter(|key| key.party == signed.by && !key.removed);
        let Some(key) = key else {
            return Err(format!("entry {}: key {} does not answer for {}", self.size, signed.key, signed.by));
        };
        law!(self.people.get(&signed.by) == Some(&true), "entry {}: {} is disabled", self.size, signed.by);
        let line = key.line.clone();
        self.signature(signed, &line, act, id, content)
    }

    fn signature<T: Serialize>(
        &mut self,
        signed: &SignedAct,
        line: &str,
        act: ActKind,
        id: &str,
        content: &T,
    ) -> Result<(), Broken> {
        let key = PublicKey::from_line(line).map_err(|error| error.to_string())?;
        let digest = Digest::of(&canonical(content).map_err(|error| error.to_string())?);
        let expected = Expected { origin: ORIGIN, act, id, digest };
        verify_act(signed.by, &key, &signed.statement, &signed.sshsig, expected, None)
            .map_err(|error| format!("entry {}: {error}", self.size))?;
        let used = Digest::of(signed.sshsig.as_bytes());
        law!(self.acts.insert(used), "entry {}: a signature is used twice", self.size);
        Ok(())
    }

    fn people(&mut self, entry: &Entry, body: &Body) -> Result<(), Broken> {
        match body {
            Body::Genesis(genesis) => {
                for founder in &genesis.content.founders {
                    self.people.insert(founder.party, true);
                    let signed = entry.acts.iter().find(|act| act.by == founder.party).ok_or("a founder has not signed")?;
                    self.signature(signed, &founder.key, ActKind::Genesis, ORIGIN, &genesis.content)?;
                }
                let (owners, backups) = (genesis.content.root.owners.clone(), genesis.content.root.backups.clone());
                let root = Boundary { item: None, owners, backups, signed: BTreeSet::new() };
                self.boundaries.insert(crate::estate::name("root"), root);
            }
            Body::PartySet(set) if set.party.kind == PartyType::Person => {
                self.people.entry(set.party.party).or_insert(true);
            }
            Body::PartyDisabled(it) => {
                self.people.insert(it.party, false);
                self.unsign(|_, by| *by == it.party);
            }
            Body::PartyEnabled(it) => _ = self.people.insert(it.party, true),
            Body::KeyEnrolled(it) => {
                law!(!self.keys.contains_key(&it.fingerprint), "key {} is enrolled twice", it.fingerprint);
                self.enrolled(it)?;
                let key = Key { party: it.party, line: it.key.clone(), at: entry.at, by: it.enrolled_by.clone(), removed: false };
                self.keys.insert(it.fingerprint.clone(), key);
            }
            Body::KeyRemoved(it) => {
                if let Some(key) = self.keys.get_mut(&it.fingerprint) {
                    key.removed = true;
                }
                self.unsign(|key, _| *key == it.fingerprint);
            }
            Body::ChangeFiled(filed) => {
                self.act(entry, Some(filed.content.filer), ActKind::Change, &filed.content.change.to_string(), &filed.content)?;
                self.changes.insert(filed.content.change, filed.content.clone());
                entry.acts.iter().for_each(|act| self.signs(filed.content.change, act));
            }
            Body::ChangeSigned(signed) => {
                let content = self.changes.get(&signed.change).cloned().ok_or("a change set that nobody filed is signed")?;
                let act = entry.acts.first().ok_or("a change set is signed by nobody")?;
                let new = content.items.iter().find_map(|item| match item {
                    Item::Key(key) if key.party == act.by && !self.keys.contains_key(&act.key) => Some(key.key.clone()),
                    _ => None,
                });
                let id = signed.change.to_string();
                match new {
                    Some(line) => self.signature(act, &line, ActKind::Change, &id, &content)?,
                    None => self.act(entry, None, ActKind::Change, &id, &content)?,
                }
                self.signs(signed.change, act);
            }
            Body::ChangeWithdrawn(it) => {
                let content = self.changes.remove(&it.change).ok_or("a change set that does not wait is withdrawn")?;
                self.act(entry, Some(content.filer), ActKind::Refuse, &it.change.to_string(), &content)?;
            }
            Body::SessionOpened(it) => {
                let challenge = it.content.get("challenge").and_then(|text| text.as_str()).unwrap_or_default().to_owned();
                self.act(entry, Some(it.party), ActKind::Login, &challenge, &it.content)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn estate(&mut self, entry: &Entry, body: &Body) -> Result<(), Broken> {
        match body {
            Body::BoundarySet(it) => self.boundary(it)?,
            Body::CharterSigned(it) => {
                law!(self.owner(&it.boundary, it.section.role()) == Some(it.by), "{} did not answer for it", it.by);
                let boundary = self.boundaries.get_mut(&it.boundary).ok_or("a charter without a boundary")?;
                boundary.signed.insert(it.section);
            }
            Body::CharterVoided(it) => {
                if let Some(boundary) = self.boundaries.get_mut(&it.boundary) {
                    boundary.signed.remove(&it.section);
                }
            }
            Body::IdentitySet(it) => _ = self.identities.insert(it.identity.identity, it.identity.boundary.clone()),
            Body::IdentityRetired(it) => _ = self.identities.remove(&it.identity),
            Body::ResourceSet(it) => _ = self.resources.insert(it.resource.resource, it.resource.boundary.clone()),
            Body::DecisionMade(it) => {
                let allowed = it.refused.is_none() && it.evaluations.last().is_none_or(|last| last.effect == Effect::Allow);
                self.decisions.insert(it.decision, allowed);
            }
            Body::SvidsIssued(it) => {
                for row in &it.rows {
                    self.chartered(&row.identity)?;
                    let life = row.expires.micros().saturating_sub(entry.at.micros());
                    law!(life > 0 && life <= SVID_LIFE, "a document lives for {life} µs");
                    self.certificates.insert(row.tbs, Some(row.identity));
                }
                self.allowed(entry)?;
            }
            Body::AuthorityChanged(it) => _ = self.certificates.insert(it.tbs, None),
            _ => {}
        }
        Ok(())
    }

    /// Who holds a role: the nearest owner, or the backup while the owner is disabled.
    fn owner(&self, boundary: &Name, role: OwnerRole) -> Option<PartyId> {
        let active = |party: &&PartyId| self.people.get(*party) == Some(&true);
        let mut name = Some(boundary.clone());
        while let Some(boundary) = name.and_then(|name| self.boundaries.get(&name)) {
            if let Some(owner) = boundary.owners.get(&role) {
                return Some(owner).filter(active).or_else(|| boundary.backups.get(&role).filter(active)).copied();
            }
            name = boundary.item.as_ref().map(|item| item.parent.clone());
        }
        None
    }

    /// Law 2: five roles held by active people, four sections signed.
    fn chartered(&self, identity: &IdentityId) -> Result<(), Broken> {
        let boundary = self.identities.get(identity).ok_or_else(|| format!("{identity} is not an identity"))?;
        for role in OwnerRole::ALL {
            law!(self.owner(boundary, *role).is_some(), "nobody is {role} owner of {boundary}");
        }
        let signed = self.boundaries.get(boundary).map(|boundary| boundary.signed.len());
        law!(signed == Some(Section::ALL.len()), "the charter of {boundary} is not signed");
        Ok(())
    }

    /// Law 2: an allow decision stands behind it.
    fn allowed(&self, entry: &Entry) -> Result<(), Broken> {
        let allowed = entry.decision.and_then(|decision| self.decisions.get(&decision)) == Some(&true);
        law!(allowed, "entry {} rests on no decision that allows it", self.size);
        Ok(())
    }

    fn credentials(&mut self, entry: &Entry, body: &Body) -> Result<(), Broken> {
        match body {
            Body::CredentialGranted(it) => {
                self.allowed(entry)?;
                self.chartered(&it.identity)?;
                let task = self.open(&it.task)?;
                let ends_at = task.ends_at.ok_or("a credential of a task that does not run")?;
                law!(task.content.actor == it.identity, "{} holds a credential of another's task", it.identity);
                law!(entry.at < it.expires && it.expires <= ends_at, "credential {} outlives its task", it.credential);
                let granted = task.content.grants.iter().find(|grant| grant.resource == it.resource);
                law!(granted.is_some_and(|grant| it.actions.is_subset(&grant.actions)), "{} exceeds its task", it.credential);
                let new = Credential { user: it.user.clone(), task: it.task, made: false, over: false, closed: false };
                law!(self.credentials.insert(it.credential, new).is_none(), "{} is granted twice", it.credential);
            }
            Body::CredentialMade(it) => {
                let known = self.known(&it.credential)?;
                law!(!known.over && !known.made, "{} is made after its end", it.credential);
                known.made = true;
            }
            Body::CredentialFailed(it) => self.known(&it.credential)?.over = true,
            Body::CredentialRevoked(it) => self.known(&it.credential)?.over = true,
            Body::ClosureReported(it) => {
                let known = self.known(&it.credential)?;
                law!(known.over, "{} is closed before its end", it.credential);
                known.closed |= it.state == Closure::Closed && it.tidy;
            }
            _ => {}
        }
        Ok(())
    }

    fn known(&mut self, id: &CredentialId) -> Result<&mut Credential, Broken> {
        self.credentials.get_mut(id).ok_or_else(|| format!("credential {id} was never granted"))
    }

    /// What has left the server rests on what is durable, and what is closed is gone.
    ///
    /// # Errors
    /// The law that is broken.
    pub fn look(&mut self, outside: &Outside, backend: &Backend) -> Result<(), Broken> {
        for certificate in &outside.certificates {
            let known = self.certificates.get(&certificate.tbs);
            let Some(identity) = known else { return Err(format!("certificate {} is not in the log", certificate.serial)) };
            // Law 1: what ended one entry before it came out does not come out.
            if self.seen.insert(certificate.serial.clone())
                && let Some(identity) = identity
            {
                self.chartered(identity)?;
            }
        }
        for id in outside.passwords.keys().filter(|id| !self.seen.contains(&id.to_string())) {
            let counts = self.credentials.get(id).is_some_and(|credential| !credential.over);
            law!(counts, "the password of {id} came out after its end");
        }
        self.seen.extend(outside.passwords.keys().map(ToString::to_string));
        for (id, user) in &outside.passwords {
            let made = self.credentials.get(id).is_some_and(|credential| credential.made && credential.user == *user);
            law!(made, "the password of {id} is out, and its making is not in the log");
        }
        for (user, role) in backend.roles() {
            let known = self.credentials.get(&role.credential).ok_or_else(|| format!("role {user} is not in the log"))?;
            law!(known.user == *user, "role {user} is not the one of {}", role.credential);
            law!(!known.closed, "role {user} lives, and is CLOSED in the log");
        }
        // Law 4: whatever ended took its credentials along.
        for (id, credential) in &self.credentials {
            let ended = self.tasks.get(&credential.task).is_none_or(|task| task.ended);
            law!(!ended || credential.over, "task {} has ended, and credential {id} counts", credential.task);
        }
        Ok(())
    }

    /// After everything is healed and every deadline has passed, nothing is left.
    ///
    /// # Errors
    /// What is left.
    pub fn nothing_is_left(&self, backend: &Backend) -> Result<(), Broken> {
        law!(backend.roles().next().is_none(), "a role is left: {:?}", backend.roles().next());
        for (id, task) in &self.tasks {
            law!(task.ended, "task {id} has not ended");
        }
        for (id, credential) in &self.credentials {
            law!(credential.over && credential.closed, "credential {id} is not closed");
        }
        Ok(())
    }

    /// How many tasks were started and credentials made: a schedule that did nothing proves nothing.
    pub fn work(&self) -> (usize, usize) {
        let started = self.tasks.values().filter(|task| task.ends_at.is_some()).count();
        (started, self.credentials.values().filter(|credential| credential.made).count())
    }
}
