//! What a denied caller is told.

use crate::world::*;
use writ_policy::*;
use writ_types::Ttl;

#[track_caller]
fn near(request: &Request) -> Nearest {
    nearest(&BASE, request).unwrap()
}

/// R81: the nearest permit, and the one condition that fails.
#[test]
fn the_missing_approval_is_the_condition_that_fails() {
    let found = near(&Request::Reach(reach(ask())));
    assert_eq!(found.policy, name("reach-production"));
    assert!(found.reason.contains("approves it"), "{found:?}");
    assert_eq!(found.failing.len(), 1);
    assert!(found.failing[0].contains("context.approvers"), "{found:?}");
    assert!(found.undecided.is_empty() && found.forbidden.is_empty());
}

/// R81: with more than one thing wrong, each is named.
#[test]
fn each_failing_condition_is_named() {
    let found = near(&Request::Reach(reach(Ask { ttl: Ttl::from_seconds(2 * HOUR), ..approved_by(&[ALICE]) })));
    assert_eq!(
        (found.policy.as_str(), found.failing.as_slice()),
        ("reach-production", &["context.ttl <= duration(\"1h\")".to_owned()][..])
    );
}

/// A condition whose guard fails is not decided, and is not shown as if it failed.
#[test]
fn what_another_condition_guards_is_undecided() {
    let found = near(&Request::Reach(reach(Ask { delegator: None, ..approved_by(&[ALICE]) })));
    assert_eq!(
        (found.policy.as_str(), found.failing.as_slice()),
        ("reach-production", &["context has delegator".to_owned()][..])
    );
    assert!(found.undecided.iter().any(|condition| condition == "context.delegator.active"), "{found:?}");
}

/// R81: where a forbid speaks, it is named beside the permit that would hold.
#[test]
fn forbids_are_named_with_their_reasons() {
    let request = Request::Approve(Approve {
        person: person(ALICE),
        resource: database(),
        ask: Ask { delegator: Some(person(ALICE)), ..ask() },
    });
    let found = near(&request);
    assert_eq!(found.policy, name("approve"));
    assert!(found.failing.is_empty());
    assert_eq!(found.forbidden, [(name("own-task"), "The delegator of a task cannot approve it.".to_owned())]);
}

/// R81: the scope counts as a condition: who is no person learns that only people delegate.
#[test]
fn a_scope_that_does_not_match_is_named() {
    let found = near(&Request::Delegate(Delegate { who: Who::Actor(agent()), resource: database(), ask: ask() }));
    assert_eq!((found.policy.as_str(), found.failing.first().map(String::as_str)), ("delegate", Some("principal is Human")));
}

#[test]
fn an_allow_needs_no_explanation() {
    assert_eq!(nearest(&BASE, &Request::Reach(reach(approved_by(&[ALICE])))), None);
    assert_eq!(nearest(&BASE, &Request::Reach(Reach { action: name("report"), ..reach(ask()) })), None);
}
