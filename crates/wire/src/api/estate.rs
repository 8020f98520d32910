//! The estate as it is in force.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use writ_types::{Digest, IdentityId, Name, PartyId, SpiffeId, Time, TrustDomain};

/// `GET /v1/estate/export`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estate {
    /// The trust domain.
    pub trust_domain: TrustDomain,
    /// The log's origin.
    pub origin: String,
    /// The log's size that this is true at.
    pub size: u64,
    /// Parties.
    pub parties: Vec<PartyView>,
    /// Keys.
    pub keys: Vec<KeyView>,
    /// Boundaries, each as `boundary.set` has it, with the charter's signed sections; the root too.
    pub boundaries: Vec<Value>,
    /// Identities, each as `identity.set` has it.
    pub identities: Vec<Value>,
    /// Resources, each as `resource.set` has it.
    pub resources: Vec<Value>,
    /// The policy set in force.
    pub policy_set: Digest,
}

/// One party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyView {
    /// The party.
    pub party: PartyId,
    /// `person`, `team` or `system`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name blob's digest, as signed.
    pub name: Digest,
    /// The name blob: `{"content":{"handle",…},"salt":…}`; none if erased.
    pub blob: Option<Value>,
    /// The short name; none if erased.
    pub handle: Option<String>,
    /// A team's members.
    pub members: Vec<PartyId>,
    /// True if its powers ended.
    pub disabled: bool,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyView {
    /// Whose.
    pub party: PartyId,
    /// `SHA256:…`.
    pub fingerprint: String,
    /// The public key, in OpenSSH's form.
    pub key: String,
    /// When it was enrolled.
    pub enrolled_at: Time,
}

/// One identity, to whoever may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityView {
    /// The identity.
    pub identity: IdentityId,
    /// Its name.
    pub name: Name,
    /// Its name in documents.
    pub spiffe_id: SpiffeId,
}
