//! Change sets.

use super::Act;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use writ_types::{ChangeId, Digest, OwnerRole, PartyId, Time};

/// `POST /v1/changes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileChange {
    /// What is signed: `change.filed`'s content.
    pub content: Value,
    /// The filer's signature (act `change`, id: the change set's).
    pub act: Act,
    /// The blobs that the content names, each the canonical JSON of content and salt.
    pub blobs: Vec<Value>,
}

/// `POST /v1/changes/{id}/sign`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignChange {
    /// The signature: of a person, or of a key that the change set enrols.
    pub act: Act,
}

/// `POST /v1/changes/{id}/withdraw`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawChange {
    /// The filer's signature over the change set's content (act `refuse`, id: the change set's).
    pub act: Act,
}

/// A change set that waits no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// The change set.
    pub change: ChangeId,
}

/// A change set and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeView {
    /// The change set.
    pub change: ChangeId,
    /// What is signed; none once all of it is in force.
    pub content: Option<Value>,
    /// SHA-256 of the RFC 8785 form of the content.
    pub digest: Option<Digest>,
    /// When it was filed.
    pub filed_at: Option<Time>,
    /// Who signed.
    pub signed: Vec<SignedBy>,
    /// The parts.
    pub parts: Vec<PartView>,
    /// The name blobs of the parties in it, each the canonical JSON of content and salt: whoever signs checks them by the digests that
    /// the content names. One that is erased is not there.
    pub blobs: Vec<Value>,
    /// True if nothing waits.
    pub complete: bool,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedBy {
    /// Who.
    pub party: PartyId,
    /// In which roles.
    #[serde(rename = "as")]
    pub roles: Vec<OwnerRole>,
}

/// One part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartView {
    /// In words.
    pub what: String,
    /// True if it is in force.
    pub in_force: bool,
    /// The signatures that it still needs.
    pub needs: Vec<NeedView>,
}

/// A signature, or several of equal kind, that a part still needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeedView {
    /// Who can give it.
    pub of: Vec<PartyId>,
    /// How many of them, in all.
    pub count: usize,
    /// In which role.
    pub role: Option<OwnerRole>,
    /// A new key that signs for itself.
    pub key: Option<String>,
    /// The key that is replaced: its signature is enough instead of theirs.
    pub old_key: Option<String>,
    /// What must be in force first, where nobody can sign yet.
    pub until: Option<String>,
    /// What for.
    pub reason: String,
}
