//! Parties, their keys and their sessions.

use serde::{Deserialize, Serialize};
use writ_types::{ChangeId, Digest, PartyId, Time};

/// What a party is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartyType {
    /// Somebody; only a person can answer.
    Person,
    /// A group of persons; it never answers.
    Team,
    /// A system: an identity provider, an evaluation harness.
    System,
}

/// A party as people sign it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyItem {
    /// The party.
    pub party: PartyId,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: PartyType,
    /// The blob with handle, name and mail address.
    pub name: Digest,
    /// A team's members.
    pub members: Vec<PartyId>,
}

/// A party is in force as described.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartySet {
    /// The change set; none for founders.
    pub change: Option<ChangeId>,
    /// The party.
    pub party: PartyItem,
}

/// A party's powers end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyDisabled {
    /// The change set.
    pub change: ChangeId,
    /// The party.
    pub party: PartyId,
}

/// A party's powers return.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyEnabled {
    /// The change set.
    pub change: ChangeId,
    /// The party.
    pub party: PartyId,
}

/// A key answers for a party.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEnrolled {
    /// The change set; none for founders.
    pub change: Option<ChangeId>,
    /// The party.
    pub party: PartyId,
    /// The public key, in OpenSSH's form without comment.
    pub key: String,
    /// Its fingerprint, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
    /// Who enrolled it; nobody for founders.
    pub enrolled_by: Vec<PartyId>,
}

/// A key no longer answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRemoved {
    /// The change set.
    pub change: ChangeId,
    /// The party.
    pub party: PartyId,
    /// The key's fingerprint.
    pub fingerprint: String,
}

/// A person may read, by a token whose digest this is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionOpened {
    /// SHA-256 of the session's token.
    pub session: Digest,
    /// The person.
    pub party: PartyId,
    /// What was signed: the server's challenge.
    pub content: serde_json::Value,
    /// When it ends.
    pub expires: Time,
}

/// A session ends early.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionClosed {
    /// SHA-256 of the session's token.
    pub session: Digest,
}
