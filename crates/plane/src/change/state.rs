//! Change sets that wait.

use std::collections::{BTreeMap, BTreeSet};
use writ_ledger::body::{ChangeContent, Item};
use writ_types::{ChangeId, Digest, OwnerRole, PartyId, Section, Time, canonical};

/// All change sets of which a part is not in force yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Changes(pub(crate) BTreeMap<ChangeId, Change>);

/// One change set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Change {
    /// What is signed.
    pub content: ChangeContent,
    /// SHA-256 of the RFC 8785 form of the content.
    pub digest: Digest,
    /// The entry that filed it.
    pub filed: u64,
    /// When it was filed.
    pub filed_at: Time,
    /// What was signed and still counts, by the key's fingerprint: a key that is removed takes it along.
    pub signatures: BTreeMap<String, Signature>,
    /// New keys that signed for themselves, by fingerprint, and the entry that says so.
    pub keys: BTreeMap<String, u64>,
    /// The parts that are in force.
    pub done: BTreeSet<Part>,
}

/// What one key signed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Signature {
    /// Whose key it is.
    pub by: PartyId,
    /// In which roles.
    pub roles: BTreeSet<OwnerRole>,
    /// The last entry that says so.
    pub index: u64,
}

/// The smallest piece of a change set that somebody answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    /// Which item, by its place.
    pub item: usize,
    /// Which section of the charter, in a boundary; none for the boundary itself and for everything else.
    pub section: Option<Section>,
}

impl Changes {
    /// One change set.
    pub fn get(&self, id: &ChangeId) -> Option<&Change> {
        self.0.get(id)
    }

    /// All that wait.
    pub fn iter(&self) -> impl Iterator<Item = (&ChangeId, &Change)> {
        self.0.iter()
    }
}

impl Change {
    /// A change set of which no part is in force and which nobody has signed, filed by the entry at `filed`.
    pub(crate) fn new(content: ChangeContent, filed: u64, filed_at: Time) -> Option<Self> {
        let digest = Digest::of(&canonical(&content).ok()?);
        let (signatures, keys, done) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Some(Self { content, digest, filed, filed_at, signatures, keys, done })
    }

    /// A change set that nobody has filed yet; none where its content has no bytes that could be signed.
    pub fn of(content: ChangeContent) -> Option<Self> {
        Self::new(content, 0, Time::from_micros(0))
    }

    /// Who signed, and in which roles.
    pub fn signed_by(&self) -> BTreeMap<PartyId, BTreeSet<OwnerRole>> {
        let mut signed: BTreeMap<PartyId, BTreeSet<OwnerRole>> = BTreeMap::new();
        for signature in self.signatures.values() {
            signed.entry(signature.by).or_default().extend(&signature.roles);
        }
        signed
    }

    /// True if this person signed, in this role where one is asked.
    pub fn is_signed_by(&self, person: &PartyId, role: Option<OwnerRole>) -> bool {
        let counts = |it: &Signature| it.by == *person && role.is_none_or(|role| it.roles.contains(&role));
        self.signatures.values().any(counts)
    }

    /// The parts, in the order in which they can come into force.
    pub fn parts(&self) -> Vec<Part> {
        parts(&self.content)
    }

    /// The parts on which `part` can rest: all others but those that come into force after it.
    pub(crate) fn before(&self, part: Part) -> impl Iterator<Item = Part> {
        let rank = |part: &Part| self.item(*part).map_or(u8::MAX, rank);
        let last = rank(&part);
        self.parts().into_iter().filter(move |other| *other != part && rank(other) <= last)
    }

    /// True once every part is in force.
    pub fn is_done(&self) -> bool {
        self.parts().iter().all(|part| self.done.contains(part))
    }

    /// The item of a part.
    pub fn item(&self, part: Part) -> Option<&Item> {
        self.content.items.get(part.item)
    }
}

/// The parts of a change set, in the order in which they can come into force.
pub(super) fn parts(content: &ChangeContent) -> Vec<Part> {
    let mut parts = Vec::new();
    for (item, content) in content.items.iter().enumerate() {
        parts.push(Part { item, section: None });
        if let Item::Boundary(boundary) = content {
            parts.extend(boundary.charter.sections().into_keys().map(|section| Part { item, section: Some(section) }));
        }
    }
    let rank = |part: &Part| content.items.get(part.item).map_or(u8::MAX, rank);
    parts.sort_by_key(|part| (rank(part), part.item, part.section));
    parts
}

/// True if nothing of it gives anybody anything: powers end, keys stop to answer, identities are retired.
pub(crate) fn only_cuts(content: &ChangeContent) -> bool {
    content.items.iter().all(is_cut)
}

const fn is_cut(item: &Item) -> bool {
    match item {
        Item::PartyState(state) => state.disabled,
        Item::Key(key) => key.remove,
        Item::Identity(identity) => identity.retired,
        Item::Party(_) | Item::Boundary(_) | Item::Resource(_) => false,
    }
}

/// What rests on nothing comes first. Powers and keys end last: what they signed in the same set still counts in it.
const fn rank(item: &Item) -> u8 {
    match item {
        Item::Party(_) => 0,
        Item::Key(key) if !key.remove => 1,
        Item::PartyState(state) if !state.disabled => 2,
        Item::Boundary(_) => 3,
        Item::Resource(_) => 4,
        Item::Identity(_) => 5,
        Item::Key(_) | Item::PartyState(_) => 6,
    }
}
