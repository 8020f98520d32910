//! Tasks.

use super::Act;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use writ_types::{CredentialId, DecisionId, Name, PartyId, Purpose, TaskEnd, TaskId, Time, Trigger, Ttl};

/// `POST /v1/tasks`. Without a signature the caller is the actor, by its certificate, and asks for it by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestTask {
    /// What is signed: `task.requested`'s content. Of an actor: a [`WantTask`].
    pub content: Value,
    /// The delegator's signature (act `delegate`, id: the task's); none of an actor.
    pub act: Option<Act>,
    /// The blobs that the content names.
    pub blobs: Vec<Value>,
}

/// What an actor asks for by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantTask {
    /// Why: a code that the charter names.
    pub purpose: Purpose,
    /// Which data.
    pub data_scope: Vec<Name>,
    /// The actions on each resource, by its name.
    pub grants: BTreeMap<Name, BTreeSet<Name>>,
    /// How long from its start.
    pub ttl: Ttl,
}

/// `POST /v1/tasks/{id}/approve` and `/refuse`: a signature over the proposal's content (id: the approval's).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeTask {
    /// The signature.
    pub act: Act,
}

/// `POST /v1/tasks/{id}/complete` and `/signal`. Without a signature the caller is the actor, by its certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndTask {
    /// What happened; only for `/signal`.
    pub trigger: Option<Trigger>,
    /// A person's signature over `{"task":…}`, or `{"task":…,"trigger":…}` for `/signal`.
    pub act: Option<Act>,
}

/// `POST /v1/kills`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileKill {
    /// What is signed: `kill.ordered`'s content (act `kill`, id: what is killed).
    pub content: Value,
    /// The signature.
    pub act: Act,
    /// The blob with the reason, if there is one.
    pub blobs: Vec<Value>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskView {
    /// The task.
    pub task: TaskId,
    /// `requested` (by its actor itself, and nobody has delegated it), `awaiting`, `approved`, `live` or `ended`.
    pub state: String,
    /// The last entry that changed it.
    pub index: u64,
    /// What the delegator signed, or would sign.
    pub content: Value,
    /// The decision on the request.
    pub decision: Option<DecisionId>,
    /// What approvers sign: the resolved parameters; none if no approval is needed.
    pub proposal: Option<Value>,
    /// Each set of people is enough: to delegate what is `requested`, else to approve it.
    pub any_of: Vec<Vec<PartyId>>,
    /// Who approved.
    pub approved: Vec<PartyId>,
    /// When it ends at the latest, while it runs.
    pub ends_at: Option<Time>,
    /// Why it ended, and when.
    pub ended: Option<(TaskEnd, Time)>,
}

/// A task that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartedView {
    /// The task.
    pub task: TaskId,
    /// When it ends at the latest.
    pub ends_at: Time,
}

/// Tasks that ended, and the credentials whose closing has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// The tasks.
    pub tasks: Vec<TaskId>,
    /// Their credentials.
    pub credentials: Vec<CredentialId>,
}
