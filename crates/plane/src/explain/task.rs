//! The story of one task, from every entry that is about it and those that they rest on.

use super::book::{Book, Page};
use super::story::{Ending, Explained, Point, owners_of};
use std::collections::BTreeSet;
use writ_ledger::Entry;
use writ_ledger::body::{Body, ClosureReported, Effect, KillScope};
use writ_types::{CredentialKind, TaskId};

pub(super) fn of_task(book: &Book<'_>, task: TaskId, explained: &mut Explained) {
    let mine: BTreeSet<u64> = book.index.find(&task.to_string()).iter().copied().collect();
    let (mut rests_on, mut shown) = (BTreeSet::new(), BTreeSet::new());
    for page in mine.iter().filter_map(|place| book.page(*place)) {
        rests_on.extend(page.entry.cause.iter().copied());
        match &page.body {
            Body::TaskStarted(started) => shown.insert(started.serial.clone()),
            Body::CredentialGranted(granted) => shown.insert(granted.serial.clone()),
            _ => false,
        };
        tell(&page, explained);
    }
    // The certificates that were shown, and the identity as it was set.
    for page in rests_on.difference(&mine).filter_map(|place| book.page(*place)) {
        match &page.body {
            Body::SvidsIssued(issued) => {
                for row in issued.rows.iter().filter(|row| shown.contains(&row.serial)) {
                    explained.spiffe_id = Some(row.spiffe_id.clone());
                    explained.attested.clone_from(&row.attested);
                }
            }
            Body::IdentitySet(set) => {
                explained.actor = Some((set.identity.identity.to_string(), set.identity.actor_kind));
                explained.spiffe_id = Some(set.identity.spiffe_id.clone());
            }
            _ => {}
        }
    }
    let actor = book.state.tasks.get(&task).and_then(|found| book.state.identities.get(&found.actor()));
    if let Some(identity) = actor {
        owners_of(book.state, &identity.boundary, explained);
    }
    explained.cut = Some(KillScope::Task(task));
    explained.class = Some(CredentialKind::PostgresUser.class());
    explained.entries.extend(mine);
    explained.entries.extend(rests_on);
}

/// What one entry adds.
fn tell(page: &Page, explained: &mut Explained) {
    match &page.body {
        Body::TaskWanted(wanted) => {
            explained.self_requested = Some((page.entry.at, page.place));
            explained.actor = Some((page.entry.actor.id.clone(), page.entry.actor.kind));
            explained.purpose = Some(wanted.content.purpose.clone());
        }
        Body::TaskRequested(requested) => {
            explained.delegated = requested.content.delegator.map(|by| page.answered(by));
            explained.purpose = Some(requested.content.purpose.clone());
        }
        Body::TaskApproved(approved) => explained.approved.push(page.answered(approved.by)),
        Body::TaskStarted(started) => explained.ends_at = Some(started.ends_at),
        Body::TaskEnded(ended) => {
            explained.ended = Some(Ending { at: page.entry.at, end: ended.end, by: page.entry.actor.id.clone() });
        }
        // The last decision that allowed something is what justifies it; a denial only where nothing was ever allowed.
        Body::DecisionMade(made) => {
            let told = explained.justified.as_ref();
            let stands = matches!(made.command.as_str(), "request" | "start" | "credential") && made.refused.is_none();
            if stands || told.is_none_or(|told| told.effect == Effect::Deny) {
                explained.justified = Some(page.justification(made));
            }
        }
        Body::ClosureReported(report) => close(&page.entry, report, explained),
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
        }
        None => explained.closure.push(Point {
            credential: report.credential,
            point: report.point.clone(),
            state: report.state,
            since: entry.at,
        }),
    }
}
