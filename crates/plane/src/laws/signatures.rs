//! Every act carries the signature of the person who answers for it, over exactly what the entry says.

use super::Laws;
use crate::act;
use crate::change::new_key;
use crate::task::{CompleteContent, SignalContent};
use serde::Serialize;
use writ_ledger::body::{Body, GenesisContent};
use writ_ledger::{Entry, SignedAct};
use writ_types::{ActKind, ActorKind, PartyId};

pub(super) fn judge(laws: &mut Laws, entry: &Entry, body: &Body, found: &mut Vec<String>) {
    match body {
        Body::Genesis(genesis) => founders(laws, entry, &genesis.content, found),
        Body::SessionOpened(opened) => {
            let id = opened.content.get("challenge").and_then(serde_json::Value::as_str).unwrap_or_default();
            one(laws, entry, Some(opened.party), ActKind::Login, id, &opened.content, found);
        }
        Body::ChangeFiled(filed) => {
            let (filer, id) = (filed.content.filer, filed.content.change.to_string());
            one(laws, entry, Some(filer), ActKind::Change, &id, &filed.content, found);
        }
        Body::ChangeSigned(signed) => change(laws, entry, signed.change, found),
        Body::ChangeWithdrawn(it) => match laws.state.changes.get(&it.change).map(|change| change.content.clone()) {
            Some(content) => {
                one(laws, entry, Some(content.filer), ActKind::Refuse, &it.change.to_string(), &content, found);
            }
            None => found.push(format!("change set `{}` does not wait", it.change)),
        },
        Body::TaskRequested(requested) => {
            let content = &requested.content;
            if content.delegator.is_none() {
                found.push("nobody delegated it".to_owned());
            }
            one(laws, entry, content.delegator, ActKind::Delegate, &content.task.to_string(), content, found);
        }
        Body::TaskApproved(approved) => proposal(laws, entry, approved.task, approved.by, ActKind::Approve, found),
        Body::TaskRefused(refused) => proposal(laws, entry, refused.task, refused.by, ActKind::Refuse, found),
        Body::TaskSignalled(signalled) if signalled.content.is_some() => {
            let content = SignalContent { task: signalled.task, trigger: signalled.trigger };
            let sender = signalled.sender.parse().ok();
            one(laws, entry, sender, ActKind::Signal, &signalled.task.to_string(), &content, found);
        }
        // Only the server and an attested identity signal without a signature, each in its own name.
        Body::TaskSignalled(signalled) if entry.actor.kind == ActorKind::Human || signalled.sender.parse::<PartyId>().is_ok() => {
            found.push("a person's signal carries no signature".to_owned());
        }
        Body::TaskEnded(ended) if ended.content.is_some() => {
            let content = CompleteContent { task: ended.task };
            let delegator = laws.state.tasks.get(&ended.task).and_then(|task| task.content.delegator);
            if delegator.is_none() {
                found.push("nobody delegated what it ends".to_owned());
            }
            one(laws, entry, delegator, ActKind::Complete, &ended.task.to_string(), &content, found);
        }
        Body::KillOrdered(kill) => {
            one(laws, entry, None, ActKind::Kill, &kill.content.scope.to_string(), &kill.content, found);
        }
        _ if !entry.acts.is_empty() => found.push(format!("an entry of kind `{}` carries no signatures", body.kind())),
        _ => {}
    }
}

/// Exactly one signature, by `by` where that is known, with a key that answered for that person at the time.
fn one<T: Serialize>(
    laws: &mut Laws,
    entry: &Entry,
    by: Option<PartyId>,
    kind: ActKind,
    id: &str,
    content: &T,
    found: &mut Vec<String>,
) {
    let [signed] = entry.acts.as_slice() else {
        return found.push(format!("it needs one signature (act `{kind}`) and has {}", entry.acts.len()));
    };
    if by.is_some_and(|by| by != signed.by) {
        return found.push(format!("it is signed by `{}`, who is not who it says", signed.by));
    }
    if entry.actor.id != signed.by.to_string() {
        found.push(format!("its actor is `{}`, but `{}` signed", entry.actor.id, signed.by));
    }
    match act::check(&laws.state, signed, kind, id, content, entry.at) {
        Ok(_) => laws.signatures += 1,
        Err(denial) => found.push(denial.message),
    }
}

fn founders(laws: &mut Laws, entry: &Entry, content: &GenesisContent, found: &mut Vec<String>) {
    if laws.state.size() != 0 {
        found.push("a genesis stands only at the beginning".to_owned());
    }
    for founder in &content.founders {
        let Some(signed) = entry.acts.iter().find(|act| act.by == founder.party) else {
            found.push(format!("founder `{}` did not sign", founder.party));
            continue;
        };
        match act::verify(&content.origin, signed, &founder.key, ActKind::Genesis, &content.origin, content, Some(entry.at)) {
            Ok(_) => laws.signatures += 1,
            Err(denial) => found.push(denial.message),
        }
    }
    if entry.acts.len() != content.founders.len() {
        found.push("others than the founders signed".to_owned());
    }
}

/// A change set is signed by an enrolled person, or by a key that it enrols.
fn change(laws: &mut Laws, entry: &Entry, id: writ_types::ChangeId, found: &mut Vec<String>) {
    let Some(change) = laws.state.changes.get(&id).cloned() else {
        return found.push(format!("change set `{id}` does not wait"));
    };
    let [signed] = entry.acts.as_slice() else {
        return found.push(format!("it needs one signature (act `change`) and has {}", entry.acts.len()));
    };
    match new_key(&change, signed) {
        Some((_, openssh)) => verified(laws, entry, signed, &openssh, &id.to_string(), &change.content, found),
        None => one(laws, entry, None, ActKind::Change, &id.to_string(), &change.content, found),
    }
}

fn verified<T: Serialize>(
    laws: &mut Laws,
    entry: &Entry,
    signed: &SignedAct,
    openssh: &str,
    id: &str,
    content: &T,
    found: &mut Vec<String>,
) {
    match act::verify(&laws.state.domain.origin, signed, openssh, ActKind::Change, id, content, Some(entry.at)) {
        Ok(_) => laws.signatures += 1,
        Err(denial) => found.push(denial.message),
    }
}

/// What was proposed is what is signed.
fn proposal(laws: &mut Laws, entry: &Entry, task: writ_types::TaskId, by: PartyId, kind: ActKind, found: &mut Vec<String>) {
    let content = laws.state.tasks.get(&task).and_then(|task| task.proposal.as_ref()).map(|proposal| proposal.content.clone());
    match content {
        Some(content) => one(laws, entry, Some(by), kind, &content.approval.to_string(), &content, found),
        None => found.push(format!("task `{task}` proposes nothing to answer")),
    }
}
