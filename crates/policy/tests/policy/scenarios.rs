//! The base policies, one scenario a line.

use crate::world::*;
use writ_policy::*;
use writ_types::{Tier, Ttl};

#[track_caller]
fn check(request: &Request, effect: Effect, determining: &[&str]) {
    let decision = decide(&BASE, request);
    let ids: Vec<_> = decision.determining().iter().map(writ_types::Name::as_str).collect();
    assert_eq!((decision.effect(), ids.as_slice(), decision.errors()), (effect, determining, &[][..]), "{decision:?}");
}

#[track_caller]
fn allowed(request: impl Into<Asked>, determining: &[&str]) {
    check(&request.into().0, Effect::Allow, determining);
}

#[track_caller]
fn denied(request: impl Into<Asked>, determining: &[&str]) {
    check(&request.into().0, Effect::Deny, determining);
}

struct Asked(Request);

impl From<Reach> for Asked {
    fn from(reach: Reach) -> Self {
        Self(Request::Reach(reach))
    }
}

impl From<Request> for Asked {
    fn from(request: Request) -> Self {
        Self(request)
    }
}

fn approve(who: Person, ask: Ask) -> Request {
    Request::Approve(Approve { person: who, resource: database(), ask })
}

fn disabled(id: writ_types::PartyId) -> Person {
    Person { active: false, ..person(id) }
}

fn ttl(seconds: u64, ask: Ask) -> Ask {
    Ask { ttl: Ttl::from_seconds(seconds), ..ask }
}

/// R18, R46: documents only inside the own boundary and under a signed charter.
#[test]
fn an_identity_gets_documents_in_its_own_boundary_under_a_charter() {
    let identify = |actor, boundary| Request::Identify(Identify { actor, boundary });
    allowed(identify(agent(), prod()), &["identify"]);
    denied(identify(agent(), BoundaryFacts { name: name("test"), ..prod() }), &[]);
    denied(identify(Actor { chartered: false, ..agent() }, prod()), &["unchartered"]);
    allowed(identify(Actor { kind: NonHuman::Workload, ..agent() }, prod()), &["identify"]);
}

/// R53, R72, R78, R91: production wants an active delegator, an approval by another person who owns it, and an hour at most.
#[test]
fn production_wants_an_approval_by_an_owner_who_does_not_delegate() {
    denied(reach(ask()), &[]);
    allowed(reach(approved_by(&[ALICE])), &["reach-production"]);
    allowed(reach(approved_by(&[BOB])), &["reach-production"]);
    for stranger in [CAROL, DAVE, ERIN, FRANK] {
        denied(reach(approved_by(&[stranger])), &[]);
    }
    denied(reach(ttl(HOUR + 1, approved_by(&[ALICE]))), &[]);
    denied(reach(Ask { delegator: None, ..approved_by(&[ALICE]) }), &[]);
    denied(reach(Ask { delegator: Some(disabled(CAROL)), ..approved_by(&[ALICE]) }), &["inactive-delegator"]);
    denied(Reach { actor: Actor { chartered: false, ..agent() }, ..reach(approved_by(&[ALICE])) }, &["unchartered"]);
}

/// R20: whoever delegates is not the only one who approves.
#[test]
fn the_delegator_is_not_the_approver() {
    let by_alice = |approvers: &[_]| reach(Ask { delegator: Some(person(ALICE)), ..approved_by(approvers) });
    denied(by_alice(&[ALICE]), &[]);
    allowed(by_alice(&[ALICE, BOB]), &["reach-production"]);
    allowed(by_alice(&[BOB]), &["reach-production"]);
    denied(approve(person(ALICE), Ask { delegator: Some(person(ALICE)), ..ask() }), &["own-task"]);
}

/// R33, R91: outside production no approval, and eight hours at most.
#[test]
fn outside_production_eight_hours_need_no_approval() {
    let outside = |ask| Reach { resource: ResourceFacts { production: false, ..database() }, ..reach(ask) };
    allowed(outside(ttl(8 * HOUR, ask())), &["reach-outside-production"]);
    denied(outside(ttl(8 * HOUR + 1, ask())), &[]);
    allowed(outside(Ask { delegator: None, ..ask() }), &["reach-outside-production"]);
    denied(outside(Ask { delegator: Some(disabled(CAROL)), ..ask() }), &["inactive-delegator"]);
}

/// R61, R191: an autonomous agent at critical things needs both owners, a task that a person asked for, and a quarter of an hour.
#[test]
fn an_autonomous_agent_at_critical_things_needs_both_owners() {
    let autonomous = Actor { kind: NonHuman::Agent { autonomous: true }, ..agent() };
    let critical = ResourceFacts { tier: Tier::Critical, ..database() };
    let at = |resource: &ResourceFacts, ask| Reach { actor: autonomous.clone(), resource: resource.clone(), ..reach(ask) };
    let both = || ttl(900, approved_by(&[ALICE, BOB]));

    allowed(at(&critical, both()), &["reach-production"]);
    denied(at(&critical, ttl(900, approved_by(&[ALICE]))), &["autonomous-critical"]);
    denied(at(&critical, ttl(901, both())), &["autonomous-critical"]);
    denied(at(&critical, Ask { self_requested: true, ..both() }), &["autonomous-critical"]);
    denied(at(&critical, Ask { depth: 1, ..both() }), &["autonomous-critical"]);
    allowed(at(&database(), approved_by(&[ALICE])), &["reach-production"]);

    let critical_agent = Actor { tier: Tier::Critical, ..autonomous.clone() };
    denied(Reach { actor: critical_agent, ..reach(approved_by(&[ALICE])) }, &["autonomous-critical"]);
    // A workload does what it was built to do: the same place asks no more of it than of others.
    let workload = Actor { kind: NonHuman::Workload, ..agent() };
    allowed(Reach { actor: workload, resource: critical, ..reach(approved_by(&[ALICE])) }, &["reach-production"]);
}

/// R19, R33, R72: only people approve, and of them only the two who own it. That an agent can't has no test: it has no type.
#[test]
fn only_control_and_business_owners_approve() {
    allowed(approve(person(ALICE), ask()), &["approve"]);
    allowed(approve(person(BOB), ask()), &["approve"]);
    for stranger in [DAVE, ERIN, FRANK] {
        denied(approve(person(stranger), ask()), &[]);
    }
    denied(approve(disabled(ALICE), ask()), &["inactive-person"]);
}

/// R55, R80: who delegates is in the team that the boundary names.
#[test]
fn only_members_of_the_named_team_delegate() {
    // Her own delegation: the task has no delegator yet.
    let undelegated = || Ask { delegator: None, ..ask() };
    let delegate = |who, resource| Request::Delegate(Delegate { who, resource, ask: undelegated() });
    allowed(delegate(Who::Person(person(CAROL)), database()), &["delegate"]);
    denied(delegate(Who::Person(Person { teams: [party(101)].into(), ..person(CAROL) }), database()), &[]);
    denied(delegate(Who::Person(disabled(CAROL)), database()), &["inactive-person"]);
    denied(delegate(Who::Person(person(CAROL)), ResourceFacts { delegators: None, ..database() }), &[]);
    denied(delegate(Who::Actor(agent()), database()), &[]);
    denied(delegate(Who::System(party(50)), database()), &[]);
}

/// R7, R9, R20: a boundary is changed by its control or security owner, its policy by one who did not write it.
#[test]
fn an_author_does_not_activate() {
    let govern = |who, author| Govern { person: person(who), boundary: prod(), change: change(author) };
    allowed(Request::Administer(govern(ALICE, ALICE)), &["administer"]);
    allowed(Request::Administer(govern(ERIN, FRANK)), &["administer"]);
    denied(Request::Administer(govern(BOB, FRANK)), &[]);
    allowed(Request::Activate(govern(ALICE, ERIN)), &["administer"]);
    denied(Request::Activate(govern(ALICE, ALICE)), &["own-policy"]);
    denied(Request::Activate(govern(BOB, ALICE)), &[]);
}

/// R103, R104, R107: owners and the delegator end it, and also whom the charter names may signal; signals only reduce.
#[test]
fn ending_is_for_owners_delegator_and_named_senders() {
    let end = |named| End { owners: [ALICE, BOB].into(), delegator: Some(person(CAROL)), named };
    let signal = |who, named| Request::Signal(Signal { who, task: task(), end: end(named) });
    let kill = |who, target| Request::Kill(Kill { person: who, target, end: end(false) });
    for may in [ALICE, BOB, CAROL] {
        allowed(signal(Who::Person(person(may)), false), &["end"]);
        for target in [Target::Task(task()), Target::Actor(agent()), Target::Resource(database()), Target::Boundary(prod())] {
            allowed(kill(person(may), target), &["end"]);
        }
    }
    denied(kill(person(FRANK), Target::Task(task())), &[]);
    denied(kill(disabled(BOB), Target::Task(task())), &["inactive-person"]);
    denied(signal(Who::Person(person(FRANK)), false), &[]);
    allowed(signal(Who::System(party(50)), true), &["signal"]);
    denied(signal(Who::System(party(50)), false), &[]);
    allowed(signal(Who::Actor(agent()), true), &["signal"]);
    denied(signal(Who::Actor(agent()), false), &[]);
}

/// R81: an action that policy does not know is a denial that says which ones it knows.
#[test]
fn an_unknown_action_is_denied_with_the_known_ones() {
    for action in ["report", "approve", "identify", "reach", "kill"] {
        let request = Request::Reach(Reach { action: name(action), ..reach(approved_by(&[ALICE])) });
        let decision = decide(&BASE, &request);
        assert_eq!(decision.effect(), Effect::Deny);
        assert_eq!(
            decision.reasons(),
            [format!("policy knows no action `{action}`: name the resource's actions `admin`, `read`, `write`")]
        );
    }
    let known: Vec<_> = BASE.reach_actions().iter().map(writ_types::Name::as_str).collect();
    assert_eq!(known, ["admin", "read", "write"]);
}

/// R76, R88: a permit says what it is for and by which set, and a denial has none.
#[test]
fn a_permit_carries_what_was_allowed() {
    let request = Request::Reach(reach(approved_by(&[ALICE])));
    let permit = decide(&BASE, &request).permit().unwrap();
    assert_eq!((permit.request(), permit.policy_set()), (&request, BASE.hash()));
    assert_eq!(permit.determining(), [name("reach-production")]);
    let denial = decide(&BASE, &Request::Reach(reach(ask()))).permit().unwrap_err();
    assert_eq!(denial.reasons(), ["No policy permits it."]);
}

/// Law 6: facts that contradict each other are no basis for a grant.
#[test]
fn contradicting_facts_are_denied() {
    let request = Request::Approve(Approve {
        person: person(ALICE),
        resource: database(),
        ask: Ask { delegator: Some(disabled(ALICE)), ..ask() },
    });
    let decision = decide(&BASE, &request);
    assert_eq!(decision.effect(), Effect::Deny);
    assert!(decision.errors()[0].contains("two different sets of facts"), "{decision:?}");
}

fn custom(policies: &[(&str, &str)]) -> PolicySet {
    PolicySet::compile(PolicySource::of_policies(policies.iter().copied()).unwrap()).unwrap()
}

const OPEN: (&str, &str) = (
    "open",
    r#"@id("open") @reason("Anybody, for a minute and more.") permit (principal, action in Action::"reach", resource) when { context.depth >= 0 };"#,
);

/// Law 6: Cedar skips a forbid that errors, and would allow. Here it denies, and says so.
#[test]
fn a_forbid_that_errors_denies() {
    let set = custom(&[
        OPEN,
        (
            "deep",
            r#"@id("deep") @reason("Too deep.") forbid (principal, action in Action::"reach", resource) when { context.depth + 9223372036854775807 < 0 };"#,
        ),
    ]);
    let at = |depth| decide(&set, &Request::Reach(reach(Ask { depth, ..ask() })));
    assert_eq!(at(0).effect(), Effect::Allow);
    let overflown = at(1);
    assert_eq!((overflown.effect(), overflown.determining()), (Effect::Deny, &[][..]));
    assert_eq!(overflown.errors().len(), 1);
    assert!(overflown.errors()[0].contains("`deep`") && overflown.errors()[0].contains("overflow"), "{overflown:?}");
    assert!(overflown.permit().is_err());
}

/// Law 6: a permit that errors denies too, even where another one holds.
#[test]
fn a_permit_that_errors_denies() {
    let set = custom(&[
        OPEN,
        (
            "deep",
            r#"@id("deep") @reason("Too deep.") permit (principal, action in Action::"reach", resource) when { context.depth + 9223372036854775807 < 0 };"#,
        ),
    ]);
    let decision = decide(&set, &Request::Reach(reach(Ask { depth: 1, ..ask() })));
    assert_eq!((decision.effect(), decision.errors().len()), (Effect::Deny, 1));
}

/// R78, R184: what customers may look at is there: time of day, ancestors of task and resource, teams of the delegator.
#[test]
fn every_fact_of_the_schema_can_be_used() {
    let set = custom(&[(
        "all",
        r#"@id("all") @reason("All of it.")
permit (principal is Agent in Boundary::"root", action in [Action::"read", Action::"write"], resource is Resource in Boundary::"prod")
when { resource in Resource::"res_09090909090909090909090909090909" && context.task in Task::"tsk_07070707070707070707070707070707" }
when { context has delegator && context.delegator in Team::"pty_64646464646464646464646464646464" }
when { context.now.toTime() >= duration("10h") && context.now.toTime() < duration("11h") && context.now >= datetime("2026-11-22T10:00:00.000Z") }
when { context.dataScope.contains("billing") && context.purpose == "close invoices" && resource.kind == "postgres" }
when { resource.dataClass == "confidential" && principal.owners.security == resource.owners.security && !principal.autonomous };"#,
    )]);
    let inside = ResourceFacts { within: [writ_types::ResourceId::from_bits([9; 16])].into(), ..database() };
    let below = TaskFacts { ancestors: [writ_types::TaskId::from_bits([7; 16])].into(), ..task() };
    let full = Reach { resource: inside, ..reach(Ask { task: below, ..ask() }) };
    let effect = |reach: Reach| decide(&set, &Request::Reach(reach)).effect();
    assert_eq!(effect(full.clone()), Effect::Allow);
    let later = Ask { now: full.ask.now.after(Ttl::from_seconds(HOUR)), ..full.ask.clone() };
    assert_eq!(effect(Reach { ask: later, ..full.clone() }), Effect::Deny);
    assert_eq!(effect(Reach { ask: Ask { task: task(), ..full.ask.clone() }, ..full.clone() }), Effect::Deny);
    assert_eq!(effect(Reach { resource: database(), ..full }), Effect::Deny);
}

/// R76: the base set has one name; changing a word of it is a new set, so this line changes on purpose or not at all.
#[test]
fn the_base_set_has_its_name() {
    assert_eq!(BASE.hash(), PolicySource::base().hash());
    assert_eq!(BASE.hash().to_string(), "sha256:4479f9f40143eab2f79ef21b8c59c5d3bea3ab12370e60169a6a38bdb41d6c70");
    assert!(BASE.text(&name("reach-production")).unwrap().contains("resource.owners.control != context.delegator"));
    assert_eq!(BASE.reason(&name("own-task")), Some("The delegator of a task cannot approve it."));
}
