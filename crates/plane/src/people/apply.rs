//! Folds what happened to people.

use super::state::{Key, Party, People, Session};
use crate::fold::At;
use serde_json::Value;
use writ_credential::{STATEMENT_LIFE_MAX, Statement};
use writ_ledger::body::{Body, PartyItem, PartyType};
use writ_types::Digest;

/// What names a statement. Its nonce makes it differ from every other.
pub(crate) fn spent(statement: &Value) -> Option<Digest> {
    Some(Digest::of(&Statement::from_value(statement).ok()?.to_bytes().ok()?))
}

impl People {
    pub(crate) fn apply(&mut self, at: At<'_>, body: &Body) {
        self.spend(at);
        match body {
            Body::Genesis(genesis) => {
                for founder in &genesis.content.founders {
                    let item =
                        PartyItem { party: founder.party, kind: PartyType::Person, name: founder.name, members: Vec::new() };
                    self.set(at, &item);
                }
            }
            Body::PartySet(set) => self.set(at, &set.party),
            Body::PartyDisabled(disabled) => {
                self.power(&disabled.party, true);
                self.sessions.retain(|_, session| session.party != disabled.party);
            }
            Body::PartyEnabled(enabled) => self.power(&enabled.party, false),
            Body::KeyEnrolled(key) => {
                self.keys.insert(
                    key.fingerprint.clone(),
                    Key {
                        party: key.party,
                        openssh: key.key.clone(),
                        enrolled_by: key.enrolled_by.iter().copied().collect(),
                        enrolled_at: at.time,
                        removed: false,
                    },
                );
            }
            Body::KeyRemoved(key) => {
                if let Some(known) = self.keys.get_mut(&key.fingerprint) {
                    known.removed = true;
                }
            }
            Body::SessionOpened(opened) => {
                self.sessions.retain(|_, session| session.expires > at.time);
                self.sessions.insert(opened.session, Session { party: opened.party, expires: opened.expires });
            }
            Body::SessionClosed(closed) => {
                self.sessions.remove(&closed.session);
            }
            _ => {}
        }
    }

    /// Keeps what is signed here from being used again, for as long as it could be.
    fn spend(&mut self, at: At<'_>) {
        while let Some((until, digest)) = self.spent_until.first().copied().filter(|(until, _)| *until <= at.time) {
            self.spent.remove(&digest);
            self.spent_until.remove(&(until, digest));
        }
        for digest in at.acts.iter().filter_map(|act| spent(&act.statement)) {
            // No statement counts for longer than a day; one that waited for the log may be logged after it has expired.
            self.spent.insert(digest);
            self.spent_until.insert((at.time.after(STATEMENT_LIFE_MAX).after(STATEMENT_LIFE_MAX), digest));
        }
    }

    fn set(&mut self, at: At<'_>, item: &PartyItem) {
        let disabled = self.parties.get(&item.party).is_some_and(|party| party.disabled);
        let members = item.members.iter().copied().collect();
        self.parties.insert(item.party, Party { kind: item.kind, name: item.name, members, disabled, version: at.index });
    }

    fn power(&mut self, party: &writ_types::PartyId, disabled: bool) {
        if let Some(party) = self.parties.get_mut(party) {
            party.disabled = disabled;
        }
    }
}
