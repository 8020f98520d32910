//! What of the items differs from what is in force, and what of that waits already.

use super::known::Known;
use std::collections::BTreeSet;
use writ_ledger::Blob;
use writ_ledger::body::{BoundaryItem, Charter, Item, PartyItem};
use writ_types::{ChangeId, Digest, Section};

/// The estate's difference.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    /// What is to be filed.
    pub(crate) changes: Vec<Changed>,
    /// What was filed before, word for word, and waits for signatures.
    pub(crate) waiting: BTreeSet<ChangeId>,
    /// The new names that the changes mention.
    pub(crate) blobs: Vec<Blob>,
}

/// One item that differs.
#[derive(Debug)]
pub(crate) struct Changed {
    /// What is filed: of a charter only the sections that differ.
    pub(crate) item: Item,
    /// What is in force.
    pub(crate) before: Option<Item>,
    /// Signed sections that no longer hold once their new terms are signed.
    pub(crate) voided: Vec<Section>,
}

/// Compares resolved items with what is in force.
pub(crate) fn difference(items: Vec<Item>, blobs: Vec<Blob>, known: &Known) -> Difference {
    let mut out = Difference::default();
    for item in items {
        let Some(changed) = changed(item, known) else { continue };
        match known.waiting_items().find(|(_, waiting)| covers(waiting, &changed.item)) {
            Some((waiting, _)) => {
                out.waiting.insert(waiting.change);
            }
            None => out.changes.push(changed),
        }
    }
    let named: BTreeSet<Digest> = out.changes.iter().filter_map(|changed| name_of(&changed.item)).collect();
    out.blobs = blobs.into_iter().filter(|blob| named.contains(&blob.name())).collect();
    out
}

fn name_of(item: &Item) -> Option<Digest> {
    match item {
        Item::Party(party) => Some(party.name),
        _ => None,
    }
}

/// The item, if it differs from what is in force.
fn changed(item: Item, known: &Known) -> Option<Changed> {
    if let Item::Boundary(item) = &item {
        return boundary(item, known.boundaries.get(&item.name));
    }
    let before = in_force(&item, known);
    if before.as_ref() == Some(&item) { None } else { Some(Changed { item, before, voided: Vec::new() }) }
}

/// What is in force of the thing that an item describes.
pub(crate) fn in_force(item: &Item, known: &Known) -> Option<Item> {
    match item {
        Item::Party(item) => known.parties.values().find(|party| party.party == item.party).map(|party| {
            let members = party.members.iter().copied().collect();
            Item::Party(PartyItem { party: party.party, kind: party.kind, name: party.name, members })
        }),
        Item::Boundary(item) => known.boundaries.get(&item.name).cloned().map(|item| Item::Boundary(Box::new(item))),
        Item::Identity(item) => {
            known.identities.values().find(|known| known.identity == item.identity).cloned().map(Item::Identity)
        }
        Item::Resource(item) => {
            let known = known.resources.values().find(|known| known.resource == item.resource);
            known.cloned().map(|item| Item::Resource(Box::new(item)))
        }
        Item::PartyState(_) | Item::Key(_) => None,
    }
}

/// A boundary with those sections of its charter that differ. A section that is left out stays as it is.
fn boundary(item: &BoundaryItem, before: Option<&BoundaryItem>) -> Option<Changed> {
    let Some(before) = before else {
        return Some(Changed { item: Item::Boundary(Box::new(item.clone())), before: None, voided: Vec::new() });
    };
    let (new, old) = (item.charter.sections(), before.charter.sections());
    let moved: BTreeSet<Section> =
        new.iter().filter(|(section, terms)| old.get(*section) != Some(*terms)).map(|(s, _)| *s).collect();
    let voided = moved.iter().filter(|section| old.contains_key(*section)).copied().collect();
    if moved.is_empty() && bare(item) == bare(before) {
        return None;
    }
    let keep = |section| moved.contains(&section);
    let Charter { business, identity, platform, security } = item.charter.clone();
    let charter = Charter {
        business: business.filter(|_| keep(Section::Business)),
        identity: identity.filter(|_| keep(Section::Identity)),
        platform: platform.filter(|_| keep(Section::Platform)),
        security: security.filter(|_| keep(Section::Security)),
    };
    let item = BoundaryItem { charter, ..item.clone() };
    Some(Changed { item: Item::Boundary(Box::new(item)), before: Some(Item::Boundary(Box::new(before.clone()))), voided })
}

fn bare(item: &BoundaryItem) -> BoundaryItem {
    BoundaryItem { charter: Charter::default(), ..item.clone() }
}

/// True if what waits says all that `item` says.
fn covers(waiting: &Item, item: &Item) -> bool {
    match (waiting, item) {
        (Item::Boundary(waiting), Item::Boundary(item)) => {
            let there = waiting.charter.sections();
            bare(waiting) == bare(item)
                && item.charter.sections().iter().all(|(section, terms)| there.get(section) == Some(terms))
        }
        _ => waiting == item,
    }
}
