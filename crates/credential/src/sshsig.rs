//! SSHSIG, the signatures of `ssh-keygen -Y sign` (OpenSSH's PROTOCOL.sshsig and, for security keys, PROTOCOL.u2f).

use crate::armor::{self, ArmorError};
use crate::ssh_wire::{Reader, WireError, put_positive, put_string};
use crate::{KeyFingerprint, PublicKey};
use aws_lc_rs::digest::{SHA256, SHA512, digest};

const MAGIC: &[u8; 6] = b"SSHSIG";
const LABEL: &str = "SSH SIGNATURE";

/// Longest armoured signature that is read: the kinds accepted here need less than 700 bytes.
const ARMORED_BYTES_MAX: usize = 2048;

/// Why a signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It is not an armoured SSHSIG.
    #[error("the signature can't be read: {0}")]
    Armor(#[from] ArmorError),
    /// It is armoured, but not what PROTOCOL.sshsig says.
    #[error("the signature can't be read: {0}")]
    Format(&'static str),
    /// Another version than 1.
    #[error("the signature has version {0}; only version 1 is known")]
    Version(u32),
    /// Made by another key.
    #[error("the signature is by the key `{found}`, not by `{wanted}`")]
    OtherKey {
        /// The key that was to sign.
        wanted: KeyFingerprint,
        /// The key that signed.
        found: KeyFingerprint,
    },
    /// Made for something else.
    #[error("the signature is for something else than `{wanted}`")]
    Namespace {
        /// What it was to be for.
        wanted: String,
    },
    /// A hash that is neither SHA-256 nor SHA-512.
    #[error("the signature is over another hash than sha256 or sha512")]
    Hash,
    /// The security key does not say that somebody touched it.
    #[error("the security key signed without a touch; sign with a key that was made without `no-touch-required`")]
    NoTouch,
    /// The security key says that data follows which this form of signature can't carry.
    #[error("the security key's flags `{0:#04x}` announce data that an SSH signature can't carry")]
    Flags(u8),
    /// It is not over these bytes.
    #[error("the signature does not hold over what was to be signed")]
    Mismatch,
}

impl From<WireError> for SignatureError {
    fn from(_: WireError) -> Self {
        Self::Format("it ends early, or something follows it")
    }
}

/// The hash that an SSHSIG signs in the message's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

/// Checks that `armored` is `key`'s signature over `message` for `namespace`.
///
/// # Errors
/// When it is not: unreadable, by another key, for another namespace, without a touch, or over other bytes.
pub fn verify(key: &PublicKey, namespace: &str, message: &[u8], armored: &str) -> Result<(), SignatureError> {
    let blob = armor::decode(LABEL, armored, ARMORED_BYTES_MAX)?;
    let mut reader = Reader::new(&blob);
    if reader.array()? != *MAGIC {
        return Err(SignatureError::Format("it does not start with `SSHSIG`"));
    }
    let version = reader.number()?;
    if version != 1 {
        return Err(SignatureError::Version(version));
    }
    let found = PublicKey::from_wire(reader.string()?).map_err(SignatureError::Format)?;
    let (found_namespace, reserved, hash, signature) = (reader.string()?, reader.string()?, reader.string()?, reader.string()?);
    reader.finish()?;
    if found != *key {
        return Err(SignatureError::OtherKey { wanted: key.fingerprint(), found: found.fingerprint() });
    }
    // PROTOCOL.sshsig: an empty namespace is never valid.
    if namespace.is_empty() || found_namespace != namespace.as_bytes() {
        return Err(SignatureError::Namespace { wanted: namespace.to_owned() });
    }
    if !reserved.is_empty() {
        return Err(SignatureError::Format("its reserved field is not empty"));
    }
    let hash =
        [Hash::Sha256, Hash::Sha512].into_iter().find(|known| known.as_str().as_bytes() == hash).ok_or(SignatureError::Hash)?;
    verify_inner(key, &signed_with(hash, namespace, message), signature)
}

/// The bytes that a key signs for `message`, with SHA-512, as `ssh-keygen -Y sign` does by default.
pub fn signed_bytes(namespace: &str, message: &[u8]) -> Vec<u8> {
    signed_with(Hash::Sha512, namespace, message)
}

/// Puts a signature over [`signed_bytes`] into its armour. `signature` is 64 bytes: Ed25519's own form, or r and
/// s of P-256. For signers that hold a key in memory; `ssh-keygen` does all of it by itself.
pub fn armored(key: &PublicKey, namespace: &str, signature: &[u8; 64]) -> String {
    let inner = if key.kind().is_p256() { r_and_s(signature) } else { signature.to_vec() };
    let mut wire = Vec::new();
    put_string(&mut wire, key.kind().as_str().as_bytes());
    put_string(&mut wire, &inner);
    armor_blob(key, namespace, Hash::Sha512, &wire)
}

/// What a security key signs in place of `message`: PROTOCOL.u2f, "SSH U2F signatures".
fn security_key_bytes(application: &str, flags: u8, counter: u32, message: &[u8]) -> Vec<u8> {
    let mut out = digest(&SHA256, application.as_bytes()).as_ref().to_vec();
    out.push(flags);
    out.extend_from_slice(&counter.to_be_bytes());
    out.extend_from_slice(digest(&SHA256, message).as_ref());
    out
}

fn signed_with(hash: Hash, namespace: &str, message: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Sha256 => &SHA256,
        Hash::Sha512 => &SHA512,
    };
    let mut out = MAGIC.to_vec();
    put_string(&mut out, namespace.as_bytes());
    put_string(&mut out, b"");
    put_string(&mut out, hash.as_str().as_bytes());
    put_string(&mut out, digest(algorithm, message).as_ref());
    out
}

fn armor_blob(key: &PublicKey, namespace: &str, hash: Hash, signature: &[u8]) -> String {
    let mut blob = MAGIC.to_vec();
    blob.extend_from_slice(&1u32.to_be_bytes());
    for part in [&key.to_wire(), namespace.as_bytes(), b"", hash.as_str().as_bytes(), signature] {
        put_string(&mut blob, part);
    }
    armor::encode(LABEL, 70, &blob)
}

/// The inner signature: its kind must be the key's, so no RSA or certificate form is ever reached.
fn verify_inner(key: &PublicKey, signed: &[u8], wire: &[u8]) -> Result<(), SignatureError> {
    let mut reader = Reader::new(wire);
    if reader.string()? != key.kind().as_str().as_bytes() {
        return Err(SignatureError::Format("its kind is not its key's"));
    }
    let raw = raw_signature(key, reader.string()?)?;
    let holds = if key.kind().is_security_key() {
        let [flags] = reader.array()?;
        let counter = reader.number()?;
        // WebAuthn section 6.1: bit 0 says that somebody touched it; bits 6 and 7 announce more data.
        if flags & 0xc0 != 0 {
            return Err(SignatureError::Flags(flags));
        }
        if flags & 0x01 == 0 {
            return Err(SignatureError::NoTouch);
        }
        key.signed(&security_key_bytes(key.application(), flags, counter, signed), &raw)
    } else {
        key.signed(signed, &raw)
    };
    reader.finish()?;
    if holds { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// 64 bytes: Ed25519's form as it is (RFC 8709 section 6), r and s padded for P-256 (RFC 5656 section 3.1.2).
fn raw_signature(key: &PublicKey, wire: &[u8]) -> Result<[u8; 64], SignatureError> {
    if !key.kind().is_p256() {
        return wire.try_into().map_err(|_| SignatureError::Format("its signature is not 64 bytes"));
    }
    let mut reader = Reader::new(wire);
    let parts = [reader.positive_256()?, reader.positive_256()?];
    reader.finish()?;
    let mut raw = [0u8; 64];
    for (slot, byte) in raw.iter_mut().zip(parts.iter().flatten()) {
        *slot = *byte;
    }
    Ok(raw)
}

fn r_and_s(signature: &[u8; 64]) -> Vec<u8> {
    let mut out = Vec::new();
    for half in signature.chunks(32) {
        put_positive(&mut out, half);
    }
    out
}

#[cfg(test)]
#[path = "sshsig_tests.rs"]
pub(crate) mod tests;
