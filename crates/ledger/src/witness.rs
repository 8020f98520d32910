//! Verifier keys of witnesses (C2SP tlog-cosignature).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use writ_types::{Digest, ParseError, TextValue};

/// The types of key that a witness may have, each with the bytes of its public key: plain Ed25519, as many witnesses publish theirs,
/// Ed25519 of timestamped cosignatures, ML-DSA-44 (C2SP signed-note, "Signature types").
const TYPES: [(u8, usize); 3] = [(0x01, 32), (0x04, 32), (0x06, 1_312)];

/// A witness's verifier key. Text: `<name>+<hex key id>+<base64 of type and public key>`, at most [`WitnessKey::BYTES_MAX`] bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WitnessKey(String);

impl WitnessKey {
    /// The longest text.
    pub const BYTES_MAX: usize = 2_048;

    /// The witness's name.
    pub fn name(&self) -> &str {
        self.0.split('+').next().unwrap_or_default()
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TextValue for WitnessKey {
    const WANTED: &'static str = "a witness's verifier key";
    fn parse(text: &str) -> Result<Self, ParseError> {
        let wrong = |why: &str| ParseError::new(text, Self::WANTED, why);
        if text.len() > Self::BYTES_MAX || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(wrong("it is at most 2048 visible ASCII characters"));
        }
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it is a name, a key id and a key, joined by `+`"));
        };
        if name.is_empty() {
            return Err(wrong("its name is empty"));
        }
        let key = STANDARD.decode(key).map_err(|_| wrong("the key is not base64"))?;
        let known = key.split_first().is_some_and(|(kind, public)| TYPES.contains(&(*kind, public.len())));
        if !known {
            return Err(wrong("the key is neither Ed25519 nor ML-DSA-44"));
        }
        // "key ID = SHA-256(key name || 0x0A || signature type || public key)[:4]"
        let [a, b, c, d, ..] = *Digest::of_parts(&[name.as_bytes(), b"\n", &key]).as_bytes();
        if id != format!("{a:02x}{b:02x}{c:02x}{d:02x}") {
            return Err(wrong("the key id is not the key's"));
        }
        Ok(Self(text.to_owned()))
    }
}

writ_types::through_text!(WitnessKey);

#[cfg(test)]
mod tests {
    use super::*;

    fn vkey(name: &str, kind: u8, bytes: usize) -> String {
        let key = [&[kind][..], &vec![7; bytes]].concat();
        let id = Digest::of_parts(&[name.as_bytes(), b"\n", &key]);
        let id: String = id.as_bytes()[..4].iter().map(|b| format!("{b:02x}")).collect();
        format!("{name}+{id}+{}", STANDARD.encode(key))
    }

    /// R20: a witness that is signed into a genesis can be one.
    #[test]
    fn only_a_verifier_key_that_can_be_a_witness_parses() {
        for (kind, bytes) in TYPES {
            let text = vkey("witness.example/w1", kind, bytes);
            let key = WitnessKey::parse(&text).unwrap();
            assert_eq!((key.to_string(), key.name()), (text, "witness.example/w1"));
        }
        let good = vkey("w", 4, 32);
        let parts: Vec<&str> = good.splitn(3, '+').collect();
        for bad in [
            String::new(),
            "foo".to_owned(),
            "w+00000000+AAAA".to_owned(),
            format!("{}+{}", parts[0], parts[2]),
            format!("{}+00000000+{}", parts[0], parts[2]),
            format!("x+{}+{}", parts[1], parts[2]),
            format!("{}+{}+{}", parts[0], parts[1].to_uppercase(), parts[2]),
            format!("w w+{}+{}", parts[1], parts[2]),
            vkey("", 4, 32),
            vkey("w", 4, 31),
            vkey("w", 5, 32),
            vkey("w", 6, 32),
            format!("{good}\n"),
        ] {
            assert!(WitnessKey::parse(&bad).is_err(), "{bad:?}");
        }
    }
}
