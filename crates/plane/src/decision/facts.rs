//! The facts that policy sees, from the state alone. What is missing is a reason, and a reason is a denial (law 6).

use crate::state::State;
use std::collections::BTreeSet;
use writ_ledger::body::TaskAsk;
use writ_policy::{Actor, Ask, BoundaryFacts, NonHuman, Owners, Person, ResourceFacts, TaskFacts};
use writ_types::{ActorKind, IdentityId, Name, OwnerRole, PartyId, ResourceId, TaskId, TextValue};

/// A fact that the state does not hold, in words.
pub(super) type Absent = String;

pub(super) fn person(state: &State, id: &PartyId) -> Result<Person, Absent> {
    if state.people.party(id).is_none() {
        return Err(format!("no party `{id}`"));
    }
    Ok(Person { id: *id, active: state.people.is_active_person(id), teams: state.people.teams_of(id) })
}

pub(super) fn owners(state: &State, boundary: &Name) -> Result<Owners, Absent> {
    let holder = |role| {
        state
            .boundaries
            .holder(&state.people, boundary, role)
            .map(|holder| holder.person)
            .ok_or_else(|| format!("no active {role} owner of boundary `{boundary}`"))
    };
    Ok(Owners {
        control: holder(OwnerRole::Control)?,
        business: holder(OwnerRole::Business)?,
        identity: holder(OwnerRole::Identity)?,
        platform: holder(OwnerRole::Platform)?,
        security: holder(OwnerRole::Security)?,
    })
}

/// Who answers, with nobody (all zeroes, which nobody is given) where a role is vacant: a vacancy must not keep those who are
/// left from ending what is there.
pub(super) fn owners_left(state: &State, boundary: &Name) -> Result<Owners, Absent> {
    if state.boundaries.get(boundary).is_none() {
        return Err(format!("no boundary `{boundary}`"));
    }
    let holder = |role| {
        let holder = state.boundaries.holder(&state.people, boundary, role);
        holder.map_or(PartyId::from_bits([0; 16]), |holder| holder.person)
    };
    Ok(Owners {
        control: holder(OwnerRole::Control),
        business: holder(OwnerRole::Business),
        identity: holder(OwnerRole::Identity),
        platform: holder(OwnerRole::Platform),
        security: holder(OwnerRole::Security),
    })
}

pub(super) fn actor(state: &State, id: &IdentityId) -> Result<Actor, Absent> {
    let identity = state.identities.get(id).ok_or_else(|| format!("no identity `{id}`"))?;
    actor_with(state, id, owners(state, &identity.boundary)?)
}

pub(super) fn actor_with(state: &State, id: &IdentityId, owners: Owners) -> Result<Actor, Absent> {
    let identity = state.identities.get(id).ok_or_else(|| format!("no identity `{id}`"))?;
    let kind = match identity.actor_kind {
        ActorKind::Workload => NonHuman::Workload,
        ActorKind::Agent => NonHuman::Agent { autonomous: identity.autonomous },
        ActorKind::Human | ActorKind::System => return Err(format!("`{id}` is neither a workload nor an agent")),
    };
    Ok(Actor {
        id: *id,
        kind,
        tier: identity.tier,
        chartered: state.boundaries.chartered(&state.people, &identity.boundary).is_ok(),
        owners,
        boundaries: path(state, &identity.boundary),
    })
}

pub(super) fn resource(state: &State, id: &ResourceId) -> Result<ResourceFacts, Absent> {
    let resource = state.resources.get(id).ok_or_else(|| format!("no resource `{id}`"))?;
    resource_with(state, id, owners(state, &resource.boundary)?)
}

pub(super) fn resource_with(state: &State, id: &ResourceId, owners: Owners) -> Result<ResourceFacts, Absent> {
    let resource = state.resources.get(id).ok_or_else(|| format!("no resource `{id}`"))?;
    let delegators = state.boundaries.path(&resource.boundary).find_map(|(_, boundary)| boundary.delegators);
    Ok(ResourceFacts {
        id: *id,
        kind: Name::parse("postgres").map_err(|error| error.to_string())?,
        production: state.boundaries.is_production(&resource.boundary),
        tier: resource.tier,
        data_class: resource.data_class.clone(),
        owners,
        delegators,
        within: BTreeSet::new(),
        boundaries: path(state, &resource.boundary),
    })
}

pub(super) fn boundary(state: &State, name: &Name) -> Result<BoundaryFacts, Absent> {
    boundary_with(state, name, owners(state, name)?)
}

pub(super) fn boundary_with(state: &State, name: &Name, owners: Owners) -> Result<BoundaryFacts, Absent> {
    if state.boundaries.get(name).is_none() {
        return Err(format!("no boundary `{name}`"));
    }
    Ok(BoundaryFacts {
        name: name.clone(),
        production: state.boundaries.is_production(name),
        owners,
        ancestors: state.boundaries.path(name).skip(1).map(|(above, _)| above.clone()).collect(),
    })
}

pub(super) fn task(id: &TaskId) -> TaskFacts {
    TaskFacts { id: *id, ancestors: BTreeSet::new() }
}

pub(super) fn ask(state: &State, ask: &TaskAsk) -> Result<Ask, Absent> {
    Ok(Ask {
        task: task(&ask.task),
        delegator: ask.delegator.as_ref().map(|id| person(state, id)).transpose()?,
        self_requested: ask.self_requested,
        approvers: ask.approvers.iter().copied().collect(),
        purpose: ask.purpose.clone(),
        data_scope: ask.data_scope.iter().cloned().collect(),
        depth: ask.depth,
        ttl: ask.ttl,
        now: ask.now,
    })
}

fn path(state: &State, boundary: &Name) -> BTreeSet<Name> {
    state.boundaries.path(boundary).map(|(name, _)| name.clone()).collect()
}
