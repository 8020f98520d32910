//! The one way a task ends: the entry, the revocation of each of its credentials, and the orders to cut them.

use super::request::still_stands;
use super::state::{Phase, Task};
use crate::actor::WRIT;
use crate::credential::revoke;
use crate::plan::{Draft, Plan};
use crate::state::State;
use crate::view::View;
use std::collections::BTreeSet;
use writ_ledger::Actor;
use writ_ledger::body::{TaskEnded, TaskSignalled};
use writ_types::{CredentialId, TaskEnd, TaskId, Time, Trigger};

/// Ends a task and revokes everything derived from it (laws 3 and 4). Ended already: nothing.
pub(crate) fn end_task(
    state: &State,
    plan: &mut Plan,
    id: &TaskId,
    end: TaskEnd,
    actor: &Actor,
    cause: u64,
) -> BTreeSet<CredentialId> {
    end_signed(state, plan, id, end, actor, cause, None)
}

/// As [`end_task`], with what a person signed to end it.
pub(crate) fn end_signed(
    state: &State,
    plan: &mut Plan,
    id: &TaskId,
    end: TaskEnd,
    actor: &Actor,
    cause: u64,
    signed: Option<(serde_json::Value, writ_ledger::SignedAct)>,
) -> BTreeSet<CredentialId> {
    let Some(task) = state.tasks.get(id).filter(|task| !task.is_ended()) else { return BTreeSet::new() };
    let on = [id.to_string(), task.actor().to_string()];
    let (content, act) = signed.unzip();
    let mut draft = Draft::new(actor.clone(), TaskEnded { task: *id, end, content }).on(on).cause([task.requested]);
    // Where nothing else caused it, the index of the entry itself would stand there.
    if cause < plan.next() {
        draft = draft.cause([cause]);
    }
    if let Some(act) = act {
        draft = draft.act(act);
    }
    let index = plan.push(draft);
    let mine: Vec<CredentialId> =
        state.credentials.of_task(id).filter(|(_, credential)| credential.counts()).map(|(id, _)| *id).collect();
    for credential in &mine {
        revoke(state, plan, credential, end.as_str(), actor, index);
    }
    mine.into_iter().collect()
}

/// Ends every task whose delegator's power has ended, or that stands where nobody answers any more; and every live one that
/// no longer is what was approved (R71, R101).
pub(crate) fn cut_off(after: &State, view: View<'_>, plan: &mut Plan, actor: &Actor) {
    let stands = |boundary: &writ_types::Name| after.boundaries.standing(&after.people, boundary).is_ok();
    for (id, task) in view.state.tasks.open() {
        // What nobody has delegated yet rests on nobody's power.
        let delegator = task.content.delegator.is_none_or(|delegator| after.people.is_active_person(&delegator));
        let identity = after.identities.get(&task.content.actor).is_some_and(|identity| stands(&identity.boundary));
        let resources = task
            .content
            .grants
            .iter()
            .all(|grant| after.resources.get(&grant.resource).is_some_and(|resource| stands(&resource.boundary)));
        if !(delegator && identity && resources) {
            let cause = plan.next().saturating_sub(1);
            end_task(view.state, plan, id, TaskEnd::Cutoff, actor, cause);
        } else if matches!(task.phase, Phase::Live { .. }) && !still_stands(after, task) {
            let cause = plan.next().saturating_sub(1);
            let (system, trigger) = (crate::actor::system(), Trigger::ContextChanged);
            let body = TaskSignalled { task: *id, trigger, sender: WRIT.to_owned(), self_reported: false, content: None };
            let index = plan.push(Draft::new(system.clone(), body).on([*id]).cause([cause]));
            end_task(view.state, plan, id, TaskEnd::Signal, &system, index);
        }
    }
}

/// Every task whose time is up at `now`, and why it ends.
pub(crate) fn due(state: &State, now: Time) -> Vec<(TaskId, TaskEnd)> {
    let end = |task: &Task| if matches!(task.phase, Phase::Live { .. }) { TaskEnd::Timeout } else { TaskEnd::Expired };
    state.tasks.due(now).map(|(id, task)| (*id, end(task))).collect()
}
