//! Folds what happened to identities.

use super::state::{Document, Identities, Identity};
use crate::fold::At;
use writ_ledger::body::{Body, IdentityItem, SvidRow};
use writ_types::{IdentityId, Time};

impl Identities {
    pub(crate) fn apply(&mut self, at: At<'_>, body: &Body) {
        match body {
            Body::IdentitySet(set) => self.set(at, &set.identity),
            Body::IdentityRetired(retired) => self.retire(&retired.identity),
            Body::SvidsIssued(issued) => {
                self.forget_expired(at.time);
                for row in &issued.rows {
                    self.issued(at, row);
                }
            }
            _ => {}
        }
    }

    fn set(&mut self, at: At<'_>, item: &IdentityItem) {
        self.retire(&item.identity);
        self.by_name.insert(item.name.clone(), item.identity);
        self.by_spiffe_id.insert(item.spiffe_id.clone(), item.identity);
        if let Some(first) = item.selectors.iter().min() {
            self.by_selector.entry(first.clone()).or_default().insert(item.identity);
        }
        let identity = Identity {
            name: item.name.clone(),
            boundary: item.boundary.clone(),
            actor_kind: item.actor_kind,
            autonomous: item.autonomous,
            tier: item.tier,
            spiffe_id: item.spiffe_id.clone(),
            selectors: item.selectors.iter().cloned().collect(),
            version: at.index,
        };
        self.all.insert(item.identity, identity);
    }

    fn retire(&mut self, id: &IdentityId) {
        if let Some(identity) = self.all.remove(id) {
            self.by_name.remove(&identity.name);
            self.by_spiffe_id.remove(&identity.spiffe_id);
            if let Some(first) = identity.selectors.first()
                && let Some(same) = self.by_selector.get_mut(first)
            {
                same.remove(id);
                if same.is_empty() {
                    self.by_selector.remove(first);
                }
            }
        }
    }

    fn issued(&mut self, at: At<'_>, row: &SvidRow) {
        let document = Document { identity: row.identity, key: row.key, expires: row.expires, index: at.index };
        self.expiries.insert((row.expires, row.serial.clone()));
        self.documents.insert(row.serial.clone(), document);
    }

    fn forget_expired(&mut self, now: Time) {
        while let Some((expires, serial)) = self.expiries.pop_first() {
            if expires > now {
                self.expiries.insert((expires, serial));
                return;
            }
            self.documents.remove(&serial);
        }
    }
}
