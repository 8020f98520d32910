//! Credentials: granted, made, revoked, closed; and kills.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use writ_types::{
    Closure, CredentialId, CredentialKind, Digest, IdentityId, Name, ResourceId, RevocationClass, SpiffeId, SqlName, TaskId, Time,
};

/// A credential is intended. The effect follows; without `credential.made` it does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialGranted {
    /// The credential.
    pub credential: CredentialId,
    /// Its kind.
    pub kind: CredentialKind,
    /// Its task.
    pub task: TaskId,
    /// Who holds it.
    pub identity: IdentityId,
    /// The certificate that the holder showed, by serial number.
    pub serial: String,
    /// Where it is good.
    pub resource: ResourceId,
    /// For what.
    pub actions: BTreeSet<Name>,
    /// The database user.
    pub user: SqlName,
    /// The databases.
    pub databases: Vec<SqlName>,
    /// When it ends.
    pub expires: Time,
    /// What its revocation promises.
    pub class: RevocationClass,
}

/// The backend made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialMade {
    /// The credential.
    pub credential: CredentialId,
    /// The backend's own name of it, such as a role's OID.
    pub backend_id: String,
}

/// The backend did not make it, or the server stopped before it knew; what may exist is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialFailed {
    /// The credential.
    pub credential: CredentialId,
    /// A word for why.
    pub why: String,
}

/// It counts no longer; closing it at every point has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialRevoked {
    /// The credential.
    pub credential: CredentialId,
    /// A word for why.
    pub why: String,
}

/// What is known of a revocation at one point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosureReported {
    /// The credential.
    pub credential: CredentialId,
    /// The point: a resource's name, or a replica's address.
    pub point: String,
    /// The state.
    pub state: Closure,
    /// True if what it left behind is cleaned up.
    pub tidy: bool,
    /// What was seen there.
    pub evidence: Vec<String>,
    /// When it is tried again.
    pub next_try: Option<Time>,
}

/// X.509-SVIDs, a row each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SvidsIssued {
    /// The rows.
    pub rows: Vec<SvidRow>,
}

/// One X.509-SVID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SvidRow {
    /// The identity.
    pub identity: IdentityId,
    /// Its name in the document.
    pub spiffe_id: SpiffeId,
    /// The serial number, lower-case hexadecimal.
    pub serial: String,
    /// SHA-256 of the subject public key info.
    pub key: Digest,
    /// SHA-256 of the to-be-signed part.
    pub tbs: Digest,
    /// When it ends.
    pub expires: Time,
    /// What attestation showed.
    pub attested: Vec<String>,
}

/// What is killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KillScope {
    /// One task.
    Task(TaskId),
    /// Every task of one identity.
    Identity(IdentityId),
    /// Every task that reaches one resource.
    Resource(ResourceId),
    /// Every task in one boundary and below.
    Boundary(Name),
}

/// The id or name of what is killed: the `id` of what a person signs, and what policy is asked about.
impl fmt::Display for KillScope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(id) => id.fmt(out),
            Self::Identity(id) => id.fmt(out),
            Self::Resource(id) => id.fmt(out),
            Self::Boundary(name) => name.fmt(out),
        }
    }
}

/// What a person signs to kill (act `kill`, id: what is killed).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KillContent {
    /// What is killed.
    pub scope: KillScope,
    /// A blob that says why.
    pub reason: Option<Digest>,
}

/// A person killed a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KillOrdered {
    /// What was signed.
    pub content: KillContent,
}
