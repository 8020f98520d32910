//! No task without its laws: gates, authority, approval by others, the attested actor, and time.

use super::Laws;
use super::decisions::{allowed, circumstances};
use crate::task::{Phase, START_WITHIN, Task, ask_of, gates, reaches, references, resolve, rests, still_so};
use crate::view::View;
use std::collections::BTreeSet;
use writ_ledger::Entry;
use writ_ledger::body::{Asked, Body, Delegation, Effect, TaskApproved, TaskRequested, TaskStarted, TaskWanted};
use writ_types::{PartyId, TaskEnd, TaskId};

pub(super) fn judge(laws: &Laws, entry: &Entry, body: &Body, found: &mut Vec<String>) {
    match body {
        Body::TaskWanted(wanted) => want(laws, entry, wanted, found),
        Body::TaskRequested(requested) => request(laws, entry, requested, found),
        Body::TaskApproved(approved) => approval(laws, entry, approved, found),
        Body::TaskStarted(started) => start(laws, entry, started, found),
        Body::TaskEnded(ended) => {
            let Some(task) = task(laws, &ended.task, found) else { return };
            let early = match task.phase {
                Phase::Live { ends_at, .. } => ended.end == TaskEnd::Timeout && entry.at < ends_at,
                _ => ended.end == TaskEnd::Timeout,
            };
            if early {
                found.push("its time was not up".to_owned());
            }
        }
        _ => {}
    }
}

fn task<'a>(laws: &'a Laws, id: &TaskId, found: &mut Vec<String>) -> Option<&'a Task> {
    let task = laws.state.tasks.get(id);
    if task.is_none() {
        found.push(format!("task `{id}` is unknown"));
    }
    task
}

fn view<'a>(laws: &'a Laws, entry: &Entry) -> Option<View<'a>> {
    laws.policy.as_ref().map(|(_, policy)| View { state: &laws.state, policy, now: entry.at })
}

/// What it names is there, and lies within the charter.
fn there(laws: &Laws, entry: &Entry, content: &Delegation, found: &mut Vec<String>) {
    let references = view(laws, entry).and_then(|view| references(view, content).err());
    for denial in [references, gates(&laws.state, content).err()].into_iter().flatten() {
        found.push(denial.to_string());
    }
}

/// Only an actor asks by itself, by its own certificate, and only for itself.
fn want(laws: &Laws, entry: &Entry, wanted: &TaskWanted, found: &mut Vec<String>) {
    let content = &wanted.content;
    there(laws, entry, content, found);
    if laws.state.tasks.get(&content.task).is_some() || content.delegator.is_some() || !content.self_requested {
        found.push("it is not what an actor asks for by itself".to_owned());
    }
    let document = laws.state.identities.document(&wanted.serial, entry.at);
    if document.is_none_or(|document| document.identity != content.actor) || entry.actor.id != content.actor.to_string() {
        found.push("it was not asked for by its actor's certificate".to_owned());
    }
}

fn request(laws: &Laws, entry: &Entry, requested: &TaskRequested, found: &mut Vec<String>) {
    let content = &requested.content;
    there(laws, entry, content, found);
    let Some(delegator) = content.delegator else { return };
    let Some(made) = laws.decision(entry, "request", found) else { return };
    let ask = ask_of(content, [], entry.at);
    let delegates =
        content.grants.iter().map(|grant| Asked::Delegate { person: delegator, resource: grant.resource, ask: ask.clone() });
    if !allowed(&made.evaluations, &delegates.collect::<Vec<_>>()) {
        found.push("its delegator was not allowed to delegate".to_owned());
    }
    match &requested.proposal {
        None if !allowed(&made.evaluations, &reaches(content, &ask)) => {
            found.push("it needs an approval and asks for none".to_owned())
        }
        Some(proposal) => {
            let resolved =
                view(laws, entry).and_then(|view| resolve(view, content, proposal.content.approval, proposal.content.expires));
            if resolved.as_ref() != Some(&proposal.content) {
                found.push("what is proposed is not what the request comes to".to_owned());
            }
        }
        None => {}
    }
}

fn approval(laws: &Laws, entry: &Entry, approved: &TaskApproved, found: &mut Vec<String>) {
    let Some(task) = task(laws, &approved.task, found) else { return };
    if task.phase != Phase::Awaiting {
        found.push("it did not wait for approval".to_owned());
    }
    let Some(delegator) = task.content.delegator else { return found.push("nobody delegated it".to_owned()) };
    if approved.by == delegator {
        found.push("its delegator approved it".to_owned());
    }
    let proposal = task.proposal.as_ref().map(|proposal| &proposal.content);
    if proposal.is_none_or(|content| content.approval != approved.approval || content.expires <= entry.at) {
        found.push("it answers another proposal, or one whose time was up".to_owned());
    }
    if let Some(view) = view(laws, entry) {
        if rests(view, &approved.by, &delegator) {
            found.push("who approved got a key from its delegator less than 7 days before".to_owned());
        }
        if proposal.is_some_and(|content| still_so(view, task, content).is_err()) {
            found.push("what was approved had changed since it was asked for".to_owned());
        }
    }
    let Some(made) = laws.decision(entry, "approve", found) else { return };
    let before = ask_of(&task.content, task.approvals.keys().copied(), entry.at);
    let may = task.content.grants.iter().map(|grant| Asked::Approve {
        person: approved.by,
        resource: grant.resource,
        ask: before.clone(),
    });
    if !allowed(&made.evaluations, &may.collect::<Vec<_>>()) {
        found.push("who approved was not allowed to".to_owned());
    }
    let approvers: BTreeSet<PartyId> = task.approvals.keys().copied().chain([approved.by]).collect();
    let after = reaches(&task.content, &ask_of(&task.content, approvers, entry.at));
    if approved.complete && !allowed(&made.evaluations, &after) {
        found.push("more approvals are needed than it has".to_owned());
    }
}

fn start(laws: &Laws, entry: &Entry, started: &TaskStarted, found: &mut Vec<String>) {
    let Some(task) = task(laws, &started.task, found) else { return };
    match task.phase {
        Phase::Approved { at, .. } if at.after(START_WITHIN) > entry.at => {}
        _ => found.push("it was not approved, or too long ago".to_owned()),
    }
    if started.ends_at != entry.at.after(task.content.ttl) {
        found.push("it ends at another time than was delegated".to_owned());
    }
    let document = laws.state.identities.document(&started.serial, entry.at);
    if document.is_none_or(|document| document.identity != task.actor()) || entry.actor.id != task.actor().to_string() {
        found.push("it was not started by its actor's certificate".to_owned());
    }
    if let Err(denial) = gates(&laws.state, &task.content) {
        found.push(denial.to_string());
    }
    if let (Some(view), Some(proposal)) = (view(laws, entry), &task.proposal)
        && still_so(view, task, &proposal.content).is_err()
    {
        found.push("what was approved had changed before it was started".to_owned());
    }
    let Some(made) = laws.decision(entry, "start", found) else { return };
    rests_on_approvals(task, &made.evaluations, entry, found);
}

/// The whole task was allowed, by the approvals that the log has and no others.
pub(super) fn rests_on_approvals(
    task: &Task,
    evaluations: &[writ_ledger::body::Evaluation],
    entry: &Entry,
    found: &mut Vec<String>,
) {
    let ask = ask_of(&task.content, task.approvals.keys().copied(), entry.at);
    if !allowed(evaluations, &reaches(&task.content, &ask)) {
        found.push("policy did not allow it with the approvals that it has".to_owned());
    }
    if circumstances(evaluations).is_some_and(|asked| *asked != ask) || evaluations.iter().any(|it| it.effect == Effect::Deny) {
        found.push("its decision was asked in other circumstances".to_owned());
    }
}
