//! A P-256 public key.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use std::fmt;
use writ_types::Digest;

/// What stands before the point in the one encoding that is accepted: `SubjectPublicKeyInfo` of id-ecPublicKey on
/// secp256r1, uncompressed (RFC 5480 section 2).
const PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
    0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A public key on P-256, checked to be a point of the curve.
#[derive(Clone)]
pub struct P256Key {
    spki: Vec<u8>,
    parsed: ParsedPublicKey,
}

impl P256Key {
    /// From the uncompressed point, 65 bytes. `None` if it is not a point of the curve.
    pub fn from_point(point: &[u8]) -> Option<Self> {
        if point.len() != 65 || point.first() != Some(&4) {
            return None;
        }
        let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).ok()?;
        Some(Self { spki: [&PREFIX[..], point].concat(), parsed })
    }

    /// From `SubjectPublicKeyInfo`, DER. `None` if it is anything else than an uncompressed P-256 key.
    pub fn from_spki(spki: &[u8]) -> Option<Self> {
        spki.strip_prefix(&PREFIX).and_then(Self::from_point)
    }

    /// `SubjectPublicKeyInfo`, DER, 91 bytes.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The uncompressed point, 65 bytes.
    pub fn point(&self) -> &[u8] {
        self.spki.strip_prefix(&PREFIX).unwrap_or_default()
    }

    /// SHA-256 of `SubjectPublicKeyInfo`: what an entry of the log names the key by.
    pub fn thumbprint(&self) -> Digest {
        Digest::of(&self.spki)
    }

    /// True if `signature` (ECDSA's ASN.1 form, with SHA-256) is this key's over `message`.
    pub(super) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }

    /// The key identifier: the first 160 bits of SHA-256 of the point (RFC 7093 section 2, method 1).
    pub(super) fn identifier(&self) -> Vec<u8> {
        Digest::of(self.point()).as_bytes().iter().take(20).copied().collect()
    }
}

impl PartialEq for P256Key {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for P256Key {}

impl fmt::Debug for P256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P256Key({})", self.thumbprint())
    }
}
