//! Which tasks there are.

use super::limits::{APPROVAL_LIFE, START_WITHIN};
use std::collections::{BTreeMap, BTreeSet};
use writ_ledger::body::{Delegation, Proposal};
use writ_types::{DecisionId, IdentityId, Name, PartyId, ResourceId, Scope, TaskEnd, TaskId, Time};

/// All tasks, and which of them are open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Tasks {
    all: BTreeMap<TaskId, Task>,
    /// Those that have not ended.
    open: BTreeSet<TaskId>,
    /// Those that have not ended, by when time ends them.
    due: BTreeSet<(Time, TaskId)>,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Task {
    /// What the delegator signed; while it is only wanted, what the actor asks for by itself.
    pub content: Delegation,
    /// What approvers sign; none if no approval is needed.
    pub proposal: Option<Proposal>,
    /// The entry that requested it, or in which its actor did.
    pub requested: u64,
    /// When it was requested.
    pub requested_at: Time,
    /// The decision on the request.
    pub decision: Option<DecisionId>,
    /// Who approved, and the entries that say so.
    pub approvals: BTreeMap<PartyId, u64>,
    /// Where it stands.
    pub phase: Phase,
    /// The last entry that changed it.
    pub version: u64,
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Its actor asks for it by itself, and nobody has delegated it.
    Requested,
    /// It waits for approval.
    Awaiting,
    /// It can start.
    Approved {
        /// Since when.
        at: Time,
        /// The entry that says so.
        index: u64,
    },
    /// It runs.
    Live {
        /// When it ends at the latest.
        ends_at: Time,
        /// The entry that says so.
        index: u64,
    },
    /// It is over.
    Ended {
        /// Why.
        end: TaskEnd,
        /// When.
        at: Time,
        /// The entry that says so.
        index: u64,
    },
}

impl Tasks {
    /// One task.
    pub fn get(&self, id: &TaskId) -> Option<&Task> {
        self.all.get(id)
    }

    /// All tasks.
    pub fn iter(&self) -> impl Iterator<Item = (&TaskId, &Task)> {
        self.all.iter()
    }

    /// Tasks that have not ended.
    pub fn open(&self) -> impl Iterator<Item = (&TaskId, &Task)> {
        self.open.iter().filter_map(|id| self.all.get_key_value(id))
    }

    /// Tasks that have not ended though their time is up at `now`.
    pub(crate) fn due(&self, now: Time) -> impl Iterator<Item = (&TaskId, &Task)> {
        let due = self.due.iter().take_while(move |(at, _)| *at <= now);
        due.filter_map(|(_, id)| self.all.get_key_value(id))
    }

    /// Folds a request. What its actor asked for by itself gives way to it.
    pub(super) fn put(&mut self, id: TaskId, task: Task) {
        if let Some(at) = self.all.get(&id).and_then(Task::ends_by) {
            self.due.remove(&(at, id));
        }
        self.open.insert(id);
        self.due.extend(task.ends_by().map(|at| (at, id)));
        self.all.insert(id, task);
    }

    /// Folds a change of one task.
    pub(super) fn change(&mut self, id: &TaskId, version: u64, change: impl FnOnce(&mut Task)) {
        let Some(task) = self.all.get_mut(id) else { return };
        if let Some(at) = task.ends_by() {
            self.due.remove(&(at, *id));
        }
        change(task);
        task.version = version;
        match task.ends_by() {
            Some(at) => self.due.insert((at, *id)),
            None => self.open.remove(id),
        };
    }
}

impl Task {
    /// True once it is over.
    pub const fn is_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended { .. })
    }

    /// When time alone ends it, unless it is over.
    pub fn ends_by(&self) -> Option<Time> {
        match &self.phase {
            Phase::Requested => Some(self.requested_at.after(APPROVAL_LIFE)),
            Phase::Awaiting => Some(self.proposal.as_ref().map_or(self.requested_at, |proposal| proposal.content.expires)),
            Phase::Approved { at, .. } => Some(at.after(START_WITHIN)),
            Phase::Live { ends_at, .. } => Some(*ends_at),
            Phase::Ended { .. } => None,
        }
    }

    /// When it ends, if it runs at `now`: a deadline that has passed has passed, whoever noticed (law 8).
    pub fn live_until(&self, now: Time) -> Option<Time> {
        match self.phase {
            Phase::Live { ends_at, .. } if ends_at > now => Some(ends_at),
            _ => None,
        }
    }

    /// Who acts.
    pub const fn actor(&self) -> IdentityId {
        self.content.actor
    }

    /// What it may reach.
    pub fn scope(&self) -> Scope {
        Scope::new(
            self.content
                .grants
                .iter()
                .map(|grant| writ_types::Grant { resource: grant.resource, actions: grant.actions.clone() }),
        )
    }

    /// Every action on every resource.
    pub fn actions(&self) -> impl Iterator<Item = (ResourceId, &Name)> {
        self.content.grants.iter().flat_map(|grant| grant.actions.iter().map(|action| (grant.resource, action)))
    }

    /// The state's word.
    pub const fn word(&self) -> &'static str {
        match self.phase {
            Phase::Requested => "requested",
            Phase::Awaiting => "awaiting",
            Phase::Approved { .. } => "approved",
            Phase::Live { .. } => "live",
            Phase::Ended { .. } => "ended",
        }
    }
}
