//! The story of one task, from every entry that is about it and those that they rest on.

use super::index::Index;
use super::story::{Answered, Ending, Explained, Point, justification, owners_of, read};
use crate::state::State;
use std::collections::BTreeSet;
use writ_ledger::Entry;
use writ_ledger::body::{Body, ClosureReported};
use writ_types::{CredentialKind, TaskId};

pub(super) fn of_task(
    state: &State,
    index: &Index,
    fetch: &dyn Fn(u64) -> Option<Entry>,
    task: TaskId,
    explained: &mut Explained,
) {
    explained.task = Some(task);
    let mine: BTreeSet<u64> = index.find(&task.to_string()).iter().copied().collect();
    let mut rests_on = BTreeSet::new();
    for (place, entry, body) in mine.iter().filter_map(|place| read(*place, fetch)) {
        rests_on.extend(entry.cause.iter().copied());
        tell(place, &entry, &body, explained);
    }
    // The certificates that were shown, and the identity as it was set.
    for (_, _, body) in rests_on.difference(&mine).filter_map(|place| read(*place, fetch)) {
        if let Body::SvidsIssued(issued) = &body {
            for row in &issued.rows {
                explained.spiffe_id = Some(row.spiffe_id.clone());
                explained.attested.clone_from(&row.attested);
            }
        }
        if let Body::IdentitySet(set) = &body {
            explained.actor = Some((set.identity.identity.to_string(), set.identity.actor_kind));
            explained.spiffe_id = Some(set.identity.spiffe_id.clone());
        }
    }
    if let Some(found) = state.tasks.get(&task) {
        owners_of(state, &found.actor(), explained);
    }
    explained.class = Some(CredentialKind::PostgresUser.class());
    explained.entries.extend(mine);
    explained.entries.extend(rests_on);
}

/// What one entry adds.
fn tell(place: u64, entry: &Entry, body: &Body, explained: &mut Explained) {
    match body {
        Body::TaskRequested(requested) => {
            explained.delegated = Some(Answered { by: requested.content.delegator, at: entry.at, entry: place });
            explained.purpose = Some(requested.content.purpose.clone());
        }
        Body::TaskApproved(approved) => explained.approved.push(Answered { by: approved.by, at: entry.at, entry: place }),
        Body::TaskStarted(started) => explained.ends_at = Some(started.ends_at),
        Body::TaskEnded(ended) => {
            explained.ended = Some(Ending { at: entry.at, end: ended.end, by: entry.actor.id.clone() });
        }
        // The last decision that allowed something is what justifies it; a denial only where nothing was ever allowed.
        Body::DecisionMade(made) => {
            let justification = justification(entry, made);
            let told = explained.justified.as_ref();
            let stands = matches!(made.command.as_str(), "request" | "start" | "credential") && made.refused.is_none();
            if stands || told.is_none_or(|told| told.effect == writ_ledger::body::Effect::Deny) {
                explained.justified = Some(justification);
            }
        }
        Body::ClosureReported(report) => close(entry, report, explained),
        _ => {}
    }
}

/// The newest report of each credential and point.
fn close(entry: &Entry, report: &ClosureReported, explained: &mut Explained) {
    let known = explained.closure.iter_mut().find(|point| point.credential == report.credential && point.point == report.point);
    match known {
        Some(known) => {
            if known.state != report.state {
                known.since = entry.at;
            }
            known.state = report.state;
            known.next_try = report.next_try;
        }
        None => explained.closure.push(Point {
            credential: report.credential,
            point: report.point.clone(),
            state: report.state,
            since: entry.at,
            next_try: report.next_try,
        }),
    }
}
