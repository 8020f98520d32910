//! What of a change set is in force already, word for word: nobody signs that again.

use super::state::{Part, parts};
use crate::boundary::Boundaries;
use crate::identity::Identities;
use crate::people::People;
use crate::resource::Resources;
use crate::state::State;
use std::collections::BTreeSet;
use writ_credential::PublicKey;
use writ_ledger::body::{BoundaryItem, ChangeContent, IdentityItem, Item, PartyItem};
use writ_types::{Digest, Section, canonical};

/// What is in force.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InForce<'a> {
    pub(crate) people: &'a People,
    pub(crate) boundaries: &'a Boundaries,
    pub(crate) identities: &'a Identities,
    pub(crate) resources: &'a Resources,
}

impl<'a> InForce<'a> {
    pub(crate) const fn of(state: &'a State) -> Self {
        Self { people: &state.people, boundaries: &state.boundaries, identities: &state.identities, resources: &state.resources }
    }

    /// The parts of a change set that are in force as they are: changing a tool asks the business owner alone.
    pub(super) fn parts_of(&self, content: &ChangeContent) -> BTreeSet<Part> {
        let holds = |part: &Part| content.items.get(part.item).is_some_and(|item| self.has(item, part.section));
        parts(content).into_iter().filter(holds).collect()
    }

    /// True if all of a change set is in force as it is.
    pub(super) fn has_all_of(&self, content: &ChangeContent) -> bool {
        self.parts_of(content).len() == parts(content).len()
    }

    fn has(&self, item: &Item, section: Option<Section>) -> bool {
        match item {
            Item::Party(item) => self.has_party(item),
            Item::PartyState(item) => self.people.party(&item.party).is_some_and(|party| party.disabled == item.disabled),
            Item::Key(item) => {
                let fingerprint = PublicKey::from_line(&item.key).map(|key| key.fingerprint().to_string());
                let known = fingerprint.ok().and_then(|fingerprint| self.people.keys.get(&fingerprint));
                known.is_some_and(|key| key.party == item.party && key.removed == item.remove)
            }
            Item::Boundary(item) => self.has_boundary(item, section),
            Item::Identity(item) => self.has_identity(item),
            Item::Resource(item) => self.resources.item(&item.resource).as_ref() == Some(item),
        }
    }

    fn has_party(&self, item: &PartyItem) -> bool {
        let members: BTreeSet<_> = item.members.iter().copied().collect();
        let same = |party: &crate::people::Party| party.kind == item.kind && party.name == item.name && party.members == members;
        self.people.party(&item.party).is_some_and(same)
    }

    fn has_boundary(&self, item: &BoundaryItem, section: Option<Section>) -> bool {
        let Some(boundary) = self.boundaries.get(&item.name) else { return false };
        let Some(section) = section else { return boundary.is(item) };
        let terms = item.charter.sections().remove(&section).and_then(|terms| canonical(&terms).ok());
        boundary.charter.get(&section).is_some_and(|signed| terms.is_some_and(|bytes| Digest::of(&bytes) == signed.digest))
    }

    fn has_identity(&self, item: &IdentityItem) -> bool {
        let mut wanted = item.clone();
        wanted.selectors.sort_unstable();
        wanted.selectors.dedup();
        match self.identities.item(&item.identity) {
            Some(identity) => identity == wanted,
            None => item.retired,
        }
    }
}
