//! The story of one scrap.

use super::book::Book;
use super::document::{of_certificate, of_document};
use super::estate::{of_boundary, of_change, of_identity, of_party, of_resource};
use super::index::Index;
use super::subject::{self, Subject};
use super::task::of_task;
use crate::state::State;
use std::collections::{BTreeMap, BTreeSet};
use writ_ledger::Entry;
use writ_ledger::body::{Body, Effect, KillScope};
use writ_types::{
    ActorKind, Closure, CredentialId, DecisionId, Digest, Name, OwnerRole, PartyId, Purpose, RevocationClass, SpiffeId, TaskEnd,
    TaskId, TextValue, Time,
};

/// What is known of one scrap. Parties are named by id: who may see names looks them up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explained {
    /// What the scrap is: `task`, `credential`, `certificate`, `identity`, `resource`, `boundary`, `decision`, `approval`, `party`,
    /// `key`, `change` or `entry`.
    pub kind: &'static str,
    /// The scrap, as the log has it.
    pub id: String,
    /// Who acted; none where nobody did.
    pub actor: Option<(String, ActorKind)>,
    /// The actor's name in documents.
    pub spiffe_id: Option<SpiffeId>,
    /// What attestation showed.
    pub attested: Vec<String>,
    /// When the actor asked for it by itself, and the entry that says so.
    pub self_requested: Option<(Time, u64)>,
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
    /// The last task of an identity. It says nothing of what the identity does otherwise.
    pub last_task: Option<TaskId>,
    /// What is killed to cut it.
    pub cut: Option<KillScope>,
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
}

/// Explains a scrap: an id, a name, a serial number, a SPIFFE ID, a database user, or the index of an entry. Nothing found: none.
///
/// `fetch` gives the entry at an index.
pub fn explain(state: &State, index: &Index, fetch: &dyn Fn(u64) -> Option<Entry>, scrap: &str) -> Option<Explained> {
    let book = Book { state, index, fetch };
    let (scrap, subject) = match Subject::of(&book, scrap) {
        Some(subject) => (scrap.to_owned(), subject),
        None => subject::serial(scrap).and_then(|serial| Some((serial.clone(), Subject::of(&book, &serial)?)))?,
    };
    let mut explained = Explained { kind: subject.kind(), id: scrap.clone(), ..Explained::default() };
    match &subject {
        Subject::Entry(place) => of_entry(&book, *place, &mut explained),
        Subject::Task => of_task(&book, TaskId::parse(&scrap).ok()?, &mut explained),
        Subject::Credential | Subject::Approval | Subject::Decision | Subject::Thing => of_scrap(&book, &scrap, &mut explained),
        Subject::Certificate => of_certificate(&book, &scrap, &mut explained),
        Subject::Identity(id) => of_identity(&book, *id, &mut explained),
        Subject::Resource(id) => of_resource(&book, *id, &mut explained),
        Subject::Boundary(name) => of_boundary(&book, name, &mut explained),
        Subject::Party | Subject::Key => of_party(&book, &scrap, &mut explained),
        Subject::Change => of_change(&book, &scrap, &mut explained),
    }
    Some(explained)
}

/// What belongs to a task tells that task; a decision is told itself, whatever else was decided.
fn of_scrap(book: &Book<'_>, scrap: &str, explained: &mut Explained) {
    explained.entries.extend(book.index.find(scrap));
    if let Some(task) = book.newest_about(scrap).find_map(|page| task_of(&page.entry)) {
        of_task(book, task, explained);
    }
    if let Some(own) = DecisionId::parse(scrap).ok().and_then(|id| book.decision(id)) {
        explained.justified = Some(own);
    }
    if explained.actor.is_none() {
        let first = book.index.find(scrap).first().and_then(|place| book.page(*place));
        explained.actor = first.map(|page| (page.entry.actor.id, page.entry.actor.kind));
    }
}

/// One entry: the task that it is about, or what it says itself.
fn of_entry(book: &Book<'_>, place: u64, explained: &mut Explained) {
    let Some(page) = book.page(place) else { return };
    explained.entries.insert(place);
    if let Some(task) = task_of(&page.entry) {
        return of_task(book, task, explained);
    }
    explained.entries.extend(&page.entry.cause);
    if let Body::SvidsIssued(issued) = &page.body {
        issued.rows.iter().for_each(|row| of_document(book, &page, row, explained));
    }
    explained.actor = Some((page.entry.actor.id.clone(), page.entry.actor.kind));
    explained.justified = page.entry.decision.and_then(|decision| book.decision(decision));
}

/// The task that an entry is about.
fn task_of(entry: &Entry) -> Option<TaskId> {
    entry.on.iter().find_map(|id| TaskId::parse(id).ok())
}

/// Who answers in a boundary now, and what its charter says of misuse.
pub(super) fn owners_of(state: &State, boundary: &Name, explained: &mut Explained) {
    for role in OwnerRole::ALL {
        if let Some(holder) = state.boundaries.holder(&state.people, boundary, *role) {
            explained.owners.insert(*role, (holder.person, holder.from));
        }
    }
    explained.on_misuse = state.boundaries.identity(boundary).map(|terms| terms.misuse.clone());
}
