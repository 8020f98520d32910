//! In which owner roles a person answers for a change set, judged on this side.

use super::known::{Known, ROOT};
use std::collections::BTreeSet;
use writ_ledger::body::{BoundaryItem, ChangeContent, Item};
use writ_types::{Name, OwnerRole, PartyId};

/// More boundaries one above the other than a server takes.
const DEPTH_MAX: usize = 64;

/// The roles in which `me` answers for parts of `content`: those that it names or would inherit, and those held already.
pub(crate) fn of(content: &ChangeContent, known: &Known, me: PartyId) -> BTreeSet<OwnerRole> {
    let table = Table { items: &content.items, known };
    let mut roles = BTreeSet::new();
    for item in &content.items {
        match item {
            Item::Boundary(item) => {
                let inside = table.names().filter(|name| table.lies_in(name, &item.name));
                let seats = inside.flat_map(|name| OwnerRole::ALL.iter().map(move |role| (name, *role)));
                roles.extend(seats.filter(|(name, role)| table.is_named(name, *role, me)).map(|(_, role)| role));
                roles.extend([OwnerRole::Control].iter().filter(|role| table.holds(&item.parent, **role, me)));
                let sections = item.charter.sections().into_keys().map(|section| section.role());
                roles.extend(sections.filter(|role| table.holds(&item.name, *role, me)));
            }
            Item::Resource(item) => {
                let asked = [OwnerRole::Platform, OwnerRole::Business];
                roles.extend(asked.iter().filter(|role| table.holds(&item.boundary, **role, me)));
            }
            Item::Identity(item) if table.holds(&item.boundary, OwnerRole::Platform, me) => {
                roles.insert(OwnerRole::Platform);
            }
            Item::Identity(_) | Item::Party(_) | Item::PartyState(_) | Item::Key(_) => {}
        }
    }
    roles
}

/// The roles that `me` holds in a boundary now.
pub(crate) fn held(known: &Known, boundary: &Name, me: PartyId) -> BTreeSet<OwnerRole> {
    let table = Table { items: &[], known };
    OwnerRole::ALL.iter().filter(|role| table.holds(boundary, **role, me)).copied().collect()
}

struct Table<'a> {
    items: &'a [Item],
    known: &'a Known,
}

impl Table<'_> {
    fn boundary(&self, name: &Name) -> Option<&BoundaryItem> {
        let here = self.items.iter().find_map(|item| match item {
            Item::Boundary(item) if item.name == *name => Some(&**item),
            _ => None,
        });
        here.or_else(|| self.known.boundaries.get(name))
    }

    fn names(&self) -> impl Iterator<Item = &Name> {
        let here = self.items.iter().filter_map(|item| match item {
            Item::Boundary(item) => Some(&item.name),
            _ => None,
        });
        here.chain(self.known.boundaries.keys())
    }

    /// The boundary and those above it.
    fn path(&self, name: &Name) -> impl Iterator<Item = &BoundaryItem> {
        let above = |boundary: &&BoundaryItem| {
            let parent = Some(&boundary.parent).filter(|_| boundary.name.as_str() != ROOT);
            parent.and_then(|parent| self.boundary(parent))
        };
        std::iter::successors(self.boundary(name), above).take(DEPTH_MAX)
    }

    fn lies_in(&self, name: &Name, above: &Name) -> bool {
        self.path(name).any(|boundary| boundary.name == *above)
    }

    /// True if `me` is owner or backup where the role is set nearest.
    fn is_named(&self, boundary: &Name, role: OwnerRole, me: PartyId) -> bool {
        let set = self.path(boundary).find(|boundary| boundary.owners.contains_key(&role));
        set.is_some_and(|set| [set.owners.get(&role), set.backups.get(&role)].contains(&Some(&me)))
    }

    fn is_active(&self, person: &PartyId) -> bool {
        self.known.parties.values().all(|party| party.party != *person || !party.disabled)
    }

    /// True if `me` holds the role in the boundary: as the nearest owner, or as the backup of a disabled one.
    fn holds(&self, boundary: &Name, role: OwnerRole, me: PartyId) -> bool {
        let Some(set) = self.path(boundary).find(|boundary| boundary.owners.contains_key(&role)) else { return false };
        let owner = set.owners.get(&role);
        owner == Some(&me) || (!owner.is_some_and(|owner| self.is_active(owner)) && set.backups.get(&role) == Some(&me))
    }
}
