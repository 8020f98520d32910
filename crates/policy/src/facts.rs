//! The facts that policy sees: all of them from the folded state, none read from a request.
//!
//! Everything that a policy can look at is here by value, with ancestors flattened: policies are held to one step of
//! dereference, so principal, resource, delegator, author and task are all that a decision needs.

use std::collections::BTreeSet;
use writ_types::{IdentityId, Name, PartyId, Purpose, ResourceId, TaskId, Tier, Time, Ttl};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The person.
    pub id: PartyId,
    /// False once disabled.
    pub active: bool,
    /// Every team that the person is in, also through other teams.
    pub teams: BTreeSet<PartyId>,
}

/// Who holds each owner role *now*: the owner, or the backup while the owner is disabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners {
    /// The whole access path.
    pub control: PartyId,
    /// Why, data scope, tools.
    pub business: PartyId,
    /// Credential kinds, lifetimes, triggers.
    pub identity: PartyId,
    /// Where it runs.
    pub platform: PartyId,
    /// Assurance.
    pub security: PartyId,
}

/// What kind of identity acts. A person is not one: people answer, identities act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonHuman {
    /// A service or job.
    Workload,
    /// A program that chooses its own next action.
    Agent {
        /// True if nobody can say beforehand what it will do (R191).
        autonomous: bool,
    },
}

/// One non-human identity, with its effective values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The identity.
    pub id: IdentityId,
    /// What it is.
    pub kind: NonHuman,
    /// How much harm it can do.
    pub tier: Tier,
    /// True if every section of its charter is signed and in force.
    pub chartered: bool,
    /// Who answers for it now.
    pub owners: Owners,
    /// Its own boundary and all above it.
    pub boundaries: BTreeSet<Name>,
}

/// One resource, with its effective values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceFacts {
    /// The resource.
    pub id: ResourceId,
    /// What it is: `postgres`.
    pub kind: Name,
    /// True if its boundary is production.
    pub production: bool,
    /// How much harm can be done with it.
    pub tier: Tier,
    /// The class of its data: `confidential`.
    pub data_class: Name,
    /// Who answers for it now.
    pub owners: Owners,
    /// The team whose members may delegate here, if any.
    pub delegators: Option<PartyId>,
    /// The resources that it lies in: a tool lies in its server.
    pub within: BTreeSet<ResourceId>,
    /// Its own boundary and all above it.
    pub boundaries: BTreeSet<Name>,
}

/// One boundary, with its effective values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundaryFacts {
    /// The boundary.
    pub name: Name,
    /// True if what lies in it is production.
    pub production: bool,
    /// Who answers for it now.
    pub owners: Owners,
    /// All boundaries above it.
    pub ancestors: BTreeSet<Name>,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFacts {
    /// The task.
    pub id: TaskId,
    /// All tasks above it.
    pub ancestors: BTreeSet<TaskId>,
}

/// A task's circumstances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The task.
    pub task: TaskFacts,
    /// Who delegates it, if somebody does.
    pub delegator: Option<Person>,
    /// True if the actor asked by itself (R61).
    pub self_requested: bool,
    /// Who approved: only people with a valid act whose own `approve` decision is allow.
    pub approvers: BTreeSet<PartyId>,
    /// Why: a code that the charter names.
    pub purpose: Purpose,
    /// Which data.
    pub data_scope: BTreeSet<Name>,
    /// How many tasks are above it.
    pub depth: u32,
    /// How long it may last.
    pub ttl: Ttl,
    /// When it is asked.
    pub now: Time,
}

/// The circumstances of a change to a boundary or its policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who wrote it.
    pub author: Person,
    /// When it is asked.
    pub now: Time,
}

/// The circumstances of an ending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Every owner of the access path.
    pub owners: BTreeSet<PartyId>,
    /// Who delegated the task, if somebody did.
    pub delegator: Option<Person>,
    /// True if the charter names this sender, or it is the actor against itself.
    pub named: bool,
}
