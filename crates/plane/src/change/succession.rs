//! What a boundary's item changes about who answers: there, and in everything below that inherits.
//!
//! Lines are compared as they resolve, not as they are written: a line that is deleted gives its role to whoever holds it above,
//! and a boundary that is moved inherits from others.

use crate::boundary::{BOUNDARIES_DEPTH_MAX, Boundaries, Boundary};
use crate::people::People;
use std::collections::{BTreeMap, BTreeSet};
use writ_ledger::body::BoundaryItem;
use writ_types::{Digest, Duty, Name, OwnerRole, PartyId, Section};

/// What somebody is named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seat {
    /// An owner role.
    Owner(OwnerRole),
    /// The backup of one.
    Backup(OwnerRole),
    /// A duty that is not its default role's.
    Duty(Duty),
}

/// What a boundary's item changes about who answers.
#[derive(Debug, Default)]
pub(super) struct Succession {
    /// Who would be named for what, and in which boundaries, the item's own first.
    pub(super) named: BTreeMap<(Seat, PartyId), Vec<Name>>,
    /// Who would lose a seat.
    pub(super) leaving: BTreeSet<PartyId>,
    /// The boundaries in which somebody is named for a seat, or nobody any more; and the item's own where it is new or moves.
    pub(super) opened: BTreeSet<Name>,
    /// The boundaries that would be production no longer.
    pub(super) left_production: Vec<Name>,
    /// The boundaries whose charter would be another, by inheritance, and the section.
    pub(super) rechartered: Vec<(Name, Section)>,
}

impl Seat {
    /// The role in which who is named accepts.
    pub(super) const fn role(self) -> Option<OwnerRole> {
        match self {
            Self::Owner(role) | Self::Backup(role) => Some(role),
            Self::Duty(_) => None,
        }
    }

    /// What is accepted, in words.
    pub(super) fn of(self, where_to: &str) -> String {
        match self {
            Self::Owner(role) => format!("to be {role} owner of {where_to}"),
            Self::Backup(role) => format!("to be {role} backup of {where_to}"),
            Self::Duty(duty) => format!("the duty {duty} in {where_to}"),
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        let roles = OwnerRole::ALL.iter().flat_map(|role| [Self::Owner(*role), Self::Backup(*role)]);
        roles.chain(Duty::ALL.iter().map(|duty| Self::Duty(*duty)))
    }
}

impl Succession {
    /// What `item` would change.
    pub(super) fn of(boundaries: &Boundaries, item: &BoundaryItem) -> Self {
        let known = boundaries.get(&item.name);
        let (before, after) = (Tree { boundaries, item: None }, Tree::with(boundaries, item));
        let mut found = Self::default();
        let moved = known.is_none_or(|known| known.parent.as_ref() != Some(&item.parent));
        found.opened.extend(moved.then(|| item.name.clone()));
        // Below, all stays as it is where nothing changes here that is inherited.
        let same = |known: &Boundary| known.owners == item.owners && known.backups == item.backups && known.duties == item.duties;
        if !moved && known.is_some_and(|known| same(known) && known.production == item.production) {
            return found;
        }
        // What is new takes its place among what its parent's holders answer for.
        let stood = |name: &Name| if known.is_some() { name.clone() } else { item.parent.clone() };
        found.compare(&before, &after, &stood(&item.name), &item.name);
        for (name, _) in boundaries.iter().filter(|(name, _)| known.is_some() && **name != item.name) {
            if boundaries.lies_in(name, &item.name) {
                found.compare(&before, &after, name, name);
            }
        }
        found.newly_written(known, item);
        found
    }

    fn compare(&mut self, before: &Tree<'_>, after: &Tree<'_>, stood: &Name, name: &Name) {
        for seat in Seat::all() {
            let (was, is) = (before.named(stood, seat), after.named(name, seat));
            if was == is {
                continue;
            }
            self.leaving.extend(was);
            self.opened.insert(name.clone());
            // A duty that falls back to its role's owner is a change for that owner.
            let default = || match seat {
                Seat::Duty(duty) => after.named(name, Seat::Owner(duty.default_role())),
                Seat::Owner(_) | Seat::Backup(_) => None,
            };
            if let Some(person) = is.or_else(default) {
                self.named.entry((seat, person)).or_default().push(name.clone());
            }
        }
        if before.is_production(stood) && !after.is_production(name) {
            self.left_production.push(name.clone());
        }
        let another = |section: &&Section| {
            let digest = after.section(name, **section);
            digest.is_some() && digest != before.section(stood, **section)
        };
        self.rechartered.extend(Section::ALL.iter().filter(another).map(|section| (name.clone(), *section)));
    }

    /// Who is written into a line accepts, also where the same person holds the role above: it no longer moves with that.
    fn newly_written(&mut self, known: Option<&Boundary>, item: &BoundaryItem) {
        let roles = |lines: &BTreeMap<OwnerRole, PartyId>, seat: fn(OwnerRole) -> Seat| {
            lines.iter().map(|(role, person)| (seat(*role), *person)).collect::<Vec<_>>()
        };
        let written = |owners, backups, duties: &BTreeMap<Duty, PartyId>| {
            let mut seats = roles(owners, Seat::Owner);
            seats.extend(roles(backups, Seat::Backup));
            seats.extend(duties.iter().map(|(duty, person)| (Seat::Duty(*duty), *person)));
            seats
        };
        let before = known.map(|known| written(&known.owners, &known.backups, &known.duties)).unwrap_or_default();
        for (seat, person) in written(&item.owners, &item.backups, &item.duties) {
            if !before.contains(&(seat, person)) {
                let names = self.named.entry((seat, person)).or_default();
                if !names.contains(&item.name) {
                    names.insert(0, item.name.clone());
                }
            }
        }
    }
}

/// The tree of boundaries, with one of them as an item would have it.
pub(super) struct Tree<'a> {
    boundaries: &'a Boundaries,
    item: Option<&'a BoundaryItem>,
}

/// What one boundary says itself.
#[derive(Clone, Copy)]
struct Lines<'a> {
    parent: Option<&'a Name>,
    is_production: bool,
    owners: &'a BTreeMap<OwnerRole, PartyId>,
    backups: &'a BTreeMap<OwnerRole, PartyId>,
    duties: &'a BTreeMap<Duty, PartyId>,
    known: Option<&'a Boundary>,
}

impl<'a> Tree<'a> {
    pub(super) const fn with(boundaries: &'a Boundaries, item: &'a BoundaryItem) -> Self {
        Self { boundaries, item: Some(item) }
    }

    /// Who would hold a role: who is named, or the backup while that person is disabled.
    pub(super) fn holder(&self, people: &People, name: &Name, role: OwnerRole) -> Option<PartyId> {
        let mut named = [Seat::Owner(role), Seat::Backup(role)].into_iter().filter_map(|seat| self.named(name, seat));
        named.find(|person| people.is_active_person(person))
    }

    fn lines(&self, name: &Name) -> Option<Lines<'a>> {
        let known = self.boundaries.get(name);
        if let Some(item) = self.item.filter(|item| item.name == *name) {
            let (parent, is_production) = (Some(&item.parent), item.production);
            return Some(Lines {
                parent,
                is_production,
                owners: &item.owners,
                backups: &item.backups,
                duties: &item.duties,
                known,
            });
        }
        let Boundary { parent, production, owners, backups, duties, .. } = known?;
        Some(Lines { parent: parent.as_ref(), is_production: *production, owners, backups, duties, known })
    }

    /// What each boundary says, from this one up.
    fn path(&self, name: &Name) -> impl Iterator<Item = Lines<'a>> {
        let above = |lines: &Lines<'a>| lines.parent.and_then(|parent| self.lines(parent));
        std::iter::successors(self.lines(name), above).take(BOUNDARIES_DEPTH_MAX)
    }

    /// Who is named for a seat: where its role is set nearest, or the duty.
    fn named(&self, name: &Name, seat: Seat) -> Option<PartyId> {
        match seat {
            Seat::Owner(role) => self.path(name).find_map(|lines| lines.owners.get(&role).copied()),
            Seat::Backup(role) => {
                let set = self.path(name).find(|lines| lines.owners.contains_key(&role))?;
                set.backups.get(&role).copied()
            }
            Seat::Duty(duty) => self.path(name).find_map(|lines| lines.duties.get(&duty).copied()),
        }
    }

    fn is_production(&self, name: &Name) -> bool {
        self.path(name).any(|lines| lines.is_production)
    }

    /// The section in force. An item changes no charter but by its place.
    fn section(&self, name: &Name, section: Section) -> Option<Digest> {
        self.path(name).find_map(|lines| Some(lines.known?.charter.get(&section)?.digest))
    }
}
