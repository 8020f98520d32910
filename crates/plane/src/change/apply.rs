//! Folds what happened to change sets.

use super::limits::LIFE;
use super::state::{Change, Changes, Part};
use crate::boundary::Boundaries;
use crate::fold::At;
use std::collections::{BTreeMap, BTreeSet};
use writ_credential::{PublicKey, Statement};
use writ_ledger::body::{Body, ChangeContent, Item};
use writ_types::{ChangeId, Digest, canonical};

impl Changes {
    /// `boundaries` are those before the entry.
    pub(crate) fn apply(&mut self, at: At<'_>, body: &Body, boundaries: &Boundaries) {
        match body {
            Body::ChangeFiled(filed) => self.file(at, &filed.content, boundaries),
            Body::ChangeSigned(signed) => self.sign(at, &signed.change),
            Body::PartySet(set) => {
                self.done(set.change, |item| matches!(item, Item::Party(it) if it.party == set.party.party), None)
            }
            Body::PartyDisabled(it) => self.done(Some(it.change), |item| is_state(item, &it.party), None),
            Body::PartyEnabled(it) => self.done(Some(it.change), |item| is_state(item, &it.party), None),
            Body::KeyEnrolled(it) => self.done(it.change, |item| is_key(item, &it.fingerprint), None),
            Body::KeyRemoved(it) => self.done(Some(it.change), |item| is_key(item, &it.fingerprint), None),
            Body::BoundarySet(it) => {
                self.done(Some(it.change), |item| matches!(item, Item::Boundary(b) if b.name == it.boundary.name), None);
            }
            Body::CharterSigned(it) => {
                self.done(Some(it.change), |item| matches!(item, Item::Boundary(b) if b.name == it.boundary), Some(it.section));
            }
            Body::IdentitySet(it) => {
                self.done(Some(it.change), |item| matches!(item, Item::Identity(i) if i.identity == it.identity.identity), None);
            }
            Body::IdentityRetired(it) => {
                self.done(Some(it.change), |item| matches!(item, Item::Identity(i) if i.identity == it.identity), None);
            }
            Body::ResourceSet(it) => {
                self.done(Some(it.change), |item| matches!(item, Item::Resource(r) if r.resource == it.resource.resource), None);
            }
            _ => {}
        }
    }

    fn file(&mut self, at: At<'_>, content: &ChangeContent, boundaries: &Boundaries) {
        self.0.retain(|_, change| change.filed_at.after(LIFE) > at.time);
        let Ok(bytes) = canonical(content) else { return };
        let mut change = Change {
            content: content.clone(),
            digest: Digest::of(&bytes),
            filed: at.index,
            filed_at: at.time,
            signatures: BTreeMap::new(),
            keys: BTreeMap::new(),
            done: BTreeSet::new(),
        };
        // What is in force already, word for word, nobody signs again: changing a tool asks the business owner alone.
        change.done = change.parts().into_iter().filter(|part| is_in_force(&change, *part, boundaries)).collect();
        if change.is_done() {
            return;
        }
        self.0.insert(content.change, change);
        self.sign(at, &content.change);
    }

    fn sign(&mut self, at: At<'_>, id: &ChangeId) {
        let Some(change) = self.0.get_mut(id) else { return };
        for act in at.acts {
            if change.content.items.iter().any(|item| matches!(item, Item::Key(key) if !key.remove) && is_key(item, &act.key)) {
                change.keys.insert(act.key.clone(), at.index);
                continue;
            }
            let roles = Statement::from_value(&act.statement).map(|statement| statement.as_roles).unwrap_or_default();
            let signature = change.signatures.entry(act.by).or_default();
            signature.0.extend(roles);
            signature.1 = at.index;
        }
    }

    fn done(&mut self, id: Option<ChangeId>, is: impl Fn(&Item) -> bool, section: Option<writ_types::Section>) {
        let Some(id) = id else { return };
        let Some(change) = self.0.get_mut(&id) else { return };
        if let Some(item) = change.content.items.iter().position(is) {
            change.done.insert(Part { item, section });
        }
        if change.is_done() {
            self.0.remove(&id);
        }
    }
}

/// True for a boundary, or a section of its charter, that is in force as the part says.
fn is_in_force(change: &Change, part: Part, boundaries: &Boundaries) -> bool {
    let Some(Item::Boundary(item)) = change.item(part) else { return false };
    let Some(boundary) = boundaries.get(&item.name) else { return false };
    match part.section {
        None => boundary.is(item),
        Some(section) => {
            let terms = item.charter.sections().remove(&section).and_then(|terms| canonical(&terms).ok());
            boundary.charter.get(&section).is_some_and(|signed| terms.is_some_and(|bytes| Digest::of(&bytes) == signed.digest))
        }
    }
}

fn is_state(item: &Item, party: &writ_types::PartyId) -> bool {
    matches!(item, Item::PartyState(state) if state.party == *party)
}

fn is_key(item: &Item, fingerprint: &str) -> bool {
    match item {
        Item::Key(key) => PublicKey::from_line(&key.key).is_ok_and(|key| key.fingerprint().to_string() == fingerprint),
        _ => false,
    }
}
