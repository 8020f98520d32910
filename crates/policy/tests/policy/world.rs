//! A small estate as facts, and random ones.

#![expect(missing_docs, reason = "test facts; their names say what they are")]
use proptest::collection::btree_set;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use writ_policy::*;
use writ_types::{IdentityId, Name, PartyId, Purpose, ResourceId, TaskId, TextValue, Tier, Time, Ttl};

pub const HOUR: u64 = 3_600;
/// Control, business, identity, platform and security owner; nobody; the team that may delegate.
pub const ALICE: PartyId = party(1);
pub const BOB: PartyId = party(2);
pub const CAROL: PartyId = party(3);
pub const DAVE: PartyId = party(4);
pub const ERIN: PartyId = party(5);
pub const FRANK: PartyId = party(6);
pub const FINANCE: PartyId = party(100);

pub static BASE: LazyLock<PolicySet> = LazyLock::new(|| PolicySet::compile(PolicySource::base()).unwrap());

pub const fn party(n: u8) -> PartyId {
    PartyId::from_bits([n; 16])
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub fn names(texts: &[&str]) -> BTreeSet<Name> {
    texts.iter().map(|text| name(text)).collect()
}

pub fn person(id: PartyId) -> Person {
    Person { id, active: true, teams: BTreeSet::from([FINANCE]) }
}

pub fn owners() -> Owners {
    Owners { control: ALICE, business: BOB, identity: CAROL, platform: DAVE, security: ERIN }
}

pub fn agent() -> Actor {
    Actor {
        id: IdentityId::from_bits([1; 16]),
        kind: NonHuman::Agent { autonomous: false },
        tier: Tier::Standard,
        chartered: true,
        owners: owners(),
        boundaries: names(&["prod", "root"]),
    }
}

pub fn database() -> ResourceFacts {
    ResourceFacts {
        id: ResourceId::from_bits([1; 16]),
        kind: name("postgres"),
        production: true,
        tier: Tier::Standard,
        data_class: name("confidential"),
        owners: owners(),
        delegators: Some(FINANCE),
        within: BTreeSet::new(),
        boundaries: names(&["prod", "root"]),
    }
}

pub fn prod() -> BoundaryFacts {
    BoundaryFacts { name: name("prod"), production: true, owners: owners(), ancestors: names(&["root"]) }
}

pub fn task() -> TaskFacts {
    TaskFacts { id: TaskId::from_bits([1; 16]), ancestors: BTreeSet::new() }
}

/// Carol delegates for an hour, nobody has approved.
pub fn ask() -> Ask {
    Ask {
        task: task(),
        delegator: Some(person(CAROL)),
        self_requested: false,
        approvers: BTreeSet::new(),
        purpose: Purpose::parse("close invoices").unwrap(),
        data_scope: names(&["billing"]),
        depth: 0,
        ttl: Ttl::from_seconds(HOUR),
        now: Time::from_seconds(1_795_341_600),
    }
}

pub fn reach(ask: Ask) -> Reach {
    Reach { actor: agent(), resource: database(), action: name("read"), ask }
}

pub fn approved_by(approvers: &[PartyId]) -> Ask {
    Ask { approvers: approvers.iter().copied().collect(), ..ask() }
}

pub fn change(author: PartyId) -> Change {
    Change { author: person(author), now: ask().now }
}

fn parties() -> impl Strategy<Value = PartyId> {
    select(vec![ALICE, BOB, CAROL, DAVE, ERIN, FRANK])
}

/// Whether a person is active is a function of the case, not of the mention: facts don't contradict each other.
fn people(disabled: BTreeSet<PartyId>, strangers: BTreeSet<PartyId>) -> impl Fn(PartyId) -> Person + Clone {
    move |id| Person {
        id,
        active: !disabled.contains(&id),
        teams: if strangers.contains(&id) { BTreeSet::new() } else { BTreeSet::from([FINANCE]) },
    }
}

fn any_owners() -> impl Strategy<Value = Owners> {
    [parties(), parties(), parties(), parties(), parties()].prop_map(|[control, business, identity, platform, security]| Owners {
        control,
        business,
        identity,
        platform,
        security,
    })
}

fn any_tier() -> impl Strategy<Value = Tier> {
    select(Tier::ALL)
}

fn any_boundaries() -> impl Strategy<Value = BTreeSet<Name>> {
    subsequence(vec!["prod", "root", "test"], 1..=3).prop_map(|texts| names(&texts))
}

fn any_actor() -> impl Strategy<Value = Actor> {
    let kind = select(vec![NonHuman::Workload, NonHuman::Agent { autonomous: false }, NonHuman::Agent { autonomous: true }]);
    (kind, any_tier(), prop::bool::weighted(0.8), any_owners(), any_boundaries()).prop_map(
        |(kind, tier, chartered, owners, boundaries)| Actor { id: agent().id, kind, tier, chartered, owners, boundaries },
    )
}

fn any_resource() -> impl Strategy<Value = ResourceFacts> {
    let delegators = prop::option::weighted(0.8, Just(FINANCE));
    let within = btree_set(select(vec![ResourceId::from_bits([8; 16]), ResourceId::from_bits([9; 16])]), 0..2);
    (any::<bool>(), any_tier(), any_owners(), delegators, within, any_boundaries()).prop_map(
        |(production, tier, owners, delegators, within, boundaries)| ResourceFacts {
            production,
            tier,
            owners,
            delegators,
            within,
            boundaries,
            ..database()
        },
    )
}

fn any_boundary() -> impl Strategy<Value = BoundaryFacts> {
    (select(vec!["prod", "test"]), any::<bool>(), any_owners()).prop_map(|(own, production, owners)| BoundaryFacts {
        name: name(own),
        production,
        owners,
        ancestors: names(&["root"]),
    })
}

fn any_ask(person: impl Fn(PartyId) -> Person + Clone + 'static) -> impl Strategy<Value = Ask> {
    let ttl = select(vec![0, 60, 900, 901, HOUR, HOUR + 1, 8 * HOUR, 8 * HOUR + 1, u64::MAX]).prop_map(Ttl::from_seconds);
    let now = any::<u64>().prop_map(Time::from_micros);
    let depth = select(vec![0, 1, 2, u32::MAX]);
    let delegator = prop::option::weighted(0.8, parties());
    let approvers = btree_set(parties(), 0..4);
    let parents = btree_set(any::<[u8; 16]>().prop_map(TaskId::from_bits), 0..3);
    (delegator, any::<bool>(), approvers, depth, ttl, now, parents).prop_map(
        move |(delegator, self_requested, approvers, depth, ttl, now, ancestors)| Ask {
            task: TaskFacts { ancestors, ..task() },
            delegator: delegator.map(&person),
            self_requested,
            approvers,
            depth,
            ttl,
            now,
            ..ask()
        },
    )
}

fn any_who(person: impl Fn(PartyId) -> Person + Clone + 'static) -> impl Strategy<Value = Who> {
    prop_oneof![
        3 => parties().prop_map(move |id| Who::Person(person(id))),
        1 => Just(Who::System(party(50))),
        1 => any_actor().prop_map(Who::Actor),
    ]
}

fn any_end(person: impl Fn(PartyId) -> Person + Clone + 'static) -> impl Strategy<Value = End> {
    (btree_set(parties(), 0..4), prop::option::of(parties()), any::<bool>()).prop_map(move |(owners, delegator, named)| End {
        owners,
        delegator: delegator.map(&person),
        named,
    })
}

/// Any request, over few enough values that both answers come up often.
pub fn any_request() -> impl Strategy<Value = Request> {
    let few = || btree_set(parties(), 0..3);
    (few(), few()).prop_flat_map(|(disabled, strangers)| {
        let person = people(disabled, strangers);
        let someone = || parties().prop_map(person.clone());
        let action = select(vec!["read", "write", "admin", "report", "approve"]).prop_map(name);
        let govern = || {
            (someone(), any_boundary(), someone(), any::<u64>()).prop_map(|(person, boundary, author, now)| Govern {
                person,
                boundary,
                change: Change { author, now: Time::from_micros(now) },
            })
        };
        let target = prop_oneof![
            Just(Target::Task(task())),
            any_actor().prop_map(Target::Actor),
            any_resource().prop_map(Target::Resource),
            any_boundary().prop_map(Target::Boundary),
        ];
        prop_oneof![
            1 => (any_actor(), any_boundary()).prop_map(|(actor, boundary)| Request::Identify(Identify { actor, boundary })),
            5 => (any_actor(), any_resource(), action, any_ask(person.clone()))
                .prop_map(|(actor, resource, action, ask)| Request::Reach(Reach { actor, resource, action, ask })),
            2 => (any_who(person.clone()), any_resource(), any_ask(person.clone()))
                .prop_map(|(who, resource, ask)| Request::Delegate(Delegate { who, resource, ask })),
            2 => (someone(), any_resource(), any_ask(person.clone()))
                .prop_map(|(person, resource, ask)| Request::Approve(Approve { person, resource, ask })),
            1 => govern().prop_map(Request::Administer),
            1 => govern().prop_map(Request::Activate),
            1 => (any_who(person.clone()), any_end(person.clone()))
                .prop_map(|(who, end)| Request::Signal(Signal { who, task: task(), end })),
            1 => (someone(), target, any_end(person.clone()))
                .prop_map(|(person, target, end)| Request::Kill(Kill { person, target, end })),
        ]
    })
}

/// Any set of a few policies, over all forms of scope, with conditions that hold, don't hold, or err: a sum that has no
/// place in Cedar's integers is an error that no validator sees.
pub fn any_set() -> impl Strategy<Value = PolicySet> {
    let policy = prop_oneof![
        5 => (any_effect(), actor_scope(), reach_scope(), resource_scope(), ask_condition()).prop_map(written),
        2 => (any_effect(), person_scope(), Just(r#"action == Action::"approve""#.to_owned()), resource_scope(), ask_condition()).prop_map(written),
        1 => (any_effect(), person_scope(), Just(r#"action in Action::"end""#.to_owned()), kill_scope(), Just("when { principal.active }".to_owned())).prop_map(written),
        1 => (any_effect(), actor_scope(), Just(r#"action == Action::"identify""#.to_owned()), boundary_scope("resource"), Just("when { principal.chartered }".to_owned())).prop_map(written),
    ];
    prop::collection::vec(policy, 1..16).prop_map(|policies| {
        let texts = policies.iter().enumerate().map(|(n, text)| (format!("p{n}"), format!("@id(\"p{n}\")\n{text}")));
        PolicySet::compile(PolicySource::of_policies(texts).unwrap()).unwrap()
    })
}

fn written((effect, principal, action, resource, condition): (&str, String, String, String, String)) -> String {
    format!("@reason(\"Because.\")\n{effect} ({principal}, {action}, {resource})\n{condition};")
}

fn any_effect() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just("permit"), 1 => Just("forbid")]
}

fn one_of(texts: Vec<String>) -> impl Strategy<Value = String> {
    select(texts)
}

fn boundary_scope(variable: &str) -> impl Strategy<Value = String> + use<> {
    let mut scopes = vec![variable.to_owned(), format!("{variable} is Boundary"), format!(r#"{variable} == Boundary::"prod""#)];
    scopes.extend(["prod", "root", "test"].map(|name| format!(r#"{variable} in Boundary::"{name}""#)));
    one_of(scopes)
}

fn actor_scope() -> impl Strategy<Value = String> {
    let id = agent().id;
    let mut scopes =
        vec!["principal".to_owned(), format!(r#"principal == Agent::"{id}""#), format!(r#"principal == Workload::"{id}""#)];
    for kind in ["Agent", "Workload"] {
        scopes.push(format!("principal is {kind}"));
        scopes.extend(["prod", "root", "test"].map(|name| format!(r#"principal is {kind} in Boundary::"{name}""#)));
    }
    scopes.extend(["prod", "root", "test"].map(|name| format!(r#"principal in Boundary::"{name}""#)));
    one_of(scopes)
}

fn person_scope() -> impl Strategy<Value = String> {
    one_of(vec![
        "principal is Human".to_owned(),
        format!(r#"principal == Human::"{ALICE}""#),
        format!(r#"principal is Human in Team::"{FINANCE}""#),
        format!(r#"principal in Team::"{FINANCE}""#),
    ])
}

fn reach_scope() -> impl Strategy<Value = String> {
    select(vec![
        r#"action in Action::"reach""#,
        r#"action in [Action::"read", Action::"write"]"#,
        r#"action == Action::"read""#,
        r#"action == Action::"admin""#,
    ])
    .prop_map(str::to_owned)
}

fn resource_scope() -> impl Strategy<Value = String> {
    let (own, within) = (database().id, ResourceId::from_bits([8; 16]));
    let mut scopes = vec!["resource".to_owned(), "resource is Resource".to_owned(), format!(r#"resource == Resource::"{own}""#)];
    scopes.push(format!(r#"resource in Resource::"{within}""#));
    for name in ["prod", "root", "test"] {
        scopes.push(format!(r#"resource in Boundary::"{name}""#));
        scopes.push(format!(r#"resource is Resource in Boundary::"{name}""#));
    }
    one_of(scopes)
}

fn kill_scope() -> impl Strategy<Value = String> {
    let task = task().id;
    select(vec![
        "resource".to_owned(),
        "resource is Agent".to_owned(),
        "resource is Task".to_owned(),
        format!(r#"resource == Task::"{task}""#),
        r#"resource in Boundary::"prod""#.to_owned(),
        r#"resource is Boundary in Boundary::"root""#.to_owned(),
    ])
}

fn ask_condition() -> impl Strategy<Value = String> {
    select(vec![
        "when { context.depth == 0 }",
        "when { context.depth >= 0 }",
        "when { context.depth + 9223372036854775807 > 0 }",
        r#"when { context.ttl <= duration("1h") } unless { context.selfRequested }"#,
        "unless { context.depth + 9223372036854775807 > 0 }",
        "when { context.approvers.contains(resource.owners.control) }",
        "when { context has delegator && context.delegator.active }",
        "when { context.selfRequested } when { context.depth + 9223372036854775807 > 0 }",
        r#"when { resource.production || context.now < datetime("2030-01-01") } unless { context.approvers.isEmpty() }"#,
    ])
    .prop_map(str::to_owned)
}
