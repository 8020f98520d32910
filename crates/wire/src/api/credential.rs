//! Credentials.

use super::ClosureView;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use writ_types::{CredentialId, CredentialKind, IdentityId, Name, ResourceId, RevocationClass, SqlName, TaskId, Time};

/// `POST /v1/tasks/{id}/credentials`: only the actor, by its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeCredential {
    /// The resource's name.
    pub resource: Name,
    /// Its actions.
    pub actions: BTreeSet<Name>,
}

/// A credential, with its secret. It leaves the server once.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_debug_implementations, reason = "it holds the password")]
pub struct TakenCredential {
    /// The credential.
    pub credential: CredentialId,
    /// Where and as whom to log in.
    pub database: Database,
    /// The password.
    pub password: String,
    /// When it ends.
    pub expires: Time,
    /// What its revocation promises.
    pub class: RevocationClass,
}

/// Where and as whom to log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Host name, or the directory of a unix socket.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Database.
    pub dbname: SqlName,
    /// User.
    pub user: SqlName,
    /// The certificate authority's certificates, PEM; none where TLS is not used.
    pub ca: Option<String>,
}

/// One row of `GET /v1/credentials`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialView {
    /// The credential's id; a certificate's is its serial number.
    pub id: String,
    /// Its kind.
    pub kind: CredentialKind,
    /// Its task; none for an identity document.
    pub task: Option<TaskId>,
    /// Who holds it.
    pub identity: IdentityId,
    /// When it ends.
    pub expires_at: Time,
    /// What its revocation promises.
    pub class: RevocationClass,
    /// `made`, `revoking`, `revoked`, `expired` or `failed`.
    pub state: String,
    /// `OPEN`, `PARTIAL`, `UNKNOWN` or `CLOSED`, once it is ending.
    pub closure: Option<String>,
    /// The entry that granted it.
    pub index: u64,
}

/// `GET /v1/credentials/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialDetail {
    /// As it is listed.
    pub credential: CredentialView,
    /// Who holds it.
    pub identity: IdentityId,
    /// Where it is good.
    pub resource: Option<ResourceId>,
    /// For what, where it is good for a resource.
    pub actions: BTreeSet<Name>,
    /// The database user.
    pub user: Option<SqlName>,
    /// How far its end has come, by point.
    pub points: Vec<ClosureView>,
}
