//! The frame that requests and certificates share: a body, an algorithm, a signature (RFC 5280 section 4.1.1).

use super::{P256Key, What, X509Error};
use x509_cert::der::asn1::BitStringRef;
use x509_cert::der::{Decode, Reader, SliceReader, Tag};

/// `AlgorithmIdentifier` of ecdsa-with-SHA256, without parameters (RFC 5758 section 3.2).
pub(super) const ECDSA_WITH_SHA256: [u8; 12] = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// A body and the signature over it, as they stand in the DER.
pub(super) struct Signed<'a> {
    pub(super) body: &'a [u8],
    pub(super) signature: &'a [u8],
    what: What,
}

impl<'a> Signed<'a> {
    pub(super) fn read(what: What, der: &'a [u8]) -> Result<Self, X509Error> {
        what.bounded(der)?;
        let (body, algorithm, signature) = frame(der).map_err(what.encoding())?;
        if algorithm != ECDSA_WITH_SHA256 {
            return Err(X509Error::Algorithm(what));
        }
        Ok(Self { body, signature, what })
    }

    /// Checks the signature with `key`.
    pub(super) fn verify(&self, key: &P256Key) -> Result<(), X509Error> {
        if key.signed(self.body, self.signature) { Ok(()) } else { Err(X509Error::Signature(self.what)) }
    }
}

fn frame(der: &[u8]) -> x509_cert::der::Result<(&[u8], &[u8], &[u8])> {
    let mut reader = SliceReader::new(der)?;
    let parts = reader.sequence(|inner| {
        let body = inner.tlv_bytes()?;
        let algorithm = inner.tlv_bytes()?;
        let bits = BitStringRef::decode(inner)?;
        let signature = bits.as_bytes().ok_or_else(|| Tag::BitString.value_error())?;
        Ok((body, algorithm, signature))
    })?;
    reader.finish(parts)
}

/// Puts a body (of a request or a certificate) and its holder's signature (ASN.1 form of ECDSA) together: DER.
pub fn assemble(body: &[u8], signature: &[u8]) -> Vec<u8> {
    let mut bits = Vec::with_capacity(signature.len() + 1);
    // No unused bits.
    bits.push(0);
    bits.extend_from_slice(signature);
    sequence(&[body, &ECDSA_WITH_SHA256, &tlv(0x03, &bits)])
}

/// A SEQUENCE of parts that are DER already.
pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// One value with its tag and definite length (X.690 section 10.1).
pub(super) fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 6);
    out.push(tag);
    let length = value.len().to_be_bytes();
    let significant = length.iter().position(|byte| *byte != 0).map_or(&[][..], |at| length.get(at..).unwrap_or_default());
    match significant {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        long => {
            // At most eight bytes of length.
            out.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(value);
    out
}
