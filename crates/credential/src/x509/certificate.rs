//! Reading a workload's certificate, and judging whether an authority issued it.

use super::extensions::Extensions;
use super::signed::Signed;
use super::{CaFacts, P256Key, Serial, What, X509Error, tbs};
use writ_types::{Digest, SpiffeId, TextValue, Time};

/// What the to-be-signed part of an X.509-SVID says. It need not be signed by anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TbsFacts {
    /// Its serial number.
    pub serial: Serial,
    /// Whom it names.
    pub spiffe_id: SpiffeId,
    /// The key that it names.
    pub key: P256Key,
    /// From when it is valid.
    pub not_before: Time,
    /// Until when it is valid.
    pub not_after: Time,
    /// The issuer's subject, DER.
    pub issuer: Vec<u8>,
    /// The issuer's key identifier.
    pub authority_key_id: Vec<u8>,
    /// The digest of the to-be-signed part, as the log has it.
    pub tbs_digest: Digest,
}

impl TbsFacts {
    /// Checks that it names `authority` as its issuer, and a member of its trust domain.
    ///
    /// # Errors
    /// Says what of it is another authority's.
    pub fn check_issuer(&self, authority: &CaFacts) -> Result<(), X509Error> {
        if self.issuer != authority.subject() {
            return Err(X509Error::Issuer("its issuer is another name"));
        }
        if self.authority_key_id != authority.key_id() {
            return Err(X509Error::Issuer("it names another key as its authority's"));
        }
        // SPIFFE-ID.md section 3.1: only an authority of the ID's own trust domain is trusted for it.
        if self.spiffe_id.trust_domain() != authority.trust_domain() {
            return Err(X509Error::Issuer("it names a member of another trust domain"));
        }
        Ok(())
    }
}

/// A certificate and what it says. Who signed it has not been judged: [`verify_issued_by`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// What it says.
    pub facts: TbsFacts,
    /// The to-be-signed part, DER.
    pub tbs: Vec<u8>,
    /// The signature, ECDSA's ASN.1 form.
    pub signature: Vec<u8>,
}

/// Checks that `authority` issued the certificate `der`, that it is valid `at` that time, and every rule of
/// X509-SVID.md for a validator.
///
/// # Errors
/// Says what of it does not hold.
pub fn verify_issued_by(der: &[u8], authority: &CaFacts, at: Time) -> Result<TbsFacts, X509Error> {
    let what = What::Certificate;
    let signed = Signed::read(what, der)?;
    let facts = parse_tbs(signed.body)?;
    facts.check_issuer(authority)?;
    signed.verify(authority.key())?;
    for (what, not_before, not_after) in
        [(What::Authority, authority.not_before(), authority.not_after()), (what, facts.not_before, facts.not_after)]
    {
        // RFC 5280 section 4.1.2.5: both ends are inside.
        if at < not_before || at > not_after {
            return Err(X509Error::NotValidAt { what, at, not_before, not_after });
        }
    }
    Ok(facts)
}

/// Reads a workload's certificate.
///
/// # Errors
/// When it is not strict DER, not of P-256, or breaks a rule of X509-SVID.md.
pub fn parse_certificate(der: &[u8]) -> Result<CertificateFacts, X509Error> {
    let signed = Signed::read(What::Certificate, der)?;
    let facts = parse_tbs(signed.body)?;
    Ok(CertificateFacts { facts, tbs: signed.body.to_vec(), signature: signed.signature.to_vec() })
}

/// Reads the to-be-signed part of a workload's certificate.
///
/// # Errors
/// When it is not strict DER, not of P-256, or breaks a rule of X509-SVID.md.
pub fn parse_tbs(der: &[u8]) -> Result<TbsFacts, X509Error> {
    let what = What::Certificate;
    let tbs = tbs::read(what, der)?;
    let extensions = Extensions::read(what, &tbs.extensions)?;
    let (uri, authority_key_id) = extensions.judge_svid(what, tbs.subject == tbs::EMPTY_NAME)?;
    Ok(TbsFacts {
        serial: tbs.serial,
        // X509-SVID.md section 3.1: a SPIFFE ID with a path.
        spiffe_id: SpiffeId::parse(&uri).map_err(|error| what.rule(error.to_string()))?,
        key: tbs.key,
        not_before: tbs.not_before,
        not_after: tbs.not_after,
        issuer: tbs.issuer.to_vec(),
        authority_key_id,
        tbs_digest: Digest::of(der),
    })
}
