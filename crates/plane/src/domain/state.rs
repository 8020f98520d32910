//! What the trust domain is.

use std::collections::BTreeMap;
use writ_ledger::body::PolicyText;
use writ_types::{Digest, Time, TrustDomain};

/// The trust domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Domain {
    pub(crate) trust_domain: Option<TrustDomain>,
    pub(crate) origin: String,
    pub(crate) quorum: u32,
    pub(crate) dev: bool,
    pub(crate) epoch: u64,
    /// Policy sets by hash, as (schema, policies by id).
    pub(crate) policy_sets: BTreeMap<Digest, (String, BTreeMap<String, String>)>,
    pub(crate) policy_set: Option<Digest>,
    pub(crate) authority: Option<Authority>,
}

/// The X.509 authority's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authority {
    /// DER.
    pub certificate: Vec<u8>,
    /// SHA-256 of its key.
    pub key: Digest,
    /// When it ends.
    pub expires: Time,
}

impl Domain {
    /// The trust domain; none before the genesis is folded.
    pub const fn trust_domain(&self) -> Option<&TrustDomain> {
        self.trust_domain.as_ref()
    }

    /// The log's origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// True for a development domain.
    pub const fn is_dev(&self) -> bool {
        self.dev
    }

    /// The log's epoch, raised by people when a head was found behind what the outside remembers.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The hash of the policy set in force.
    pub const fn policy_set(&self) -> Option<Digest> {
        self.policy_set
    }

    /// The texts of a policy set.
    pub fn policy_text(&self, hash: &Digest) -> Option<PolicyText> {
        use writ_ledger::body::TextOfPolicy;
        let (schema, policies) = self.policy_sets.get(hash)?;
        let policies = policies.iter().map(|(id, text)| TextOfPolicy { id: id.clone(), text: text.clone() }).collect();
        Some(PolicyText { schema: schema.clone(), policies })
    }

    /// The hashes of all policy sets.
    pub fn policy_sets(&self) -> impl Iterator<Item = &Digest> {
        self.policy_sets.keys()
    }

    /// The X.509 authority.
    pub const fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }
}
