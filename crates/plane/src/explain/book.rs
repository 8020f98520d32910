//! What a story is told from: the state, the entries, and where everything is found in them.

use super::index::Index;
use super::story::{Answered, Justification};
use crate::state::State;
use writ_ledger::Entry;
use writ_ledger::body::{Body, DecisionMade, Effect, SvidRow};
use writ_types::DecisionId;

/// An entry, read.
pub(super) struct Page {
    pub(super) place: u64,
    pub(super) entry: Entry,
    pub(super) body: Body,
}

/// The log, open for reading.
pub(super) struct Book<'a> {
    pub(super) state: &'a State,
    pub(super) index: &'a Index,
    pub(super) fetch: &'a dyn Fn(u64) -> Option<Entry>,
}

impl Book<'_> {
    /// The entry at an index.
    pub(super) fn page(&self, place: u64) -> Option<Page> {
        let entry = (self.fetch)(place)?;
        let body = Body::decode(entry.kind.as_str(), &entry.body).ok()?;
        Some(Page { place, entry, body })
    }

    /// The entries that are about this, newest first, each read as it is asked for.
    pub(super) fn newest_about(&self, name: &str) -> impl Iterator<Item = Page> {
        self.index.find(name).iter().rev().filter_map(|place| self.page(*place))
    }

    /// What a decision said.
    pub(super) fn decision(&self, id: DecisionId) -> Option<Justification> {
        self.newest_about(&id.to_string()).find_map(|page| match &page.body {
            Body::DecisionMade(made) if made.decision == id => Some(page.justification(made)),
            _ => None,
        })
    }
}

impl Page {
    /// The decision that this entry is.
    pub(super) fn justification(&self, made: &DecisionMade) -> Justification {
        let denied = made.refused.is_some();
        let effect = if denied { Effect::Deny } else { Effect::Allow };
        let counted = made.evaluations.iter().filter(|evaluation| denied || evaluation.effect == Effect::Allow);
        let policies = counted.flat_map(|evaluation| evaluation.policies.iter().cloned()).collect();
        Justification { decision: made.decision, effect, policies, policy_set: self.entry.policy_set }
    }

    /// The document of this serial number, if this entry records it.
    pub(super) fn row(&self, serial: &str) -> Option<&SvidRow> {
        match &self.body {
            Body::SvidsIssued(issued) => issued.rows.iter().find(|row| row.serial == serial),
            _ => None,
        }
    }

    /// `by` answered here.
    pub(super) const fn answered(&self, by: writ_types::PartyId) -> Answered {
        Answered { by, at: self.entry.at, entry: self.place }
    }
}
