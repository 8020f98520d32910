//! Who answers for a part of a change set (the table of who must sign what).

use super::state::{Change, Part};
use super::succession::{Seat, Succession, Tree};
use super::validate::problem_of;
use crate::boundary::ROOT;
use crate::decision::evaluate;
use crate::identity::Identity;
use crate::state::State;
use std::collections::BTreeSet;
use writ_credential::PublicKey;
use writ_ledger::body::{Asked, BoundaryItem, Effect, IdentityItem, Item, KeyItem, PostgresTerms, ResourceItem};
use writ_policy::PolicySet;
use writ_types::{Name, OwnerRole, PartyId, Selector, SelectorPattern, TextValue, Time};

/// One signature, or several of equal kind, that a part needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Who can give it.
    pub who: Who,
    /// In which role; none where being that person is enough.
    pub role: Option<OwnerRole>,
    /// What for, in words.
    pub reason: String,
}

/// Who can give a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Any `count` of these persons.
    Some {
        /// The persons.
        of: BTreeSet<PartyId>,
        /// How many.
        count: usize,
    },
    /// A new key, for itself.
    Key {
        /// Its fingerprint.
        fingerprint: String,
        /// Whose it becomes.
        party: PartyId,
    },
    /// The key that is replaced, by itself, or any `count` of these persons.
    OldKey {
        /// Its fingerprint.
        fingerprint: String,
        /// Whose it is.
        party: PartyId,
        /// The persons.
        of: BTreeSet<PartyId>,
        /// How many.
        count: usize,
    },
    /// Nobody, until something else is in force.
    Nobody {
        /// What it waits for.
        until: String,
    },
}

/// How many holders of `administer` answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quorum {
    /// The genesis' whole quorum. Who is left alone gives nobody a key or a name.
    Whole,
    /// The quorum, or all who are left if they are fewer, the leaver not counted: powers end, and come back, without waiting for
    /// somebody who isn't there.
    OfWhoIsLeft(Option<PartyId>),
}

/// Judges parts of one change set against one state.
struct Table<'a> {
    state: &'a State,
    policy: &'a PolicySet,
    change: &'a Change,
    now: Time,
}

/// What `part` needs, judged by what is in force in `state`. Empty: it is in force already, word for word.
pub fn needs(state: &State, policy: &PolicySet, change: &Change, part: Part, now: Time) -> Vec<Need> {
    let table = Table { state, policy, change, now };
    if let Some(problem) = change.item(part).and_then(|item| problem_of(state, &change.content, item)) {
        return vec![Table::nobody(problem)];
    }
    match (change.item(part), part.section) {
        (Some(Item::Boundary(item)), Some(section)) => table.section(item, section),
        (Some(Item::Boundary(item)), None) => table.boundary(item),
        (Some(Item::Party(_)), _) => vec![table.administer("a party", Quorum::Whole)],
        (Some(Item::PartyState(item)), _) => {
            vec![table.administer("a party's powers", Quorum::OfWhoIsLeft(Some(item.party).filter(|_| item.disabled)))]
        }
        (Some(Item::Key(item)), _) => table.key(item),
        (Some(Item::Identity(item)), _) => table.identity(item),
        (Some(Item::Resource(item)), _) => table.resource(item),
        (None, _) => Vec::new(),
    }
}

/// True if the signatures that `change` has are all that `need` asks.
pub fn in_force_with(change: &Change, need: &Need) -> bool {
    let signed = |of: &BTreeSet<PartyId>| of.iter().filter(|person| change.is_signed_by(person, need.role)).count();
    match &need.who {
        Who::Some { of, count } => signed(of) >= *count,
        Who::Key { fingerprint, .. } => change.keys.contains_key(fingerprint),
        Who::OldKey { fingerprint, of, count, .. } => change.signatures.contains_key(fingerprint) || signed(of) >= *count,
        Who::Nobody { .. } => false,
    }
}

impl Table<'_> {
    fn one(person: PartyId, role: Option<OwnerRole>, reason: String) -> Need {
        Need { who: Who::Some { of: BTreeSet::from([person]), count: 1 }, role, reason }
    }

    fn nobody(until: String) -> Need {
        Need { who: Who::Nobody { until: until.clone() }, role: None, reason: until }
    }

    /// The holder of a role, in that role.
    fn owner(&self, boundary: &Name, role: OwnerRole, reason: String) -> Need {
        match self.state.boundaries.holder(&self.state.people, boundary, role) {
            Some(holder) => Self::one(holder.person, Some(role), reason),
            None => Self::nobody(format!("boundary `{boundary}` has an active {role} owner")),
        }
    }

    /// As many holders of `administer` at the root as `quorum` asks.
    fn administer(&self, what: &str, quorum: Quorum) -> Need {
        let Ok(root) = Name::parse(ROOT) else { return Self::nobody("the root boundary exists".to_owned()) };
        let of: BTreeSet<PartyId> = OwnerRole::ALL
            .iter()
            .filter_map(|role| self.state.boundaries.holder(&self.state.people, &root, *role))
            .map(|holder| holder.person)
            .filter(|person| quorum != Quorum::OfWhoIsLeft(Some(*person)) && self.may_administer(*person, &root))
            .collect();
        let whole = usize::try_from(self.state.domain.quorum).unwrap_or(usize::MAX).max(1);
        let count = match quorum {
            Quorum::Whole => whole,
            Quorum::OfWhoIsLeft(_) => whole.min(of.len().max(1)),
        };
        Need {
            who: Who::Some { of, count },
            role: None,
            reason: format!("{what} is answered by holders of `administer` at the root"),
        }
    }

    fn may_administer(&self, person: PartyId, boundary: &Name) -> bool {
        let asked = Asked::Administer { person, boundary: boundary.clone(), author: self.change.content.filer, now: self.now };
        evaluate(self.state, self.policy, asked).0.effect == Effect::Allow
    }

    fn key(&self, item: &KeyItem) -> Vec<Need> {
        let quorum = if item.remove { Quorum::OfWhoIsLeft(None) } else { Quorum::Whole };
        let mut needs = vec![self.or_old_key(item, self.administer("a key", quorum))];
        if self.state.people.party(&item.party).is_none() {
            needs.push(Self::nobody(format!("party `{}` is in force", item.party)));
        }
        if let (false, Ok(key)) = (item.remove, PublicKey::from_line(&item.key)) {
            let fingerprint = key.fingerprint().to_string();
            needs.push(Need {
                who: Who::Key { fingerprint, party: item.party },
                role: None,
                reason: "a new key shows that its holder has it".to_owned(),
            });
        }
        needs
    }

    /// One key for one of the same person: the old key is enough where it answers. It lets go of itself only once the new one does.
    fn or_old_key(&self, item: &KeyItem, need: Need) -> Need {
        let of_party = |each: &&KeyItem| each.party == item.party;
        let keys = self.change.content.items.iter().filter_map(|item| if let Item::Key(key) = item { Some(key) } else { None });
        let (gone, new): (Vec<_>, Vec<_>) = keys.filter(of_party).partition(|key| key.remove);
        let ([gone], [new], Who::Some { of, count }) = (gone.as_slice(), new.as_slice(), &need.who) else { return need };
        let answers = |key: &KeyItem| {
            let fingerprint = PublicKey::from_line(&key.key).ok()?.fingerprint().to_string();
            self.state.people.key(&fingerprint).filter(|known| known.party == item.party).map(|_| fingerprint)
        };
        match answers(gone) {
            Some(fingerprint) if !item.remove || answers(new).is_some() => {
                Need { who: Who::OldKey { fingerprint, party: item.party, of: of.clone(), count: *count }, ..need }
            }
            _ => need,
        }
    }

    /// Everybody who would be named accepts, the control owner above agrees, and the security owner opens the scope (R15).
    fn boundary(&self, item: &BoundaryItem) -> Vec<Need> {
        let before = self.state.boundaries.get(&item.name);
        let change = Succession::of(&self.state.boundaries, item);
        let accepts = |((seat, person), names): (&(Seat, PartyId), &Vec<Name>)| {
            self.accepts(*person, seat.role(), format!("accepts {}", seat.of(&in_boundaries(names))))
        };
        let mut needs: Vec<Need> = change.named.iter().map(accepts).collect();
        // What is not about persons, and every change of persons, the control owner above agrees to; a move, both above.
        let left = before.and_then(|b| b.parent.as_ref()).filter(|parent| **parent != item.parent);
        needs.extend([&item.parent].into_iter().chain(left).map(|parent| self.above(item, parent)));
        // Fewer approvals are needed outside production: that is an assurance given up by who answers for it now.
        for name in &change.left_production {
            needs.push(self.owner(name, OwnerRole::Security, format!("boundary `{name}` would no longer be production")));
        }
        if needs.iter().any(|need| matches!(need.who, Who::Nobody { .. })) {
            return needs;
        }
        let after = Tree::with(&self.state.boundaries, item);
        let mut answers = |name: &Name, role: OwnerRole, reason: String| {
            let need = match after.holder(&self.state.people, name, role) {
                Some(person) => Self::one(person, Some(role), reason),
                None => Self::nobody(format!("boundary `{name}` has an active {role} owner")),
            };
            if !needs.iter().any(|other| (&other.who, other.role) == (&need.who, need.role)) {
                needs.push(need);
            }
        };
        for name in &change.opened {
            answers(name, OwnerRole::Security, format!("opens boundary `{name}` as it would be answered for"));
        }
        for (name, section) in &change.rechartered {
            answers(name, section.role(), format!("answers for the {section} section that boundary `{name}` would inherit"));
        }
        needs.extend(self.not_alone(item, &change, &needs));
        needs
    }

    /// Nobody takes a role from another alone: where one person could give every signature, another who answers there signs too.
    fn not_alone(&self, item: &BoundaryItem, change: &Succession, needs: &[Need]) -> Option<Need> {
        let of = |need: &Need| match &need.who {
            Who::Some { of, .. } => of.clone(),
            Who::Key { .. } | Who::OldKey { .. } | Who::Nobody { .. } => BTreeSet::new(),
        };
        let could = needs.iter().map(of).reduce(|all, each| all.intersection(&each).copied().collect())?;
        if could.is_empty() || change.leaving.is_subset(&could) {
            return None;
        }
        let name = if self.state.boundaries.get(&item.name).is_some() { &item.name } else { &item.parent };
        let path = self.state.boundaries.path(name);
        let others: BTreeSet<PartyId> = path
            .flat_map(|(_, boundary)| boundary.owners.values().chain(boundary.backups.values()))
            .filter(|person| !could.contains(person) && self.state.people.is_active_person(person))
            .copied()
            .collect();
        let reason = format!("nobody takes a role in boundary `{}` from another alone", item.name);
        (!others.is_empty()).then_some(Need { who: Who::Some { of: others, count: 1 }, role: None, reason })
    }

    fn above(&self, item: &BoundaryItem, parent: &Name) -> Need {
        if self.state.boundaries.get(parent).is_none() {
            return Self::nobody(format!("boundary `{parent}` is in force"));
        }
        let need = self.owner(parent, OwnerRole::Control, format!("boundary `{}` lies below `{parent}`", item.name));
        match &need.who {
            Who::Some { of, .. } if of.iter().any(|person| !self.may_administer(*person, parent)) => {
                Self::nobody(format!("policy lets the control owner administer boundary `{parent}`"))
            }
            _ => need,
        }
    }

    fn accepts(&self, person: PartyId, role: Option<OwnerRole>, reason: String) -> Need {
        if self.state.people.is_active_person(&person) {
            Self::one(person, role, reason)
        } else {
            Self::nobody(format!("`{person}` is an active person"))
        }
    }

    fn section(&self, item: &BoundaryItem, section: writ_types::Section) -> Vec<Need> {
        if self.state.boundaries.get(&item.name).is_none() {
            return vec![Self::nobody(format!("boundary `{}` is in force", item.name))];
        }
        vec![self.owner(&item.name, section.role(), format!("answers for the {section} section of boundary `{}`", item.name))]
    }

    /// Its owners sign. While users of it may live where it is now, it stays there: their ends would look for them elsewhere.
    fn resource(&self, item: &ResourceItem) -> Vec<Need> {
        let before = self.state.resources.get(&item.resource);
        // Who answers for it where it is, and for what else lies at its address, answers too: no boundary takes another's.
        let mut boundaries = BTreeSet::from([&item.boundary]);
        boundaries.extend(before.map(|before| &before.boundary));
        let same_place = self.state.resources.iter().filter(|(_, other)| shares_address(&other.postgres, &item.postgres));
        boundaries.extend(same_place.map(|(_, other)| &other.boundary));
        let reason = |boundary| format!("resource `{}` lies in, or at an address of, boundary `{boundary}`", item.name);
        let answers = |boundary| {
            let roles = [OwnerRole::Platform, OwnerRole::Business];
            roles.map(|role| self.owner(boundary, role, reason(boundary)))
        };
        let mut needs: Vec<Need> = boundaries.into_iter().flat_map(answers).collect();
        let before = before.map(|resource| &resource.postgres);
        let moves = before.is_some_and(|b| b.address != item.postgres.address || b.replicas != item.postgres.replicas);
        if moves && self.state.credentials.unclosed().any(|(_, credential)| credential.resource == item.resource) {
            needs.push(Self::nobody(format!("every credential on resource `{}` is closed where it is now", item.name)));
        }
        needs
    }

    /// Inside the charter's bounds its filer is enough, if the filer answers there; outside them the platform owner signs.
    fn identity(&self, item: &IdentityItem) -> Vec<Need> {
        let Some(terms) = self.state.boundaries.platform(&item.boundary) else {
            return vec![Self::nobody(format!("the platform section of boundary `{}` is signed", item.boundary))];
        };
        let patterns: Vec<_> = terms.selectors.iter().filter_map(|text| SelectorPattern::parse(text).ok()).collect();
        let within =
            |text: &String| Selector::parse(text).is_ok_and(|selector| patterns.iter().any(|pattern| pattern.allows(&selector)));
        let mut needs = Vec::new();
        // Who answers for it where it is lets it go: else a boundary takes another's name, or retires it.
        let left = self.state.identities.get(&item.identity).map(|identity| &identity.boundary);
        needs.extend(left.filter(|left| **left != item.boundary).map(|left| self.lies(item, left)));
        // What policy is stricter for changes only with those who answer for policy.
        let before = self.state.identities.get(&item.identity).filter(|_| !item.retired);
        let same = |it: &Identity| (it.actor_kind, it.autonomous, it.tier) == (item.actor_kind, item.autonomous, item.tier);
        if before.is_some_and(|before| !same(before)) {
            let reason = format!("identity `{}` changes its kind, its autonomy or its tier", item.name);
            needs.push(self.owner(&item.boundary, OwnerRole::Security, reason));
        }
        needs.push(if item.retired || item.selectors.iter().all(within) {
            self.lies(item, &item.boundary)
        } else {
            let reason = format!("identity `{}` has selectors outside the charter of boundary `{}`", item.name, item.boundary);
            self.owner(&item.boundary, OwnerRole::Platform, reason)
        });
        needs
    }

    /// One of those who answer for the boundary or for one above it.
    fn lies(&self, item: &IdentityItem, boundary: &Name) -> Need {
        let path = self.state.boundaries.path(boundary);
        let of = path.flat_map(|(_, b)| b.owners.values().chain(b.backups.values())).copied();
        let of = of.filter(|person| self.state.people.is_active_person(person)).collect();
        let reason = format!("identity `{}` lies in boundary `{boundary}`", item.name);
        Need { who: Who::Some { of, count: 1 }, role: None, reason }
    }
}

/// `boundary `prod` and 2 below it`: the item's own comes first, where it is one of them.
fn in_boundaries(names: &[Name]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("boundary `{one}`"),
        [first, rest @ ..] => format!("boundary `{first}` and {} more", rest.len()),
    }
}

/// True if both are reached at one address, however its letters are written.
fn shares_address(one: &PostgresTerms, other: &PostgresTerms) -> bool {
    let all = |terms: &PostgresTerms| -> BTreeSet<String> {
        std::iter::once(&terms.address).chain(&terms.replicas).map(|address| address.to_ascii_lowercase()).collect()
    };
    !all(one).is_disjoint(&all(other))
}
