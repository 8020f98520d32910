//! Completing, signalling and killing, judged and planned. No approval, and policy only to say who may.

use super::caller::{Caller, Known};
use super::command::unknown;
use super::end::{end_signed, end_task};
use super::state::{Phase, Task};
use crate::act;
use crate::answer::Answer;
use crate::decision::{Asking, record};
use crate::plan::{Draft, Plan};
use crate::refusal::{Record, Refusal};
use crate::state::State;
use crate::view::View;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use writ_credential::VerifiedAct;
use writ_ledger::body::{Asked, Evaluation, KillContent, KillOrdered, KillScope, TaskSignalled};
use writ_ledger::{Actor, SignedAct};
use writ_types::{ActKind, Code, Denial, PartyId, Random, TaskEnd, TaskId, Trigger};

/// Complete a task, or take a request back.
#[derive(Debug, Clone)]
pub struct Complete {
    /// The task.
    pub task: TaskId,
    /// Who says so.
    pub by: Sender,
}

/// Signal that a trigger fired.
#[derive(Debug, Clone)]
pub struct Signal {
    /// The task.
    pub task: TaskId,
    /// What happened.
    pub trigger: Trigger,
    /// Who says so.
    pub by: Sender,
}

/// Kill a scope: every open task in it ends.
#[derive(Debug, Clone)]
pub struct Kill {
    /// What is signed.
    pub content: KillContent,
    /// The person's signature.
    pub act: SignedAct,
}

/// Who ends a task: its actor by certificate, or a person by signature.
#[derive(Debug, Clone)]
pub enum Sender {
    /// An identity that shows its certificate.
    Actor(Caller),
    /// A person.
    Person(Box<SignedAct>),
}

/// What a person signs to complete or cancel (act `complete`, id: the task's).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompleteContent {
    /// The task.
    pub task: TaskId,
}

/// What a person signs to signal (act `signal`, id: the task's).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalContent {
    /// The task.
    pub task: TaskId,
    /// What happened.
    pub trigger: Trigger,
}

/// A sender who is known.
#[derive(Debug)]
pub(crate) enum Proven {
    Actor(Known),
    Person(VerifiedAct, Box<SignedAct>),
}

/// A completion that counts.
#[derive(Debug)]
pub(crate) struct Completed {
    task: TaskId,
    end: TaskEnd,
    by: Proven,
}

/// A signal that counts.
#[derive(Debug)]
pub(crate) struct Signalled {
    task: TaskId,
    trigger: Trigger,
    by: Proven,
    evaluations: Vec<Evaluation>,
}

/// A kill that counts.
#[derive(Debug)]
pub(crate) struct Killed {
    content: KillContent,
    act: SignedAct,
    by: VerifiedAct,
    tasks: BTreeSet<TaskId>,
    evaluations: Vec<Evaluation>,
}

impl Sender {
    fn prove<T: Serialize>(self, view: View<'_>, kind: ActKind, task: TaskId, content: &T) -> Result<Proven, Denial> {
        Ok(match self {
            Self::Actor(caller) => Proven::Actor(caller.known(view)?),
            Self::Person(act) => {
                let verified = act::check(view.state, &act, kind, &task.to_string(), content, view.now)?;
                Proven::Person(verified, act)
            }
        })
    }
}

impl Proven {
    fn actor(&self) -> Actor {
        match self {
            Self::Actor(known) => known.actor(),
            Self::Person(act, _) => crate::actor::person(act),
        }
    }

    const fn person(&self) -> Option<PartyId> {
        match self {
            Self::Actor(_) => None,
            Self::Person(act, _) => Some(act.by()),
        }
    }

    /// True if this is the task's own actor.
    fn is_actor_of(&self, task: &Task) -> bool {
        matches!(self, Self::Actor(known) if known.identity == task.actor())
    }
}

/// The task, unless it is over or unknown.
fn open(state: &State, id: TaskId) -> Result<&Task, Denial> {
    let task = state.tasks.get(&id).ok_or_else(|| unknown(id))?;
    match task.phase {
        Phase::Ended { end, .. } => {
            Err(Denial::new(Code::WrongState, format!("task `{id}` has ended: {end}"), "nothing more is needed"))
        }
        _ => Ok(task),
    }
}

impl Complete {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<Completed, Refusal> {
        let by = self.by.prove(view, ActKind::Complete, self.task, &CompleteContent { task: self.task })?;
        let task = open(view.state, self.task)?;
        let is_delegator = by.person().is_some_and(|person| task.content.delegator == Some(person));
        if !by.is_actor_of(task) && !is_delegator {
            // Unknown and another's answer alike.
            return Err(unknown(self.task).into());
        }
        let end = if matches!(task.phase, Phase::Live { .. }) { TaskEnd::Completed } else { TaskEnd::Cancelled };
        Ok(Completed { task: self.task, end, by })
    }
}

impl Completed {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan) -> Answer {
        let actor = self.by.actor();
        let cause = plan.next();
        let signed = match self.by {
            Proven::Actor(_) => None,
            Proven::Person(_, act) => {
                serde_json::to_value(CompleteContent { task: self.task }).ok().map(|content| (content, *act))
            }
        };
        let credentials = end_signed(view.state, plan, &self.task, self.end, &actor, cause, signed);
        Answer::Ended { tasks: [self.task].into(), credentials }
    }
}

impl Signal {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<Signalled, Refusal> {
        let content = SignalContent { task: self.task, trigger: self.trigger };
        let by = self.by.prove(view, ActKind::Signal, self.task, &content)?;
        let task = open(view.state, self.task)?;
        let sender = by.actor().id;
        let boundary = view.state.identities.get(&task.actor()).map(|identity| identity.boundary.clone());
        let named_by_charter = boundary
            .and_then(|boundary| view.state.boundaries.identity(&boundary).cloned())
            .is_some_and(|terms| terms.triggers.get(&self.trigger).is_some_and(|senders| senders.contains(&sender)));
        let named = by.is_actor_of(task) || named_by_charter;
        let mut asking = Asking::new(view);
        if asking.ask(Asked::Signal { sender, task: self.task, named }).is_none() {
            let denial = Denial::new(
                Code::PolicyDenied,
                format!("you may not signal against this task: {}", asking.last_policies()),
                "the charter's identity section names who may",
            );
            let on = vec![self.task.to_string()];
            return Err(
                Record { actor: by.actor(), command: "signal", on, evaluations: asking.into_evaluations() }.refuse(denial)
            );
        }
        Ok(Signalled { task: self.task, trigger: self.trigger, by, evaluations: asking.into_evaluations() })
    }
}

impl Signalled {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan, random: &mut dyn Random) -> Answer {
        let actor = self.by.actor();
        let on = vec![self.task.to_string(), actor.id.clone()];
        let (decision, decided) = record(plan, actor.clone(), "signal", on.clone(), self.evaluations, None, random);
        let self_reported = view.state.tasks.get(&self.task).is_some_and(|task| self.by.is_actor_of(task));
        let (content, act) = match self.by {
            Proven::Actor(_) => (None, None),
            Proven::Person(_, act) => {
                (serde_json::to_value(SignalContent { task: self.task, trigger: self.trigger }).ok(), Some(*act))
            }
        };
        let body = TaskSignalled { task: self.task, trigger: self.trigger, sender: actor.id.clone(), self_reported, content };
        let mut draft = Draft::new(actor.clone(), body).on(on).cause([decided]).decision(Some(decision));
        if let Some(act) = act {
            draft = draft.act(act);
        }
        let index = plan.push(draft);
        let credentials = end_task(view.state, plan, &self.task, TaskEnd::Signal, &actor, index);
        Answer::Ended { tasks: [self.task].into(), credentials }
    }
}

/// The open tasks in a scope.
fn tasks_in(state: &State, scope: &KillScope) -> BTreeSet<TaskId> {
    let lies = |name: &writ_types::Name, boundary| state.boundaries.lies_in(name, boundary);
    let hit = |id: &TaskId, task: &Task| match scope {
        KillScope::Task(wanted) => wanted == id,
        KillScope::Identity(wanted) => *wanted == task.actor(),
        KillScope::Resource(wanted) => task.content.grants.iter().any(|grant| grant.resource == *wanted),
        KillScope::Boundary(wanted) => {
            state.identities.get(&task.actor()).is_some_and(|identity| lies(&identity.boundary, wanted))
                || task
                    .content
                    .grants
                    .iter()
                    .filter_map(|grant| state.resources.get(&grant.resource))
                    .any(|resource| lies(&resource.boundary, wanted))
        }
    };
    state.tasks.open().filter(|(id, task)| hit(id, task)).map(|(id, _)| *id).collect()
}

impl Kill {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<Killed, Refusal> {
        let id = self.content.scope.to_string();
        let by = act::check(view.state, &self.act, ActKind::Kill, &id, &self.content, view.now)?;
        let mut asking = Asking::new(view);
        if asking.ask(Asked::Kill { person: by.by(), on: id.clone() }).is_none() {
            let denial = Denial::new(
                Code::PolicyDenied,
                format!("you may not end `{id}`: {}", asking.last_policies()),
                "an owner of the path, or the delegator, can",
            );
            let actor = crate::actor::person(&by);
            return Err(Record { actor, command: "kill", on: vec![id], evaluations: asking.into_evaluations() }.refuse(denial));
        }
        let tasks = tasks_in(view.state, &self.content.scope);
        Ok(Killed { content: self.content, act: self.act, by, tasks, evaluations: asking.into_evaluations() })
    }
}

impl Killed {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan, random: &mut dyn Random) -> Answer {
        let actor = crate::actor::person(&self.by);
        // Not the tasks: there may be more of them than an entry holds, and the end of each names this entry as its cause.
        let on = vec![self.content.scope.to_string()];
        let (decision, decided) = record(plan, actor.clone(), "kill", on.clone(), self.evaluations, None, random);
        let blobs = self.content.reason;
        let body = KillOrdered { content: self.content };
        let draft = Draft::new(actor.clone(), body).on(on).cause([decided]).decision(Some(decision)).act(self.act).blobs(blobs);
        let index = plan.push(draft);
        let mut credentials = BTreeSet::new();
        for task in &self.tasks {
            credentials.extend(end_task(view.state, plan, task, TaskEnd::Killed, &actor, index));
        }
        Answer::Ended { tasks: self.tasks, credentials }
    }
}
