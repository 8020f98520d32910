//! Who waits for something to change is told as soon as an entry is about it.

use tokio::sync::Notify;
use writ_ledger::Entry;

/// Places at which somebody can wait; things share them, so whoever is told looks again.
const PLACES: usize = 256;

/// Where to wait for entries about one thing.
#[derive(Debug)]
pub(crate) struct Watched([Notify; PLACES]);

impl Default for Watched {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Notify::new()))
    }
}

impl Watched {
    /// The place of this id.
    pub(crate) fn of(&self, id: &str) -> &Notify {
        let [first, rest @ ..] = &self.0;
        let place = id.bytes().fold(0, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        rest.get(place % PLACES).unwrap_or(first)
    }

    /// Tells everybody who waits for something that this entry is about.
    pub(crate) fn tell(&self, entry: &Entry) {
        for id in &entry.on {
            self.of(id).notify_waiters();
        }
    }
}
