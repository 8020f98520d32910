//! `TBSCertificate` (RFC 5280 section 4.1.2), its parts as they stand in the DER: written, and strictly read.

use super::signed::{ECDSA_WITH_SHA256, sequence, tlv};
use super::validity::{from_validity, to_validity};
use super::{P256Key, Serial, What, X509Error};
use writ_types::Time;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use x509_cert::der::{Decode, Encode, Reader, SliceReader, Tag, TagNumber, Tagged};

/// `version [0] EXPLICIT INTEGER 2`: version 3.
const VERSION_3: [u8; 5] = [0xa0, 3, 0x02, 1, 2];

/// A name without any part.
pub(super) const EMPTY_NAME: [u8; 2] = [0x30, 0];

/// What is written into a certificate, but for its extensions.
pub(super) struct Head<'a> {
    pub(super) serial: &'a Serial,
    pub(super) issuer: &'a [u8],
    pub(super) not_before: Time,
    pub(super) not_after: Time,
    pub(super) subject: &'a [u8],
    pub(super) key: &'a P256Key,
}

/// The to-be-signed part with these extensions, which are DER already.
pub(super) fn write(head: &Head<'_>, extensions: &[u8]) -> x509_cert::der::Result<Vec<u8>> {
    let validity = to_validity(head.not_before, head.not_after)?.to_der()?;
    Ok(sequence(&[
        &VERSION_3,
        &tlv(0x02, &head.serial.to_integer()),
        &ECDSA_WITH_SHA256,
        head.issuer,
        &validity,
        head.subject,
        head.key.spki(),
        &tlv(0xa3, &tlv(0x30, extensions)),
    ]))
}

/// One extension as it stands.
pub(super) struct RawExtension<'a> {
    pub(super) id: ObjectIdentifier,
    pub(super) critical: bool,
    pub(super) value: &'a [u8],
}

/// What stands in a certificate.
pub(super) struct Tbs<'a> {
    pub(super) serial: Serial,
    pub(super) issuer: &'a [u8],
    pub(super) not_before: Time,
    pub(super) not_after: Time,
    pub(super) subject: &'a [u8],
    pub(super) key: P256Key,
    pub(super) extensions: Vec<RawExtension<'a>>,
}

/// The parts, found but not judged.
struct Parts<'a> {
    version: &'a [u8],
    serial: AnyRef<'a>,
    algorithm: &'a [u8],
    issuer: &'a [u8],
    validity: (Time, Time),
    subject: &'a [u8],
    spki: &'a [u8],
    extensions: Vec<RawExtension<'a>>,
}

/// Reads the to-be-signed part of a certificate: version 3, of P-256.
pub(super) fn read(what: What, der: &[u8]) -> Result<Tbs<'_>, X509Error> {
    what.bounded(der)?;
    let parts = split(der).map_err(what.encoding())?;
    if parts.version != VERSION_3 {
        return Err(what.rule("it is not of version 3 (RFC 5280 section 4.1.2.1)"));
    }
    if parts.algorithm != ECDSA_WITH_SHA256 {
        return Err(X509Error::Algorithm(what));
    }
    let serial = Serial::from_integer(parts.serial.value());
    Ok(Tbs {
        serial: serial.ok_or_else(|| what.rule("its serial number is not positive, or too long (RFC 5280 section 4.1.2.2)"))?,
        issuer: parts.issuer,
        not_before: parts.validity.0,
        not_after: parts.validity.1,
        subject: parts.subject,
        key: P256Key::from_spki(parts.spki).ok_or(X509Error::Algorithm(what))?,
        extensions: parts.extensions,
    })
}

fn split(der: &[u8]) -> x509_cert::der::Result<Parts<'_>> {
    let mut reader = SliceReader::new(der)?;
    let parts = reader.sequence(|inner| {
        let version = inner.tlv_bytes()?;
        let serial = AnyRef::decode(inner)?;
        serial.tag().assert_eq(Tag::Integer)?;
        let algorithm = inner.tlv_bytes()?;
        let issuer = name(inner)?;
        let validity = from_validity(inner.decode()?)?;
        let subject = name(inner)?;
        let spki = inner.tlv_bytes()?;
        // Sections 4.1.2.8 and 4.1.2.9: unique identifiers, `[1]` and `[2]`, are not to be used; extensions are `[3]`.
        let wrapped = AnyRef::decode(inner)?;
        wrapped.tag().assert_eq(Tag::ContextSpecific { constructed: true, number: TagNumber::N3 })?;
        let extensions = extensions(wrapped.value())?;
        Ok(Parts { version, serial, algorithm, issuer, validity, subject, spki, extensions })
    })?;
    reader.finish(parts)
}

/// A name, unread: it is only ever compared.
fn name<'a>(reader: &mut impl Reader<'a>) -> x509_cert::der::Result<&'a [u8]> {
    reader.peek_tag()?.assert_eq(Tag::Sequence)?;
    reader.tlv_bytes()
}

fn extensions(der: &[u8]) -> x509_cert::der::Result<Vec<RawExtension<'_>>> {
    let mut reader = SliceReader::new(der)?;
    let found = reader.sequence(|list| {
        let mut found = Vec::new();
        while !list.is_finished() {
            found.push(list.sequence(|inner| {
                let id = inner.decode()?;
                let critical = inner.peek_tag()? == Tag::Boolean;
                // X.690 section 11.5: a default is not written out.
                if critical && !inner.decode::<bool>()? {
                    return Err(Tag::Boolean.value_error());
                }
                let value = OctetStringRef::decode(inner)?.as_bytes();
                Ok(RawExtension { id, critical, value })
            })?);
        }
        Ok(found)
    })?;
    reader.finish(found)
}
