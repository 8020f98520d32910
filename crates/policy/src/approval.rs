//! Which approvals would turn a denied task into an allowed one.

use crate::decide::{Decision, Effect, decide};
use crate::facts::Person;
use crate::request::{Approve, Reach, Request};
use crate::set::PolicySet;
use std::collections::BTreeSet;
use writ_types::PartyId;

/// How many alternatives are kept: people read them.
const ALTERNATIVES_MAX: usize = 64;
/// More people than this who may approve one request are cut off, the first by id kept: subsets are tried.
const ELIGIBLE_MAX: usize = 10;

/// What a task still needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Needed {
    /// Nothing: policy allows it as it is.
    None,
    /// The approvals of everybody in one of these sets, on top of those that exist; smallest sets first, none in another.
    AnyOf(Vec<BTreeSet<PartyId>>),
    /// No approval of these people would help: a denial of a request that stays denied.
    Impossible {
        /// The decision on that request as it is.
        decision: Box<Decision>,
    },
}

type Sets = BTreeSet<BTreeSet<PartyId>>;

/// Finds the smallest sets of people whose approval allows *all* requests of one task.
///
/// `candidates` are the owners of the access path, with their facts. Of these, for each request, only those count whose
/// own `approve` decision in the same circumstances is an allow; nobody else's name reaches `context.approvers`.
pub fn approvals_needed(set: &PolicySet, requests: &[Reach], candidates: &[Person]) -> Needed {
    let as_it_is: Vec<_> = requests.iter().map(|request| decide(set, &Request::Reach(request.clone()))).collect();
    let Some(denied) = as_it_is.iter().find(|decision| decision.effect() == Effect::Deny) else { return Needed::None };
    let impossible = |decision: &Decision| Needed::Impossible { decision: Box::new(decision.clone()) };

    let wants: Vec<_> = requests.iter().map(|request| Want::of(set, request, candidates)).collect();
    let mut joined = Sets::from([BTreeSet::new()]);
    for (want, decision) in wants.iter().zip(&as_it_is).filter(|(_, decision)| decision.effect() == Effect::Deny) {
        let smallest = want.smallest(set);
        if smallest.is_empty() {
            return impossible(decision);
        }
        joined = join(&joined, &smallest);
    }
    // Who approves for one request approves the task: a policy may refuse that wider set elsewhere, so all are asked again.
    let mut enough: Vec<_> = joined.into_iter().filter(|people| wants.iter().all(|want| want.allowed_by(set, people))).collect();
    if enough.is_empty() {
        return impossible(denied);
    }
    enough.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    Needed::AnyOf(enough)
}

/// One request and the people who may approve it.
struct Want<'a> {
    request: &'a Reach,
    eligible: BTreeSet<PartyId>,
}

impl<'a> Want<'a> {
    fn of(set: &PolicySet, request: &'a Reach, candidates: &[Person]) -> Self {
        let may = |person: &&Person| {
            let approve = Approve { person: (*person).clone(), resource: request.resource.clone(), ask: request.ask.clone() };
            decide(set, &Request::Approve(approve)).effect() == Effect::Allow
        };
        let eligible: BTreeSet<_> = candidates.iter().filter(may).map(|person| person.id).collect();
        Self { request, eligible: eligible.into_iter().take(ELIGIBLE_MAX).collect() }
    }

    /// True if policy allows the request once these people have approved it, as far as they may.
    fn allowed_by(&self, set: &PolicySet, people: &BTreeSet<PartyId>) -> bool {
        let mut request = self.request.clone();
        request.ask.approvers.extend(people.intersection(&self.eligible));
        decide(set, &Request::Reach(request)).effect() == Effect::Allow
    }

    /// The sets of eligible people that allow the request, without those that hold a smaller one.
    fn smallest(&self, set: &PolicySet) -> Sets {
        let mut found = Sets::new();
        for size in 1..=self.eligible.len() {
            for people in subsets(&self.eligible, size) {
                if !found.iter().any(|smaller| smaller.is_subset(&people)) && self.allowed_by(set, &people) {
                    found.insert(people);
                }
            }
        }
        found
    }
}

/// The subsets of one size.
fn subsets(people: &BTreeSet<PartyId>, size: usize) -> Sets {
    (0..size).fold(Sets::from([BTreeSet::new()]), |sets, _| {
        let grow = |set: &BTreeSet<PartyId>| {
            let larger = people.difference(set).map(|person| set.iter().copied().chain([*person]).collect());
            larger.collect::<Vec<_>>()
        };
        sets.iter().flat_map(grow).collect()
    })
}

/// Every union of one set of each side, without those that hold a smaller one, the smallest ones first kept.
fn join(left: &Sets, right: &Sets) -> Sets {
    let unions: Sets = left.iter().flat_map(|a| right.iter().map(move |b| a.union(b).copied().collect())).collect();
    let mut unions: Vec<_> = unions.into_iter().collect();
    unions.sort_by_key(BTreeSet::len);
    let mut kept = Vec::<BTreeSet<PartyId>>::new();
    for union in unions {
        if kept.len() < ALTERNATIVES_MAX && !kept.iter().any(|smaller| smaller.is_subset(&union)) {
            kept.push(union);
        }
    }
    kept.into_iter().collect()
}
