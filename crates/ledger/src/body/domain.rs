//! The trust domain itself: genesis, authorities, starts, checks of the fold.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use writ_types::{Digest, Duty, OwnerRole, PartyId, SpiffeId, Time, TrustDomain};

/// Entry 0: who opened the trust domain, and what holds from the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// What the founders sign (act `genesis`, id: the origin).
    pub content: GenesisContent,
}

/// What the founders sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisContent {
    /// The trust domain.
    pub trust_domain: TrustDomain,
    /// The log's origin, as in its checkpoints.
    pub origin: String,
    /// The log's verifier key in note format.
    pub log_key: String,
    /// The founders with their keys; they count as enrolled by nobody.
    pub founders: Vec<Founder>,
    /// How many holders of `administer` enrol a key.
    pub quorum: u32,
    /// Verifier keys of witnesses.
    pub witnesses: Vec<String>,
    /// True for a development domain, which every other server and verifier refuses.
    pub dev: bool,
    /// The policy set `base`, in force at once.
    pub policy: PolicyText,
    /// Who answers at the root boundary.
    pub root: Root,
}

/// One founder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Founder {
    /// The party.
    pub party: PartyId,
    /// The blob with handle and name.
    pub name: Digest,
    /// The public key, in OpenSSH's form without comment.
    pub key: String,
}

/// A policy set by its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyText {
    /// The schema, in Cedar's own syntax.
    pub schema: String,
    /// The policies, ordered by id.
    pub policies: Vec<TextOfPolicy>,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextOfPolicy {
    /// Its id, equal to its `@id`.
    pub id: String,
    /// Its text.
    pub text: String,
}

/// The root boundary's people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// The five owners.
    pub owners: BTreeMap<OwnerRole, PartyId>,
    /// Who takes over from each.
    pub backups: BTreeMap<OwnerRole, PartyId>,
    /// Who holds each duty, where it isn't the default.
    pub duties: BTreeMap<Duty, PartyId>,
}

/// A server opened the log and folded it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerStarted {
    /// The server's version.
    pub version: String,
    /// Entries before this one.
    pub size: u64,
}

/// The digest of the folded state before this entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogState {
    /// SHA-256 of the state.
    pub digest: Digest,
}

/// What a key of the domain's own is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorityRole {
    /// Signs X.509-SVIDs.
    X509Authority,
    /// The server's own certificate.
    Server,
}

/// A key of the domain's own came into use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorityChanged {
    /// What it is for.
    pub role: AuthorityRole,
    /// Whom the certificate names; none for the authority, which names the trust domain.
    pub spiffe_id: Option<SpiffeId>,
    /// The certificate's serial number, lower-case hexadecimal.
    pub serial: String,
    /// SHA-256 of the subject public key info.
    pub key: Digest,
    /// SHA-256 of the to-be-signed part.
    pub tbs: Digest,
    /// The authority's certificate, base64 of DER; none for the server's, which is signed after this entry.
    pub certificate: Option<String>,
    /// When it ends.
    pub expires: Time,
}

/// A rule is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingRaised {
    /// The rule, a stable word.
    pub rule: String,
    /// What is wrong, in a sentence without personal data.
    pub what: String,
}

/// A blob's content is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobErased {
    /// Its name.
    pub blob: Digest,
}
