//! The stories of what an estate names: nobody acted in them, and nothing was delegated. They say who answers.

use super::book::Book;
use super::document::of_document;
use super::story::{Explained, owners_of};
use writ_ledger::body::{Body, KillScope};
use writ_types::{IdentityId, Name, ResourceId, RevocationClass, Section};

/// An identity: its newest document, and the last task in a member of its own.
pub(super) fn of_identity(book: &Book<'_>, id: IdentityId, explained: &mut Explained) {
    let name = id.to_string();
    let issued = book.newest_about(&name).find_map(|page| match &page.body {
        Body::SvidsIssued(issued) => issued.rows.iter().find(|row| row.identity == id).cloned().map(|row| (page, row)),
        _ => None,
    });
    if let Some((page, row)) = issued {
        of_document(book, &page, &row, explained);
    }
    // An identity has no end of its own; its documents have.
    explained.ends_at = None;
    for page in book.newest_about(&name) {
        if let Body::IdentitySet(set) = &page.body {
            explained.actor = Some((name.clone(), set.identity.actor_kind));
            explained.spiffe_id = Some(set.identity.spiffe_id.clone());
            explained.entries.insert(page.place);
            break;
        }
        if matches!(page.body, Body::IdentityRetired(_)) {
            explained.entries.insert(page.place);
        }
    }
    let task = book.newest_about(&name).find_map(|page| match &page.body {
        Body::TaskRequested(requested) if requested.content.actor == id => Some((page.place, requested.content.task)),
        _ => None,
    });
    if let Some((place, task)) = task {
        explained.last_task = Some(task);
        explained.entries.insert(place);
    }
    if let Some(identity) = book.state.identities.get(&id) {
        owners_of(book.state, &identity.boundary, explained);
        cut(KillScope::Identity(id), explained);
    }
}

/// A resource, as it was set last.
pub(super) fn of_resource(book: &Book<'_>, id: ResourceId, explained: &mut Explained) {
    let set = book.newest_about(&id.to_string()).find(|page| matches!(page.body, Body::ResourceSet(_)));
    explained.entries.extend(set.map(|page| page.place));
    if let Some(resource) = book.state.resources.get(&id) {
        owners_of(book.state, &resource.boundary, explained);
        cut(KillScope::Resource(id), explained);
    }
}

/// A boundary, with the charter that is in force on it.
pub(super) fn of_boundary(book: &Book<'_>, name: &Name, explained: &mut Explained) {
    let boundaries = &book.state.boundaries;
    explained.entries.extend(boundaries.get(name).map(|boundary| boundary.version));
    let sections = Section::ALL.iter().filter_map(|section| boundaries.section(name, *section));
    explained.entries.extend(sections.map(|(_, signed)| signed.index));
    owners_of(book.state, name, explained);
    cut(KillScope::Boundary(name.clone()), explained);
}

/// A person, a team or a system: how it came to be what it is, and its keys. A key: how it came and went.
pub(super) fn of_party(book: &Book<'_>, scrap: &str, explained: &mut Explained) {
    let told = |body: &Body| {
        matches!(
            body,
            Body::Genesis(_)
                | Body::PartySet(_)
                | Body::PartyDisabled(_)
                | Body::PartyEnabled(_)
                | Body::KeyEnrolled(_)
                | Body::KeyRemoved(_)
        )
    };
    explained.entries.extend(book.newest_about(scrap).filter(|page| told(&page.body)).map(|page| page.place));
}

/// A change set: who filed it, and everybody who signed.
pub(super) fn of_change(book: &Book<'_>, scrap: &str, explained: &mut Explained) {
    for page in book.newest_about(scrap) {
        explained.entries.insert(page.place);
        match &page.body {
            Body::ChangeFiled(filed) => {
                explained.actor = Some((filed.content.filer.to_string(), page.entry.actor.kind));
                explained.approved.extend(page.entry.acts.iter().map(|act| page.answered(act.by)));
            }
            Body::ChangeSigned(_) => explained.approved.extend(page.entry.acts.iter().map(|act| page.answered(act.by))),
            _ => {}
        }
    }
    explained.approved.sort_by_key(|answered| answered.entry);
}

/// Everything in the scope can be ended by one command.
fn cut(scope: KillScope, explained: &mut Explained) {
    explained.cut = Some(scope);
    explained.class = Some(RevocationClass::CutsLive);
}
