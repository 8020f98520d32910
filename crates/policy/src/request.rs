//! What can be asked of policy. Who may not ask has no representation: an agent can't be put where a person answers.

use crate::facts::{Actor, Ask, BoundaryFacts, Change, End, Person, ResourceFacts, TaskFacts};
use writ_types::{Name, PartyId};

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// May this identity have documents? It has no clock, so the answer may be remembered with what it read.
    Identify(Identify),
    /// May this identity do this on this resource, for this task?
    Reach(Reach),
    /// May this one delegate this task?
    Delegate(Delegate),
    /// May this person approve this task?
    Approve(Approve),
    /// May this person change this boundary?
    Administer(Govern),
    /// May this person activate a policy set here?
    Activate(Govern),
    /// May this one signal a trigger against this task?
    Signal(Signal),
    /// May this person end what this is?
    Kill(Kill),
}

/// An identity document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identify {
    /// Who would get it.
    pub actor: Actor,
    /// Where: the identity's own boundary.
    pub boundary: BoundaryFacts,
}

/// One action on one resource within a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Who would act.
    pub actor: Actor,
    /// On what.
    pub resource: ResourceFacts,
    /// The action, by the name that the resource gives it; one that the schema lacks is denied.
    pub action: Name,
    /// The task's circumstances.
    pub ask: Ask,
}

/// A delegation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegate {
    /// Who would delegate.
    pub who: Who,
    /// What the task reaches.
    pub resource: ResourceFacts,
    /// The task's circumstances.
    pub ask: Ask,
}

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approve {
    /// Who would approve.
    pub person: Person,
    /// What the task reaches.
    pub resource: ResourceFacts,
    /// The task's circumstances.
    pub ask: Ask,
}

/// A change to a boundary or its policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Govern {
    /// Who would answer for it.
    pub person: Person,
    /// Where.
    pub boundary: BoundaryFacts,
    /// The change's circumstances.
    pub change: Change,
}

/// A signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Who signals.
    pub who: Who,
    /// Against which task.
    pub task: TaskFacts,
    /// The ending's circumstances.
    pub end: End,
}

/// A kill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kill {
    /// Who kills.
    pub person: Person,
    /// What.
    pub target: Target,
    /// The ending's circumstances.
    pub end: End,
}

/// Who asks, where more than people may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A person.
    Person(Person),
    /// The server itself, an identity provider, an evaluation harness.
    System(PartyId),
    /// A workload or an agent.
    Actor(Actor),
}

/// What a kill ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One task and all below it.
    Task(TaskFacts),
    /// Everything of one identity.
    Actor(Actor),
    /// Everything at one resource.
    Resource(ResourceFacts),
    /// Everything in one boundary.
    Boundary(BoundaryFacts),
}
