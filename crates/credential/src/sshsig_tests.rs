//! Tests of SSHSIG, and the signers in memory that other tests use.

use super::*;
use crate::KeyKind;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use proptest::prelude::*;

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

/// A key in memory that signs as `ssh-keygen` or a security key does.
pub(crate) struct Signer {
    pub(crate) key: PublicKey,
    pair: Pair,
    flags: u8,
}

impl Signer {
    pub(crate) fn ed25519() -> Self {
        Self::new(KeyKind::Ed25519)
    }

    fn new(kind: KeyKind) -> Self {
        let pair = if kind.is_p256() {
            Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
        } else {
            Pair::Ed25519(Ed25519KeyPair::generate().unwrap())
        };
        let point = match &pair {
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
            Pair::P256(pair) => pair.public_key().as_ref().to_vec(),
        };
        let mut wire = Vec::new();
        put_string(&mut wire, kind.as_str().as_bytes());
        if kind.is_p256() {
            put_string(&mut wire, b"nistp256");
        }
        put_string(&mut wire, &point);
        if kind.is_security_key() {
            put_string(&mut wire, b"ssh:");
        }
        Self { key: PublicKey::from_wire(&wire).unwrap(), pair, flags: 1 }
    }

    fn raw(&self, message: &[u8]) -> [u8; 64] {
        match &self.pair {
            Pair::Ed25519(pair) => pair.sign(message).as_ref().try_into().unwrap(),
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().try_into().unwrap(),
        }
    }

    fn wire(&self, signed: &[u8]) -> Vec<u8> {
        let kind = self.key.kind();
        let message = if kind.is_security_key() { security_key_bytes("ssh:", self.flags, 7, signed) } else { signed.to_vec() };
        let raw = self.raw(&message);
        let mut out = Vec::new();
        put_string(&mut out, kind.as_str().as_bytes());
        put_string(&mut out, &if kind.is_p256() { r_and_s(&raw) } else { raw.to_vec() });
        if kind.is_security_key() {
            out.push(self.flags);
            out.extend_from_slice(&7u32.to_be_bytes());
        }
        out
    }

    pub(crate) fn sign(&self, namespace: &str, message: &[u8]) -> String {
        armor_blob(&self.key, namespace, Hash::Sha512, &self.wire(&signed_bytes(namespace, message)))
    }
}

fn blob(signature: &str) -> Vec<u8> {
    armor::decode(LABEL, signature, ARMORED_BYTES_MAX).unwrap()
}

#[test]
fn every_kind_of_key_signs_and_nothing_else_fits() {
    for kind in KeyKind::ALL {
        let (signer, other) = (Signer::new(kind), Signer::new(kind));
        for _ in 0..20 {
            let signature = signer.sign("writ.approve", b"yes");
            assert_eq!(verify(&signer.key, "writ.approve", b"yes", &signature), Ok(()));
            assert_eq!(verify(&signer.key, "writ.approve", b"yes!", &signature), Err(SignatureError::Mismatch));
            let namespace = verify(&signer.key, "writ.refuse", b"yes", &signature);
            assert!(matches!(namespace, Err(SignatureError::Namespace { .. })));
            assert!(matches!(verify(&other.key, "writ.approve", b"yes", &signature), Err(SignatureError::OtherKey { .. })));
        }
    }
}

#[test]
fn a_raw_signature_gets_its_armor() {
    for kind in [KeyKind::Ed25519, KeyKind::EcdsaP256] {
        let signer = Signer::new(kind);
        let signature = armored(&signer.key, "writ.login", &signer.raw(&signed_bytes("writ.login", b"m")));
        assert_eq!(verify(&signer.key, "writ.login", b"m", &signature), Ok(()));
    }
}

#[test]
fn sha256_is_accepted_and_no_other_hash() {
    let signer = Signer::ed25519();
    let inner = signer.wire(&signed_with(Hash::Sha256, "n", b"m"));
    assert_eq!(verify(&signer.key, "n", b"m", &armor_blob(&signer.key, "n", Hash::Sha256, &inner)), Ok(()));
    // The hash that is named is part of what is signed.
    let swapped = armor_blob(&signer.key, "n", Hash::Sha512, &inner);
    assert_eq!(verify(&signer.key, "n", b"m", &swapped), Err(SignatureError::Mismatch));
    let mut other = blob(&armor_blob(&signer.key, "n", Hash::Sha256, &inner));
    let at = other.windows(6).position(|part| part == b"sha256").unwrap();
    other[at..at + 6].copy_from_slice(b"sha384");
    assert_eq!(verify(&signer.key, "n", b"m", &armor::encode(LABEL, 70, &other)), Err(SignatureError::Hash));
}

/// R49: a security key that was not touched proves that a program was there, not a person.
#[test]
fn a_security_key_without_a_touch_is_refused() {
    for kind in [KeyKind::SkEd25519, KeyKind::SkEcdsaP256] {
        for (flags, wanted) in [
            (0x01, Ok(())),
            (0x05, Ok(())),
            (0x00, Err(SignatureError::NoTouch)),
            (0x04, Err(SignatureError::NoTouch)),
            (0x81, Err(SignatureError::Flags(0x81))),
        ] {
            let signer = Signer { flags, ..Signer::new(kind) };
            assert_eq!(verify(&signer.key, "n", b"m", &signer.sign("n", b"m")), wanted, "{flags:#x}");
        }
        // A flag that was set after signing is not the one that was signed.
        let signer = Signer { flags: 0, ..Signer::new(kind) };
        let mut forged = blob(&signer.sign("n", b"m"));
        let at = forged.len() - 5;
        forged[at] = 1;
        assert_eq!(verify(&signer.key, "n", b"m", &armor::encode(LABEL, 70, &forged)), Err(SignatureError::Mismatch));
    }
}

#[test]
fn unknown_versions_reserved_data_and_empty_namespaces_are_refused() {
    let signer = Signer::ed25519();
    let good = blob(&signer.sign("n", b"m"));
    let judge = |bytes: &[u8]| verify(&signer.key, "n", b"m", &armor::encode(LABEL, 70, bytes));
    let mut version = good.clone();
    version[9] = 2;
    assert_eq!(judge(&version), Err(SignatureError::Version(2)));
    // The reserved field follows the namespace, whose one byte is `n`.
    let at = 10 + 4 + signer.key.to_wire().len() + 5;
    let mut reserved = good.clone();
    reserved[at + 3] = 1;
    reserved.insert(at + 4, b'x');
    assert_eq!(judge(&reserved), Err(SignatureError::Format("its reserved field is not empty")));
    let mut trailing = good.clone();
    trailing.push(0);
    assert!(matches!(judge(&trailing), Err(SignatureError::Format(_))));
    assert_eq!(judge(&good), Ok(()));
    let empty = signer.sign("", b"m");
    assert!(matches!(verify(&signer.key, "", b"m", &empty), Err(SignatureError::Namespace { .. })));
}

#[test]
fn a_signature_by_another_kind_under_the_same_key_is_refused() {
    let signer = Signer::new(KeyKind::EcdsaP256);
    let mut inner = Vec::new();
    put_string(&mut inner, b"ssh-ed25519");
    put_string(&mut inner, &[0; 64]);
    let forged = armor_blob(&signer.key, "n", Hash::Sha512, &inner);
    assert_eq!(verify(&signer.key, "n", b"m", &forged), Err(SignatureError::Format("its kind is not its key's")));
}

#[test]
fn long_and_nested_texts_are_refused_before_they_are_decoded() {
    let key = Signer::ed25519().key;
    for text in ["-".repeat(64 * 1024), "\0".repeat(100), armor::encode(LABEL, 70, &[0xff; 1400]), "[".repeat(2000)] {
        assert!(verify(&key, "n", b"m", &text).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_flipped_bit_verifies(kind in 0usize..4, at in any::<proptest::sample::Index>(), bit in 0u8..8) {
        let signer = Signer::new(KeyKind::ALL[kind]);
        let mut bytes = blob(&signer.sign("writ.kill", b"m"));
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(verify(&signer.key, "writ.kill", b"m", &armor::encode(LABEL, 70, &bytes)).is_err());
    }

    #[test]
    fn random_bytes_never_verify(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in any::<proptest::sample::Index>()) {
        let signer = Signer::ed25519();
        prop_assert!(verify(&signer.key, "n", b"m", &armor::encode(LABEL, 70, &bytes)).is_err());
        let mut headed = b"SSHSIG\0\0\0\x01".to_vec();
        headed.extend_from_slice(&bytes);
        prop_assert!(verify(&signer.key, "n", b"m", &armor::encode(LABEL, 70, &headed)).is_err());
        let good = blob(&signer.sign("n", b"m"));
        let short = &good[..cut.index(good.len())];
        prop_assert!(verify(&signer.key, "n", b"m", &armor::encode(LABEL, 70, short)).is_err());
    }

    #[test]
    fn random_text_never_panics(text in "\\PC{0,200}") {
        prop_assert!(verify(&Signer::ed25519().key, "n", b"m", &text).is_err());
    }
}
