//! In which owner roles a person answers for a change set, judged on this side.

use super::known::{Known, ROOT};
use std::collections::BTreeSet;
use writ_ledger::body::{BoundaryItem, ChangeContent, Item};
use writ_types::{Name, OwnerRole, PartyId};

/// More boundaries one above the other than a server takes.
const DEPTH_MAX: usize = 64;

/// The roles in which `me` answers for parts of `content`: newly named ones, and those held already.
pub(crate) fn of(content: &ChangeContent, known: &Known, me: PartyId) -> BTreeSet<OwnerRole> {
    let table = Table { items: &content.items, known };
    let mut roles = BTreeSet::new();
    for item in &content.items {
        match item {
            Item::Boundary(item) => {
                let named = item.owners.iter().chain(&item.backups).filter(|(_, person)| **person == me);
                roles.extend(named.map(|(role, _)| *role));
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

    fn is_active(&self, person: &PartyId) -> bool {
        self.known.parties.values().all(|party| party.party != *person || !party.disabled)
    }

    /// True if `me` holds the role in the boundary: as the nearest owner, or as the backup of a disabled one.
    fn holds(&self, boundary: &Name, role: OwnerRole, me: PartyId) -> bool {
        let mut name = boundary.clone();
        for _ in 0..DEPTH_MAX {
            let Some(boundary) = self.boundary(&name) else { return false };
            if let Some(owner) = boundary.owners.get(&role) {
                return *owner == me || (!self.is_active(owner) && boundary.backups.get(&role) == Some(&me));
            }
            if name.as_str() == ROOT {
                return false;
            }
            name = boundary.parent.clone();
        }
        false
    }
}
