//! Filing a change set, signed by its filer.

use crate::act::Question;
use crate::args::Output;
use crate::change::{self, Seen};
use crate::estate::known::Known;
use crate::estate::roles;
use crate::failure::{Failure, Outcome};
use crate::link::{Link, Me};
use crate::people::People;
use serde_json::Value;
use writ_ledger::Blob;
use writ_ledger::body::{ChangeContent, Item};
use writ_types::{ActKind, ChangeId, canonical};
use writ_wire::api::FileChange;

/// An entry of the log holds 64 KiB; the rest of it takes some.
const CONTENT_BYTES_MAX: usize = 60 * 1024;

/// What is in force and what waits.
pub(crate) fn known(link: &Link) -> Result<Known, Failure> {
    let waiting = Seen::fetch_all(link)?;
    Known::of(link.estate()?, waiting.iter().filter_map(Seen::waiting).collect())
}

/// The people of the estate, and those that wait.
pub(crate) fn people(link: &Link, known: &Known) -> Result<People, Failure> {
    let mut people = People::of(link.estate()?);
    for waiting in &known.waiting {
        change::learn(&mut people, &waiting.content, &waiting.blobs);
    }
    Ok(people)
}

/// Files the items in one change set, signed in every role in which the filer answers.
pub(crate) fn file(link: &Link, known: &Known, me: &Me, items: Vec<Item>, blobs: &[Blob]) -> Result<Seen, Failure> {
    let change = ChangeId::mint(&mut *link.random());
    let content = ChangeContent { change, filer: me.party, items };
    let roles: Vec<_> = roles::of(&content, known, me.party).into_iter().collect();
    let bytes = canonical(&content).map_err(Failure::bug)?;
    if bytes.len() > CONTENT_BYTES_MAX {
        return Err(Failure::failed(
            format!("the change set has {} bytes; at most {CONTENT_BYTES_MAX} fit into an entry of the log", bytes.len()),
            "apply fewer files at a time: boundaries first",
        ));
    }
    let content: Value = serde_json::to_value(&content).map_err(Failure::bug)?;
    let id = change.to_string();
    let question = Question { origin: &link.status().origin, act: ActKind::Change, id: &id, content: &content, roles: &roles };
    let act = question.answer(me.party, &me.signer, &mut link.random())?;
    let blobs = blobs.iter().map(|blob| serde_json::from_slice(blob.bytes()).map_err(Failure::bug));
    let blobs: Vec<Value> = blobs.collect::<Result<_, _>>()?;
    Ok(Seen { view: link.post("/v1/changes", &FileChange { content, act, blobs })? })
}

/// Prints what became of a change set.
pub(crate) fn report(seen: &Seen, people: &People, output: Output) -> Outcome {
    if output.is_json() {
        crate::show::print_json(&seen.view);
    } else {
        crate::show::print(&change::state(&seen.view, people));
    }
    Ok(seen.exit())
}
