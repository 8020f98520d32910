//! What an actor asks for by itself, judged and planned. It is authority for nothing until a person delegates it.

use super::caller::{Caller, Known};
use super::command::room;
use super::limits::WANTED_OF_ACTOR_MAX;
use super::request::{ask_of, gates, references, unchartered};
use super::state::{Phase, Task};
use crate::answer::Answer;
use crate::boundary::Missing;
use crate::decision::evaluate;
use crate::plan::{Draft, Plan};
use crate::refusal::{Record, Refusal};
use crate::view::View;
use std::collections::{BTreeMap, BTreeSet};
use writ_ledger::body::{Asked, Delegation, DelegationGrant, Effect, TaskWanted};
use writ_types::{Code, Denial, IdentityId, Name, PartyId, Purpose, Random, ResourceId, TaskId, Ttl};

/// Ask for a task: its actor itself, by its certificate.
#[derive(Debug, Clone)]
pub struct Want {
    /// Why: a code that the charter names.
    pub purpose: Purpose,
    /// Which data.
    pub data_scope: Vec<Name>,
    /// The actions on each resource, which an actor knows by name.
    pub grants: BTreeMap<Name, BTreeSet<Name>>,
    /// How long from its start.
    pub ttl: Ttl,
    /// Who shows which certificate.
    pub caller: Caller,
}

/// A request that may be filed. Its task has no id yet.
#[derive(Debug)]
pub(crate) struct Wanted {
    content: Delegation,
    known: Known,
    /// The task, where the actor has asked for the very same and nobody has answered.
    before: Option<TaskId>,
}

/// What has no id yet.
const NO_TASK: TaskId = TaskId::from_bits([0; 16]);

impl Want {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<Wanted, Refusal> {
        let known = self.caller.known(view)?;
        match self.judge(view, known.identity) {
            Ok((content, before)) => Ok(Wanted { content, known, before }),
            Err(denial) => {
                let (actor, on) = (known.actor(), vec![known.identity.to_string()]);
                Err(Record { actor, command: "want", on, evaluations: Vec::new() }.refuse(denial))
            }
        }
    }

    fn judge(self, view: View<'_>, actor: IdentityId) -> Result<(Delegation, Option<TaskId>), Denial> {
        let content = self.content(view, actor)?;
        references(view, &content)?;
        gates(view.state, &content)?;
        let same = |task: &Task| task.content == Delegation { task: task.content.task, ..content.clone() };
        let before = view.state.tasks.open().find(|(_, task)| task.phase == Phase::Requested && same(task)).map(|(id, _)| *id);
        if before.is_none() {
            room(view.state, &content, WANTED_OF_ACTOR_MAX, |task| task.phase == Phase::Requested)?;
        }
        Ok((content, before))
    }

    /// What a delegator would sign. A resource that the charter does not name is outside it, whether it exists or not.
    fn content(&self, view: View<'_>, actor: IdentityId) -> Result<Delegation, Denial> {
        let state = view.state;
        let gone = || Denial::new(Code::Stale, "the identity is no longer there", "attest again");
        let identity = state.identities.get(&actor).ok_or_else(gone)?;
        let for_what = format!("a task for identity `{}`", identity.name);
        let chartered = state.boundaries.chartered(&state.people, &identity.boundary);
        chartered.map_err(|missing| Missing::denial(&missing, &for_what))?;
        let business = state.boundaries.business(&identity.boundary).ok_or_else(gone)?;
        let (mut grants, mut outside) = (Vec::new(), Vec::new());
        for (name, actions) in &self.grants {
            if !business.tools.contains(name) {
                outside.push(format!("tool `{name}`"));
            }
            let resource = state.resources.named(name).unwrap_or_else(|| ResourceId::from_bits([0; 16]));
            grants.push(DelegationGrant { resource, actions: actions.clone() });
        }
        if !outside.is_empty() {
            return Err(unchartered(state, &identity.boundary, outside));
        }
        let data: BTreeSet<&Name> = self.data_scope.iter().collect();
        Ok(Delegation {
            task: NO_TASK,
            delegator: None,
            self_requested: true,
            actor,
            purpose: self.purpose.clone(),
            data_scope: data.into_iter().cloned().collect(),
            grants,
            ttl: self.ttl,
            description: None,
        })
    }
}

impl Wanted {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan, random: &mut dyn Random) -> Answer {
        if let Some(task) = self.before {
            return Answer::Wanted { task };
        }
        let task = TaskId::mint(random);
        let content = Delegation { task, ..self.content };
        let mut on = vec![task.to_string(), content.actor.to_string(), self.known.serial.clone()];
        on.extend(content.grants.iter().map(|grant| grant.resource.to_string()));
        let identity = view.state.identities.get(&content.actor).map(|identity| identity.version);
        let (actor, shown) = (self.known.actor(), self.known.index);
        let body = TaskWanted { content, serial: self.known.serial };
        plan.push(Draft::new(actor, body).on(on).cause([shown]).cause(identity));
        Answer::Wanted { task }
    }
}

/// The members of the teams that boundaries name whom policy lets delegate all of this, each alone.
pub fn delegators(view: View<'_>, content: &Delegation) -> BTreeSet<PartyId> {
    let state = view.state;
    let resources = content.grants.iter().filter_map(|grant| state.resources.get(&grant.resource));
    let teams = resources
        .filter_map(|resource| state.boundaries.path(&resource.boundary).find_map(|(_, boundary)| boundary.delegators))
        .filter_map(|team| state.people.party(&team));
    let members: BTreeSet<PartyId> = teams.flat_map(|team| team.members.iter().copied()).collect();
    let may = |person: &PartyId| {
        let ask = ask_of(&Delegation { delegator: Some(*person), ..content.clone() }, [], view.now);
        content.grants.iter().all(|grant| {
            let asked = Asked::Delegate { person: *person, resource: grant.resource, ask: ask.clone() };
            evaluate(state, view.policy, asked).0.effect == Effect::Allow
        })
    };
    members.into_iter().filter(may).collect()
}
