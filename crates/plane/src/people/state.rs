//! Who there is and which keys answer for them.

use std::collections::{BTreeMap, BTreeSet};
use writ_ledger::body::PartyType;
use writ_types::{Digest, PartyId, Time};

/// Parties, keys and sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct People {
    pub(crate) parties: BTreeMap<PartyId, Party>,
    pub(crate) keys: BTreeMap<String, Key>,
    pub(crate) sessions: BTreeMap<Digest, Session>,
    /// Statements that have been used: an act counts once.
    pub(crate) spent: BTreeSet<Digest>,
    /// By when each can be forgotten.
    pub(crate) spent_until: BTreeSet<(Time, Digest)>,
}

/// One party.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Party {
    /// What it is.
    pub kind: PartyType,
    /// The blob with handle and name.
    pub name: Digest,
    /// A team's members.
    pub members: BTreeSet<PartyId>,
    /// True if its powers ended.
    pub disabled: bool,
    /// The entry that last set it.
    pub version: u64,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// For whom it answers.
    pub party: PartyId,
    /// The public key, in OpenSSH's form.
    pub openssh: String,
    /// Who enrolled it; nobody for founders.
    pub enrolled_by: BTreeSet<PartyId>,
    /// When.
    pub enrolled_at: Time,
    /// True if it no longer answers. It stays known: what it signed stays signed.
    pub removed: bool,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Session {
    /// Whose.
    pub party: PartyId,
    /// When it ends.
    pub expires: Time,
}

impl People {
    /// One party.
    pub fn party(&self, id: &PartyId) -> Option<&Party> {
        self.parties.get(id)
    }

    /// All parties.
    pub fn parties(&self) -> impl Iterator<Item = (&PartyId, &Party)> {
        self.parties.iter()
    }

    /// All keys, by fingerprint.
    pub fn keys(&self) -> impl Iterator<Item = (&String, &Key)> {
        self.keys.iter()
    }

    /// True for a person whose powers hold.
    pub fn is_active_person(&self, id: &PartyId) -> bool {
        self.parties.get(id).is_some_and(|party| party.kind == PartyType::Person && !party.disabled)
    }

    /// The teams that this person is a member of.
    pub fn teams_of(&self, id: &PartyId) -> BTreeSet<PartyId> {
        let of = |(team, party): (&PartyId, &Party)| {
            (party.kind == PartyType::Team && !party.disabled && party.members.contains(id)).then_some(*team)
        };
        self.parties.iter().filter_map(of).collect()
    }

    /// The session of this token digest, if it is open at `now` and its person active.
    pub fn session(&self, token: &Digest, now: Time) -> Option<&Session> {
        self.sessions.get(token).filter(|session| session.expires > now && self.is_active_person(&session.party))
    }

    /// The key with this fingerprint, if it answers.
    pub fn key(&self, fingerprint: &str) -> Option<&Key> {
        self.keys.get(fingerprint).filter(|key| !key.removed)
    }

    /// Who enrolled the keys of this person since then; also keys that are gone, for a key that was replaced speaks for the next.
    pub(crate) fn enrollers_since(&self, person: &PartyId, since: Time) -> BTreeSet<PartyId> {
        self.keys
            .values()
            .filter(|key| key.party == *person && key.enrolled_at > since)
            .flat_map(|key| key.enrolled_by.iter().copied())
            .collect()
    }
}
