//! Which resources there are.

use std::collections::{BTreeMap, BTreeSet};
use writ_ledger::body::{PostgresTerms, ResourceItem};
use writ_types::{Name, ResourceId, SqlName, Tier};

/// All resources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Resources {
    pub(crate) all: BTreeMap<ResourceId, Resource>,
    pub(crate) by_name: BTreeMap<Name, ResourceId>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resource {
    /// Its name.
    pub name: Name,
    /// Its boundary.
    pub boundary: Name,
    /// How much harm can be done there.
    pub tier: Tier,
    /// The class of its data.
    pub data_class: Name,
    /// How it is reached.
    pub postgres: PostgresTerms,
    /// The entry that last set it.
    pub version: u64,
}

impl Resources {
    /// One resource.
    pub fn get(&self, id: &ResourceId) -> Option<&Resource> {
        self.all.get(id)
    }

    /// All resources.
    pub fn iter(&self) -> impl Iterator<Item = (&ResourceId, &Resource)> {
        self.all.iter()
    }

    /// The resource with this name.
    pub fn named(&self, name: &Name) -> Option<ResourceId> {
        self.by_name.get(name).copied()
    }

    /// A resource as it is set.
    pub fn item(&self, id: &ResourceId) -> Option<ResourceItem> {
        let resource = self.all.get(id)?;
        Some(ResourceItem {
            resource: *id,
            name: resource.name.clone(),
            boundary: resource.boundary.clone(),
            tier: resource.tier,
            data_class: resource.data_class.clone(),
            postgres: resource.postgres.clone(),
        })
    }
}

impl Resource {
    /// The groups that these actions give; none if the resource doesn't name one of them.
    pub fn groups(&self, actions: &BTreeSet<Name>) -> Option<BTreeSet<SqlName>> {
        let mut groups = BTreeSet::new();
        for action in actions {
            groups.extend(self.postgres.actions.get(action)?.iter().cloned());
        }
        Some(groups)
    }
}
