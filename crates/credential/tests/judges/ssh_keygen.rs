//! OpenSSH makes signatures that are accepted here, and judges what is exported from here.

use crate::program::{must, run};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use writ_credential::{
    ActError, Expected, PublicKey, SignatureError, Statement, VerifiedAct, allowed_signers_line, content_digest, sshsig,
    verify_act,
};
use writ_types::{ActKind, OwnerRole, PartyId, Time, Ttl};

const NOW: Time = Time::from_seconds(1_795_341_600);
const ALICE: PartyId = PartyId::from_bits([0xa1; 16]);

fn statement(act: ActKind) -> Statement {
    Statement {
        origin: "writ.example/prod".to_owned(),
        act,
        id: "apr_00000000000000000000000000000001".to_owned(),
        digest: content_digest(&json!({"resource": "billing-db", "actions": ["read"]})).unwrap(),
        as_roles: vec![OwnerRole::Business],
        expires: NOW.after(Ttl::from_seconds(3600)),
        nonce: "0123456789abcdefABCDEF".to_owned(),
    }
}

/// A key pair made by `ssh-keygen` in `dir`.
fn keygen(dir: &Path, name: &str, kind: &str) -> PublicKey {
    must(dir, "ssh-keygen", &["-q", "-t", kind, "-N", "", "-C", "alice@example.org", "-f", name]);
    PublicKey::from_line(&fs::read_to_string(dir.join(format!("{name}.pub"))).unwrap()).unwrap()
}

/// Signs the file `message` in `dir` by `ssh-keygen -Y sign`, with the key file of that name.
fn sign(dir: &Path, key: &str, namespace: &str) -> String {
    let _ = fs::remove_file(dir.join("message.sig"));
    must(dir, "ssh-keygen", &["-q", "-Y", "sign", "-f", key, "-n", namespace, "message"]);
    fs::read_to_string(dir.join("message.sig")).unwrap()
}

/// What `ssh-keygen -Y verify` says of the exported files.
fn openssh_accepts(dir: &Path, key: &PublicKey, message: &[u8], signature: &str) -> bool {
    fs::write(dir.join("allowed_signers"), allowed_signers_line(&ALICE, &[ActKind::Delegate, ActKind::Approve], key)).unwrap();
    fs::write(dir.join("message"), message).unwrap();
    fs::write(dir.join("signature"), signature).unwrap();
    let who = ALICE.to_string();
    let args = ["-Y", "verify", "-f", "allowed_signers", "-I", &who, "-n", "writ.approve", "-s", "signature"];
    run(dir, Some(Path::new("message")), "ssh-keygen", &args).ok
}

fn we_accept(key: &PublicKey, said: &Statement, signature: &str) -> Result<VerifiedAct, ActError> {
    let wanted = statement(ActKind::Approve);
    let expected = Expected { origin: &wanted.origin, act: ActKind::Approve, id: &wanted.id, digest: wanted.digest };
    verify_act(ALICE, key, &said.to_value().unwrap(), signature, expected, Some(NOW))
}

/// R72: an approval is judged alike by us and by stock OpenSSH, and so is every forgery of it.
#[test]
fn openssh_and_we_agree_on_signatures_by_file() {
    for kind in ["ed25519", "ecdsa"] {
        let dir = TempDir::new().unwrap();
        let dir = dir.path();
        let (alice, mallory) = (keygen(dir, "alice", kind), keygen(dir, "mallory", kind));
        let said = statement(ActKind::Approve);
        let message = said.to_bytes().unwrap();
        fs::write(dir.join("message"), &message).unwrap();
        let listed = must(dir, "ssh-keygen", &["-l", "-f", "alice.pub"]);
        assert!(listed.contains(&format!(" {} ", alice.fingerprint())), "{listed}");
        let signature = sign(dir, "alice", "writ.approve");
        let swapped = sign(dir, "mallory", "writ.approve");
        let elsewhere = sign(dir, "alice", "writ.refuse");

        let act = we_accept(&alice, &said, &signature).unwrap();
        assert_eq!((act.by(), act.key(), act.statement()), (ALICE, alice.fingerprint(), &said));
        assert!(openssh_accepts(dir, &alice, &message, &signature));

        let error = we_accept(&alice, &said, &swapped).unwrap_err();
        assert!(matches!(error, ActError::Signature(SignatureError::OtherKey { .. })), "{error}");
        assert!(!openssh_accepts(dir, &alice, &message, &swapped));

        let error = we_accept(&alice, &said, &elsewhere).unwrap_err();
        assert!(matches!(error, ActError::Signature(SignatureError::Namespace { .. })), "{error}");
        assert!(!openssh_accepts(dir, &alice, &message, &elsewhere));

        let changed = Statement { as_roles: vec![OwnerRole::Control], ..said.clone() };
        assert_eq!(we_accept(&alice, &changed, &signature), Err(ActError::Signature(SignatureError::Mismatch)));
        assert!(!openssh_accepts(dir, &alice, &changed.to_bytes().unwrap(), &signature));

        assert!(we_accept(&mallory, &said, &signature).is_err());
        assert!(!openssh_accepts(dir, &mallory, &message, &signature));
    }
}

#[test]
fn a_signature_by_ssh_agent_counts_as_one_by_file() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let alice = keygen(dir, "alice", "ed25519");
    let said = statement(ActKind::Approve);
    fs::write(dir.join("message"), said.to_bytes().unwrap()).unwrap();
    // The agent lives as long as the shell below it; the key's file is gone before it signs.
    let script = "ssh-add -q alice && rm alice && ssh-keygen -q -Y sign -f alice.pub -n writ.approve message";
    must(dir, "ssh-agent", &["sh", "-c", script]);
    let signature = fs::read_to_string(dir.join("message.sig")).unwrap();
    assert!(we_accept(&alice, &said, &signature).is_ok());
    assert!(openssh_accepts(dir, &alice, &said.to_bytes().unwrap(), &signature));
}

#[test]
fn an_export_allows_only_the_acts_that_it_names() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let alice = keygen(dir, "alice", "ed25519");
    let message = statement(ActKind::Kill).to_bytes().unwrap();
    fs::write(dir.join("message"), &message).unwrap();
    let signature = sign(dir, "alice", "writ.kill");
    let who = ALICE.to_string();
    let args = ["-Y", "verify", "-f", "allowed_signers", "-I", &who, "-n", "writ.kill", "-s", "message.sig"];
    for (acts, wanted) in [(&[ActKind::Approve][..], false), (&[], false), (&[ActKind::Approve, ActKind::Kill], true)] {
        fs::write(dir.join("allowed_signers"), allowed_signers_line(&ALICE, acts, &alice)).unwrap();
        assert_eq!(run(dir, Some(Path::new("message")), "ssh-keygen", &args).ok, wanted, "{acts:?}");
    }
    assert!(sshsig::verify(&alice, "writ.kill", &message, &signature).is_ok());
}

#[test]
fn openssh_accepts_a_signature_that_was_made_in_memory() {
    let dir = TempDir::new().unwrap();
    let pair = Ed25519KeyPair::generate().unwrap();
    let key = public_key("ssh-ed25519", &[pair.public_key().as_ref()]);
    let message = statement(ActKind::Approve).to_bytes().unwrap();
    let raw: [u8; 64] = pair.sign(&sshsig::signed_bytes("writ.approve", &message)).as_ref().try_into().unwrap();
    let signature = sshsig::armored(&key, "writ.approve", &raw);
    assert!(openssh_accepts(dir.path(), &key, &message, &signature));
    assert!(sshsig::verify(&key, "writ.approve", &message, &signature).is_ok());
}

/// R49: security keys, by an authenticator in software that follows PROTOCOL.u2f; without a touch there is no act.
#[test]
fn a_security_key_counts_only_when_touched() {
    let dir = TempDir::new().unwrap();
    let message = statement(ActKind::Approve).to_bytes().unwrap();
    for device in [Device::ed25519(), Device::p256()] {
        let touched = device.sign("writ.approve", &message, 0x01);
        assert_eq!(sshsig::verify(&device.key, "writ.approve", &message, &touched), Ok(()));
        assert!(openssh_accepts(dir.path(), &device.key, &message, &touched));
        let verified = device.sign("writ.approve", &message, 0x05);
        assert_eq!(sshsig::verify(&device.key, "writ.approve", &message, &verified), Ok(()));
        let untouched = device.sign("writ.approve", &message, 0x00);
        assert_eq!(sshsig::verify(&device.key, "writ.approve", &message, &untouched), Err(SignatureError::NoTouch));
        let elsewhere = device.sign("writ.refuse", &message, 0x01);
        assert!(sshsig::verify(&device.key, "writ.approve", &message, &elsewhere).is_err());
        assert!(!openssh_accepts(dir.path(), &device.key, &message, &elsewhere));
    }
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

/// A FIDO authenticator in software.
struct Device {
    pair: Pair,
    key: PublicKey,
}

impl Device {
    fn ed25519() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let key = public_key("sk-ssh-ed25519@openssh.com", &[pair.public_key().as_ref(), b"ssh:"]);
        Self { pair: Pair::Ed25519(pair), key }
    }

    fn p256() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let key = public_key("sk-ecdsa-sha2-nistp256@openssh.com", &[b"nistp256", pair.public_key().as_ref(), b"ssh:writ"]);
        Self { pair: Pair::P256(pair), key }
    }

    /// PROTOCOL.u2f: the device signs SHA-256 of the application, its flags, its counter, and SHA-256 of the message.
    fn sign(&self, namespace: &str, message: &[u8], flags: u8) -> String {
        let counter = 41u32.to_be_bytes();
        let mut data = digest(&SHA256, self.key.application().as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend_from_slice(&counter);
        data.extend_from_slice(digest(&SHA256, &sshsig::signed_bytes(namespace, message)).as_ref());
        let inner = match &self.pair {
            Pair::Ed25519(pair) => pair.sign(&data).as_ref().to_vec(),
            Pair::P256(pair) => {
                let raw = pair.sign(&SystemRandom::new(), &data).unwrap();
                raw.as_ref().chunks(32).flat_map(|half| string(&positive(half))).collect()
            }
        };
        let kind = self.key.kind().as_str().as_bytes();
        let signature = [string(kind), string(&inner), vec![flags], counter.to_vec()].concat();
        let line = self.key.to_string();
        let wire = STANDARD.decode(line.split(' ').nth(1).unwrap()).unwrap();
        let parts = [string(&wire), string(namespace.as_bytes()), string(b""), string(b"sha512"), string(&signature)].concat();
        let blob = [b"SSHSIG", &1u32.to_be_bytes()[..], &parts].concat();
        let base64 = STANDARD.encode(blob);
        let lines: Vec<&str> = base64.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
    }
}

fn public_key(kind: &str, parts: &[&[u8]]) -> PublicKey {
    let wire: Vec<u8> = std::iter::once(kind.as_bytes()).chain(parts.iter().copied()).flat_map(string).collect();
    PublicKey::from_line(&format!("{kind} {}", STANDARD.encode(wire))).unwrap()
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn positive(bytes: &[u8]) -> Vec<u8> {
    let magnitude = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap()..];
    if magnitude[0] & 0x80 == 0 { magnitude.to_vec() } else { [&[0], magnitude].concat() }
}
