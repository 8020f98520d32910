//! Prints JSON lines: microseconds for one decision over a small and a large set, all requests distinct.
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

type Failed = Box<dyn std::error::Error>;

/// How many boundaries the policies and the requests are spread over, in a tree with ten branches at each.
const BOUNDARIES: u16 = 1_000;
const ROUNDS: usize = 10_000;

fn main() -> Result<(), Failed> {
    let requests = (0..BOUNDARIES).map(request).collect::<Result<Vec<_>, _>>()?;
    // Nothing in this set speaks of what is asked: what it takes is the request and the entities alone.
    let (built, _) = measure(&silent()?, &requests, Effect::Deny);
    let mut out = std::io::stdout();
    for policies in [14, 1_000, 10_000] {
        let set = scoped(policies)?;
        let (median, p99) = measure(&set, &requests, Effect::Allow);
        let size = set.source().policies().len();
        writeln!(
            out,
            r#"{{"measure":"decide at {size} policies, request and entities built","value":{median:.1},"unit":"us median","raw_limit":null,"ratio":null,"peer":null,"budget":"<= 50","met":{},"p99_us":{p99:.1}}}"#,
            median <= 50.0
        )?;
        let alone = median - built;
        writeln!(
            out,
            r#"{{"measure":"decide at {size} policies, beyond building the request","value":{alone:.1},"unit":"us median","raw_limit":{built:.1},"ratio":{:.2},"peer":null,"budget":"<= 20","met":{}}}"#,
            alone / built,
            alone <= 20.0
        )?;
    }
    Ok(())
}

/// The median and the 99th percentile, in microseconds.
fn measure(set: &PolicySet, requests: &[Request], effect: Effect) -> (f64, f64) {
    let mut micros = Vec::new();
    for (round, request) in (0..ROUNDS).zip(requests.iter().cycle()) {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
        let start = Instant::now();
        let decision: Decision = decide(set, black_box(request));
        let took = start.elapsed().as_secs_f64() * 1e6;
        assert_eq!(decision.effect(), effect, "{:?}", decision.reasons());
        // The first rounds fill caches.
        if round >= ROUNDS / 10 {
            micros.push(took);
        }
    }
    micros.sort_by(f64::total_cmp);
    let at = |part: f64| micros.get((micros.len() as f64 * part) as usize).copied().unwrap_or_default();
    (at(0.5), at(0.99))
}

/// The base set, and permits of single boundaries up to so many policies.
fn scoped(count: usize) -> Result<PolicySet, Failed> {
    let base = PolicySource::base();
    let own: Vec<_> = base.policies().map(|(id, text)| (id.to_string(), text.to_owned())).collect();
    let more = (own.len()..count).map(|n| {
        let boundary = branch(n % usize::from(BOUNDARIES));
        let text = format!(
            "@id(\"more-{n}\")\n@reason(\"The control owner of {boundary} approved.\")\n\
             permit (principal in Boundary::\"{boundary}\", action in Action::\"reach\", resource in Boundary::\"{boundary}\")\n\
             when {{ context.depth == 0 && context.approvers.contains(resource.owners.control) }};"
        );
        (format!("more-{n}"), text)
    });
    let more: Vec<_> = more.collect();
    Ok(PolicySet::compile(PolicySource::of_policies(own.into_iter().chain(more))?)?)
}

/// A set with one policy, which is about something else.
fn silent() -> Result<PolicySet, Failed> {
    let base = PolicySource::base();
    let one = base.policies().filter(|(id, _)| id.as_str() == "identify").map(|(id, text)| (id.to_string(), text.to_owned()));
    Ok(PolicySet::compile(PolicySource::of_policies(one)?)?)
}

fn branch(n: usize) -> String {
    format!("b{n}")
}

/// A production task that one owner approved, in a boundary of its own three steps below the root.
fn request(n: u16) -> Result<Request, Failed> {
    let [high, low] = n.to_be_bytes();
    let bits = |kind: u8| [kind, high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let party = |role: u8| PartyId::from_bits(bits(role));
    let owners = Owners { control: party(1), business: party(2), identity: party(3), platform: party(4), security: party(5) };
    let place = usize::from(n);
    let path = [branch(place), branch(place / 10), branch(place / 100), "prod".to_owned(), "root".to_owned()];
    let boundaries = path.iter().map(|name| Name::parse(name)).collect::<Result<BTreeSet<_>, _>>()?;
    Ok(Request::Reach(Reach {
        actor: Actor {
            id: IdentityId::from_bits(bits(6)),
            kind: NonHuman::Agent { autonomous: false },
            tier: Tier::Standard,
            chartered: true,
            owners: owners.clone(),
            boundaries: boundaries.clone(),
        },
        resource: ResourceFacts {
            id: ResourceId::from_bits(bits(7)),
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
            task: TaskFacts { id: TaskId::from_bits(bits(8)), ancestors: BTreeSet::new() },
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
