//! People with real keys.

use crate::Seeded;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::json;
use writ_credential::{PublicKey, Statement, sshsig};
use writ_ledger::{Blob, Salt, SignedAct};
use writ_types::{ActKind, Digest, OwnerRole, PartyId, Random as _, Time, Ttl, canonical};

/// A person: a party's id, a name, and an Ed25519 key that signs as `ssh-keygen -Y sign` does.
#[derive(Debug)]
pub struct Person {
    /// The party.
    pub party: PartyId,
    /// The blob with handle and name.
    pub name: Blob,
    /// The public key.
    pub key: PublicKey,
    pair: Ed25519KeyPair,
}

/// How long a signature counts.
const SIGNATURE_LIFE: Ttl = Ttl::from_seconds(600);

impl Person {
    /// A person with a key from the seed.
    pub fn new(handle: &str, random: &mut Seeded) -> Self {
        let mut seed = [0; 32];
        random.fill(&mut seed);
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let name = Blob::new(json!({ "handle": handle }), Salt::mint(random)).unwrap();
        Self { party: PartyId::mint(random), name, key: public_key(&pair), pair }
    }

    /// Signs `content` as an act of this kind on `id`, in these roles.
    pub fn sign<T: Serialize>(
        &self,
        act: ActKind,
        id: &str,
        content: &T,
        roles: &[OwnerRole],
        by: &mut Signing<'_>,
    ) -> SignedAct {
        let digest = canonical(content).map(|bytes| Digest::of(&bytes)).unwrap();
        let nonce = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(by.random.bits_128());
        let (origin, id, expires) = (by.origin.to_owned(), id.to_owned(), by.now.after(SIGNATURE_LIFE));
        self.put_under(&Statement { origin, act, id, digest, as_roles: roles.to_vec(), expires, nonce })
    }

    /// Signs a statement as it is.
    pub fn put_under(&self, statement: &Statement) -> SignedAct {
        let (bytes, value) = (statement.to_bytes().unwrap(), statement.to_value().unwrap());
        let namespace = statement.act.namespace();
        let signature = self.pair.sign(&sshsig::signed_bytes(&namespace, &bytes));
        let raw: [u8; 64] = signature.as_ref().try_into().unwrap_or([0; 64]);
        let sshsig = sshsig::armored(&self.key, &namespace, &raw);
        SignedAct { by: self.party, key: self.key.fingerprint().to_string(), statement: value, sshsig }
    }
}

/// What a signature is made with beside the key.
#[derive(Debug)]
pub struct Signing<'a> {
    /// The log.
    pub origin: &'a str,
    /// When.
    pub now: Time,
    /// For the nonce.
    pub random: &'a mut Seeded,
}

/// OpenSSH's line of an Ed25519 key (RFC 8709 section 4).
fn public_key(pair: &Ed25519KeyPair) -> PublicKey {
    let mut wire = Vec::new();
    for part in [b"ssh-ed25519".as_slice(), pair.public_key().as_ref()] {
        wire.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        wire.extend_from_slice(part);
    }
    PublicKey::from_line(&format!("ssh-ed25519 {}", STANDARD.encode(wire))).unwrap()
}
