//! `POST /v1/why`: the story of anything that the world can show.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use writ_types::{ActorKind, Closure, CredentialId, DecisionId, Digest, PartyId, RevocationClass, SpiffeId, TaskId, Time};

/// What is asked about: never in a URL, because it can be a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskWhy {
    /// A PEM, a serial number, a database user, a SPIFFE ID, the name of something in the estate, an id or an index.
    pub what: String,
}

/// Who acted, who delegated, what policy justified it, who approved, who owns, and how it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// What was found: `task`, `credential`, `certificate`, `identity`, `resource`, `boundary`, `decision`, `entry` …
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Who acted.
    pub acted: Option<Acted>,
    /// When the actor asked for it by itself; left out of what a person thought of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_requested: Option<SelfRequested>,
    /// Who delegated it.
    pub delegated: Option<Delegated>,
    /// What justified it.
    pub justified: Option<Justified>,
    /// Who approved it.
    pub approved: Vec<By>,
    /// Who answers, by role.
    pub owners: BTreeMap<String, Owner>,
    /// Why it exists.
    pub purpose: Option<String>,
    /// When it ends at the latest.
    pub ends_at: Option<Time>,
    /// How it ended.
    pub ended: Option<EndedView>,
    /// What happens on misuse.
    pub on_misuse: Option<String>,
    /// Of an identity, the last task that it was to act in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_task: Option<TaskId>,
    /// How to cut it now.
    pub cut: Option<Cut>,
    /// How far its end has come, by credential and point.
    pub closure: Vec<ClosureView>,
    /// The entries that say so.
    pub entries: Vec<u64>,
    /// The entries' bodies' kinds, in the same order.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// True if the receipt of every entry was checked by who asked.
    #[serde(default)]
    pub receipts_verified: bool,
    /// The receipts, in the order of `entries`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<String>,
    /// The entries themselves, as bytes of the log, in the order of `entries`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaves: Vec<String>,
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acted {
    /// The identity's or party's id.
    pub identity: String,
    /// Its name in documents.
    pub spiffe_id: Option<SpiffeId>,
    /// What it is.
    pub actor_kind: ActorKind,
    /// What attestation showed.
    pub attested_by: Vec<String>,
}

/// When the actor asked for it by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfRequested {
    /// When.
    pub at: Time,
    /// The entry that says so.
    pub entry: u64,
}

/// Who delegated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegated {
    /// The person.
    pub by: PartyId,
    /// The person's name; none if erased.
    pub name: Option<String>,
    /// When.
    pub at: Time,
    /// The entry that says so.
    pub entry: u64,
}

/// What justified it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Justified {
    /// The decision.
    pub decision: DecisionId,
    /// `allow` or `deny`.
    pub effect: String,
    /// The determining policies.
    pub policies: Vec<PolicyView>,
    /// The policy set in force then.
    pub policy_set: Option<Digest>,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyView {
    /// Its id.
    pub id: String,
    /// Its text.
    pub text: String,
}

/// A person who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct By {
    /// The person.
    pub by: PartyId,
    /// The person's name; none if erased.
    pub name: Option<String>,
    /// When.
    pub at: Time,
    /// The entry that says so.
    pub entry: u64,
}

/// Who holds a role, and where that is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The person's name, or id where the name is erased.
    pub name: String,
    /// The boundary.
    pub from: String,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndedView {
    /// When.
    pub at: Time,
    /// Why.
    pub why: String,
    /// Who did it.
    pub by: String,
}

/// How to cut it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// What to type.
    pub command: String,
    /// What that promises.
    pub class: RevocationClass,
    /// How soon.
    pub effective_in: String,
}

/// How far the end of one credential has come at one point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosureView {
    /// The credential.
    pub credential: CredentialId,
    /// The point.
    pub point: String,
    /// The state.
    pub state: Closure,
    /// Since when.
    pub since: Time,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Time>,
}
