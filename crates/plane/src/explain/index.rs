//! Where everything is found: from an id, a name or a serial number to entries. A projection: it can be made anew from the log.

use std::collections::BTreeMap;
use writ_ledger::Entry;

/// Entries by everything that they are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    places: BTreeMap<String, Vec<u64>>,
}

impl Index {
    /// Adds one entry. Entries are added in their order.
    pub fn add(&mut self, place: u64, entry: &Entry) {
        let own = [Some(entry.id.to_string()), entry.decision.map(|decision| decision.to_string())];
        for name in own.into_iter().flatten().chain(entry.on.iter().cloned()) {
            let places = self.places.entry(name).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
    }

    /// The entries that are about this, in order.
    pub fn find(&self, name: &str) -> &[u64] {
        self.places.get(name).map_or(&[], Vec::as_slice)
    }
}
