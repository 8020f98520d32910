//! Folds what happened to people.

use super::state::{Key, Party, People, Session};
use crate::fold::At;
use serde_json::Value;
use writ_credential::Statement;
use writ_ledger::body::{Body, PartyItem, PartyType};
use writ_types::{Digest, Time};

/// What names a statement until it expires. Its nonce makes it differ from every other.
pub(crate) fn spent(statement: &Value) -> Option<(Time, Digest)> {
    let statement = Statement::from_value(statement).ok()?;
    Some((statement.expires, Digest::of(&statement.to_bytes().ok()?)))
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
        while self.spent.first().is_some_and(|(expires, _)| *expires <= at.time) {
            self.spent.pop_first();
        }
        self.spent.extend(at.acts.iter().filter_map(|act| spent(&act.statement)));
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
