//! Change sets that wait.

use std::collections::{BTreeMap, BTreeSet};
use writ_ledger::body::{ChangeContent, Item};
use writ_types::{ChangeId, Digest, OwnerRole, PartyId, Section, Time};

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
    /// Who signed, in which roles, and the last entry that says so.
    pub signatures: BTreeMap<PartyId, (BTreeSet<OwnerRole>, u64)>,
    /// New keys that signed for themselves, by fingerprint, and the entry that says so.
    pub keys: BTreeMap<String, u64>,
    /// The parts that are in force.
    pub done: BTreeSet<Part>,
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
    /// The parts, in the order in which they can come into force.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for (item, content) in self.content.items.iter().enumerate() {
            parts.push(Part { item, section: None });
            if let Item::Boundary(boundary) = content {
                parts.extend(boundary.charter.sections().into_keys().map(|section| Part { item, section: Some(section) }));
            }
        }
        let rank = |part: &Part| self.content.items.get(part.item).map_or(u8::MAX, rank);
        parts.sort_by_key(|part| (rank(part), part.item, part.section));
        parts
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

/// What rests on nothing comes first.
const fn rank(item: &Item) -> u8 {
    match item {
        Item::Party(_) => 0,
        Item::Key(_) => 1,
        Item::PartyState(_) => 2,
        Item::Boundary(_) => 3,
        Item::Resource(_) => 4,
        Item::Identity(_) => 5,
    }
}
