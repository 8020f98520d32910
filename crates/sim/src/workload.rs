//! Agents with real P-256 keys, and an authority. These keys are not the seed's: nothing branches on them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use writ_credential::x509::{CaPlan, P256Key, Serial, VerifiedCsr, assemble, csr_info, verify_csr};
use writ_types::{Time, TrustDomain, Ttl};

/// Somebody who holds a P-256 key.
#[derive(Debug)]
pub struct Holder {
    pair: EcdsaKeyPair,
    key: P256Key,
}

impl Holder {
    /// A new key.
    pub fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let key = P256Key::from_point(pair.public_key().as_ref()).unwrap();
        Self { pair, key }
    }

    fn sign(&self, body: &[u8]) -> Vec<u8> {
        let signature = self.pair.sign(&SystemRandom::new(), body).unwrap();
        assemble(body, signature.as_ref())
    }

    /// A request, proven.
    pub fn csr(&self) -> VerifiedCsr {
        verify_csr(&self.sign(&csr_info(&self.key))).unwrap()
    }

    /// The certificate of an X.509 authority with this key, DER.
    pub fn authority(&self, trust_domain: &TrustDomain, from: Time, life: Ttl) -> Vec<u8> {
        let serial = Serial::from_random([7; 16]);
        let plan = CaPlan { serial, trust_domain, key: &self.key, not_before: from, not_after: from.after(life) };
        self.sign(&plan.tbs().unwrap())
    }
}

impl Default for Holder {
    fn default() -> Self {
        Self::new()
    }
}
