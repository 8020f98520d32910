//! The X.509 authority of one trust domain: a P-256 key that signs workloads' certificates.

use crate::Issued;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use writ_credential::x509::{CaFacts, CaPlan, P256Key, Serial, X509Error, assemble, parse_ca, parse_tbs};
use writ_ledger::Committed;
use writ_types::{Digest, Secret, SignX509, SpiffeId, Time, TrustDomain};

/// Holds an authority's key and its certificate.
///
/// The key signs in two places: its own certificate, once, when it is made, laid out here; and what
/// [`X509Authority::sign`] is given, whose entry is durable. An order that is not committed is no argument for it:
///
/// ```compile_fail,E0308
/// fn early(authority: &writ_issue::X509Authority, order: writ_types::SignX509) {
///     let _ = authority.sign(order);
/// }
/// ```
///
/// and it can't be printed:
///
/// ```compile_fail,E0277
/// fn print(authority: &writ_issue::X509Authority) -> String {
///     format!("{authority:?}")
/// }
/// ```
#[expect(missing_debug_implementations, reason = "a key is not to be printable")]
pub struct X509Authority {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    ca: CaFacts,
}

/// A new authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityPlan {
    /// The trust domain whose members it may name.
    pub trust_domain: TrustDomain,
    /// The serial number of its certificate, also in its subject.
    pub serial: Serial,
    /// From when it is valid, in whole seconds rounded down. The caller puts it back a little, for clocks that lag.
    pub not_before: Time,
    /// Until when it is valid, in whole seconds rounded down.
    pub not_after: Time,
}

/// Why there is no authority. For the operator to act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// The key is not PKCS#8 of P-256.
    #[error("the authority's key can't be read: it is not a P-256 key in PKCS#8")]
    Key,
    /// The key is another certificate's.
    #[error("the authority's key is not the one that its certificate names")]
    OtherKey,
    /// The certificate is not an authority's, or can't be laid out.
    #[error(transparent)]
    Certificate(#[from] X509Error),
    /// The system gives no randomness, or the cryptographic library refuses.
    #[error("the authority's key can't be made or used")]
    Crypto,
}

/// Why a committed order is not carried out. Each is a mistake of ours: the log says what was to be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The bytes are not those whose digest the log has.
    #[error("entry {index}: the to-be-signed part has the digest `{found}`, but `{logged}` was logged")]
    Digest {
        /// The entry.
        index: u64,
        /// What the order says.
        logged: Digest,
        /// What the bytes have.
        found: Digest,
    },
    /// The bytes are not a certificate of this authority.
    #[error("entry {index}: {error}")]
    Certificate {
        /// The entry.
        index: u64,
        /// What is wrong.
        error: X509Error,
    },
    /// The bytes name somebody else, or end at another time, than the order says.
    #[error("entry {index}: the certificate would name `{spiffe_id}` until `{expires}`, which is not what was ordered")]
    Differs {
        /// The entry.
        index: u64,
        /// Whom the bytes name.
        spiffe_id: SpiffeId,
        /// When the bytes end.
        expires: Time,
    },
    /// The cryptographic library refuses.
    #[error("entry {index}: the authority's key can't be used")]
    Crypto {
        /// The entry.
        index: u64,
    },
}

impl X509Authority {
    /// Makes a key and the certificate that it signs for itself.
    ///
    /// # Errors
    /// When the plan is of no time, or the system gives no randomness.
    pub fn generate(plan: &AuthorityPlan) -> Result<Self, AuthorityError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| AuthorityError::Crypto)?;
        let random = SystemRandom::new();
        let key = public_key(&pair)?;
        let AuthorityPlan { trust_domain, serial, not_before, not_after } = plan.clone();
        let tbs = CaPlan { serial, trust_domain: &trust_domain, key: &key, not_before, not_after }.tbs()?;
        let signature = pair.sign(&random, &tbs).map_err(|_| AuthorityError::Crypto)?;
        let ca = parse_ca(&assemble(&tbs, signature.as_ref()))?;
        Ok(Self { pair, random, ca })
    }

    /// From what is stored: the key in PKCS#8 and its certificate.
    ///
    /// # Errors
    /// When either can't be read, or they don't belong together.
    pub fn from_pkcs8(pkcs8: &Secret<Vec<u8>>, ca_der: &[u8]) -> Result<Self, AuthorityError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.expose()).map_err(|_| AuthorityError::Key)?;
        let ca = parse_ca(ca_der)?;
        if public_key(&pair)? != *ca.key() {
            return Err(AuthorityError::OtherKey);
        }
        Ok(Self { pair, random: SystemRandom::new(), ca })
    }

    /// The key in PKCS#8, to be stored.
    ///
    /// # Errors
    /// When the cryptographic library refuses.
    pub fn pkcs8(&self) -> Result<Secret<Vec<u8>>, AuthorityError> {
        let document = self.pair.to_pkcs8v1().map_err(|_| AuthorityError::Crypto)?;
        Ok(Secret::new(document.as_ref().to_vec()))
    }

    /// The authority's certificate: what it says, and its DER.
    pub const fn ca(&self) -> &CaFacts {
        &self.ca
    }

    /// Signs what an entry has recorded: the bytes whose digest it holds, and no others.
    ///
    /// # Errors
    /// When the bytes are not those, not a certificate of this authority, or not what the order says. Nothing is signed.
    pub fn sign(&self, committed: Committed<SignX509>) -> Result<Issued, IssueError> {
        let index = committed.index();
        self.carry_out(index, committed.into_order())
    }

    /// Signs a batch that one entry has recorded, a row each; as [`Self::sign`].
    ///
    /// # Errors
    /// When one of them is not what was logged. None leaves.
    pub fn sign_all(&self, committed: Committed<Vec<SignX509>>) -> Result<Vec<Issued>, IssueError> {
        let index = committed.index();
        committed.into_order().into_iter().map(|order| self.carry_out(index, order)).collect()
    }

    /// The one use of the key after its own certificate; reached only with a `Committed` order.
    fn carry_out(&self, index: u64, order: SignX509) -> Result<Issued, IssueError> {
        let found = Digest::of(&order.tbs);
        if found != order.tbs_digest {
            return Err(IssueError::Digest { index, logged: order.tbs_digest, found });
        }
        let wrong = |error| IssueError::Certificate { index, error };
        let facts = parse_tbs(&order.tbs).map_err(wrong)?;
        facts.check_issuer(&self.ca).map_err(wrong)?;
        if facts.spiffe_id != order.spiffe_id || facts.not_after.seconds() != order.expires.seconds() {
            return Err(IssueError::Differs { index, spiffe_id: facts.spiffe_id, expires: facts.not_after });
        }
        let signature = self.pair.sign(&self.random, &order.tbs).map_err(|_| IssueError::Crypto { index })?;
        let der = assemble(&order.tbs, signature.as_ref());
        Ok(Issued { index, der, spiffe_id: order.spiffe_id, expires: facts.not_after })
    }
}

fn public_key(pair: &EcdsaKeyPair) -> Result<P256Key, AuthorityError> {
    P256Key::from_point(pair.public_key().as_ref()).ok_or(AuthorityError::Key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_credential::x509::{SvidPlan, VerifiedCsr, csr_info, verify_csr, verify_issued_by};
    use writ_types::{TextValue, Ttl};

    const NOW: Time = Time::from_seconds(1_795_341_600);

    fn authority(domain: &str) -> X509Authority {
        X509Authority::generate(&AuthorityPlan {
            trust_domain: TrustDomain::parse(domain).unwrap(),
            serial: Serial::from_random([3; 16]),
            not_before: NOW,
            not_after: NOW.after(Ttl::from_seconds(86_400)),
        })
        .unwrap()
    }

    fn csr() -> VerifiedCsr {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let info = csr_info(&public_key(&pair).unwrap());
        verify_csr(&assemble(&info, pair.sign(&SystemRandom::new(), &info).unwrap().as_ref())).unwrap()
    }

    fn order(authority: &X509Authority) -> SignX509 {
        let spiffe_id = authority.ca().trust_domain().member("/billing/invoicer").unwrap();
        let expires = NOW.after(Ttl::from_seconds(3600));
        let plan = SvidPlan {
            serial: Serial::from_random([5; 16]),
            spiffe_id: &spiffe_id,
            csr: &csr(),
            not_before: NOW,
            not_after: expires,
            issuer: authority.ca(),
        };
        let tbs = plan.tbs().unwrap();
        SignX509 { tbs_digest: Digest::of(&tbs), tbs, spiffe_id, expires }
    }

    /// R43: what was ordered is what is signed.
    #[test]
    fn a_committed_order_becomes_a_certificate() {
        let authority = authority("prod.example");
        let order = order(&authority);
        let issued = authority.carry_out(41, order.clone()).unwrap();
        let facts = verify_issued_by(issued.der(), authority.ca(), NOW).unwrap();
        assert_eq!((facts.tbs_digest, &facts.spiffe_id), (order.tbs_digest, issued.spiffe_id()));
        assert_eq!((issued.index(), issued.expires()), (41, order.expires));
        assert_eq!(issued.chain().collect::<Vec<_>>(), vec![issued.der()]);
    }

    #[test]
    fn anything_else_than_what_was_logged_is_not_signed() {
        let (ours, other) = (authority("prod.example"), authority("prod.example"));
        let good = order(&ours);
        let mut changed = good.clone();
        *changed.tbs.last_mut().unwrap() ^= 1;
        assert!(matches!(ours.carry_out(1, changed), Err(IssueError::Digest { index: 1, .. })));
        let longer = SignX509 { expires: good.expires.after(Ttl::from_seconds(1)), ..good.clone() };
        assert!(matches!(ours.carry_out(1, longer), Err(IssueError::Differs { .. })));
        let named = SignX509 { spiffe_id: ours.ca().trust_domain().member("/other").unwrap(), ..good.clone() };
        assert!(matches!(ours.carry_out(1, named), Err(IssueError::Differs { .. })));
        assert!(matches!(other.carry_out(1, good), Err(IssueError::Certificate { .. })));
        // An authority's certificate, with its right digest: only workloads' are signed.
        let (domain, serial) = (TrustDomain::parse("prod.example").unwrap(), Serial::from_random([8; 16]));
        let not_after = NOW.after(Ttl::from_seconds(60));
        let tbs = CaPlan { serial, trust_domain: &domain, key: ours.ca().key(), not_before: NOW, not_after }.tbs().unwrap();
        let wish = SignX509 { tbs_digest: Digest::of(&tbs), tbs, spiffe_id: domain.member("/a").unwrap(), expires: not_after };
        assert!(matches!(ours.carry_out(1, wish), Err(IssueError::Certificate { .. })));
    }

    #[test]
    fn a_stored_authority_is_the_same_again() {
        let (first, other) = (authority("prod.example"), authority("prod.example"));
        let again = X509Authority::from_pkcs8(&first.pkcs8().unwrap(), first.ca().der()).unwrap();
        assert_eq!(again.ca(), first.ca());
        let issued = again.carry_out(1, order(&first)).unwrap();
        assert!(verify_issued_by(issued.der(), first.ca(), NOW).is_ok());
        let mixed = X509Authority::from_pkcs8(&other.pkcs8().unwrap(), first.ca().der());
        assert_eq!(mixed.err(), Some(AuthorityError::OtherKey));
        let broken = X509Authority::from_pkcs8(&Secret::new(vec![0x30; 100]), first.ca().der());
        assert_eq!(broken.err(), Some(AuthorityError::Key));
        assert!(X509Authority::from_pkcs8(&first.pkcs8().unwrap(), b"no").is_err());
    }
}
