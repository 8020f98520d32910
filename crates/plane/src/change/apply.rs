//! Folds what happened to change sets.

use super::in_force::InForce;
use super::limits::LIFE;
use super::state::{Change, Changes, Part, Signature};
use crate::fold::At;
use std::collections::BTreeSet;
use writ_credential::{PublicKey, Statement};
use writ_ledger::body::{Body, ChangeContent, Item};
use writ_types::ChangeId;

impl Changes {
    /// `in_force` is what was before the entry.
    pub(crate) fn apply(&mut self, at: At<'_>, body: &Body, in_force: InForce<'_>) {
        match body {
            Body::ChangeFiled(filed) => self.file(at, &filed.content, in_force),
            Body::ChangeSigned(signed) => self.sign(at, &signed.change),
            Body::ChangeWithdrawn(it) => _ = self.0.remove(&it.change),
            Body::PartySet(set) => {
                self.done(set.change, |item| matches!(item, Item::Party(it) if it.party == set.party.party), None)
            }
            Body::PartyDisabled(it) => {
                self.forget(|_, signature| signature.by == it.party);
                self.done(Some(it.change), |item| is_state(item, &it.party), None);
            }
            Body::PartyEnabled(it) => self.done(Some(it.change), |item| is_state(item, &it.party), None),
            Body::KeyEnrolled(it) => self.done(it.change, |item| is_key(item, &it.fingerprint), None),
            Body::KeyRemoved(it) => {
                self.forget(|key, _| *key == it.fingerprint);
                self.done(Some(it.change), |item| is_key(item, &it.fingerprint), None);
            }
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

    fn file(&mut self, at: At<'_>, content: &ChangeContent, in_force: InForce<'_>) {
        self.0.retain(|_, change| change.filed_at.after(LIFE) > at.time);
        let Some(mut change) = Change::new(content.clone(), at.index, at.time) else { return };
        change.done = in_force.parts_of(content);
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
            let new = || Signature { by: act.by, roles: BTreeSet::new(), index: at.index };
            let signature = change.signatures.entry(act.key.clone()).or_insert_with(new);
            signature.roles.extend(roles);
            signature.index = at.index;
        }
    }

    /// What was signed with a key that no longer answers, or by whose powers ended, counts nowhere that still waits.
    fn forget(&mut self, ended: impl Fn(&String, &Signature) -> bool) {
        for change in self.0.values_mut() {
            change.signatures.retain(|key, signature| !ended(key, signature));
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

fn is_state(item: &Item, party: &writ_types::PartyId) -> bool {
    matches!(item, Item::PartyState(state) if state.party == *party)
}

fn is_key(item: &Item, fingerprint: &str) -> bool {
    match item {
        Item::Key(key) => PublicKey::from_line(&key.key).is_ok_and(|key| key.fingerprint().to_string() == fingerprint),
        _ => false,
    }
}
