//! What a task may reach: resources and the actions on each.

use crate::{Name, ResourceId};
use std::collections::{BTreeMap, BTreeSet};

/// The actions on one resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    /// The resource.
    pub resource: ResourceId,
    /// Its actions, by the names that the resource gives them.
    pub actions: BTreeSet<Name>,
}

/// Resources and actions. Scopes only narrow: see [`Scope::contains`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Scope(BTreeMap<ResourceId, BTreeSet<Name>>);

impl Scope {
    /// A scope of these grants; grants on the same resource are joined, empty ones dropped.
    pub fn new(grants: impl IntoIterator<Item = Grant>) -> Self {
        let mut scope = BTreeMap::<ResourceId, BTreeSet<Name>>::new();
        for grant in grants {
            if !grant.actions.is_empty() {
                scope.entry(grant.resource).or_default().extend(grant.actions);
            }
        }
        Self(scope)
    }

    /// True if every action on every resource of `other` is in this scope too.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.iter().all(|(resource, actions)| self.0.get(resource).is_some_and(|mine| actions.is_subset(mine)))
    }

    /// True if nothing can be reached.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The grants, ordered by resource.
    pub fn grants(&self) -> impl Iterator<Item = (&ResourceId, &BTreeSet<Name>)> {
        self.0.iter()
    }
}
