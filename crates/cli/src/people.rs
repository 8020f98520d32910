//! Who is who: parties by handle, each name checked against the digest that was signed.

use std::collections::BTreeMap;
use writ_credential::PublicKey;
use writ_ledger::Blob;
use writ_types::{Digest, Handle, PartyId, TextValue as _, canonical};
use writ_wire::api::Estate;

/// The names of parties.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    names: BTreeMap<PartyId, Known>,
    /// Every name by the digest of its blob: a change set may give a known party another name.
    blobs: BTreeMap<Digest, Known>,
    keys: BTreeMap<String, PartyId>,
}

/// What is known of one party's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) handle: Handle,
    pub(crate) name: Option<String>,
    pub(crate) mail: Option<String>,
}

impl People {
    /// The parties of an estate. A name whose blob is not the one that was signed is not taken.
    pub(crate) fn of(estate: &Estate) -> Self {
        let mut people = Self::default();
        for party in &estate.parties {
            people.learn(party.party, &party.name, party.blob.as_slice());
        }
        people.keys = estate.keys.iter().map(|key| (key.fingerprint.clone(), key.party)).collect();
        people
    }

    /// Adds the name of a party, unless another is in force.
    pub(crate) fn learn(&mut self, party: PartyId, name: &Digest, blobs: &[serde_json::Value]) {
        if let Some(known) = blobs.iter().find_map(|blob| read(name, blob)) {
            self.blobs.insert(*name, known.clone());
            self.names.entry(party).or_insert(known);
        }
    }

    /// The name in the blob of this digest.
    pub(crate) fn named(&self, name: &Digest) -> Option<&Known> {
        self.blobs.get(name)
    }

    /// What is known of a party's name.
    pub(crate) fn known(&self, party: &PartyId) -> Option<&Known> {
        self.names.get(party)
    }

    /// The handle, or the id where the name is erased or not the one that was signed.
    pub(crate) fn handle(&self, party: &PartyId) -> String {
        self.names.get(party).map_or_else(|| party.to_string(), |known| known.handle.to_string())
    }

    /// The handles of several, with commas.
    pub(crate) fn handles<'a>(&self, parties: impl IntoIterator<Item = &'a PartyId>) -> String {
        parties.into_iter().map(|party| self.handle(party)).collect::<Vec<_>>().join(", ")
    }

    /// Whose key this is.
    pub(crate) fn holder(&self, key: &PublicKey) -> Option<PartyId> {
        self.keys.get(&key.fingerprint().to_string()).copied()
    }

    /// The text with every party id that has a known name replaced by its handle.
    pub(crate) fn spell(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, from)) = rest.find(PartyId::PREFIX).and_then(|at| rest.split_at_checked(at)) {
            out.push_str(before);
            let id = from.split_at_checked(PartyId::PREFIX.len() + 32);
            match id.and_then(|(id, after)| Some((PartyId::parse(id).ok()?, after))) {
                Some((party, after)) => {
                    out.push_str(&self.handle(&party));
                    rest = after;
                }
                None => {
                    let (prefix, after) = from.split_at_checked(PartyId::PREFIX.len()).unwrap_or((from, ""));
                    out.push_str(prefix);
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }
}

/// The name in a blob, if the blob is the one of this digest.
fn read(name: &Digest, blob: &serde_json::Value) -> Option<Known> {
    let blob = Blob::open(*name, canonical(blob).ok()?).ok()?;
    let text = |member: &str| blob.content().get(member).and_then(serde_json::Value::as_str).map(str::to_owned);
    Some(Known { handle: Handle::parse(&text("handle")?).ok()?, name: text("name"), mail: text("mail") })
}

/// The content of a name blob.
pub(crate) fn name_content(handle: &Handle, name: Option<&str>, mail: Option<&str>) -> serde_json::Value {
    let mut content = serde_json::Map::new();
    content.insert("handle".to_owned(), handle.as_str().into());
    for (member, text) in [("name", name), ("mail", mail)] {
        if let Some(text) = text {
            content.insert(member.to_owned(), text.into());
        }
    }
    serde_json::Value::Object(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_ledger::Salt;

    fn blob(handle: &str) -> Blob {
        Blob::new(name_content(&Handle::parse(handle).unwrap(), Some("N"), None), Salt::from_bits([3; 16])).unwrap()
    }

    #[test]
    fn only_the_name_that_was_signed_is_shown() {
        let (alice, mallory) = (blob("alice"), blob("mallory"));
        let party = PartyId::from_bits([1; 16]);
        let mut people = People::default();
        let value = |blob: &Blob| serde_json::from_slice::<serde_json::Value>(blob.bytes()).unwrap();
        people.learn(party, &alice.name(), &[value(&mallory)]);
        assert_eq!(people.handle(&party), party.to_string());
        people.learn(party, &alice.name(), &[value(&mallory), value(&alice)]);
        assert_eq!(people.handle(&party), "alice");
        // A new name of a known party is told from its own blob, and the party keeps the name in force.
        let renamed = blob("alicia");
        people.learn(party, &renamed.name(), &[value(&renamed)]);
        assert_eq!(people.named(&renamed.name()).unwrap().handle.as_str(), "alicia");
        assert_eq!(people.handle(&party), "alice");
        let other = PartyId::from_bits([2; 16]);
        assert_eq!(people.spell(&format!("{party} ({other}) pty_x é")), format!("alice ({other}) pty_x é"));
    }
}
