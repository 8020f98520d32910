//! Who answers in a boundary, told a second time: whoever holds a role after a change has signed it.

use super::{Boundary, Broken, Model};
use std::collections::{BTreeMap, BTreeSet};
use writ_credential::{PublicKey, Statement};
use writ_ledger::SignedAct;
use writ_ledger::body::{BoundarySet, Item, KeyEnrolled};
use writ_types::{ChangeId, Name, OwnerRole, PartyId};

/// Who signed what waits, by key, and in which roles.
pub(super) type Signed = BTreeMap<ChangeId, BTreeMap<String, (PartyId, BTreeSet<OwnerRole>)>>;

type Holders = BTreeMap<(Name, OwnerRole), Option<PartyId>>;

impl Model {
    /// Keeps a signature on a change set.
    pub(super) fn signs(&mut self, change: ChangeId, act: &SignedAct) {
        let roles = Statement::from_value(&act.statement).map(|statement| statement.as_roles).unwrap_or_default();
        let of = self.signed.entry(change).or_default().entry(act.key.clone()).or_insert_with(|| (act.by, BTreeSet::new()));
        of.1.extend(roles);
    }

    /// What a key signed that answers no more, or by whose powers ended, is gone.
    pub(super) fn unsign(&mut self, gone: impl Fn(&String, &PartyId) -> bool) {
        for keys in self.signed.values_mut() {
            keys.retain(|key, (by, _)| !gone(key, by));
        }
    }

    /// R20: a key comes by itself and by two who answer at the root, or by the one key of the same person that goes.
    pub(super) fn enrolled(&self, it: &KeyEnrolled) -> Result<(), Broken> {
        let Some(change) = it.change else { return Ok(()) };
        let signed = self.signed.get(&change).ok_or("a key comes by a set that nobody signed")?;
        let root = self.boundaries.get(&crate::estate::name("root")).ok_or("there is no root")?;
        let of_root = |by: &PartyId| root.owners.values().any(|owner| owner == by);
        let two = signed.values().filter(|(by, _)| of_root(by)).map(|(by, _)| by).collect::<BTreeSet<_>>().len() > 1;
        let items = self.changes.get(&change).map(|content| content.items.as_slice()).unwrap_or_default();
        let lines = |gone| {
            let of = move |item: &Item| match item {
                Item::Key(key) if key.party == it.party && key.remove == gone => Some(key.key.clone()),
                _ => None,
            };
            items.iter().filter_map(of).collect::<Vec<_>>()
        };
        let is_signed =
            |line: &String| PublicKey::from_line(line).is_ok_and(|key| signed.contains_key(&key.fingerprint().to_string()));
        let replaced = matches!((lines(true).as_slice(), lines(false).as_slice()), ([gone], [_]) if is_signed(gone));
        if signed.contains_key(&it.fingerprint) && (two || replaced) {
            return Ok(());
        }
        Err(format!("key {} was enrolled by nobody who may", it.fingerprint))
    }

    /// R1, R15, R17: who holds a role now that another held before has signed for it, in everything that lies in the boundary; so
    /// has its security owner; and nobody took a role from another alone.
    pub(super) fn boundary(&mut self, set: &BoundarySet) -> Result<(), Broken> {
        let (item, name) = (&set.boundary, &set.boundary.name);
        let known = self.boundaries.remove(name);
        let is_new = known.is_none();
        let parent = |boundary: &Boundary| boundary.item.as_ref().map(|item| item.parent.clone());
        let moves = is_new || known.as_ref().and_then(parent) != Some(item.parent.clone());
        let (owners, backups) = (item.owners.clone(), item.backups.clone());
        let signed = known.as_ref().map(|known| known.signed.clone()).unwrap_or_default();
        let before = match known {
            Some(known) => {
                self.boundaries.insert(name.clone(), known);
                self.holders(name, name)
            }
            None => self.holders(&item.parent, name),
        };
        self.boundaries.insert(name.clone(), Boundary { item: Some(item.clone()), owners, backups, signed });
        let after = self.holders(name, name);
        let is_signed = |person: &PartyId, role: Option<OwnerRole>| {
            let mut signatures = self.signed.get(&set.change).into_iter().flat_map(BTreeMap::values);
            signatures.any(|(by, roles)| by == person && role.is_none_or(|role| roles.contains(&role)))
        };
        let mut opened: BTreeSet<&Name> = moves.then_some(name).into_iter().collect();
        let mut taken = BTreeSet::new();
        for ((below, role), is) in &after {
            let was = before.get(&(below.clone(), *role)).copied().flatten();
            if *is == was {
                continue;
            }
            opened.insert(below);
            taken.extend(was);
            if let Some(is) = is
                && !is_signed(is, Some(*role))
            {
                return Err(format!("{is} became {role} owner of {below} and has not signed"));
            }
        }
        for below in opened {
            let security = after.get(&(below.clone(), OwnerRole::Security)).copied().flatten();
            if !security.is_some_and(|security| is_signed(&security, Some(OwnerRole::Security))) {
                return Err(format!("{below} was opened without its security owner"));
            }
        }
        let signers: BTreeSet<_> = self.signed.get(&set.change).into_iter().flatten().map(|(_, (by, _))| *by).collect();
        if signers.len() == 1 && !taken.is_subset(&signers) {
            return Err(format!("{name} was taken from {taken:?} by one person alone"));
        }
        Ok(())
    }

    /// Who holds each role in what lies in `top`, which is called `name` afterwards too.
    fn holders(&self, top: &Name, name: &Name) -> Holders {
        let lies_in = |below: &Name| {
            let mut at = Some(below.clone());
            while let Some(each) = at {
                if each == *top {
                    return true;
                }
                at = self.boundaries.get(&each).and_then(|boundary| boundary.item.as_ref()).map(|item| item.parent.clone());
            }
            false
        };
        let inside = self.boundaries.keys().filter(|below| top == name && lies_in(below));
        let all: BTreeSet<&Name> = inside.chain([top]).collect();
        let of = |below: &Name| if below == top { name.clone() } else { below.clone() };
        let each =
            |below: &&Name| OwnerRole::ALL.iter().map(|role| ((of(below), *role), self.owner(below, *role))).collect::<Vec<_>>();
        all.iter().flat_map(each).collect()
    }
}
