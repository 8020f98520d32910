//! Which credentials there are, and how far the end of each has come.

use std::collections::{BTreeMap, BTreeSet};
use writ_types::{
    Closure, CredentialId, CredentialKind, CutDatabaseUser, IdentityId, Name, ResourceId, RevocationClass, SqlName, TaskId, Time,
};

/// All credentials of tasks, and by which way each is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Credentials {
    all: BTreeMap<CredentialId, Credential>,
    by_task: BTreeMap<TaskId, BTreeSet<CredentialId>>,
    /// Those that count, by their end.
    expiring: BTreeSet<(Time, CredentialId)>,
    /// Those that count, and those that are not closed and tidy everywhere.
    unclosed: BTreeSet<CredentialId>,
}

/// One credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Credential {
    /// Its kind.
    pub kind: CredentialKind,
    /// Its task.
    pub task: TaskId,
    /// Who holds it.
    pub identity: IdentityId,
    /// Where it is good.
    pub resource: ResourceId,
    /// For what.
    pub actions: BTreeSet<Name>,
    /// The database user.
    pub user: SqlName,
    /// The databases.
    pub databases: Vec<SqlName>,
    /// When it ends.
    pub expires: Time,
    /// What its revocation promises.
    pub class: RevocationClass,
    /// The entry that granted it.
    pub granted: u64,
    /// Where it stands.
    pub phase: CredentialPhase,
    /// The entry that says so: the grant, or what followed it.
    pub phased: u64,
    /// What is known of its end, by point.
    pub closure: BTreeMap<String, Known>,
}

/// Where a credential stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialPhase {
    /// Intended; what the backend did is not known.
    Granted,
    /// The backend made it.
    Made,
    /// The backend did not make it; what may exist is undone.
    Failed,
    /// It counts no longer.
    Revoked,
}

/// What is known at one point.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Known {
    /// The state.
    pub state: Closure,
    /// True if what it left behind is cleaned up.
    pub tidy: bool,
    /// Since when the state is this.
    pub since: Time,
    /// When it is tried again.
    pub next_try: Option<Time>,
    /// The entry that says so.
    pub index: u64,
}

impl Credentials {
    /// One credential.
    pub fn get(&self, id: &CredentialId) -> Option<&Credential> {
        self.all.get(id)
    }

    /// All credentials.
    pub fn iter(&self) -> impl Iterator<Item = (&CredentialId, &Credential)> {
        self.all.iter()
    }

    /// The credentials of one task.
    pub fn of_task(&self, task: &TaskId) -> impl Iterator<Item = (&CredentialId, &Credential)> {
        let ids = self.by_task.get(task).into_iter().flatten();
        ids.filter_map(|id| self.all.get_key_value(id))
    }

    /// Those that count, and those that are not closed and tidy everywhere.
    pub fn unclosed(&self) -> impl Iterator<Item = (&CredentialId, &Credential)> {
        self.unclosed.iter().filter_map(|id| self.all.get_key_value(id))
    }

    /// Those that count though their time is up at `now`.
    pub(crate) fn due(&self, now: Time) -> impl Iterator<Item = &CredentialId> {
        self.expiring.iter().take_while(move |(expires, _)| *expires <= now).map(|(_, id)| id)
    }

    /// Folds a grant.
    pub(super) fn put(&mut self, id: CredentialId, credential: Credential) {
        self.by_task.entry(credential.task).or_default().insert(id);
        self.expiring.insert((credential.expires, id));
        self.unclosed.insert(id);
        self.all.insert(id, credential);
    }

    /// Folds a change of one credential.
    pub(super) fn change(&mut self, id: &CredentialId, change: impl FnOnce(&mut Credential)) {
        let Some(credential) = self.all.get_mut(id) else { return };
        change(credential);
        if !credential.counts() {
            self.expiring.remove(&(credential.expires, *id));
        }
        if credential.is_over() {
            self.unclosed.remove(id);
        } else {
            self.unclosed.insert(*id);
        }
    }
}

impl Credential {
    /// True until it is revoked or failed.
    pub const fn counts(&self) -> bool {
        matches!(self.phase, CredentialPhase::Granted | CredentialPhase::Made)
    }

    /// True once it is closed and what it left behind is cleaned up, at every point.
    pub fn is_over(&self) -> bool {
        self.closure() == Some(Closure::Closed) && self.closure.values().all(|known| known.tidy)
    }

    /// The state of its end over all points: CLOSED only if every point says so.
    pub fn closure(&self) -> Option<Closure> {
        if self.counts() {
            return None;
        }
        let states: BTreeSet<Closure> = self.closure.values().map(|known| known.state).collect();
        Some(match (states.len(), states.first()) {
            (0, _) => Closure::Open,
            (1, Some(state)) => *state,
            _ if states.contains(&Closure::Unknown) => Closure::Unknown,
            _ => Closure::Partial,
        })
    }

    /// The order that ends it.
    pub(crate) fn cut(&self, id: CredentialId, epoch: u64) -> CutDatabaseUser {
        CutDatabaseUser {
            credential: id,
            resource: self.resource,
            user: self.user.clone(),
            databases: self.databases.clone(),
            epoch,
        }
    }
}
