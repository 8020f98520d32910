//! Folds what happened to the trust domain.

use super::state::{Authority, Domain};
use crate::fold::At;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use writ_ledger::body::{AuthorityRole, Body, PolicyText};
use writ_types::{Digest, canonical};

impl Domain {
    pub(crate) fn apply(&mut self, _at: At<'_>, body: &Body) {
        match body {
            Body::Genesis(genesis) => {
                let content = &genesis.content;
                self.trust_domain = Some(content.trust_domain.clone());
                self.origin.clone_from(&content.origin);
                self.quorum = content.quorum;
                self.dev = content.dev;
                self.epoch = 1;
                self.policy_set = self.keep(&content.policy);
            }
            Body::AuthorityChanged(changed) if changed.role == AuthorityRole::X509Authority => {
                let der = changed.certificate.as_deref().and_then(|text| STANDARD.decode(text).ok());
                if let Some(certificate) = der {
                    self.authority = Some(Authority { certificate, key: changed.key, expires: changed.expires });
                }
            }
            _ => {}
        }
    }

    /// Keeps a policy set under its hash: SHA-256 of the RFC 8785 form of schema and policies.
    fn keep(&mut self, text: &PolicyText) -> Option<Digest> {
        let hash = Digest::of(&canonical(text).ok()?);
        let policies = text.policies.iter().map(|policy| (policy.id.clone(), policy.text.clone())).collect();
        self.policy_sets.insert(hash, (text.schema.clone(), policies));
        Some(hash)
    }
}
