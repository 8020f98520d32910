//! What a request means now: its gates, its circumstances for policy, and its resolved parameters.

use super::limits::GRANTS_MAX;
use super::state::{Phase, Task};
use crate::boundary::Missing;
use crate::state::State;
use crate::view::View;
use std::collections::BTreeSet;
use writ_ledger::body::{ApprovalContent, ApprovalResource, Asked, Delegation, TaskAsk};
use writ_types::{ApprovalId, Code, CredentialKind, Denial, Digest, PartyId, Time, canonical};

/// How soon a cut is complete while the server and the backend can be reached, as approvers see it.
const EFFECTIVE_IN: &str = "within a second";
/// What holds when the server can't reach the backend, as approvers see it.
const WHEN_PARTITIONED: &str = "no bound when partitioned: live sessions go on, new logins end with the credential";

/// Refuses a delegation that names what isn't there, or that is not what its actor asked for by itself.
pub(crate) fn references(view: View<'_>, content: &Delegation) -> Result<(), Denial> {
    let state = view.state;
    let mut wrong = Vec::new();
    let wanted = state.tasks.get(&content.task);
    let asked_for = Delegation { delegator: None, ..content.clone() };
    match wanted {
        None if content.self_requested && content.delegator.is_some() => {
            wrong.push(format!("the actor did not ask for task `{}` by itself", content.task));
        }
        Some(task) if task.phase != Phase::Requested => wrong.push(format!("task `{}` is requested already", content.task)),
        Some(task) if task.content != asked_for => wrong.push("it is not what the actor asked for".to_owned()),
        Some(task) if task.ends_by().is_none_or(|at| at <= view.now) => wrong.push("the request's time is up".to_owned()),
        _ => {}
    }
    if state.identities.get(&content.actor).is_none() {
        wrong.push(format!("identity `{}` is unknown", content.actor));
    }
    if content.grants.is_empty() || content.grants.len() > GRANTS_MAX || content.ttl.seconds() == 0 {
        wrong.push(format!("a task reaches 1 to {GRANTS_MAX} resources, for at least a second"));
    }
    let mut seen = BTreeSet::new();
    for grant in &content.grants {
        if !seen.insert(grant.resource) {
            wrong.push(format!("resource `{}` stands there twice", grant.resource));
        }
        match state.resources.get(&grant.resource) {
            None => wrong.push(format!("resource `{}` is unknown", grant.resource)),
            Some(resource) => {
                if grant.actions.is_empty() || resource.groups(&grant.actions).is_none() {
                    let known: Vec<_> = resource.postgres.actions.keys().map(ToString::to_string).collect();
                    wrong.push(format!("the actions of resource `{}` are {}", resource.name, known.join(", ")));
                }
            }
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Denial::new(Code::Invalid, "the request does not hold", "mend each and ask again").missing(wrong))
    }
}

/// The laws that come before policy: people answer, the charter is signed, and the task lies within it.
pub(crate) fn gates(state: &State, content: &Delegation) -> Result<(), Denial> {
    let identity = state.identities.get(&content.actor).ok_or_else(|| gone("the identity"))?;
    let for_what = format!("a task for identity `{}`", identity.name);
    state.boundaries.chartered(&state.people, &identity.boundary).map_err(|missing| Missing::denial(&missing, &for_what))?;
    for grant in &content.grants {
        let resource = state.resources.get(&grant.resource).ok_or_else(|| gone("a resource"))?;
        let standing = state.boundaries.standing(&state.people, &resource.boundary);
        standing.map_err(|missing| Missing::denial(&missing, &format!("resource `{}`", resource.name)))?;
    }
    bounds(state, content, &identity.boundary)
}

/// True while a live task is what was approved: within the charter, by the same workload, on the same resources. That the
/// charter or the policy set moved otherwise does not end it: both are asked again at each use.
pub(super) fn still_stands(state: &State, task: &Task) -> bool {
    let approved = task.proposal.as_ref().map(|proposal| &proposal.content);
    let actor = state.identities.get(&task.content.actor);
    let same_actor = approved.is_none_or(|content| actor.is_some_and(|actor| actor.version == content.actor_version));
    let same = |approved: &ApprovalResource| {
        state.resources.get(&approved.resource).is_some_and(|resource| {
            resource.postgres.address == approved.address
                && resource.postgres.databases == approved.databases
                && resource.groups(&approved.actions).as_ref() == Some(&approved.groups)
        })
    };
    let same_resources = approved.is_none_or(|content| content.resources.iter().all(same));
    same_actor && same_resources && gates(state, &task.content).is_ok()
}

/// The charter's bounds: task ∩ charter is the task, or it is refused (law 3).
fn bounds(state: &State, content: &Delegation, boundary: &writ_types::Name) -> Result<(), Denial> {
    let (Some(business), Some(terms)) = (state.boundaries.business(boundary), state.boundaries.identity(boundary)) else {
        return Err(gone("the charter"));
    };
    let mut outside = Vec::new();
    if !business.purposes.contains(&content.purpose) {
        let named: Vec<_> = business.purposes.iter().map(|purpose| format!("`{purpose}`")).collect();
        outside.push(format!("purpose `{}`; the charter names {}", content.purpose, named.join(", ")));
    }
    outside.extend(
        content.data_scope.iter().filter(|data| !business.data_scope.contains(data)).map(|data| format!("data scope `{data}`")),
    );
    for grant in &content.grants {
        let name = state.resources.get(&grant.resource).map(|resource| &resource.name);
        if let Some(name) = name.filter(|name| !business.tools.contains(name)) {
            outside.push(format!("tool `{name}`"));
        }
    }
    if content.ttl > terms.ttl_max {
        outside.push(format!("{} is longer than the charter's `ttlMax` {}", content.ttl, terms.ttl_max));
    }
    if !terms.kinds.contains(&CredentialKind::PostgresUser) {
        outside.push(format!("credential kind `{}`", CredentialKind::PostgresUser));
    }
    if outside.is_empty() { Ok(()) } else { Err(unchartered(state, boundary, outside)) }
}

/// What lies outside the charter, and who could widen it.
pub(super) fn unchartered(state: &State, boundary: &writ_types::Name, outside: Vec<String>) -> Denial {
    let who = [writ_types::OwnerRole::Business, writ_types::OwnerRole::Identity].iter().filter_map(|role| {
        state.boundaries.holder(&state.people, boundary, *role).map(|holder| format!("{} ({role} owner)", holder.person))
    });
    let denial = Denial::new(
        Code::Unchartered,
        format!("the request lies outside the charter of boundary `{boundary}`"),
        "ask within the charter, or have its owners widen it",
    );
    denial.missing(outside).who_can(who)
}

fn gone(what: &str) -> Denial {
    Denial::new(Code::Stale, format!("{what} is no longer there"), "ask again")
}

/// A task's circumstances, as policy sees them.
pub(crate) fn ask_of(content: &Delegation, approvers: impl IntoIterator<Item = PartyId>, now: Time) -> TaskAsk {
    TaskAsk {
        task: content.task,
        delegator: content.delegator,
        self_requested: content.self_requested,
        approvers: approvers.into_iter().collect(),
        purpose: content.purpose.clone(),
        data_scope: content.data_scope.clone(),
        depth: 0,
        ttl: content.ttl,
        now,
    }
}

/// Every question that the whole task asks of policy.
pub(crate) fn reaches(content: &Delegation, ask: &TaskAsk) -> Vec<Asked> {
    let actions = content.grants.iter().flat_map(|grant| grant.actions.iter().map(|action| (grant.resource, action)));
    actions
        .map(|(resource, action)| Asked::Reach { identity: content.actor, resource, reach: action.clone(), ask: ask.clone() })
        .collect()
}

/// The owners whose approval can count: those of the resources, never the delegator.
pub(super) fn candidates(state: &State, content: &Delegation) -> BTreeSet<PartyId> {
    let resources = content.grants.iter().filter_map(|grant| state.resources.get(&grant.resource));
    resources
        .flat_map(|resource| {
            writ_types::OwnerRole::ALL.iter().filter_map(|role| state.boundaries.holder(&state.people, &resource.boundary, *role))
        })
        .map(|holder| holder.person)
        .filter(|person| Some(*person) != content.delegator)
        .collect()
}

/// The parameters of the request, resolved against what is true now. An approver signs these, and any change voids them.
pub(crate) fn resolve(view: View<'_>, content: &Delegation, approval: ApprovalId, expires: Time) -> Option<ApprovalContent> {
    let state = view.state;
    let identity = state.identities.get(&content.actor)?;
    let mut resources = Vec::new();
    for grant in &content.grants {
        let resource = state.resources.get(&grant.resource)?;
        resources.push(ApprovalResource {
            resource: grant.resource,
            name: resource.name.clone(),
            version: resource.version,
            address: resource.postgres.address.clone(),
            databases: resource.postgres.databases.clone(),
            actions: grant.actions.clone(),
            groups: resource.groups(&grant.actions)?,
            class: CredentialKind::PostgresUser.class(),
            effective_in: EFFECTIVE_IN.to_owned(),
            when_partitioned: WHEN_PARTITIONED.to_owned(),
        });
    }
    Some(ApprovalContent {
        approval,
        delegation: Digest::of(&canonical(content).ok()?),
        task: content.task,
        actor: content.actor,
        actor_version: identity.version,
        purpose: content.purpose.clone(),
        resources,
        charter: state.boundaries.charter_digest(&identity.boundary)?,
        policy_set: state.domain.policy_set?,
        ttl: content.ttl,
        expires,
    })
}
