//! Folds what happened to boundaries.

use super::limits::ROOT;
use super::state::{Boundaries, Boundary, SignedSection};
use crate::fold::At;
use writ_ledger::body::{Body, BoundaryItem, Root};
use writ_types::{Digest, Name, TextValue, Ttl, canonical};

impl Boundaries {
    pub(crate) fn apply(&mut self, at: At<'_>, body: &Body) {
        match body {
            Body::Genesis(genesis) => self.root(at, &genesis.content.root),
            Body::BoundarySet(set) => self.set(at, &set.boundary),
            Body::CharterSigned(signed) => {
                let Ok(bytes) = canonical(&signed.terms) else { return };
                let section =
                    SignedSection { terms: signed.terms.clone(), digest: Digest::of(&bytes), by: signed.by, index: at.index };
                if let Some(boundary) = self.0.get_mut(&signed.boundary) {
                    boundary.charter.insert(signed.section, section);
                }
            }
            Body::CharterVoided(voided) => {
                if let Some(boundary) = self.0.get_mut(&voided.boundary) {
                    boundary.charter.remove(&voided.section);
                }
            }
            _ => {}
        }
    }

    fn root(&mut self, at: At<'_>, root: &Root) {
        let Ok(name) = Name::parse(ROOT) else { return };
        let boundary = Boundary {
            parent: None,
            production: false,
            delegators: None,
            owners: root.owners.clone(),
            backups: root.backups.clone(),
            duties: root.duties.clone(),
            grace: Ttl::from_seconds(0),
            charter: Default::default(),
            version: at.index,
        };
        self.0.insert(name, boundary);
    }

    fn set(&mut self, at: At<'_>, item: &BoundaryItem) {
        let charter = self.0.remove(&item.name).map(|before| before.charter).unwrap_or_default();
        let boundary = Boundary {
            parent: Some(item.parent.clone()),
            production: item.production,
            delegators: item.delegators,
            owners: item.owners.clone(),
            backups: item.backups.clone(),
            duties: item.duties.clone(),
            grace: item.grace,
            charter,
            version: at.index,
        };
        self.0.insert(item.name.clone(), boundary);
    }
}
