//! Asks policy and keeps what it said. The same function repeats a recorded evaluation when a log is verified.

use super::facts;
use crate::state::State;
use crate::view::View;
use writ_ledger::body::{Asked, Effect, Evaluation};
use writ_policy::{
    Approve, Change, Delegate, End, Govern, Identify, Kill, Permit, PolicySet, Reach, Request, Signal, Target, Who, decide,
};
use writ_types::{IdentityId, Name, PartyId, ResourceId, TaskId, TextValue};

/// The evaluations of one command, in order.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    view: View<'a>,
    evaluations: Vec<Evaluation>,
}

impl<'a> Asking<'a> {
    pub(crate) const fn new(view: View<'a>) -> Self {
        Self { view, evaluations: Vec::new() }
    }

    /// Asks, and remembers what was said.
    pub(crate) fn ask(&mut self, asked: Asked) -> Option<Permit> {
        let (evaluation, permit) = evaluate(self.view.state, self.view.policy, asked);
        self.evaluations.push(evaluation);
        permit
    }

    /// The ids of the policies that determined the last answer.
    pub(crate) fn last_policies(&self) -> String {
        let policies = self.evaluations.last().map(|evaluation| evaluation.policies.join(", ")).unwrap_or_default();
        if policies.is_empty() { "no policy permits it".to_owned() } else { format!("forbidden by {policies}") }
    }

    pub(crate) fn into_evaluations(self) -> Vec<Evaluation> {
        self.evaluations
    }
}

/// One evaluation. A missing fact is a denial with the fact's name among the errors (law 6).
pub(crate) fn evaluate(state: &State, policy: &PolicySet, asked: Asked) -> (Evaluation, Option<Permit>) {
    let request = match request(state, &asked) {
        Ok(request) => request,
        Err(absent) => {
            return (Evaluation { asked, effect: Effect::Deny, policies: Vec::new(), errors: vec![absent] }, None);
        }
    };
    match decide(policy, &request).permit() {
        Ok(permit) => {
            let policies = permit.determining().iter().map(ToString::to_string).collect();
            (Evaluation { asked, effect: Effect::Allow, policies, errors: Vec::new() }, Some(permit))
        }
        Err(decision) => {
            let policies = decision.determining().iter().map(ToString::to_string).collect();
            (Evaluation { asked, effect: Effect::Deny, policies, errors: decision.errors().to_vec() }, None)
        }
    }
}

/// The request with its facts.
pub(crate) fn request(state: &State, asked: &Asked) -> Result<Request, String> {
    Ok(match asked {
        Asked::Identify { identity } => {
            let boundary = &state.identities.get(identity).ok_or_else(|| format!("no identity `{identity}`"))?.boundary;
            Request::Identify(Identify { actor: facts::actor(state, identity)?, boundary: facts::boundary(state, boundary)? })
        }
        Asked::Reach { identity, resource, reach, ask } => Request::Reach(Reach {
            actor: facts::actor(state, identity)?,
            resource: facts::resource(state, resource)?,
            action: reach.clone(),
            ask: facts::ask(state, ask)?,
        }),
        Asked::Delegate { person, resource, ask } => Request::Delegate(Delegate {
            who: Who::Person(facts::person(state, person)?),
            resource: facts::resource(state, resource)?,
            ask: facts::ask(state, ask)?,
        }),
        Asked::Approve { person, resource, ask } => Request::Approve(Approve {
            person: facts::person(state, person)?,
            resource: facts::resource(state, resource)?,
            ask: facts::ask(state, ask)?,
        }),
        Asked::Administer { person, boundary, author, now } => Request::Administer(Govern {
            person: facts::person(state, person)?,
            boundary: facts::boundary(state, boundary)?,
            change: Change { author: facts::person(state, author)?, now: *now },
        }),
        Asked::Signal { sender, task, named } => Request::Signal(Signal {
            who: who(state, sender)?,
            task: facts::task(task),
            end: end(state, &path_of_task(state, task), Some(task), *named)?,
        }),
        Asked::Kill { person, on } => kill(state, person, on)?,
    })
}

fn kill(state: &State, person: &PartyId, on: &str) -> Result<Request, String> {
    let (target, boundaries, task) = if let Ok(task) = TaskId::parse(on) {
        (Target::Task(facts::task(&task)), path_of_task(state, &task), Some(task))
    } else if let Ok(identity) = IdentityId::parse(on) {
        let boundary = state.identities.get(&identity).map(|identity| identity.boundary.clone());
        let boundary = boundary.ok_or_else(|| format!("no identity `{identity}`"))?;
        let actor = facts::actor_with(state, &identity, facts::owners_left(state, &boundary)?)?;
        (Target::Actor(actor), vec![boundary], None)
    } else if let Ok(resource) = ResourceId::parse(on) {
        let boundary = state.resources.get(&resource).map(|resource| resource.boundary.clone());
        let boundary = boundary.ok_or_else(|| format!("no resource `{resource}`"))?;
        let target = facts::resource_with(state, &resource, facts::owners_left(state, &boundary)?)?;
        (Target::Resource(target), vec![boundary], None)
    } else {
        let boundary = Name::parse(on).map_err(|error| error.to_string())?;
        let target = facts::boundary_with(state, &boundary, facts::owners_left(state, &boundary)?)?;
        (Target::Boundary(target), vec![boundary], None)
    };
    Ok(Request::Kill(Kill { person: facts::person(state, person)?, target, end: end(state, &boundaries, task.as_ref(), false)? }))
}

/// The circumstances of an ending: every owner of the access path, and the delegator.
fn end(state: &State, boundaries: &[Name], task: Option<&TaskId>, named: bool) -> Result<End, String> {
    let owners = boundaries
        .iter()
        .flat_map(|boundary| {
            writ_types::OwnerRole::ALL.iter().filter_map(|role| state.boundaries.holder(&state.people, boundary, *role))
        })
        .map(|holder| holder.person)
        .collect();
    let delegator = task.and_then(|task| state.tasks.get(task)).and_then(|task| task.content.delegator);
    Ok(End { owners, delegator: delegator.map(|id| facts::person(state, &id)).transpose()?, named })
}

/// The boundaries of a task's actor and of everything that it reaches.
fn path_of_task(state: &State, task: &TaskId) -> Vec<Name> {
    let Some(task) = state.tasks.get(task) else { return Vec::new() };
    let actor = state.identities.get(&task.content.actor).map(|identity| identity.boundary.clone());
    let resources = task.content.grants.iter().filter_map(|grant| state.resources.get(&grant.resource));
    actor.into_iter().chain(resources.map(|resource| resource.boundary.clone())).collect()
}

fn who(state: &State, sender: &str) -> Result<Who, String> {
    if let Ok(identity) = IdentityId::parse(sender) {
        return Ok(Who::Actor(facts::actor(state, &identity)?));
    }
    if let Ok(party) = PartyId::parse(sender) {
        let kind = state.people.party(&party).map(|party| party.kind);
        return match kind {
            Some(writ_ledger::body::PartyType::System) => Ok(Who::System(party)),
            _ => Ok(Who::Person(facts::person(state, &party)?)),
        };
    }
    // The server itself has no party: its id is all zeroes, which nobody is given.
    Ok(Who::System(PartyId::from_bits([0; 16])))
}
