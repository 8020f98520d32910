//! Boundaries with their charters, identities and resources.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use writ_types::{
    ActorKind, ChangeId, CredentialKind, Digest, Duty, IdentityId, Name, OwnerRole, PartyId, Purpose, ResourceId, Section,
    SpiffeId, SqlName, Tier, Trigger, Ttl,
};

/// A boundary as people sign it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundaryItem {
    /// Its name.
    pub name: Name,
    /// The boundary above it.
    pub parent: Name,
    /// True if what lies in it is production.
    pub production: bool,
    /// The team whose members may delegate here.
    pub delegators: Option<PartyId>,
    /// The owners set here; the rest is inherited.
    pub owners: BTreeMap<OwnerRole, PartyId>,
    /// Who takes over from each.
    pub backups: BTreeMap<OwnerRole, PartyId>,
    /// Who holds each duty, where it isn't the default.
    pub duties: BTreeMap<Duty, PartyId>,
    /// How long identity documents may renew without an owner.
    pub grace: Ttl,
    /// The charter's sections set here; the rest is inherited.
    pub charter: Charter,
}

/// The sections of a charter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charter {
    /// Answered by the business owner.
    pub business: Option<BusinessTerms>,
    /// Answered by the identity owner.
    pub identity: Option<IdentityTerms>,
    /// Answered by the platform owner.
    pub platform: Option<PlatformTerms>,
    /// Answered by the security owner.
    pub security: Option<SecurityTerms>,
}

/// What the business owner answers for (R66).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusinessTerms {
    /// The purposes that a task may have.
    pub purposes: Vec<Purpose>,
    /// The data that may be handled.
    pub data_scope: Vec<Name>,
    /// The resources that may be reached.
    pub tools: Vec<Name>,
}

/// What the identity owner answers for (R67).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityTerms {
    /// The kinds of credentials.
    pub kinds: Vec<CredentialKind>,
    /// The longest life of a credential.
    pub ttl_max: Ttl,
    /// How often identity documents are renewed.
    pub rotation: Ttl,
    /// Who may signal each trigger: `writ`, or the handle-free name of a party or system.
    pub triggers: BTreeMap<Trigger, Vec<String>>,
    /// What happens on misuse.
    pub misuse: String,
}

/// What the platform owner answers for (R68).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformTerms {
    /// Where secrets are kept.
    pub storage: String,
    /// How identities are issued.
    pub issuance: String,
    /// Where telemetry goes.
    pub telemetry: String,
    /// The bounds of an identity's selectors.
    pub selectors: Vec<String>,
}

/// What the security owner answers for (R69).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityTerms {
    /// The policy set's name.
    pub policy: String,
    /// Which exceptions there are.
    pub exceptions: String,
    /// How often it is audited.
    pub audit_every: Ttl,
}

/// The terms of one section.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Terms {
    /// Purpose, data scope, tools.
    Business(BusinessTerms),
    /// Kinds, lifetimes, rotation, triggers, misuse action.
    Identity(IdentityTerms),
    /// Storage, issuance, telemetry, selectors.
    Platform(PlatformTerms),
    /// Policy, exceptions, audit.
    Security(SecurityTerms),
}

impl Charter {
    /// The sections that are set, as terms.
    pub fn sections(&self) -> BTreeMap<Section, Terms> {
        let all = [
            (Section::Business, self.business.clone().map(Terms::Business)),
            (Section::Identity, self.identity.clone().map(Terms::Identity)),
            (Section::Platform, self.platform.clone().map(Terms::Platform)),
            (Section::Security, self.security.clone().map(Terms::Security)),
        ];
        all.into_iter().filter_map(|(section, terms)| Some((section, terms?))).collect()
    }
}

/// A boundary is in force as described; its charter comes by `charter.signed`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundarySet {
    /// The change set.
    pub change: ChangeId,
    /// The boundary. Its charter is empty here.
    pub boundary: BoundaryItem,
}

/// One section of a charter is signed by who answers for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterSigned {
    /// The change set.
    pub change: ChangeId,
    /// The boundary.
    pub boundary: Name,
    /// The section.
    pub section: Section,
    /// What is promised.
    pub terms: Terms,
    /// Who answers.
    pub by: PartyId,
}

/// The signature on a section no longer holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterVoided {
    /// The change set that moved it.
    pub change: ChangeId,
    /// The boundary.
    pub boundary: Name,
    /// The section.
    pub section: Section,
    /// SHA-256 of the RFC 8785 form of the terms that no longer hold.
    pub terms: Digest,
}

/// An identity as people sign it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityItem {
    /// The identity.
    pub identity: IdentityId,
    /// Its name.
    pub name: Name,
    /// Its boundary.
    pub boundary: Name,
    /// Workload or agent.
    pub actor_kind: ActorKind,
    /// True if nobody can say its next action beforehand.
    pub autonomous: bool,
    /// How much harm it can do.
    pub tier: Tier,
    /// Its name in documents.
    pub spiffe_id: SpiffeId,
    /// What attestation must show, all of them.
    pub selectors: Vec<String>,
    /// True: it ends.
    pub retired: bool,
}

/// An identity is in force as described.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentitySet {
    /// The change set.
    pub change: ChangeId,
    /// The identity.
    pub identity: IdentityItem,
}

/// An identity ends; it gets nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityRetired {
    /// The change set.
    pub change: ChangeId,
    /// The identity.
    pub identity: IdentityId,
}

/// A resource as people sign it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceItem {
    /// The resource.
    pub resource: ResourceId,
    /// Its name.
    pub name: Name,
    /// Its boundary.
    pub boundary: Name,
    /// How much harm can be done there.
    pub tier: Tier,
    /// The class of its data.
    pub data_class: Name,
    /// How it is reached.
    pub postgres: PostgresTerms,
}

/// A PostgreSQL cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresTerms {
    /// `host:port`, or a directory with its unix socket and port, `/dir:port`.
    pub address: String,
    /// The certificate authority's certificates, PEM; none where TLS is not used.
    pub ca: Option<String>,
    /// The databases; a task works in the first.
    pub databases: Vec<SqlName>,
    /// The addresses of standbys.
    pub replicas: Vec<String>,
    /// The groups that each action makes a user a member of.
    pub actions: BTreeMap<Name, Vec<SqlName>>,
    /// SCRAM iterations of a task user's verifier.
    pub scram_iterations: u32,
}

/// A resource is in force as described.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceSet {
    /// The change set.
    pub change: ChangeId,
    /// The resource.
    pub resource: ResourceItem,
}
