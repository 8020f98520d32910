//! Folds what happened to people.

use super::state::{Key, Party, People, Session};
use crate::fold::At;
use writ_ledger::body::{Body, PartyItem, PartyType};

impl People {
    pub(crate) fn apply(&mut self, at: At<'_>, body: &Body) {
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
