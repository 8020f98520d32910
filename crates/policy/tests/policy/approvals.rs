//! Who is needed for a task.

use crate::world::*;
use std::collections::BTreeSet;
use writ_policy::*;
use writ_types::{PartyId, ResourceId, Tier, Ttl};

fn everybody() -> Vec<Person> {
    [ALICE, BOB, CAROL, DAVE, ERIN, FRANK].map(person).to_vec()
}

fn any_of(sets: &[&[PartyId]]) -> Needed {
    Needed::AnyOf(sets.iter().map(|set| set.iter().copied().collect()).collect())
}

#[track_caller]
fn needs(requests: &[Reach], expected: &Needed) {
    assert_eq!(&approvals_needed(&BASE, requests, &everybody()), expected);
}

fn delegated_by(id: PartyId) -> Ask {
    Ask { delegator: Some(person(id)), ..ask() }
}

/// R19, R20, R33: who can approve follows from policy: Carol's task either owner, Alice's only the other one.
#[test]
fn the_other_owner_can_approve() {
    needs(&[reach(ask())], &any_of(&[&[ALICE], &[BOB]]));
    needs(&[reach(delegated_by(ALICE))], &any_of(&[&[BOB]]));
    needs(&[reach(approved_by(&[ALICE]))], &Needed::None);
    needs(&[], &Needed::None);
}

/// R61, R73: an autonomous agent at a critical resource needs both; with one of them delegating, somebody else must delegate.
#[test]
fn a_critical_autonomous_task_needs_both_or_another_delegator() {
    let critical = |ask| Reach {
        actor: Actor { kind: NonHuman::Agent { autonomous: true }, ..agent() },
        resource: ResourceFacts { tier: Tier::Critical, ..database() },
        ..reach(Ask { ttl: Ttl::from_seconds(900), ..ask })
    };
    needs(&[critical(ask())], &any_of(&[&[ALICE, BOB]]));
    needs(&[critical(approved_by(&[ALICE]))], &any_of(&[&[BOB]]));
    let Needed::Impossible { decision } = approvals_needed(&BASE, &[critical(delegated_by(ALICE))], &everybody()) else {
        panic!("nobody else can stand in for Alice");
    };
    assert_eq!(decision.determining(), [name("autonomous-critical")]);
}

/// R73: one approval can serve several resources; otherwise each owner is needed. People who may not approve one don't count there.
#[test]
fn all_resources_of_a_task_are_served() {
    let elsewhere = |control, business| Reach {
        resource: ResourceFacts {
            id: ResourceId::from_bits([2; 16]),
            owners: Owners { control, business, ..owners() },
            ..database()
        },
        ..reach(ask())
    };
    needs(&[reach(ask()), elsewhere(BOB, FRANK)], &any_of(&[&[BOB], &[ALICE, FRANK]]));
    needs(&[reach(ask()), elsewhere(DAVE, DAVE)], &any_of(&[&[ALICE, DAVE], &[BOB, DAVE]]));
    let twice = Reach { action: name("write"), ..reach(ask()) };
    needs(&[reach(ask()), twice], &any_of(&[&[ALICE], &[BOB]]));
    let outside = Reach { resource: ResourceFacts { production: false, ..database() }, ..reach(ask()) };
    needs(&[reach(ask()), outside], &any_of(&[&[ALICE], &[BOB]]));
}

/// R23: no approval cures what is not about approval, and nobody who is away is named.
#[test]
fn what_approvals_do_not_cure_is_impossible() {
    let impossible = |request: Reach, people: &[Person]| matches!(approvals_needed(&BASE, &[request], people), Needed::Impossible { decision } if decision.effect() == Effect::Deny);
    assert!(impossible(reach(Ask { ttl: Ttl::from_seconds(HOUR + 1), ..ask() }), &everybody()));
    assert!(impossible(Reach { actor: Actor { chartered: false, ..agent() }, ..reach(ask()) }, &everybody()));
    assert!(impossible(Reach { action: name("report"), ..reach(ask()) }, &everybody()));
    assert!(impossible(reach(ask()), &[]));
    let away = [ALICE, BOB].map(|id| Person { active: false, ..person(id) });
    assert!(impossible(reach(ask()), &away));
}

/// A policy that wants many people is answered within the bound, and every answer holds.
#[test]
fn many_approvers_stay_within_bounds() {
    let everyone = "[resource.owners.control, resource.owners.business, resource.owners.identity, resource.owners.platform, resource.owners.security]";
    let set = PolicySet::compile(
        PolicySource::of_policies([
            ("four", format!(r#"@id("four") @reason("All.") permit (principal, action in Action::"reach", resource) when {{ context.approvers.containsAll({everyone}) }};"#)),
            ("any", r#"@id("any") @reason("Any.") permit (principal, action == Action::"approve", resource) when { principal.active };"#.to_owned()),
        ])
        .unwrap(),
    )
    .unwrap();
    let crowd: Vec<_> = (1..=40).map(|n| person(party(n))).collect();
    let needed = approvals_needed(&set, &[reach(ask())], &crowd);
    assert_eq!(needed, Needed::AnyOf(vec![BTreeSet::from([ALICE, BOB, CAROL, DAVE, ERIN])]));
}

/// What each resource of a task needs may be too much for another: then no approval helps, and none is asked for.
#[test]
fn people_whom_another_policy_does_not_want_together_are_not_proposed() {
    let set = PolicySet::compile(
        PolicySource::of_policies([
            ("one", r#"@id("one") @reason("Control.") permit (principal, action in Action::"reach", resource) when { context.approvers.contains(resource.owners.control) };"#),
            ("not-both", r#"@id("not-both") @reason("Not both.") forbid (principal, action in Action::"reach", resource) when { context.approvers.containsAll([resource.owners.control, resource.owners.business]) };"#),
            ("any", r#"@id("any") @reason("Any.") permit (principal, action == Action::"approve", resource) when { principal.active };"#),
        ])
        .unwrap(),
    )
    .unwrap();
    let turned = ResourceFacts { owners: Owners { control: BOB, business: ALICE, ..owners() }, ..database() };
    let requests = [reach(ask()), Reach { resource: turned, ..reach(ask()) }];
    assert_eq!(approvals_needed(&set, &requests[..1], &everybody()), any_of(&[&[ALICE]]));
    assert!(matches!(approvals_needed(&set, &requests, &everybody()), Needed::Impossible { .. }));
}
