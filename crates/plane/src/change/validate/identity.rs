//! Identities, and what tells them apart.

use super::Check;
use crate::identity::{ByUid, SELECTORS_MAX, uid};
use std::collections::BTreeMap;
use writ_ledger::body::{BoundaryItem, IdentityItem};
use writ_types::{ActorKind, IdentityId, Name, Selector, SpiffeId, TextValue};

/// The identities of a change set.
#[derive(Default)]
pub(super) struct Seen<'a> {
    names: BTreeMap<&'a Name, IdentityId>,
    spiffe_ids: BTreeMap<&'a SpiffeId, IdentityId>,
    all: BTreeMap<IdentityId, &'a IdentityItem>,
    by_uid: ByUid<IdentityId>,
}

impl<'a> Seen<'a> {
    /// The first of a name or a SPIFFE ID keeps it.
    pub(super) fn comes(&mut self, item: &'a IdentityItem) {
        self.names.entry(&item.name).or_insert(item.identity);
        self.spiffe_ids.entry(&item.spiffe_id).or_insert(item.identity);
        self.all.insert(item.identity, item);
        if !item.retired {
            self.by_uid.insert(uid(&item.selectors), item.identity);
        }
    }
}

impl<'a> Check<'a> {
    pub(super) fn identity(&mut self, item: &'a IdentityItem) {
        self.has_boundary(&item.boundary, &format!("identity `{}`", item.name));
        if Some(item.spiffe_id.trust_domain()) != self.state.domain.trust_domain.as_ref() {
            self.say(format!("`{}` of identity `{}` is not in this trust domain", item.spiffe_id, item.name));
        }
        if item.spiffe_id.path() == "/writ/server" || item.spiffe_id.path().starts_with("/writ/") {
            self.say(format!("`{}` is reserved for the server", item.spiffe_id));
        }
        if !matches!(item.actor_kind, ActorKind::Workload | ActorKind::Agent) {
            self.say(format!("identity `{}` is a workload or an agent", item.name));
        }
        if item.selectors.is_empty() || item.selectors.len() > SELECTORS_MAX {
            self.say(format!("identity `{}` has 1 to {SELECTORS_MAX} selectors", item.name));
        }
        for text in &item.selectors {
            if let Err(error) = Selector::parse(text) {
                self.say(error.to_string());
            }
        }
        let known = [self.state.identities.named(&item.name), self.state.identities.with_spiffe_id(&item.spiffe_id)];
        let here = [self.here.identities.names.get(&item.name), self.here.identities.spiffe_ids.get(&item.spiffe_id)];
        if known.iter().flatten().chain(here.into_iter().flatten()).any(|id| *id != item.identity) {
            self.say(format!("the name or the SPIFFE ID of identity `{}` is another's", item.name));
        }
        if !item.retired {
            let twin = self.twin(&item.identity, &item.boundary, uid(&item.selectors));
            self.confused(&item.name, twin);
        }
    }

    /// Identities that lie in what becomes production are told apart from then on.
    pub(super) fn becomes_production(&mut self, item: &'a BoundaryItem) {
        let inside: Vec<_> = self
            .state
            .identities
            .iter()
            .filter(|(id, _)| !self.here.identities.all.contains_key(*id))
            .filter(|(_, it)| self.tree.lies_in(&it.boundary, &item.name))
            .filter(|(_, it)| self.tree.is_production(&it.boundary) && !self.state.boundaries.is_production(&it.boundary))
            .collect();
        for (id, identity) in inside {
            let twin = self.twin(id, &identity.boundary, uid(&identity.selectors));
            self.confused(&identity.name, twin);
        }
    }

    fn confused(&mut self, name: &Name, twin: Option<Name>) {
        if let Some(twin) = twin {
            self.say(format!(
                "identities `{name}` and `{twin}` can't be told apart: in production each has a `unix:uid:` of its own, because \
                 processes of one user can act for each other"
            ));
        }
    }

    /// Another identity of which one process could be taken for, where one of the two is in production.
    fn twin(&self, id: &IdentityId, boundary: &Name, uid: Option<u32>) -> Option<Name> {
        let is_production = self.tree.is_production(boundary);
        let counts = |other: &Name| is_production || self.tree.is_production(other);
        let Seen { all, by_uid, .. } = &self.here.identities;
        let known = self.state.identities.of_uid(uid).filter(|(other, _)| !all.contains_key(*other));
        let known = known.map(|(other, it)| (other, &it.name, &it.boundary));
        let here = by_uid.sharing(uid).filter_map(|other| all.get(other)).map(|it| (&it.identity, &it.name, &it.boundary));
        let mut twins = known.chain(here).filter(|(other, _, boundary)| *other != id && counts(boundary));
        twins.next().map(|(_, name, _)| name.clone())
    }
}
