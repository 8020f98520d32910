//! The story of a certificate: its own, unless it took part in a task.

use super::book::{Book, Page};
use super::story::{Explained, owners_of};
use super::task::of_task;
use writ_ledger::body::{Body, KillScope, SvidRow};
use writ_types::{CredentialKind, TaskId};

/// A certificate, by its serial number.
pub(super) fn of_certificate(book: &Book<'_>, serial: &str, explained: &mut Explained) {
    let pages: Vec<Page> = book.newest_about(serial).collect();
    if let Some(task) = pages.iter().find_map(|page| took_part(&page.body, serial)) {
        of_task(book, task, explained);
        explained.entries.extend(pages.iter().map(|page| page.place));
    }
    if let Some((page, row)) = pages.iter().find_map(|page| Some((page, page.row(serial)?))) {
        of_document(book, page, row, explained);
    }
    // The server's own, and the authority's: nobody delegated them.
    if let Some((page, changed)) = pages.iter().find_map(|page| match &page.body {
        Body::AuthorityChanged(changed) => Some((page, changed)),
        _ => None,
    }) {
        explained.actor = Some((page.entry.actor.id.clone(), page.entry.actor.kind));
        explained.spiffe_id.clone_from(&changed.spiffe_id);
        explained.ends_at = Some(changed.expires);
        explained.entries.insert(page.place);
    }
}

/// The task in which this certificate was shown: to ask for it, to start it, or to take a credential in it.
fn took_part(body: &Body, serial: &str) -> Option<TaskId> {
    match body {
        Body::TaskWanted(wanted) if wanted.serial == serial => Some(wanted.content.task),
        Body::TaskStarted(started) if started.serial == serial => Some(started.task),
        Body::CredentialGranted(granted) if granted.serial == serial => Some(granted.task),
        _ => None,
    }
}

/// One row of `svids.issued`: whom it names, what was attested, and the decision that it rests on. What a task has told already stays.
pub(super) fn of_document(book: &Book<'_>, page: &Page, row: &SvidRow, explained: &mut Explained) {
    explained.spiffe_id = Some(row.spiffe_id.clone());
    explained.attested.clone_from(&row.attested);
    explained.entries.insert(page.place);
    explained.entries.extend(&page.entry.cause);
    if explained.cut.is_some() {
        return;
    }
    explained.actor = Some((row.identity.to_string(), page.entry.actor.kind));
    explained.ends_at = Some(row.expires);
    explained.justified = page.entry.decision.and_then(|decision| book.decision(decision));
    if let Some(identity) = book.state.identities.get(&row.identity) {
        owners_of(book.state, &identity.boundary, explained);
    }
    explained.cut = Some(KillScope::Identity(row.identity));
    explained.class = Some(CredentialKind::X509Svid.class());
}
