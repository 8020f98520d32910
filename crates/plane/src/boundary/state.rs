//! Boundaries, and what each inherits.

use super::limits::BOUNDARIES_DEPTH_MAX;
use crate::people::People;
use std::collections::BTreeMap;
use writ_ledger::body::{BoundaryItem, BusinessTerms, IdentityTerms, PlatformTerms, SecurityTerms, Terms};
use writ_types::{Digest, Duty, Name, OwnerRole, PartyId, Section, Ttl, canonical};

/// All boundaries by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Boundaries(pub(crate) BTreeMap<Name, Boundary>);

/// One boundary, as set on itself; what it inherits is asked of [`Boundaries`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Boundary {
    /// The boundary above; none for the root.
    pub parent: Option<Name>,
    /// True if what lies in it is production.
    pub production: bool,
    /// The team whose members may delegate here.
    pub delegators: Option<PartyId>,
    /// The owners set here.
    pub owners: BTreeMap<OwnerRole, PartyId>,
    /// Who takes over from each.
    pub backups: BTreeMap<OwnerRole, PartyId>,
    /// Who holds each duty, where it isn't the default.
    pub duties: BTreeMap<Duty, PartyId>,
    /// How long identity documents may renew without an owner.
    pub grace: Ttl,
    /// The signed sections set here.
    pub charter: BTreeMap<Section, SignedSection>,
    /// The entry that last set it.
    pub version: u64,
}

/// A charter's section and who signed it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SignedSection {
    /// What is promised.
    pub terms: Terms,
    /// SHA-256 of the RFC 8785 form of the terms.
    pub digest: Digest,
    /// Who answers.
    pub by: PartyId,
    /// The entry that put it in force.
    pub index: u64,
}

/// Who holds a role now, and where that is set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Holder {
    /// The person.
    pub person: PartyId,
    /// The boundary on which the role is set.
    pub from: Name,
    /// True if this is the backup, because the owner is disabled.
    pub backup: bool,
}

impl Boundary {
    /// True if `item` says the same, its charter aside.
    pub(crate) fn is(&self, item: &BoundaryItem) -> bool {
        self.parent.as_ref() == Some(&item.parent)
            && self.production == item.production
            && self.delegators == item.delegators
            && self.owners == item.owners
            && self.backups == item.backups
            && self.duties == item.duties
            && self.grace == item.grace
    }
}

impl Boundaries {
    /// One boundary.
    pub fn get(&self, name: &Name) -> Option<&Boundary> {
        self.0.get(name)
    }

    /// All boundaries.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Boundary)> {
        self.0.iter()
    }

    /// The boundary and those above it, nearest first.
    pub fn path<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = (&'a Name, &'a Boundary)> {
        let first = self.0.get_key_value(name);
        std::iter::successors(first, |(_, boundary)| boundary.parent.as_ref().and_then(|parent| self.0.get_key_value(parent)))
            .take(BOUNDARIES_DEPTH_MAX)
    }

    /// True if `name` is `above` or lies below it.
    pub fn lies_in(&self, name: &Name, above: &Name) -> bool {
        self.path(name).any(|(each, _)| each == above)
    }

    /// Who holds `role` for `name` now: the nearest owner set, or its backup while the owner is disabled (R17).
    pub fn holder(&self, people: &People, name: &Name, role: OwnerRole) -> Option<Holder> {
        let (from, boundary) = self.path(name).find(|(_, boundary)| boundary.owners.contains_key(&role))?;
        let owner = boundary.owners.get(&role)?;
        let named = |person: &PartyId, backup| Holder { person: *person, from: from.clone(), backup };
        if people.is_active_person(owner) {
            return Some(named(owner, false));
        }
        boundary.backups.get(&role).filter(|person| people.is_active_person(person)).map(|person| named(person, true))
    }

    /// Who holds `duty` for `name` now: who is named nearest, else the holder of its default role.
    pub fn duty(&self, people: &People, name: &Name, duty: Duty) -> Option<Holder> {
        let named = self.path(name).find_map(|(from, boundary)| boundary.duties.get(&duty).map(|person| (from, person)));
        match named {
            Some((from, person)) if people.is_active_person(person) => {
                Some(Holder { person: *person, from: from.clone(), backup: false })
            }
            _ => self.holder(people, name, duty.default_role()),
        }
    }

    /// The section in force for `name`: set on it, else inherited.
    pub fn section<'a>(&'a self, name: &'a Name, section: Section) -> Option<(&'a Name, &'a SignedSection)> {
        self.path(name).find_map(|(from, boundary)| boundary.charter.get(&section).map(|signed| (from, signed)))
    }

    /// The business terms in force.
    pub fn business<'a>(&'a self, name: &'a Name) -> Option<&'a BusinessTerms> {
        match &self.section(name, Section::Business)?.1.terms {
            Terms::Business(terms) => Some(terms),
            _ => None,
        }
    }

    /// The identity terms in force.
    pub fn identity<'a>(&'a self, name: &'a Name) -> Option<&'a IdentityTerms> {
        match &self.section(name, Section::Identity)?.1.terms {
            Terms::Identity(terms) => Some(terms),
            _ => None,
        }
    }

    /// The platform terms in force.
    pub fn platform<'a>(&'a self, name: &'a Name) -> Option<&'a PlatformTerms> {
        match &self.section(name, Section::Platform)?.1.terms {
            Terms::Platform(terms) => Some(terms),
            _ => None,
        }
    }

    /// The security terms in force.
    pub fn security<'a>(&'a self, name: &'a Name) -> Option<&'a SecurityTerms> {
        match &self.section(name, Section::Security)?.1.terms {
            Terms::Security(terms) => Some(terms),
            _ => None,
        }
    }

    /// SHA-256 over the digests of the four sections in force; none while one is unsigned.
    pub fn charter_digest(&self, name: &Name) -> Option<Digest> {
        let mut digests = Vec::with_capacity(Section::ALL.len());
        for section in Section::ALL {
            digests.push(self.section(name, *section)?.1.digest);
        }
        canonical(&digests).ok().map(|bytes| Digest::of(&bytes))
    }
}
