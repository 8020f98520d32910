//! The slice of a policy set that can speak to a request, found by scope.
//!
//! Cedar's authorizer evaluates every policy. A policy whose scope does not match a request can neither hold nor err: the
//! operators of a scope can't fail, and the conditions behind a scope that does not match are never looked at. So the
//! policies outside the slice change nothing of a decision, and this index finds the others without looking at each.

use cedar_policy::{
    ActionConstraint, Entities, EntityTypeName, EntityUid, Policy, PrincipalConstraint, Request, ResourceConstraint,
};
use std::collections::{BTreeMap, BTreeSet};

/// The places of a set's policies, by the actions, principals and resources that their scopes name.
#[derive(Debug, Default)]
pub(crate) struct Index {
    actions: BTreeMap<EntityUid, ByPrincipal>,
}

type ByPrincipal = Dimension<ByResource>;
type ByResource = Dimension<Vec<usize>>;

impl Index {
    /// Adds the policy at `place`. `actions` are the schema's, each with the groups that it is in.
    pub(crate) fn add(&mut self, place: usize, policy: &Policy, actions: &BTreeMap<EntityUid, BTreeSet<EntityUid>>) {
        let scope = policy.action_constraint();
        let (principal, resource) = (Scope::from(policy.principal_constraint()), Scope::from(policy.resource_constraint()));
        for (action, groups) in actions {
            let speaks = match &scope {
                ActionConstraint::Any => true,
                ActionConstraint::Eq(named) => named == action,
                ActionConstraint::In(named) => named.iter().any(|named| named == action || groups.contains(named)),
            };
            if speaks {
                self.actions.entry(action.clone()).or_default().at(&principal).at(&resource).push(place);
            }
        }
    }

    /// The places of the policies whose scope matches, in order.
    pub(crate) fn slice(&self, request: &Request, entities: &Entities) -> Vec<usize> {
        let (Some(action), Some(principal), Some(resource)) = (request.action(), request.principal(), request.resource()) else {
            return Vec::new();
        };
        let Some(by_principal) = self.actions.get(action) else { return Vec::new() };
        let (principal, resource) = (Position::new(principal, entities), Position::new(resource, entities));
        let found = by_principal.matching(&principal).flat_map(|by_resource| by_resource.matching(&resource)).flatten();
        let mut places: Vec<usize> = found.copied().collect();
        places.sort_unstable();
        places
    }
}

/// Who stands in one dimension of a request: an entity, and everything that it lies in.
struct Position<'a> {
    uid: &'a EntityUid,
    ancestors: Vec<&'a EntityUid>,
}

impl<'a> Position<'a> {
    fn new(uid: &'a EntityUid, entities: &'a Entities) -> Self {
        // The very entities that Cedar evaluates with: of one that is missing it knows no ancestors either.
        Self { uid, ancestors: entities.ancestors(uid).into_iter().flatten().collect() }
    }
}

/// One dimension of a scope; Cedar has the same five for principal and resource, as two types.
enum Scope {
    Any,
    Is(EntityTypeName),
    Eq(EntityUid),
    In(EntityUid),
    IsIn(EntityTypeName, EntityUid),
}

/// What lies under each scope of one dimension. A scope is one key, so nothing is found twice.
#[derive(Debug, Default)]
struct Dimension<T> {
    any: T,
    is: BTreeMap<EntityTypeName, T>,
    at: BTreeMap<EntityUid, At<T>>,
}

/// The scopes that name one entity.
#[derive(Debug, Default)]
struct At<T> {
    eq: Option<T>,
    within: Option<T>,
    is_in: BTreeMap<EntityTypeName, T>,
}

impl<T: Default> Dimension<T> {
    /// What lies under this scope, to be added to.
    fn at(&mut self, scope: &Scope) -> &mut T {
        match scope {
            Scope::Any => &mut self.any,
            Scope::Is(kind) => self.is.entry(kind.clone()).or_default(),
            Scope::Eq(uid) => self.at.entry(uid.clone()).or_default().eq.get_or_insert_default(),
            Scope::In(uid) => self.at.entry(uid.clone()).or_default().within.get_or_insert_default(),
            Scope::IsIn(kind, uid) => self.at.entry(uid.clone()).or_default().is_in.entry(kind.clone()).or_default(),
        }
    }

    /// What lies under every scope that matches this position.
    fn matching<'a>(&'a self, position: &'a Position<'a>) -> impl Iterator<Item = &'a T> {
        let kind = position.uid.type_name();
        let itself = self.at.get(position.uid);
        let around = itself.into_iter().chain(position.ancestors.iter().filter_map(|uid| self.at.get(*uid)));
        let equal = itself.and_then(|at| at.eq.as_ref());
        let within = around.flat_map(move |at| at.within.iter().chain(at.is_in.get(kind)));
        [&self.any].into_iter().chain(self.is.get(kind)).chain(equal).chain(within)
    }
}

impl From<PrincipalConstraint> for Scope {
    fn from(constraint: PrincipalConstraint) -> Self {
        match constraint {
            PrincipalConstraint::Any => Self::Any,
            PrincipalConstraint::In(uid) => Self::In(uid),
            PrincipalConstraint::Eq(uid) => Self::Eq(uid),
            PrincipalConstraint::Is(kind) => Self::Is(kind),
            PrincipalConstraint::IsIn(kind, uid) => Self::IsIn(kind, uid),
        }
    }
}

impl From<ResourceConstraint> for Scope {
    fn from(constraint: ResourceConstraint) -> Self {
        match constraint {
            ResourceConstraint::Any => Self::Any,
            ResourceConstraint::In(uid) => Self::In(uid),
            ResourceConstraint::Eq(uid) => Self::Eq(uid),
            ResourceConstraint::Is(kind) => Self::Is(kind),
            ResourceConstraint::IsIn(kind, uid) => Self::IsIn(kind, uid),
        }
    }
}
