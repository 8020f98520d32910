//! One record of the evidence log.

use crate::Salt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::{self, Write as _};
use writ_types::{
    ActorKind, CanonicalError, DecisionId, Digest, EventId, INTEGER_MAX, ParseError, PartyId, TextValue, Time, Via,
    canonical_into,
};

/// The most bytes that an entry has: what the length field of an entry bundle can say (C2SP tlog-tiles, "Log entries").
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// The version of the envelope that this code writes and reads.
pub const ENTRY_VERSION: u64 = 1;

/// One record of the log, in the order in which things became true. It holds no index: the tree proves it.
///
/// `on`, `cause`, `acts` and `blobs` are left out of the encoding when empty, `decision` and `policy_set` when there is
/// none; every other member is always there. There is exactly one encoding of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The envelope's version: [`ENTRY_VERSION`].
    pub v: u64,
    /// What kind of record this is; it names the shape of `body`.
    pub kind: Kind,
    /// When: never earlier than the entry before.
    pub at: Time,
    /// The event's own id.
    pub id: EventId,
    /// Keeps the leaf from being guessed.
    pub salt: Salt,
    /// The log's epoch: people start a new one when a log continues from behind.
    pub epoch: u64,
    /// Who acted.
    pub actor: Actor,
    /// The ids of the things that this is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<String>,
    /// The indexes of the entries that this one rests on, each smaller than its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cause: Vec<u64>,
    /// The decision that allowed or denied it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionId>,
    /// The policy set that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_set: Option<Digest>,
    /// What the kind says, an object with its own version in `v`.
    pub body: Value,
    /// The acts of people, each with the person's signature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<SignedAct>,
    /// The names of the blobs that carry its erasable content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<Digest>,
}

/// Who acted, and how the request came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// A party's or an identity's id, or the server's name.
    pub id: String,
    /// What acted.
    pub kind: ActorKind,
    /// How the request came in.
    pub via: Via,
}

/// Something a person answers for, with that person's signature over the canonical form of `statement`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedAct {
    /// The person.
    pub by: PartyId,
    /// The fingerprint of the key, as OpenSSH prints it: `SHA256:…`.
    pub key: String,
    /// What was signed.
    pub statement: Value,
    /// The armoured SSHSIG.
    pub sshsig: String,
}

/// Why bytes are not an entry, or an entry has no bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// More than [`ENTRY_BYTES_MAX`] bytes.
    #[error("an entry of {0} bytes is longer than {ENTRY_BYTES_MAX}")]
    TooLong(usize),
    /// A number that readers would round, or too deep a nesting.
    #[error("an entry has no canonical form: {0}")]
    Canonical(#[from] CanonicalError),
    /// Not JSON, or not the members of an entry.
    #[error("not an entry: {0}")]
    Shape(String),
    /// JSON of an entry, but not in its one encoding.
    #[error("an entry that is not in canonical form")]
    NotCanonical,
}

impl Entry {
    /// The entry's bytes: RFC 8785 JSON, the leaf of the tree.
    ///
    /// # Errors
    /// When it is too long, its body is not an object with a version, or a number in it is not exact.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        self.check()?;
        let bytes = self.write()?.into_bytes();
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(EntryError::TooLong(bytes.len()));
        }
        Ok(bytes)
    }

    /// Reads an entry from exactly the bytes that [`Entry::encode`] writes.
    ///
    /// # Errors
    /// When a member is unknown, missing, twice there or malformed, or the bytes are another encoding of the same.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(EntryError::TooLong(bytes.len()));
        }
        let entry: Self = serde_json::from_slice(bytes).map_err(|error| EntryError::Shape(one_line(&error.to_string())))?;
        if entry.encode()? == bytes { Ok(entry) } else { Err(EntryError::NotCanonical) }
    }

    /// What `canonical(self)` gives, in a third of the time: every append pays for it. The members stand in their order.
    fn write(&self) -> Result<String, CanonicalError> {
        let mut out = String::with_capacity(1024);
        out.push_str("{\"actor\":{\"id\":");
        text(&self.actor.id, &mut out)?;
        // Words, times, ids, kinds, salts and digests have no character that JSON escapes, and writing to a String can't fail.
        let _ = write!(out, ",\"kind\":\"{}\",\"via\":\"{}\"}}", self.actor.kind, self.actor.via);
        if !self.acts.is_empty() {
            out.push_str(",\"acts\":");
            let acts = serde_json::to_value(&self.acts).map_err(|error| CanonicalError::Json(error.to_string()))?;
            canonical_into(&acts, &mut out)?;
        }
        let _ = write!(out, ",\"at\":\"{}\"", self.at);
        if !self.blobs.is_empty() {
            list("blobs", &self.blobs, &mut out, |name, out| {
                quoted(name, out);
                Ok(())
            })?;
        }
        out.push_str(",\"body\":");
        canonical_into(&self.body, &mut out)?;
        if !self.cause.is_empty() {
            list("cause", &self.cause, &mut out, |cause, out| number(*cause, out))?;
        }
        if let Some(decision) = &self.decision {
            out.push_str(",\"decision\":");
            quoted(decision, &mut out);
        }
        out.push_str(",\"epoch\":");
        number(self.epoch, &mut out)?;
        let _ = write!(out, ",\"id\":\"{}\",\"kind\":\"{}\"", self.id, self.kind);
        if !self.on.is_empty() {
            list("on", &self.on, &mut out, |id, out| text(id, out))?;
        }
        if let Some(hash) = &self.policy_set {
            out.push_str(",\"policy_set\":");
            quoted(hash, &mut out);
        }
        let _ = write!(out, ",\"salt\":\"{}\",\"v\":{}}}", self.salt, self.v);
        Ok(out)
    }

    fn check(&self) -> Result<(), EntryError> {
        let wrong = |why: &str| Err(EntryError::Shape(why.to_owned()));
        if self.v != ENTRY_VERSION {
            return Err(EntryError::Shape(format!("version {} is not {ENTRY_VERSION}", self.v)));
        }
        if self.actor.id.is_empty() {
            return wrong("the actor has no id");
        }
        if !self.body.get("v").is_some_and(Value::is_u64) {
            return wrong("the body is not an object with a version `v`");
        }
        Ok(())
    }
}

/// What kind of record an entry is: words of `a-z` and `_` joined by dots, at least two, like `task.ended`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Kind(String);

impl Kind {
    /// The kind as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TextValue for Kind {
    const WANTED: &'static str = "a kind of entry";
    fn parse(text: &str) -> Result<Self, ParseError> {
        let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if text.len() <= 64 && text.contains('.') && text.split('.').all(word) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new(text, Self::WANTED, "it is words of `a-z` and `_` joined by dots, like `task.ended`"))
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Kind {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.0
    }
}

/// Something without characters that JSON escapes.
fn quoted(value: &dyn fmt::Display, out: &mut String) {
    let _ = write!(out, "\"{value}\"");
}

fn number(n: u64, out: &mut String) -> Result<(), CanonicalError> {
    if n > INTEGER_MAX {
        return Err(CanonicalError::Number(n.to_string()));
    }
    let _ = write!(out, "{n}");
    Ok(())
}

fn text(text: &str, out: &mut String) -> Result<(), CanonicalError> {
    canonical_into(&Value::from(text), out)
}

fn list<T>(
    name: &str,
    items: &[T],
    out: &mut String,
    mut each: impl FnMut(&T, &mut String) -> Result<(), CanonicalError>,
) -> Result<(), CanonicalError> {
    let _ = write!(out, ",\"{name}\":[");
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        each(item, out)?;
    }
    out.push(']');
    Ok(())
}

/// A message on one line, at most 200 characters: what it quotes may be hostile.
pub(crate) fn one_line(message: &str) -> String {
    let mut line = String::new();
    for c in message.chars().take(200) {
        if c.is_control() {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use writ_types::canonical;

    fn entry() -> Entry {
        Entry {
            v: 1,
            kind: Kind::parse("task.ended").unwrap(),
            at: Time::from_micros(1_795_341_600_000_001),
            id: EventId::from_bits([7; 16]),
            salt: Salt::from_bits([9; 16]),
            epoch: 3,
            actor: Actor { id: "pty_1".to_owned(), kind: ActorKind::Human, via: Via::Key },
            on: Vec::new(),
            cause: Vec::new(),
            decision: None,
            policy_set: None,
            body: json!({"v": 1}),
            acts: Vec::new(),
            blobs: Vec::new(),
        }
    }

    #[test]
    fn the_encoding_is_fixed() {
        assert_eq!(
            String::from_utf8(entry().encode().unwrap()).unwrap(),
            "{\"actor\":{\"id\":\"pty_1\",\"kind\":\"human\",\"via\":\"key\"},\"at\":\"2026-11-22T10:00:00.000001Z\",\"body\":{\"v\":1},\
             \"epoch\":3,\"id\":\"ev_07070707070707070707070707070707\",\"kind\":\"task.ended\",\"salt\":\"CQkJCQkJCQkJCQkJCQkJCQ\",\"v\":1}"
        );
    }

    #[test]
    fn other_encodings_of_the_same_are_refused() {
        let good = String::from_utf8(entry().encode().unwrap()).unwrap();
        assert_eq!(Entry::decode(good.as_bytes()).unwrap(), entry());
        let bad = [
            good.replace("\"epoch\":3", "\"epoch\": 3"),
            good.replace("\"epoch\":3", "\"epoch\":3.0"),
            good.replace("\"epoch\":3", "\"epoch\":3,\"epoch\":3"),
            good.replace("\"epoch\":3", "\"epoch\":9007199254740992"),
            good.replace("{\"v\":1}", "{\"v\":1,\"v\":1}"),
            good.replace("{\"v\":1}", "{\"v\":1,\"w\":1e2}"),
            good.replace("{\"v\":1}", "{\"v\":1,\"w\":-0}"),
            good.replace("{\"v\":1}", "{}"),
            good.replace("{\"v\":1}", "[]"),
            good.replace("\"kind\":\"task.ended\"", "\"kind\":\"task.ended\",\"more\":1"),
            good.replace("\"kind\":\"task.ended\"", "\"kind\":\"Task.ended\""),
            good.replace("\"kind\":\"task.ended\"", "\"kind\":\"task\\u002eended\""),
            good.replace(",\"v\":1}", ",\"v\":2}"),
            good.replace("\"via\":\"key\"", "\"via\":\"key\",\"as\":\"root\""),
            good.replace("\"epoch\":3", "\"decision\":null,\"epoch\":3"),
            good.replace("\"id\":\"ev_", "\"cause\":[],\"id\":\"ev_"),
            format!("{good}\n"),
            format!(" {good}"),
            format!("\u{feff}{good}"),
        ];
        for text in bad {
            assert_ne!(text, good, "the case changes nothing");
            assert!(Entry::decode(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn an_entry_longer_than_a_bundle_can_say_is_refused() {
        let mut long = entry();
        let empty = long.encode().unwrap().len();
        long.body = json!({"v": 1, "t": "x".repeat(ENTRY_BYTES_MAX - empty - 7)});
        assert_eq!(long.encode().unwrap().len(), ENTRY_BYTES_MAX);
        long.body = json!({"v": 1, "t": "x".repeat(ENTRY_BYTES_MAX - empty - 6)});
        assert_eq!(long.encode(), Err(EntryError::TooLong(ENTRY_BYTES_MAX + 1)));
        assert_eq!(Entry::decode(&vec![b' '; ENTRY_BYTES_MAX + 1]), Err(EntryError::TooLong(ENTRY_BYTES_MAX + 1)));
    }

    #[test]
    fn deep_nesting_and_hostile_names_give_one_line() {
        for text in ["[".repeat(60_000), format!("{{\"a\nb\u{7}{}\":1}}", "x".repeat(999)), "\u{202e}".to_owned(), String::new()]
        {
            let error = Entry::decode(text.as_bytes()).unwrap_err().to_string();
            assert!(error.len() < 900 && !error.contains('\n') && !error.contains('\u{7}'), "{error}");
        }
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), "[\"\\\\\u{0}-\u{1f}\u{7f}\u{2028}\u{202e}\u{fffd}\u{10ffff}]{0,40}"]
    }

    proptest! {
        #[test]
        fn whatever_text_it_holds_an_entry_reads_back(on in text(), key in text(), value in text(), cause in prop::collection::vec(0u64..1 << 53, 0..4), epoch in 0u64..1 << 53, acts: bool) {
            let mut written = entry();
            written.on = vec![on];
            written.cause = cause;
            written.body = json!({"v": 1, key.clone(): value.clone(), "z": [key, {value.clone(): null}]});
            written.epoch = epoch;
            if acts {
                let act = SignedAct { by: PartyId::from_bits([5; 16]), key: key.clone(), statement: json!({&value: 1}), sshsig: value.clone() };
                written.acts = vec![act.clone(), act];
                written.decision = Some(DecisionId::from_bits([6; 16]));
                written.policy_set = Some(Digest::of(value.as_bytes()));
                written.blobs = vec![Digest::of(b"a"), Digest::of(b"b")];
                written.actor.id = format!("x{value}");
            }
            if let Ok(bytes) = written.encode() {
                // The fast encoding is the one of RFC 8785.
                prop_assert_eq!(&bytes, &canonical(&written).unwrap());
                prop_assert_eq!(Entry::decode(&bytes).unwrap(), written);
            } else {
                // Only a member that hides the version makes it unwritable.
                prop_assert!(!written.body["v"].is_u64());
            }
        }

        #[test]
        fn no_other_bytes_read_as_the_entry(at in 0usize..300, bit in 0u8..8) {
            let mut bytes = entry().encode().unwrap();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            if let Ok(other) = Entry::decode(&bytes) {
                prop_assert_ne!(other, entry());
            }
        }
    }
}
