//! The estate as it is in force.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use writ_types::{
    ActorKind, CredentialId, Digest, IdentityId, Name, OwnerRole, PartyId, ResourceId, SpiffeId, TaskId, Tier, Time, TrustDomain,
};

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

/// `GET /v1/parties/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyDetail {
    /// The party.
    pub party: PartyView,
    /// The keys that answer for it.
    pub keys: Vec<KeyView>,
    /// What it answers for.
    pub holds: Vec<HeldRole>,
}

/// A role that a party is named for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldRole {
    /// The boundary on which it is set.
    pub boundary: Name,
    /// The role.
    pub role: OwnerRole,
    /// True if it is named as the backup.
    pub backup: bool,
}

/// One row of `GET /v1/identities`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityView {
    /// The identity.
    pub identity: IdentityId,
    /// Its name.
    pub name: Name,
    /// Its boundary.
    pub boundary: Name,
    /// Workload or agent.
    pub actor_kind: ActorKind,
    /// Its name in documents.
    pub spiffe_id: SpiffeId,
}

/// `GET /v1/identities/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityDetail {
    /// As `identity.set` has it.
    pub set: Value,
    /// The entry that last set it.
    pub version: u64,
    /// What must be there before it gets anything, in words; empty if it is chartered.
    pub missing: Vec<String>,
    /// Its documents that have not expired.
    pub documents: Vec<DocumentView>,
    /// Its tasks that have not ended.
    pub tasks: Vec<TaskId>,
}

/// One X.509-SVID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentView {
    /// Its serial number.
    pub serial: String,
    /// SHA-256 of its subject public key info.
    pub key: Digest,
    /// When it ends.
    pub expires: Time,
    /// The entry that records it.
    pub index: u64,
}

/// One row of `GET /v1/resources`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceView {
    /// The resource.
    pub resource: ResourceId,
    /// Its name.
    pub name: Name,
    /// Its boundary.
    pub boundary: Name,
    /// How much harm can be done there.
    pub tier: Tier,
}

/// `GET /v1/resources/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceDetail {
    /// As `resource.set` has it.
    pub set: Value,
    /// The entry that last set it.
    pub version: u64,
    /// Credentials on it that count, and those that are not closed there yet.
    pub unclosed: Vec<CredentialId>,
}
