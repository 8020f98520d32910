//! Requests (PKCS#10, RFC 2986): proof that the caller holds the key that is to be named, and nothing more.

use super::signed::{Signed, sequence, tlv};
use super::{P256Key, What, X509Error};
use writ_types::Digest;
use x509_cert::der::{Reader, SliceReader, Tag};

/// Proof that somebody holds the private half of a key. Only [`verify_csr`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCsr {
    key: P256Key,
}

impl VerifiedCsr {
    /// The key.
    pub const fn key(&self) -> &P256Key {
        &self.key
    }

    /// Its thumbprint.
    pub fn thumbprint(&self) -> Digest {
        self.key.thumbprint()
    }
}

/// Checks a request's signature by its own key. Whatever else the request asks for (names, usages, a CA's powers) is
/// ignored: what a certificate says is never the requester's to choose.
///
/// # Errors
/// When it is not strict DER, not of P-256, or not signed by its own key.
pub fn verify_csr(der: &[u8]) -> Result<VerifiedCsr, X509Error> {
    let signed = Signed::read(What::Request, der)?;
    let spki = key_info(signed.body).map_err(What::Request.encoding())?;
    let key = P256Key::from_spki(spki).ok_or(X509Error::Algorithm(What::Request))?;
    signed.verify(&key)?;
    Ok(VerifiedCsr { key })
}

/// `SubjectPublicKeyInfo` out of `CertificationRequestInfo` (RFC 2986 section 4.1).
fn key_info(info: &[u8]) -> x509_cert::der::Result<&[u8]> {
    let mut reader = SliceReader::new(info)?;
    let spki = reader.sequence(|inner| {
        let version: u8 = inner.decode()?;
        if version != 0 {
            return Err(Tag::Integer.value_error());
        }
        inner.peek_tag()?.assert_eq(Tag::Sequence)?;
        let _subject = inner.tlv_bytes()?;
        let spki = inner.tlv_bytes()?;
        // `attributes [0] IMPLICIT SET`; some writers leave it out where it is empty.
        if !inner.is_finished() {
            let attributes = inner.peek_header()?;
            if attributes.tag.octet() != 0xa0 {
                return Err(attributes.tag.unexpected_error(None));
            }
            let _attributes = inner.tlv_bytes()?;
        }
        Ok(spki)
    })?;
    reader.finish(spki)
}

/// The part of a request that the key's holder signs (ECDSA with SHA-256): no name, no attribute, only the key.
/// [`super::assemble`] makes the request of it.
pub fn csr_info(key: &P256Key) -> Vec<u8> {
    sequence(&[&tlv(0x02, &[0]), &tlv(0x30, &[]), key.spki(), &tlv(0xa0, &[])])
}
