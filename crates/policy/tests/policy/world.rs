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
