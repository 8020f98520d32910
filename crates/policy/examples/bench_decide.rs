//! Prints one JSON line: microseconds for one decision of the base set, request and entities built each time.
//! Run it in a release build: `cargo run --release -p writ-policy --example bench_decide`.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::io::Write;
use std::time::Instant;
use writ_policy::{
    Actor, Ask, Decision, Effect, NonHuman, Owners, Person, PolicySet, PolicySource, Reach, Request, ResourceFacts, TaskFacts,
    decide,
};
use writ_types::{IdentityId, Name, PartyId, Purpose, ResourceId, TaskId, TextValue, Tier, Time, Ttl};

const ROUNDS: u32 = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let set = PolicySet::compile(PolicySource::base())?;
    let requests = (0..64).map(request).collect::<Result<Vec<_>, _>>()?;
    let mut micros = Vec::new();
    for (round, request) in (0..ROUNDS).zip(requests.iter().cycle()) {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
        let start = Instant::now();
        let decision: Decision = decide(&set, black_box(request));
        let took = start.elapsed().as_secs_f64() * 1e6;
        assert_eq!(decision.effect(), Effect::Allow);
        // The first rounds fill caches.
        if round >= ROUNDS / 10 {
            micros.push(took);
        }
    }
    micros.sort_by(f64::total_cmp);
    let at = |part: f64| micros.get((micros.len() as f64 * part) as usize).copied().unwrap_or_default();
    let policies = set.source().policies().len();
    let (median, p99) = (at(0.5), at(0.99));
    writeln!(
        std::io::stdout(),
        r#"{{"measure":"decide, base set","unit":"us","value":{median:.1},"p99":{p99:.1},"policies":{policies},"requests":{}}}"#,
        micros.len()
    )?;
    Ok(())
}

/// A production task that one owner approved; each has ids of its own.
fn request(n: u8) -> Result<Request, writ_types::ParseError> {
    let party = |role: u8| PartyId::from_bits([role, n, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let owners = Owners { control: party(1), business: party(2), identity: party(3), platform: party(4), security: party(5) };
    let boundaries = BTreeSet::from([Name::parse("root")?, Name::parse("prod")?]);
    Ok(Request::Reach(Reach {
        actor: Actor {
            id: IdentityId::from_bits([n; 16]),
            kind: NonHuman::Agent { autonomous: false },
            tier: Tier::Standard,
            chartered: true,
            owners: owners.clone(),
            boundaries: boundaries.clone(),
        },
        resource: ResourceFacts {
            id: ResourceId::from_bits([n; 16]),
            kind: Name::parse("postgres")?,
            production: true,
            tier: Tier::Standard,
            data_class: Name::parse("confidential")?,
            owners,
            delegators: Some(party(9)),
            within: BTreeSet::new(),
            boundaries,
        },
        action: Name::parse("read")?,
        ask: Ask {
            task: TaskFacts { id: TaskId::from_bits([n; 16]), ancestors: BTreeSet::new() },
            delegator: Some(Person { id: party(3), active: true, teams: BTreeSet::from([party(9)]) }),
            self_requested: false,
            approvers: BTreeSet::from([party(2)]),
            purpose: Purpose::parse("close invoices")?,
            data_scope: BTreeSet::from([Name::parse("billing")?]),
            depth: 0,
            ttl: Ttl::from_seconds(3_600),
            now: Time::from_seconds(1_795_341_600),
        },
    }))
}
