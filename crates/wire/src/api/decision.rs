//! Decisions.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use writ_types::{ActorKind, DecisionId, Digest, Time, Via};

/// `GET /v1/decisions/{id}`: what policy, or a law before it, said to one command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionView {
    /// The decision.
    pub decision: DecisionId,
    /// The entry that records it.
    pub index: u64,
    /// When.
    pub at: Time,
    /// Who asked.
    pub actor: ActorView,
    /// What was wanted: `request`, `approve`, `start`, `credential`, `svid` …
    pub command: String,
    /// Every evaluation, as `decision.made` has them.
    pub evaluations: Vec<Value>,
    /// Why it was refused, as `decision.made` has it; none if it was not.
    pub refused: Option<Value>,
    /// The policy set that decided.
    pub policy_set: Option<Digest>,
}

/// Who acted, and how the request came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActorView {
    /// A party's or an identity's id, or the server's name.
    pub id: String,
    /// What acted.
    pub kind: ActorKind,
    /// How the request came in.
    pub via: Via,
}
