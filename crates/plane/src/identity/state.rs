//! Which identities there are, and which documents name them.

use std::collections::{BTreeMap, BTreeSet};
use writ_ledger::body::IdentityItem;
use writ_types::{ActorKind, Digest, IdentityId, Name, SpiffeId, Tier, Time};

/// All identities, and their documents that have not expired.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Identities {
    pub(crate) all: BTreeMap<IdentityId, Identity>,
    pub(crate) by_name: BTreeMap<Name, IdentityId>,
    pub(crate) by_spiffe_id: BTreeMap<SpiffeId, IdentityId>,
    /// By the first of their selectors, in order: what shows all of them shows that one.
    pub(crate) by_selector: BTreeMap<String, BTreeSet<IdentityId>>,
    pub(crate) documents: BTreeMap<String, Document>,
    pub(crate) expiries: BTreeSet<(Time, String)>,
}

/// One identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
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
    pub selectors: BTreeSet<String>,
    /// The entry that last set it.
    pub version: u64,
}

/// One X.509-SVID.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Document {
    /// Whom it names.
    pub identity: IdentityId,
    /// SHA-256 of its key.
    pub key: Digest,
    /// When it ends.
    pub expires: Time,
    /// The entry that records it.
    pub index: u64,
}

impl Identities {
    /// One identity.
    pub fn get(&self, id: &IdentityId) -> Option<&Identity> {
        self.all.get(id)
    }

    /// All identities.
    pub fn iter(&self) -> impl Iterator<Item = (&IdentityId, &Identity)> {
        self.all.iter()
    }

    /// The identity with this name.
    pub fn named(&self, name: &Name) -> Option<IdentityId> {
        self.by_name.get(name).copied()
    }

    /// The identity that documents name so.
    pub fn with_spiffe_id(&self, spiffe_id: &SpiffeId) -> Option<IdentityId> {
        self.by_spiffe_id.get(spiffe_id).copied()
    }

    /// The document with this serial number, if it has not expired at `now`.
    pub fn document(&self, serial: &str, now: Time) -> Option<&Document> {
        self.documents.get(serial).filter(|document| document.expires > now && self.all.contains_key(&document.identity))
    }

    /// The documents that have not expired at `now`, by serial number.
    pub fn documents(&self, now: Time) -> impl Iterator<Item = (&String, &Document)> {
        self.documents.iter().filter(move |(_, document)| document.expires > now)
    }

    /// Identities whose selectors are all among `attested`.
    pub fn matching<'a>(&'a self, attested: &'a BTreeSet<String>) -> impl Iterator<Item = (&'a IdentityId, &'a Identity)> {
        let first = attested.iter().filter_map(|selector| self.by_selector.get(selector)).flatten();
        first.filter_map(|id| self.all.get_key_value(id)).filter(|(_, identity)| identity.selectors.is_subset(attested))
    }

    /// An identity as it is set.
    pub fn item(&self, id: &IdentityId) -> Option<IdentityItem> {
        let identity = self.all.get(id)?;
        Some(IdentityItem {
            identity: *id,
            name: identity.name.clone(),
            boundary: identity.boundary.clone(),
            actor_kind: identity.actor_kind,
            autonomous: identity.autonomous,
            tier: identity.tier,
            spiffe_id: identity.spiffe_id.clone(),
            selectors: identity.selectors.iter().cloned().collect(),
            retired: false,
        })
    }
}
