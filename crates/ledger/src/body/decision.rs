//! What policy was asked and what it said, and what was refused before it was asked.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use writ_types::{DecisionId, IdentityId, Name, PartyId, Purpose, ResourceId, TaskId, Time, Ttl};

/// What policy, or a law before it, said to one command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionMade {
    /// The decision.
    pub decision: DecisionId,
    /// What was wanted, in Writ's words: `request`, `approve`, `credential`, `svid` …
    pub command: String,
    /// Every evaluation, in order.
    pub evaluations: Vec<Evaluation>,
    /// Why the command was refused, if it was.
    pub refused: Option<Refused>,
}

/// Allow or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Allowed.
    Allow,
    /// Denied.
    Deny,
}

/// One evaluation: enough, with the state at this entry, to repeat it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// What was asked.
    pub asked: Asked,
    /// What policy said.
    pub effect: Effect,
    /// The determining policies.
    pub policies: Vec<String>,
    /// Evaluation errors; any is a denial.
    pub errors: Vec<String>,
}

/// What was asked: names only; the facts behind them are the state's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Asked {
    /// May this identity have documents?
    Identify {
        /// The identity.
        identity: IdentityId,
    },
    /// May this identity do this on this resource, for this task?
    Reach {
        /// The identity.
        identity: IdentityId,
        /// The resource.
        resource: ResourceId,
        /// The resource's action.
        reach: Name,
        /// The task's circumstances.
        ask: TaskAsk,
    },
    /// May this person delegate this?
    Delegate {
        /// The person.
        person: PartyId,
        /// The resource.
        resource: ResourceId,
        /// The task's circumstances.
        ask: TaskAsk,
    },
    /// May this person approve this?
    Approve {
        /// The person.
        person: PartyId,
        /// The resource.
        resource: ResourceId,
        /// The task's circumstances.
        ask: TaskAsk,
    },
    /// May this person change this boundary?
    Administer {
        /// The person.
        person: PartyId,
        /// The boundary.
        boundary: Name,
        /// Who wrote the change.
        author: PartyId,
        /// When.
        now: Time,
    },
    /// May this sender signal against this task?
    Signal {
        /// A party's or an identity's id, or `system/writ`.
        sender: String,
        /// The task.
        task: TaskId,
        /// True if the charter names the sender, or it is the actor against itself.
        named: bool,
    },
    /// May this person end what this is?
    Kill {
        /// The person.
        person: PartyId,
        /// A task's, an identity's, a resource's id or a boundary's name.
        on: String,
    },
}

/// A task's circumstances, as policy sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskAsk {
    /// The task.
    pub task: TaskId,
    /// Who delegates.
    pub delegator: Option<PartyId>,
    /// True if the actor asked by itself.
    pub self_requested: bool,
    /// Who approved, each by a valid act and an `approve` decision of their own.
    pub approvers: Vec<PartyId>,
    /// Why.
    pub purpose: Purpose,
    /// Which data.
    pub data_scope: Vec<Name>,
    /// How many tasks are above it.
    pub depth: u32,
    /// How long.
    pub ttl: Ttl,
    /// When.
    pub now: Time,
}

/// A command refused, by a law or by policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The wire code.
    pub code: String,
    /// What is missing, each by name.
    pub missing: Vec<String>,
}

/// How often requests were refused that have no entry of their own, since the last such entry: nobody that the log knows asked, or
/// somebody asked too often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenialsCounted {
    /// How many, by wire code; at least one each.
    pub counts: BTreeMap<String, u64>,
}
