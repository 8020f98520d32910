//! A person's public key, in the form that OpenSSH writes.

use crate::KeyFingerprint;
use crate::ssh_wire::{Reader, WireError, put_string};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use writ_types::{ParseError, TextValue, through_text};

/// Longest public line that is read: the keys accepted here need less than 300 bytes, the rest is comment.
const LINE_BYTES_MAX: usize = 2048;

/// Longest application name of a security key.
const APPLICATION_BYTES_MAX: usize = 64;

/// A kind of key, by OpenSSH's name for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// `ssh-ed25519`.
    Ed25519,
    /// `ecdsa-sha2-nistp256`.
    EcdsaP256,
    /// `sk-ssh-ed25519@openssh.com`: Ed25519 in a security key, which asks for a touch.
    SkEd25519,
    /// `sk-ecdsa-sha2-nistp256@openssh.com`: P-256 in a security key, which asks for a touch.
    SkEcdsaP256,
}

impl KeyKind {
    /// Every kind that is accepted.
    pub const ALL: [Self; 4] = [Self::Ed25519, Self::EcdsaP256, Self::SkEd25519, Self::SkEcdsaP256];

    /// OpenSSH's name of the kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::SkEd25519 => "sk-ssh-ed25519@openssh.com",
            Self::SkEcdsaP256 => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    /// True for keys that live in a security key and sign only when touched.
    pub const fn is_security_key(self) -> bool {
        matches!(self, Self::SkEd25519 | Self::SkEcdsaP256)
    }

    pub(crate) const fn is_p256(self) -> bool {
        matches!(self, Self::EcdsaP256 | Self::SkEcdsaP256)
    }

    fn algorithm(self) -> &'static dyn VerificationAlgorithm {
        if self.is_p256() { &ECDSA_P256_SHA256_FIXED } else { &ED25519 }
    }
}

/// A public key of one of the four kinds, checked to be a usable point. Text: kind, a space, base64; no comment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    kind: KeyKind,
    /// 32 bytes of Ed25519, or an uncompressed P-256 point of 65.
    point: Vec<u8>,
    /// Empty unless the key lives in a security key.
    application: String,
}

impl PublicKey {
    /// Reads the one line of a `.pub` file: kind, base64 and, if there is one, a comment, which is dropped.
    ///
    /// # Errors
    /// Says what of the line is wrong: another kind of key, options before it, a broken or weak key.
    pub fn from_line(line: &str) -> Result<Self, ParseError> {
        let wrong = |why: &str| ParseError::new(line, Self::WANTED, why);
        if line.len() > LINE_BYTES_MAX {
            return Err(wrong("it is longer than 2048 bytes"));
        }
        let text = line.strip_suffix('\n').unwrap_or(line);
        if text.chars().any(char::is_control) {
            return Err(wrong("it is one line without control characters"));
        }
        let mut words = text.splitn(3, ' ');
        let (kind, base64) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let kind = KeyKind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or_else(|| {
            wrong(
                "it starts with one of `ssh-ed25519`, `ecdsa-sha2-nistp256`, `sk-ssh-ed25519@openssh.com`, \
                 `sk-ecdsa-sha2-nistp256@openssh.com`",
            )
        })?;
        let wire = STANDARD.decode(base64).map_err(|_| wrong("its second word is not base64"))?;
        let key = Self::from_wire(&wire).map_err(wrong)?;
        if key.kind == kind { Ok(key) } else { Err(wrong("its first word is not the kind of key that follows")) }
    }

    /// Reads the wire form (RFC 8709, RFC 5656, OpenSSH's PROTOCOL.u2f); an error says what is wrong.
    pub(crate) fn from_wire(wire: &[u8]) -> Result<Self, &'static str> {
        let cut = |_: WireError| "the key ends early, or something follows it";
        let mut reader = Reader::new(wire);
        let name = reader.text().map_err(cut)?;
        let kind = KeyKind::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or("the key is of another kind")?;
        // RFC 5656 section 3.1: the curve is named a second time.
        if kind.is_p256() && reader.string().map_err(cut)? != b"nistp256" {
            return Err("the key is on another curve than P-256");
        }
        let point = reader.string().map_err(cut)?.to_vec();
        let application = if kind.is_security_key() { reader.text().map_err(cut)?.to_owned() } else { String::new() };
        reader.finish().map_err(cut)?;
        if kind.is_security_key() && !is_ssh_application(&application) {
            return Err("the security key's application does not start with `ssh:`");
        }
        match kind.is_p256() {
            true if point.len() != 65 || point.first() != Some(&4) => return Err("the key is not an uncompressed point"),
            false if point.len() != 32 => return Err("the key is not 32 bytes"),
            false if has_small_order(&point) => return Err("the key is one that any signature fits"),
            _ => {}
        }
        ParsedPublicKey::new(kind.algorithm(), &point).map_err(|_| "the key is not a point of its curve")?;
        Ok(Self { kind, point, application })
    }

    /// The wire form.
    pub(crate) fn to_wire(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_string(&mut out, self.kind.as_str().as_bytes());
        if self.kind.is_p256() {
            put_string(&mut out, b"nistp256");
        }
        put_string(&mut out, &self.point);
        if self.kind.is_security_key() {
            put_string(&mut out, self.application.as_bytes());
        }
        out
    }

    /// The kind of key.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The fingerprint, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> KeyFingerprint {
        KeyFingerprint::of(&self.to_wire())
    }

    /// What a security key was made for; `ssh:` and perhaps more. Empty for other keys.
    pub fn application(&self) -> &str {
        &self.application
    }

    /// True if `signature` (64 bytes: Ed25519's own form, or r and s) is this key's over `message`.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        ParsedPublicKey::new(self.kind.algorithm(), &self.point).is_ok_and(|key| key.verify_sig(message, signature).is_ok())
    }
}

/// OpenSSH's PROTOCOL.u2f: the application of a key made for SSH starts with `ssh:`.
fn is_ssh_application(application: &str) -> bool {
    application.starts_with("ssh:")
        && application.len() <= APPLICATION_BYTES_MAX
        && application.bytes().all(|byte| byte.is_ascii_graphic())
}

/// True for the points of order 1, 2, 4 and 8, in every encoding: a signature made without any key fits them
/// (RFC 8032 does not forbid them).
fn has_small_order(point: &[u8]) -> bool {
    const P: [u8; 30] = [0xff; 30];
    const EIGHT: [[u8; 31]; 2] = [
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac,
            0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53,
            0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03,
        ],
    ];
    let Some((last, front)) = point.split_last() else { return true };
    // The top bit is the sign of x; y is what counts.
    match last & 0x7f {
        0x00 => front.split_first().is_some_and(|(low, rest)| *low <= 1 && rest.iter().all(|byte| *byte == 0)),
        // p − 1, p and p + 1, for p = 2^255 − 19.
        0x7f => front.split_first().is_some_and(|(low, rest)| (0xec..=0xee).contains(low) && rest == P),
        0x05 => EIGHT.first().is_some_and(|y| front == y),
        0x7a => EIGHT.last().is_some_and(|y| front == y),
        _ => false,
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), STANDARD.encode(self.to_wire()))
    }
}

impl TextValue for PublicKey {
    const WANTED: &'static str = "a public key";
    fn parse(text: &str) -> Result<Self, ParseError> {
        let key = Self::from_line(text)?;
        if key.to_string() == text {
            Ok(key)
        } else {
            Err(ParseError::new(text, Self::WANTED, "it is the kind, a space and base64, without a comment"))
        }
    }
}

through_text!(PublicKey);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 32 bytes of Ed25519 without a comment.
    const LINE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPkPmMO0VGsQ8Zm4QHLMtoLvd0aHbXNpTgZ+ThJ6fdtZ";

    fn line(kind: &str, parts: &[&[u8]]) -> String {
        let mut wire = Vec::new();
        put_string(&mut wire, kind.as_bytes());
        parts.iter().for_each(|part| put_string(&mut wire, part));
        format!("{kind} {}", STANDARD.encode(wire))
    }

    #[test]
    fn a_comment_and_a_newline_are_dropped_and_nothing_else() {
        let key = PublicKey::from_line(LINE).unwrap();
        assert_eq!(PublicKey::from_line(&format!("{LINE} alice@example.org (work)\n")).unwrap(), key);
        assert_eq!(key.to_string(), LINE);
        assert!(PublicKey::parse(&format!("{LINE} alice")).is_err());
        for bad in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 ",
            &LINE.replace(' ', "  "),
            &LINE.replace("ssh-ed25519", "ecdsa-sha2-nistp256"),
            &format!(" {LINE}"),
            &format!("cert-authority {LINE}"),
            &format!("{LINE}\n{LINE}"),
            &format!("{LINE}\0"),
            &format!("{LINE} alice\u{1b}[2J"),
            &format!("{LINE}AAAA"),
            &format!("{LINE} {}", "a".repeat(64 * 1024)),
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAQQ==",
        ] {
            let error = PublicKey::from_line(bad).unwrap_err().to_string();
            assert!(error.len() < 900 && !error.contains(['\n', '\0']), "{error}");
        }
    }

    /// R49: a key that any signature fits proves nothing about its holder.
    #[test]
    fn weak_points_are_refused() {
        let mut points = vec![[0u8; 32], [0xff; 32]];
        points[1][0] = 0xec;
        points[1][31] = 0x7f;
        let mut one = [0u8; 32];
        one[0] = 1;
        one[31] = 0x80;
        points.push(one);
        for point in points {
            let error = PublicKey::from_line(&line("ssh-ed25519", &[&point])).unwrap_err().to_string();
            assert!(error.contains("any signature fits"), "{error}");
        }
        let mut off_curve = [7u8; 65];
        off_curve[0] = 4;
        for bad in [
            line("ecdsa-sha2-nistp256", &[b"nistp256", &off_curve]),
            line("ecdsa-sha2-nistp256", &[b"nistp256", &[2; 33]]),
            line("ecdsa-sha2-nistp256", &[b"nistp384", &off_curve]),
            line("ssh-ed25519", &[&[5; 31]]),
            line("sk-ssh-ed25519@openssh.com", &[&[5; 32], b"web:"]),
            line("sk-ssh-ed25519@openssh.com", &[&[5; 32], b"ssh:a b"]),
        ] {
            assert!(PublicKey::from_line(&bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn hostile_lines_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,80}") {
            let _ = PublicKey::from_wire(&bytes);
            let _ = PublicKey::from_line(&text);
            for kind in KeyKind::ALL {
                let line = format!("{} {}", kind.as_str(), STANDARD.encode(&bytes));
                if let Ok(key) = PublicKey::from_line(&line) {
                    prop_assert_eq!(key.to_string(), line);
                }
            }
        }
    }
}
