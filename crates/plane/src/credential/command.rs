//! Taking a credential, judged at the point of use.

use crate::decision::Asking;
use crate::refusal::{Record, Refusal};
use crate::task::{Caller, allowed_now};
use crate::view::View;
use std::collections::BTreeSet;
use writ_ledger::body::Evaluation;
use writ_types::{Code, Denial, Name, ResourceId, Scope, TaskId, Time};

/// Take a credential of a running task: only its actor, by its certificate.
#[derive(Debug, Clone)]
pub struct Take {
    /// The task.
    pub task: TaskId,
    /// Where it is to be good.
    pub resource: ResourceId,
    /// For what.
    pub actions: BTreeSet<Name>,
    /// Who shows which certificate.
    pub caller: Caller,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Taking {
    Taken(Taken),
    Exceeded(Exceeded),
}

/// A credential that policy allows now.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) task: TaskId,
    pub(crate) resource: ResourceId,
    pub(crate) actions: BTreeSet<Name>,
    pub(crate) serial: String,
    pub(crate) caller_index: u64,
    pub(crate) actor: writ_ledger::Actor,
    pub(crate) expires: Time,
    pub(crate) evaluations: Vec<Evaluation>,
}

/// A reach outside the task: the task ends.
#[derive(Debug)]
pub(crate) struct Exceeded {
    pub(crate) task: TaskId,
    pub(crate) record: Record,
    pub(crate) denial: Denial,
}

impl Take {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<Taking, Refusal> {
        let known = self.caller.known(view)?;
        let actor = known.actor();
        let mut asking = Asking::new(view);
        let on = vec![self.task.to_string(), known.identity.to_string(), self.resource.to_string()];
        match judge(view, &self, &known.identity, &mut asking) {
            Ok(expires) => Ok(Taking::Taken(Taken {
                task: self.task,
                resource: self.resource,
                actions: self.actions,
                caller_index: known.index,
                serial: known.serial,
                actor,
                expires,
                evaluations: asking.into_evaluations(),
            })),
            Err(denial) => {
                let record = Record { actor, command: "credential", on, evaluations: asking.into_evaluations() };
                if denial.code == Code::ScopeExceeded {
                    return Ok(Taking::Exceeded(Exceeded { task: self.task, record, denial }));
                }
                Err(record.refuse(denial))
            }
        }
    }
}

fn judge(view: View<'_>, take: &Take, identity: &writ_types::IdentityId, asking: &mut Asking<'_>) -> Result<Time, Denial> {
    let no_task = || {
        Denial::new(
            Code::NoTask,
            format!("task `{}` does not run for you", take.task),
            "request a task, have it approved and start it",
        )
    };
    let task = view.state.tasks.get(&take.task).filter(|task| task.actor() == *identity).ok_or_else(no_task)?;
    let ends_at = task.live_until(view.now).ok_or_else(no_task)?;
    let wanted = Scope::new([writ_types::Grant { resource: take.resource, actions: take.actions.clone() }]);
    if wanted.is_empty() {
        return Err(Denial::new(Code::Invalid, "no action is named", "name at least one of the task's actions"));
    }
    if !task.scope().contains(&wanted) {
        return Err(Denial::new(
            Code::ScopeExceeded,
            "this lies outside the task, and the task ends",
            "ask for a new task that names it",
        ));
    }
    let held = view.state.credentials.of_task(&take.task).count();
    if held >= crate::task::CREDENTIALS_OF_TASK_MAX {
        return Err(Denial::new(Code::Limit, format!("the task has had {held} credentials"), "ask for a new task"));
    }
    allowed_now(view, task, asking)?;
    let identity = view.state.identities.get(identity).ok_or_else(no_task)?;
    let ttl = view.state.boundaries.identity(&identity.boundary).map(|terms| terms.ttl_max).ok_or_else(no_task)?;
    Ok(ends_at.min(view.now.after(ttl)))
}
