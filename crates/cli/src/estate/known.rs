//! What is in force, and what waits for signatures, by the names that estate files use.

use crate::failure::Failure;
use crate::people::{Known as KnownName, People, name_content};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use writ_ledger::Blob;
use writ_ledger::body::{BoundaryItem, ChangeContent, IdentityItem, Item, PartyType, ResourceItem};
use writ_types::{ChangeId, Digest, Handle, Name, PartyId, TrustDomain, canonical};
use writ_wire::api::Estate;

/// The boundary that the genesis makes.
pub(crate) const ROOT: &str = "root";

/// The estate, by name.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) trust_domain: TrustDomain,
    pub(crate) parties: BTreeMap<Handle, KnownParty>,
    pub(crate) boundaries: BTreeMap<Name, BoundaryItem>,
    pub(crate) identities: BTreeMap<Name, IdentityItem>,
    pub(crate) resources: BTreeMap<Name, ResourceItem>,
    /// What waits for signatures.
    pub(crate) waiting: Vec<Waiting>,
}

/// A party in force.
#[derive(Debug, Clone)]
pub(crate) struct KnownParty {
    pub(crate) party: PartyId,
    pub(crate) kind: PartyType,
    pub(crate) disabled: bool,
    pub(crate) members: BTreeSet<PartyId>,
    pub(crate) name: Digest,
    /// The content of its name blob.
    pub(crate) content: Value,
}

/// A change set that waits, with the blobs that its content names, as far as they are known.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) change: ChangeId,
    pub(crate) content: ChangeContent,
    pub(crate) blobs: Vec<Value>,
}

impl Known {
    pub(crate) fn of(estate: &Estate, waiting: Vec<Waiting>) -> Result<Self, Failure> {
        let people = People::of(estate);
        let unreadable = |error: serde_json::Error| {
            Failure::failed(format!("the estate can't be read: {error}"), "check that server and command have the same version")
        };
        let mut known = Self {
            trust_domain: estate.trust_domain.clone(),
            parties: BTreeMap::new(),
            boundaries: BTreeMap::new(),
            identities: BTreeMap::new(),
            resources: BTreeMap::new(),
            waiting,
        };
        for view in &estate.parties {
            let Some(KnownName { handle, name, mail }) = people.known(&view.party) else { continue };
            let kind = serde_json::from_value(Value::from(view.kind.clone())).map_err(unreadable)?;
            let party = KnownParty {
                party: view.party,
                kind,
                disabled: view.disabled,
                members: view.members.iter().copied().collect(),
                name: view.name,
                content: name_content(handle, name.as_deref(), mail.as_deref()),
            };
            known.parties.insert(handle.clone(), party);
        }
        for value in &estate.boundaries {
            let item = boundary(value).map_err(unreadable)?;
            known.boundaries.insert(item.name.clone(), item);
        }
        for value in &estate.identities {
            let item: IdentityItem = serde_json::from_value(value.clone()).map_err(unreadable)?;
            known.identities.insert(item.name.clone(), item);
        }
        for value in &estate.resources {
            let item: ResourceItem = serde_json::from_value(value.clone()).map_err(unreadable)?;
            known.resources.insert(item.name.clone(), item);
        }
        Ok(known)
    }

    /// The items that wait, newest first.
    pub(crate) fn waiting_items(&self) -> impl Iterator<Item = (&Waiting, &Item)> {
        self.waiting.iter().rev().flat_map(|waiting| waiting.content.items.iter().map(move |item| (waiting, item)))
    }

    /// A party of this handle that waits, with its name blob.
    pub(crate) fn waiting_party(&self, handle: &Handle) -> Option<(PartyId, Blob)> {
        self.waiting_items().find_map(|(waiting, item)| {
            let Item::Party(party) = item else { return None };
            let opened = waiting.blobs.iter().find_map(|blob| Blob::open(party.name, canonical(blob).ok()?).ok())?;
            let named = opened.content().get("handle").and_then(Value::as_str) == Some(handle.as_str());
            named.then_some((party.party, opened))
        })
    }
}

/// A boundary of the export. The root, which has no boundary above it, counts as its own.
fn boundary(value: &Value) -> Result<BoundaryItem, serde_json::Error> {
    let mut value = value.clone();
    if let Some(members) = value.as_object_mut()
        && members.get("parent").is_none_or(Value::is_null)
    {
        members.insert("parent".to_owned(), Value::from(ROOT));
    }
    serde_json::from_value(value)
}
