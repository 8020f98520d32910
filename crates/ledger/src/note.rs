//! Signed notes (C2SP signed-note), with Ed25519 keys.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use writ_types::{Digest, ParseError, Random, Secret, TextValue};
use zeroize::Zeroizing;

/// The signature type identifier of plain Ed25519 (C2SP signed-note, "Signature types").
const ED25519_TYPE: u8 = 0x01;
/// Longer notes and more signatures than these are refused.
const NOTE_BYTES_MAX: usize = 1 << 20;
const SIGNATURES_MAX: usize = 100;
/// Before a signer's text, as Go's `note` package writes it.
const SIGNER_PREFIX: &str = "PRIVATE+KEY+";

/// A verifier key. Text: `<name>+<hex key id>+<base64 of type and public key>`.
#[derive(Clone, PartialEq, Eq)]
pub struct LogKey {
    name: String,
    id: [u8; 4],
    public: [u8; 32],
}

impl LogKey {
    fn new(name: &str, public: [u8; 32]) -> Result<Self, ParseError> {
        // "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus characters."
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(ParseError::new(name, "a key name", "it has neither spaces nor `+`, and is not empty"));
        }
        // "key ID = SHA-256(key name || 0x0A || 0x01 || 32-byte Ed25519 public key)[:4]"
        let digest = Digest::of_parts(&[name.as_bytes(), b"\n", &[ED25519_TYPE], &public]);
        let [a, b, c, d, ..] = *digest.as_bytes();
        Ok(Self { name: name.to_owned(), id: [a, b, c, d], public })
    }

    /// The key's name; for a log, its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id_text(&self) -> String {
        let [a, b, c, d] = self.id;
        format!("{a:02x}{b:02x}{c:02x}{d:02x}")
    }

    fn holds(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public).verify(text.as_bytes(), signature).is_ok()
    }
}

impl fmt::Display for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519_TYPE][..], &self.public].concat();
        write!(f, "{}+{}+{}", self.name, self.id_text(), STANDARD.encode(key))
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TextValue for LogKey {
    const WANTED: &'static str = "a verifier key";
    fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong = |why: &str| ParseError::new(text, Self::WANTED, why);
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it is a name, a key id and a key, joined by `+`"));
        };
        let key = STANDARD.decode(key).map_err(|_| wrong("the key is not base64"))?;
        let public = match key.split_first() {
            Some((&ED25519_TYPE, public)) => public.try_into().map_err(|_| wrong("an Ed25519 key has 32 bytes"))?,
            _ => return Err(wrong("it is not an Ed25519 key")),
        };
        let key = Self::new(name, public)?;
        if key.to_string() == text { Ok(key) } else { Err(wrong("the key id is not the key's")) }
    }
}

/// A signing key, in memory. It has no `Debug`.
#[expect(missing_debug_implementations, reason = "a signing key must not be printable")]
pub struct LogSigner {
    key: LogKey,
    pair: Ed25519KeyPair,
}

impl LogSigner {
    /// A new key of this name, as the text that [`LogSigner::parse`] reads: `PRIVATE+KEY+<name>+<hex key id>+<base64 of type
    /// and seed>`.
    ///
    /// # Errors
    /// When the name is not one.
    pub fn mint(name: &str, random: &mut dyn Random) -> Result<Secret<String>, ParseError> {
        let mut seed = Zeroizing::new([0u8; 32]);
        random.fill(seed.as_mut_slice());
        let signer = Self::from_seed(name, seed.as_slice())?;
        let typed = Zeroizing::new([&[ED25519_TYPE][..], seed.as_slice()].concat());
        let seed_text = Zeroizing::new(STANDARD.encode(&*typed));
        Ok(Secret::new(format!("{SIGNER_PREFIX}{name}+{}+{}", signer.key.id_text(), *seed_text)))
    }

    /// Reads a signer's text.
    ///
    /// # Errors
    /// When it is not one. The error does not quote it.
    pub fn parse(text: &Secret<String>) -> Result<Self, ParseError> {
        let wrong = |why: &str| ParseError::new("…", "a log's signing key", why);
        let rest =
            text.expose().trim_end_matches('\n').strip_prefix(SIGNER_PREFIX).ok_or_else(|| wrong("its prefix is not there"))?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(id), Some(seed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it is a name, a key id and a seed, joined by `+`"));
        };
        let typed = Zeroizing::new(STANDARD.decode(seed).map_err(|_| wrong("the seed is not base64"))?);
        let signer = match typed.split_first() {
            Some((&ED25519_TYPE, seed)) => Self::from_seed(name, seed).map_err(|_| wrong("its name or seed is not one"))?,
            _ => return Err(wrong("it is not an Ed25519 key")),
        };
        if signer.key.id_text() == id { Ok(signer) } else { Err(wrong("the key id is not the key's")) }
    }

    fn from_seed(name: &str, seed: &[u8]) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("…", "a seed", "it has 32 bytes");
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| wrong())?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| wrong())?;
        Ok(Self { key: LogKey::new(name, public)?, pair })
    }

    /// The key that verifies what this one signs.
    pub const fn key(&self) -> &LogKey {
        &self.key
    }
}

/// A text with signatures under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

/// Why a note is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not in the format.
    #[error("not a signed note: {0}")]
    Format(&'static str),
    /// None of its signatures is the key's.
    #[error("no signature by `{0}`")]
    Unsigned(String),
    /// The key's signature does not hold.
    #[error("the signature by `{0}` does not hold")]
    Signature(String),
}

impl Note {
    /// Signs a text, which ends in a newline.
    ///
    /// # Errors
    /// When the text does not end so, or has other control characters.
    pub fn sign(text: &str, signer: &LogSigner) -> Result<Self, NoteError> {
        check_text(text)?;
        let bytes = signer.pair.sign(text.as_bytes()).as_ref().to_vec();
        let signature = Signature { name: signer.key.name.clone(), id: signer.key.id, bytes };
        Ok(Self { text: text.to_owned(), signatures: vec![signature] })
    }

    /// Reads a note. Nothing in it is to be believed before [`Note::verify`].
    ///
    /// # Errors
    /// When it is not in the format.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::Format("it is longer than a mebibyte"));
        }
        // "the text is separated from the signatures by the last empty line in the note"
        let at = note.rfind("\n\n").ok_or(NoteError::Format("no empty line before signatures"))?;
        let (text, lines) = note.split_at_checked(at + 1).ok_or(NoteError::Format("no text"))?;
        check_text(text)?;
        let lines =
            lines.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n')).ok_or(NoteError::Format("no final newline"))?;
        let signatures = lines.split('\n').map(signature_line).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::Format("too many signatures"));
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text, which nobody vouches for yet: it says only which key to ask for.
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The text, once the key's signature holds. Signatures by other keys are ignored.
    ///
    /// # Errors
    /// When no signature is the key's, or one that claims to be does not hold.
    pub fn verify(&self, key: &LogKey) -> Result<&str, NoteError> {
        let mut ours = self.signatures.iter().filter(|s| s.name == key.name && s.id == key.id).peekable();
        if ours.peek().is_none() {
            return Err(NoteError::Unsigned(key.name.clone()));
        }
        if ours.all(|signature| key.holds(&self.text, &signature.bytes)) {
            Ok(&self.text)
        } else {
            Err(NoteError::Signature(key.name.clone()))
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for Signature { name, id, bytes } in &self.signatures {
            writeln!(f, "\u{2014} {name} {}", STANDARD.encode([&id[..], bytes].concat()))?;
        }
        Ok(())
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    if !text.ends_with('\n') {
        return Err(NoteError::Format("its text does not end in a newline"));
    }
    // "MUST NOT contain any ASCII control characters (those below U+0020) other than newline"
    if text.bytes().any(|b| b < 0x20 && b != b'\n') {
        return Err(NoteError::Format("it has control characters"));
    }
    Ok(())
}

fn signature_line(line: &str) -> Result<Signature, NoteError> {
    let rest = line.strip_prefix("\u{2014} ").ok_or(NoteError::Format("a signature line without its dash"))?;
    let (name, encoded) = rest.split_once(' ').ok_or(NoteError::Format("a signature line without a name"))?;
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
        return Err(NoteError::Format("a key name with spaces or `+`"));
    }
    let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Format("a signature that is not base64"))?;
    let (id, bytes) = bytes.split_first_chunk::<4>().ok_or(NoteError::Format("a signature without a key id"))?;
    if bytes.is_empty() {
        return Err(NoteError::Format("an empty signature"));
    }
    Ok(Signature { name: name.to_owned(), id: *id, bytes: bytes.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Ones;
    impl Random for Ones {
        fn fill(&mut self, out: &mut [u8]) {
            out.fill(1);
        }
    }

    fn signer() -> LogSigner {
        LogSigner::parse(&LogSigner::mint("log.example/writ", &mut Ones).unwrap()).unwrap()
    }

    #[test]
    fn the_example_of_the_specification_verifies() {
        let key = LogKey::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").unwrap();
        let text = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
        let note = Note::parse(text).unwrap();
        assert_eq!(note.verify(&key), Ok("This is an example message.\n"));
        assert_eq!(note.to_string(), text);
        assert!(matches!(note.verify(signer().key()), Err(NoteError::Unsigned(_))));
    }

    #[test]
    fn keys_have_one_text_and_errors_do_not_quote_a_secret_one() {
        let key = signer().key().clone();
        assert_eq!(LogKey::parse(&key.to_string()), Ok(key.clone()));
        let text = key.to_string();
        for bad in [
            text.replace("log.example", "log.other"),
            text.replace('/', " "),
            text.to_uppercase(),
            format!("{text}\n"),
            String::new(),
        ] {
            assert!(LogKey::parse(&bad).is_err(), "{bad}");
        }
        let secret = LogSigner::mint("a", &mut Ones).unwrap();
        let broken = Secret::new(secret.expose().replace("+A", "+B"));
        let error = LogSigner::parse(&broken).err().unwrap().to_string();
        assert!(!error.contains("AQEB"), "{error}");
        assert!(LogSigner::mint("a b", &mut Ones).is_err());
    }

    #[test]
    fn a_note_with_a_broken_signature_of_ours_is_refused_whatever_else_holds() {
        let signer = signer();
        let good = Note::sign("one\n", &signer).unwrap().to_string();
        let other = Note::sign("two\n", &signer).unwrap().to_string();
        let both = format!("{good}{}", other.strip_prefix("two\n\n").unwrap());
        assert!(matches!(Note::parse(&both).unwrap().verify(signer.key()), Err(NoteError::Signature(_))));
        for bad in [
            "",
            "\n",
            "a\n\n",
            "a\n\n\n",
            "a\n\nb\n",
            "a\r\n\n\u{2014} a AAAAAAA=\n",
            "a\n\n\u{2014} a AAAA\n",
            "a\n\n\u{2014} a+b AAAAAAA=\n",
        ] {
            assert!(Note::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_flipped_bit_is_caught(at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let signer = signer();
            let note = Note::sign("log.example/writ\n7\nroot\n", &signer).unwrap().to_string();
            let mut bytes = note.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let believed = String::from_utf8(bytes).ok().and_then(|text| Note::parse(&text).ok()).is_some_and(|note| note.verify(signer.key()).is_ok());
            prop_assert!(!believed);
        }
    }
}
