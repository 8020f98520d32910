//! What a task lets its actor ask for, read before anything is asked: a slip of the keyboard must not end the task.

use crate::failure::{Exit, Failure};
use crate::show::quoted;
use std::collections::BTreeSet;
use writ_ledger::body::{ApprovalContent, Delegation};
use writ_types::{Code, Denial, Name, PartyId, TaskId};
use writ_wire::api::TaskView;

/// Whether the task can be worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is to be started.
    Ready,
    /// Somebody started it already.
    Running,
}

/// Where the task stands, or what it waits for.
pub(crate) fn standing(view: &TaskView) -> Result<Standing, Failure> {
    match (view.state.as_str(), view.ended) {
        ("approved", _) => Ok(Standing::Ready),
        ("live", _) => Ok(Standing::Running),
        ("awaiting", _) => {
            let task = view.task;
            let missing = view.any_of.iter().map(|set| format!("an approval by {}", joined(set, " and ")));
            let help =
                format!("have one of those named run `writ task approve {task}`, then run this again; nothing was started");
            let mut failure = Failure::new(Exit::Waiting, format!("task `{task}` waits for approval"), help);
            failure.missing = missing.collect();
            let who: BTreeSet<PartyId> =
                view.any_of.iter().flatten().filter(|person| !view.approved.contains(person)).copied().collect();
            failure.who_can = who.iter().map(ToString::to_string).collect();
            Err(failure)
        }
        (_, Some((end, at))) => {
            Err(Denial::new(Code::NoTask, format!("task `{}` has ended: {end}, at {at}", view.task), "ask for a new one").into())
        }
        (other, None) => Err(Failure::failed(format!("task `{}` is {}", view.task, quoted(other)), "look at it with `writ why`")),
    }
}

fn joined(people: &[PartyId], word: &str) -> String {
    people.iter().map(ToString::to_string).collect::<Vec<_>>().join(word)
}

/// The actions to take a credential for: those that are named, or all that the task has on the resource.
pub(crate) fn actions(view: &TaskView, resource: &Name, named: &[Name]) -> Result<BTreeSet<Name>, Failure> {
    let named: BTreeSet<Name> = named.iter().cloned().collect();
    let wrong = |what: &str| {
        Failure::failed(format!("the task's {what} can't be read"), "check that server and command have the same version")
    };
    let Some(proposal) = &view.proposal else {
        // Nobody had to approve, so nothing is resolved: only one resource needs no name.
        let content: Delegation = serde_json::from_value(view.content.clone()).map_err(|_| wrong("content"))?;
        return match (named.is_empty(), content.grants.as_slice()) {
            (false, _) => Ok(named),
            (true, [only]) => Ok(only.actions.clone()),
            (true, _) => {
                Err(Failure::usage("the task names several resources", format!("say what for: `--actions` of `{resource}`")))
            }
        };
    };
    let content: ApprovalContent = serde_json::from_value(proposal.clone()).map_err(|_| wrong("proposal"))?;
    let Some(granted) = content.resources.into_iter().find(|granted| granted.name == *resource) else {
        return Err(outside(view.task, &format!("resource `{resource}`")));
    };
    match named.difference(&granted.actions).next() {
        _ if named.is_empty() => Ok(granted.actions),
        None => Ok(named),
        Some(action) => Err(outside(view.task, &format!("action `{action}` on `{resource}`"))),
    }
}

fn outside(task: TaskId, what: &str) -> Failure {
    let help = "name what the task names, or ask for a new task; nothing was asked for, and the task stands as it stood";
    Denial::new(Code::ScopeExceeded, format!("task `{task}` does not name {what}"), help).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use writ_types::{TaskEnd, TextValue as _, Time};

    fn view(state: &str) -> TaskView {
        let digest = writ_types::Digest::of(b"x");
        TaskView {
            task: TaskId::from_bits([1; 16]),
            state: state.to_owned(),
            index: 1,
            content: json!({
                "task": TaskId::from_bits([1; 16]), "delegator": PartyId::from_bits([2; 16]), "self_requested": false, "actor": "idn_00000000000000000000000000000003",
                "purpose": "close invoices", "data_scope": [], "ttl": "1h", "description": null,
                "grants": [{"resource": "res_00000000000000000000000000000004", "actions": ["read", "write"]}],
            }),
            decision: None,
            proposal: Some(json!({
                "approval": "apr_00000000000000000000000000000005", "delegation": digest, "task": TaskId::from_bits([1; 16]),
                "actor": "idn_00000000000000000000000000000003", "actor_version": 1, "purpose": "close invoices", "charter": digest,
                "policy_set": digest, "ttl": "1h", "expires": Time::from_seconds(9),
                "resources": [{
                    "resource": "res_00000000000000000000000000000004", "name": "billing-db", "version": 1, "address": "db:5432",
                    "databases": ["billing"], "actions": ["read", "write"], "groups": ["app_ro"], "class": "cuts-live",
                    "effective_in": "1 s", "when_partitioned": "no bound",
                }],
            })),
            any_of: vec![vec![PartyId::from_bits([6; 16])], vec![PartyId::from_bits([7; 16])]],
            approved: Vec::new(),
            ends_at: None,
            ended: None,
        }
    }

    fn names(names: &[&str]) -> Vec<Name> {
        names.iter().map(|name| Name::parse(name).unwrap()).collect()
    }

    /// R100: what waits says for whom, with the code for waiting; what is over says how it ended.
    #[test]
    fn a_task_that_can_not_start_says_why_and_who_can_help() {
        assert_eq!(standing(&view("approved")), Ok(Standing::Ready));
        assert_eq!(standing(&view("live")), Ok(Standing::Running));
        let waiting = standing(&view("awaiting")).unwrap_err();
        assert_eq!((waiting.exit, waiting.who_can.len()), (Exit::Waiting, 2));
        let ended = TaskView { ended: Some((TaskEnd::Timeout, Time::from_seconds(1))), ..view("ended") };
        let ended = standing(&ended).unwrap_err();
        assert!(ended.exit == Exit::Denied && ended.message.contains("timeout"), "{ended:?}");
    }

    /// R108: only what lies in the task is asked for; a slip is told here and ends nothing.
    #[test]
    fn what_lies_outside_the_task_is_not_asked_for() {
        let (resource, other) = (Name::parse("billing-db").unwrap(), Name::parse("ledger-db").unwrap());
        let all = names(&["read", "write"]).into_iter().collect();
        assert_eq!(actions(&view("live"), &resource, &[]), Ok(all));
        assert_eq!(actions(&view("live"), &resource, &names(&["read"])), Ok(names(&["read"]).into_iter().collect()));
        for (resource, named) in [(&other, names(&[])), (&resource, names(&["read", "admin"]))] {
            assert_eq!(actions(&view("live"), resource, &named).unwrap_err().exit, Exit::Denied);
        }
        let unresolved = TaskView { proposal: None, ..view("live") };
        assert_eq!(actions(&unresolved, &other, &[]).unwrap().len(), 2);
    }
}
