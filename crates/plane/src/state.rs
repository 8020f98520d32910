//! The fold of the log: everything that is true now.

use crate::boundary::Boundaries;
use crate::change::{Changes, InForce};
use crate::credential::Credentials;
use crate::domain::Domain;
use crate::fold::{self, At};
use crate::identity::Identities;
use crate::people::People;
use crate::resource::Resources;
use crate::task::Tasks;
use std::hash::Hash;
use writ_ledger::Entry;
use writ_ledger::body::Body;
use writ_types::{Digest, Time};

/// Everything that is true after the entries so far. Only [`State::apply`] changes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// How many entries are folded; the next entry's index.
    pub(crate) size: u64,
    /// The last entry's time.
    pub(crate) last_at: Time0,
    /// The entry that last changed people, estate or policy: what a remembered decision rests on.
    pub(crate) grounds: u64,
    /// The trust domain itself.
    pub(crate) domain: Domain,
    /// Parties, keys and sessions.
    pub(crate) people: People,
    /// Change sets that wait for signatures.
    pub(crate) changes: Changes,
    /// Boundaries with owners and charters.
    pub(crate) boundaries: Boundaries,
    /// Identities.
    pub(crate) identities: Identities,
    /// Resources.
    pub(crate) resources: Resources,
    /// Tasks.
    pub(crate) tasks: Tasks,
    /// Credentials and the closure of each.
    pub(crate) credentials: Credentials,
}

/// The last entry's time; the beginning of 1970 before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Time0(pub(crate) Time);

impl Default for Time0 {
    fn default() -> Self {
        Self(Time::from_micros(0))
    }
}

impl State {
    /// Folds one entry. Total: what an entry says happened, happened; an id that it names and nobody knows changes nothing.
    pub fn apply(&mut self, entry: &Entry, body: &Body) {
        self.fold(At::of(self.size, entry), body);
    }

    pub(crate) fn fold(&mut self, at: At<'_>, body: &Body) {
        self.size = at.index + 1;
        self.last_at = Time0(at.time);
        if fold::moves_grounds(body) {
            self.grounds = at.index;
        }
        self.domain.apply(at, body);
        self.people.apply(at, body);
        let Self { people, boundaries, identities, resources, changes, .. } = self;
        changes.apply(at, body, InForce { people, boundaries, identities, resources });
        self.boundaries.apply(at, body);
        self.identities.apply(at, body);
        self.resources.apply(at, body);
        self.tasks.apply(at, body);
        self.credentials.apply(at, body);
    }

    /// The digest of everything here. Equal states have equal digests, on every machine.
    pub fn digest(&self) -> Digest {
        let mut hasher = crate::digest::StateHasher::default();
        self.hash(&mut hasher);
        hasher.digest()
    }

    /// How many entries are folded.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The entry that last changed people, estate or policy.
    pub const fn grounds(&self) -> u64 {
        self.grounds
    }

    /// The last entry's time.
    pub const fn last_at(&self) -> Time {
        self.last_at.0
    }

    /// The trust domain itself.
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Parties, keys and sessions.
    pub const fn people(&self) -> &People {
        &self.people
    }

    /// Change sets that wait for signatures.
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Boundaries with owners and charters.
    pub const fn boundaries(&self) -> &Boundaries {
        &self.boundaries
    }

    /// Identities.
    pub const fn identities(&self) -> &Identities {
        &self.identities
    }

    /// Resources.
    pub const fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Tasks.
    pub const fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Credentials and the closure of each.
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }
}
