//! Decisions that are remembered, because they take no clock: equal to asking again while their grounds stand.

use std::collections::BTreeMap;
use writ_types::{DecisionId, IdentityId};

/// A decision and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remembered {
    /// The entry that had last changed people, estate or policy when it was made.
    pub(crate) grounds: u64,
    /// The decision.
    pub(crate) decision: DecisionId,
    /// Its entry.
    pub(crate) index: u64,
}

/// Decisions on identity documents.
#[derive(Debug, Default)]
pub(crate) struct Memo(BTreeMap<IdentityId, Remembered>);

/// More identities than this are not remembered: policy is asked again.
const MEMO_MAX: usize = 1_000_000;

impl Memo {
    pub(crate) fn get(&self, identity: &IdentityId) -> Option<Remembered> {
        self.0.get(identity).copied()
    }

    pub(crate) fn keep(&mut self, identity: IdentityId, remembered: Remembered) {
        if self.0.len() < MEMO_MAX || self.0.contains_key(&identity) {
            self.0.insert(identity, remembered);
        }
    }

    /// Memory that is discarded takes its decisions with it.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
