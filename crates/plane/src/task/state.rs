//! Which tasks there are.

use std::collections::BTreeMap;
use writ_ledger::body::{Delegation, Proposal};
use writ_types::{DecisionId, IdentityId, Name, PartyId, ResourceId, Scope, TaskEnd, TaskId, Time};

/// All tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Tasks(pub(crate) BTreeMap<TaskId, Task>);

/// One task.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Task {
    /// What the delegator signed.
    pub content: Delegation,
    /// What approvers sign; none if no approval is needed.
    pub proposal: Option<Proposal>,
    /// The entry that requested it.
    pub requested: u64,
    /// When it was requested.
    pub requested_at: Time,
    /// The decision on the request.
    pub decision: Option<DecisionId>,
    /// Who approved, and the entries that say so.
    pub approvals: BTreeMap<PartyId, u64>,
    /// Where it stands.
    pub phase: Phase,
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Phase {
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
        self.0.get(id)
    }

    /// All tasks.
    pub fn iter(&self) -> impl Iterator<Item = (&TaskId, &Task)> {
        self.0.iter()
    }

    /// Tasks that have not ended.
    pub fn open(&self) -> impl Iterator<Item = (&TaskId, &Task)> {
        self.0.iter().filter(|(_, task)| !task.is_ended())
    }
}

impl Task {
    /// True once it is over.
    pub const fn is_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended { .. })
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
            Phase::Awaiting => "awaiting",
            Phase::Approved { .. } => "approved",
            Phase::Live { .. } => "live",
            Phase::Ended { .. } => "ended",
        }
    }
}
