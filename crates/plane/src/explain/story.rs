//! The story of one scrap.

use super::index::Index;
use super::task::of_task;
use crate::state::State;
use std::collections::{BTreeMap, BTreeSet};
use writ_ledger::Entry;
use writ_ledger::body::{Body, Effect};
use writ_types::{
    ActorKind, Closure, CredentialId, DecisionId, Digest, IdentityId, Name, OwnerRole, PartyId, Purpose, RevocationClass,
    SpiffeId, TaskEnd, TaskId, TextValue, Time,
};

/// What is known of one scrap. Parties are named by id: who may see names looks them up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explained {
    /// What the scrap is: `task`, `credential`, `certificate`, `identity`, `decision`, `party`, `change` or `entry`.
    pub kind: &'static str,
    /// The scrap.
    pub id: String,
    /// The task that it leads to.
    pub task: Option<TaskId>,
    /// Who acted.
    pub actor: Option<(String, ActorKind)>,
    /// The actor's name in documents.
    pub spiffe_id: Option<SpiffeId>,
    /// What attestation showed.
    pub attested: Vec<String>,
    /// Who delegated.
    pub delegated: Option<Answered>,
    /// Which policies justified it, or denied it.
    pub justified: Option<Justification>,
    /// Who approved.
    pub approved: Vec<Answered>,
    /// Who answers, and on which boundary that is set.
    pub owners: BTreeMap<OwnerRole, (PartyId, Name)>,
    /// Why it exists.
    pub purpose: Option<Purpose>,
    /// When it ends at the latest.
    pub ends_at: Option<Time>,
    /// How it ended.
    pub ended: Option<Ending>,
    /// What happens on misuse.
    pub on_misuse: Option<String>,
    /// What cutting it promises.
    pub class: Option<RevocationClass>,
    /// How far the end of each credential has come.
    pub closure: Vec<Point>,
    /// The entries that say so.
    pub entries: BTreeSet<u64>,
}

/// A person who answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The person.
    pub by: PartyId,
    /// When.
    pub at: Time,
    /// The entry that says so.
    pub entry: u64,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Justification {
    /// The decision.
    pub decision: DecisionId,
    /// Allow or deny.
    pub effect: Effect,
    /// The determining policies.
    pub policies: BTreeSet<String>,
    /// The policy set in force then.
    pub policy_set: Option<Digest>,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// When.
    pub at: Time,
    /// Why.
    pub end: TaskEnd,
    /// Who ended it.
    pub by: String,
}

/// How far the end of one credential has come at one point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The credential.
    pub credential: CredentialId,
    /// The point.
    pub point: String,
    /// The state.
    pub state: Closure,
    /// Since when.
    pub since: Time,
    /// When it is tried again.
    pub next_try: Option<Time>,
}

/// Explains a scrap: an id, a serial number, a SPIFFE ID, a database user, or the index of an entry. Nothing found: none.
///
/// `fetch` gives the entry at an index.
pub fn explain(state: &State, index: &Index, fetch: &dyn Fn(u64) -> Option<Entry>, scrap: &str) -> Option<Explained> {
    let place = scrap.parse::<u64>().ok().filter(|place| *place < state.size());
    let entries: Vec<u64> = place.map_or_else(|| index.find(scrap).to_vec(), |place| vec![place]);
    let seen: Vec<(u64, Entry, Body)> = entries.iter().filter_map(|place| read(*place, fetch)).collect();
    if seen.is_empty() {
        return None;
    }
    let mut explained = Explained { kind: kind(scrap, place, &seen), id: scrap.to_owned(), ..Explained::default() };
    explained.entries.extend(&entries);
    let task = task_of(scrap, &seen, index, fetch);
    match task {
        Some(task) => of_task(state, index, fetch, task, &mut explained),
        None => of_entries(state, &seen, &mut explained),
    }
    Some(explained)
}

pub(super) fn read(place: u64, fetch: &dyn Fn(u64) -> Option<Entry>) -> Option<(u64, Entry, Body)> {
    let entry = fetch(place)?;
    let body = Body::decode(entry.kind.as_str(), &entry.body).ok()?;
    Some((place, entry, body))
}

fn kind(scrap: &str, place: Option<u64>, seen: &[(u64, Entry, Body)]) -> &'static str {
    if place.is_some() || scrap.starts_with("ev_") {
        return "entry";
    }
    let prefixes =
        [("tsk_", "task"), ("crd_", "credential"), ("writ_t_", "credential"), ("idn_", "identity"), ("spiffe://", "identity")];
    let more = [("dec_", "decision"), ("apr_", "approval"), ("pty_", "party"), ("chg_", "change"), ("res_", "resource")];
    let known = prefixes.into_iter().chain(more).find(|(prefix, _)| scrap.starts_with(prefix));
    let certificate = || seen.iter().any(|(_, _, body)| matches!(body, Body::SvidsIssued(_) | Body::AuthorityChanged(_)));
    known.map_or_else(|| if certificate() { "certificate" } else { "thing" }, |(_, kind)| kind)
}

/// The task that a scrap leads to: its own, or the last that its identity or its certificate worked in.
fn task_of(scrap: &str, seen: &[(u64, Entry, Body)], index: &Index, fetch: &dyn Fn(u64) -> Option<Entry>) -> Option<TaskId> {
    if let Ok(task) = TaskId::parse(scrap) {
        return Some(task);
    }
    let named = |entry: &Entry| entry.on.iter().filter_map(|id| TaskId::parse(id).ok()).next();
    let direct = seen.iter().rev().find_map(|(_, entry, _)| named(entry));
    if direct.is_some() || !seen.iter().any(|(_, _, body)| matches!(body, Body::SvidsIssued(_) | Body::IdentitySet(_))) {
        return direct;
    }
    // A document that no task was started with: the last task of the identity that it names.
    let identity = seen.iter().flat_map(|(_, entry, _)| &entry.on).find_map(|id| IdentityId::parse(id).ok())?;
    let places = index.find(&identity.to_string());
    places.iter().rev().filter_map(|place| fetch(*place)).find_map(|entry| named(&entry))
}

/// What entries say that belong to no task.
fn of_entries(state: &State, seen: &[(u64, Entry, Body)], explained: &mut Explained) {
    for (_, entry, body) in seen {
        explained.actor = Some((entry.actor.id.clone(), entry.actor.kind));
        explained.entries.extend(&entry.cause);
        match body {
            Body::DecisionMade(made) => explained.justified = Some(justification(entry, made)),
            Body::SvidsIssued(issued) => {
                for row in &issued.rows {
                    explained.spiffe_id = Some(row.spiffe_id.clone());
                    explained.attested.clone_from(&row.attested);
                    explained.ends_at = Some(row.expires);
                    owners_of(state, &row.identity, explained);
                }
            }
            Body::IdentitySet(set) => {
                explained.spiffe_id = Some(set.identity.spiffe_id.clone());
                owners_of(state, &set.identity.identity, explained);
            }
            _ => {}
        }
    }
}

pub(super) fn justification(entry: &Entry, made: &writ_ledger::body::DecisionMade) -> Justification {
    let denied = made.refused.is_some();
    let effect = if denied { Effect::Deny } else { Effect::Allow };
    let counted = made.evaluations.iter().filter(|evaluation| denied || evaluation.effect == Effect::Allow);
    let policies = counted.flat_map(|evaluation| evaluation.policies.iter().cloned()).collect();
    Justification { decision: made.decision, effect, policies, policy_set: entry.policy_set }
}

/// Who answers for an identity now, and what its charter says of misuse.
pub(super) fn owners_of(state: &State, identity: &IdentityId, explained: &mut Explained) {
    let Some(identity) = state.identities.get(identity) else { return };
    for role in OwnerRole::ALL {
        if let Some(holder) = state.boundaries.holder(&state.people, &identity.boundary, *role) {
            explained.owners.insert(*role, (holder.person, holder.from));
        }
    }
    explained.on_misuse = state.boundaries.identity(&identity.boundary).map(|terms| terms.misuse.clone());
}
