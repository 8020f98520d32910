//! Folds what happened to resources.

use super::state::{Resource, Resources};
use crate::fold::At;
use writ_ledger::body::Body;

impl Resources {
    pub(crate) fn apply(&mut self, at: At<'_>, body: &Body) {
        let Body::ResourceSet(set) = body else { return };
        let item = &set.resource;
        if let Some(before) = self.all.get(&item.resource) {
            self.by_name.remove(&before.name);
        }
        self.by_name.insert(item.name.clone(), item.resource);
        let resource = Resource {
            name: item.name.clone(),
            boundary: item.boundary.clone(),
            tier: item.tier,
            data_class: item.data_class.clone(),
            postgres: item.postgres.clone(),
            version: at.index,
        };
        self.all.insert(item.resource, resource);
    }
}
