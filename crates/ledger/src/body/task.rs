//! Tasks: delegated, approved, started, ended.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use writ_types::{
    ApprovalId, Digest, IdentityId, Name, PartyId, Purpose, ResourceId, RevocationClass, SqlName, TaskEnd, TaskId, Time, Trigger,
    Ttl,
};

/// What a delegator signs (act `delegate`, id: the task's).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// The task.
    pub task: TaskId,
    /// Who delegates; none only in what an actor asks for by itself, as long as nobody has delegated it.
    pub delegator: Option<PartyId>,
    /// True if the actor asked for it by itself.
    pub self_requested: bool,
    /// Who acts.
    pub actor: IdentityId,
    /// Why: a code that the charter names.
    pub purpose: Purpose,
    /// Which data.
    pub data_scope: Vec<Name>,
    /// What it may reach.
    pub grants: Vec<DelegationGrant>,
    /// How long from its start.
    pub ttl: Ttl,
    /// A blob with a free description.
    pub description: Option<Digest>,
}

/// Actions on one resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelegationGrant {
    /// The resource.
    pub resource: ResourceId,
    /// Its actions.
    pub actions: BTreeSet<Name>,
}

/// An actor asks for a task by itself. It is authority for nothing until a person delegates it, word for word.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskWanted {
    /// What a delegator would sign, without a delegator.
    pub content: Delegation,
    /// The certificate that the actor showed, by serial number.
    pub serial: String,
}

/// A task is delegated. Where policy wants an approval, the proposal says what has to be signed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskRequested {
    /// What the delegator signed.
    pub content: Delegation,
    /// What approvers sign; none if policy needs no approval.
    pub proposal: Option<Proposal>,
}

/// What approvers are asked, and who can answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The resolved parameters: what is signed (act `approve` or `refuse`, id: the approval's).
    pub content: ApprovalContent,
    /// Each set of people is enough.
    pub any_of: Vec<BTreeSet<PartyId>>,
}

/// The resolved parameters of one request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalContent {
    /// The approval.
    pub approval: ApprovalId,
    /// SHA-256 of the RFC 8785 form of the delegation.
    pub delegation: Digest,
    /// The task.
    pub task: TaskId,
    /// Who acts.
    pub actor: IdentityId,
    /// The entry that last set the actor.
    pub actor_version: u64,
    /// Why.
    pub purpose: Purpose,
    /// What is reached, resolved.
    pub resources: Vec<ApprovalResource>,
    /// SHA-256 over the charter's sections in force.
    pub charter: Digest,
    /// The policy set in force.
    pub policy_set: Digest,
    /// How long from its start.
    pub ttl: Ttl,
    /// The approval must come before this.
    pub expires: Time,
}

/// One resource of a request, resolved.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalResource {
    /// The resource.
    pub resource: ResourceId,
    /// Its name.
    pub name: Name,
    /// The entry that last set it.
    pub version: u64,
    /// Where it is.
    pub address: String,
    /// Its databases.
    pub databases: Vec<SqlName>,
    /// The actions.
    pub actions: BTreeSet<Name>,
    /// The groups that these actions give.
    pub groups: BTreeSet<SqlName>,
    /// What its revocation promises.
    pub class: RevocationClass,
    /// How soon, in words.
    pub effective_in: String,
    /// How soon when the server can't be reached, in words.
    pub when_partitioned: String,
}

/// A person approved.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskApproved {
    /// The task.
    pub task: TaskId,
    /// What was signed.
    pub approval: ApprovalId,
    /// Who approved.
    pub by: PartyId,
    /// True if no more approvals are needed.
    pub complete: bool,
}

/// A person refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskRefused {
    /// The task.
    pub task: TaskId,
    /// What was signed.
    pub approval: ApprovalId,
    /// Who refused.
    pub by: PartyId,
}

/// The attested actor started it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskStarted {
    /// The task.
    pub task: TaskId,
    /// The certificate that the actor showed, by serial number.
    pub serial: String,
    /// When it ends at the latest.
    pub ends_at: Time,
}

/// Somebody who may said that a trigger fired.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSignalled {
    /// The task.
    pub task: TaskId,
    /// What happened.
    pub trigger: Trigger,
    /// Who says so: `system/writ`, a party or an identity.
    pub sender: String,
    /// True if the actor said it of itself.
    pub self_reported: bool,
    /// What was signed, where a person signals (act `signal`, id: the task's).
    pub content: Option<serde_json::Value>,
}

/// It is over; every credential of it dies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskEnded {
    /// The task.
    pub task: TaskId,
    /// Why.
    pub end: TaskEnd,
    /// What was signed, where a person ended it (act `complete`, id: the task's).
    pub content: Option<serde_json::Value>,
}
