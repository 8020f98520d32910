//! The certificate of an authority: laid out, and read back.

use super::extensions::{self, Extensions};
use super::signed::Signed;
use super::tbs::{self, Head};
use super::{P256Key, Serial, What, X509Error};
use writ_types::{TextValue, Time, TrustDomain};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{Any, ObjectIdentifier, SetOfVec};
use x509_cert::der::oid::db::rfc4519::{COMMON_NAME, ORGANIZATION_NAME, SERIAL_NUMBER};
use x509_cert::der::{Decode, Encode, Tag};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};

/// An authority's own certificate, read and found to be signed by its own key. Only [`parse_ca`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaFacts {
    der: Vec<u8>,
    trust_domain: TrustDomain,
    subject: Vec<u8>,
    key: P256Key,
    key_id: Vec<u8>,
    serial: Serial,
    not_before: Time,
    not_after: Time,
}

impl CaFacts {
    /// The certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The trust domain whose members it may name.
    pub const fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// Its subject, DER.
    pub fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// Its key.
    pub const fn key(&self) -> &P256Key {
        &self.key
    }

    /// Its subject key identifier.
    pub fn key_id(&self) -> &[u8] {
        &self.key_id
    }

    /// Its serial number.
    pub const fn serial(&self) -> &Serial {
        &self.serial
    }

    /// From when it is valid.
    pub const fn not_before(&self) -> Time {
        self.not_before
    }

    /// Until when it is valid.
    pub const fn not_after(&self) -> Time {
        self.not_after
    }
}

/// An authority's certificate, to be laid out; it is signed by its own key.
#[derive(Debug, Clone)]
pub struct CaPlan<'a> {
    /// Its serial number; also in its subject, so that no two authorities have one subject.
    pub serial: Serial,
    /// The trust domain whose members it may name.
    pub trust_domain: &'a TrustDomain,
    /// Its key.
    pub key: &'a P256Key,
    /// From when it is valid, in whole seconds rounded down.
    pub not_before: Time,
    /// Until when it is valid, in whole seconds rounded down.
    pub not_after: Time,
}

impl CaPlan<'_> {
    /// The to-be-signed part, DER.
    ///
    /// # Errors
    /// When it would be valid for no time.
    pub fn tbs(&self) -> Result<Vec<u8>, X509Error> {
        if self.not_after.seconds() <= self.not_before.seconds() {
            return Err(X509Error::Plan(format!(
                "it would end at `{}`, before it begins at `{}`",
                self.not_after, self.not_before
            )));
        }
        self.encode().map_err(|error| X509Error::Plan(error.to_string()))
    }

    fn encode(&self) -> x509_cert::der::Result<Vec<u8>> {
        let Self { serial, key, not_before, not_after, .. } = self;
        let name = RdnSequence(vec![
            attribute(ORGANIZATION_NAME, Tag::Utf8String, "Writ")?,
            attribute(COMMON_NAME, Tag::Utf8String, "X.509 authority")?,
            // RFC 5280 section 4.1.2.6: an authority's subject is not empty; X.520 has this attribute as printable.
            attribute(SERIAL_NUMBER, Tag::PrintableString, &serial.to_string())?,
        ])
        .to_der()?;
        // X509-SVID.md section 3.2: the trust domain's ID, without a path.
        let extensions = extensions::of_authority(&format!("spiffe://{}", self.trust_domain), key)?;
        let (issuer, subject) = (&name, &name);
        tbs::write(&Head { serial, issuer, not_before: *not_before, not_after: *not_after, subject, key }, &extensions)
    }
}

/// Reads an authority's certificate: P-256, signed by its own key, and what X509-SVID.md asks of an authority.
///
/// # Errors
/// Says what of it does not hold.
pub fn parse_ca(der: &[u8]) -> Result<CaFacts, X509Error> {
    let what = What::Authority;
    let signed = Signed::read(what, der)?;
    let tbs = tbs::read(what, signed.body)?;
    signed.verify(&tbs.key)?;
    if tbs.subject != tbs.issuer || tbs.subject == tbs::EMPTY_NAME {
        return Err(what.rule("its subject is empty or not its issuer (RFC 5280 section 4.1.2.6)"));
    }
    let _well_formed = Name::from_der(tbs.subject).map_err(what.encoding())?;
    let (uri, key_id) = Extensions::read(what, &tbs.extensions)?.judge_authority(what)?;
    // X509-SVID.md section 3.2: no path.
    let trust_domain = uri
        .strip_prefix("spiffe://")
        .and_then(|domain| TrustDomain::parse(domain).ok())
        .ok_or_else(|| what.rule("its URI is not a trust domain's ID without a path (X509-SVID.md section 3.2)"))?;
    Ok(CaFacts {
        der: der.to_vec(),
        trust_domain,
        subject: tbs.subject.to_vec(),
        key: tbs.key,
        key_id,
        serial: tbs.serial,
        not_before: tbs.not_before,
        not_after: tbs.not_after,
    })
}

fn attribute(oid: ObjectIdentifier, tag: Tag, text: &str) -> x509_cert::der::Result<RelativeDistinguishedName> {
    let value = Any::new(tag, text.as_bytes())?;
    Ok(RelativeDistinguishedName(SetOfVec::try_from(vec![AttributeTypeAndValue { oid, value }])?))
}
