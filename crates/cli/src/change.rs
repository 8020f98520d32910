//! Change sets as the server shows them, told from the content that is signed.

use crate::estate::Known;
use crate::estate::describe::{against, lines, members, terms, title};
use crate::estate::difference::in_force;
use crate::estate::known::Waiting;
use crate::failure::{Exit, Failure};
use crate::link::Link;
use crate::people::People;
use serde_json::Value;
use writ_ledger::body::{ChangeContent, Item, Terms};
use writ_plane::Change;
use writ_types::{ChangeId, Digest, canonical};
use writ_wire::api::{ChangeView, NeedView};

/// A change set of the server, with the blobs that it sent along.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) view: ChangeView,
    pub(crate) blobs: Vec<Value>,
}

impl Seen {
    /// Reads a view; a server may send the name blobs of new parties with it.
    pub(crate) fn of(mut value: Value) -> Result<Self, Failure> {
        let blobs = value.as_object_mut().and_then(|members| members.remove("blobs"));
        let blobs = blobs.and_then(|blobs| serde_json::from_value(blobs).ok()).unwrap_or_default();
        let view = serde_json::from_value(value).map_err(|error| {
            Failure::failed(
                format!("the change set can't be read: {error}"),
                "check that server and command have the same version",
            )
        })?;
        Ok(Self { view, blobs })
    }

    /// One change set.
    pub(crate) fn fetch(link: &Link, change: &ChangeId) -> Result<Self, Failure> {
        Self::of(link.get(&format!("/v1/changes/{change}"))?)?.with(&link.memory().names()?)
    }

    /// All that wait.
    pub(crate) fn fetch_all(link: &Link) -> Result<Vec<Self>, Failure> {
        let names = link.memory().names()?;
        link.get::<Vec<Value>>("/v1/changes")?.into_iter().map(|value| Self::of(value)?.with(&names)).collect()
    }

    /// Adds names that are known here. Each counts only where its digest is the one that is signed.
    fn with(mut self, names: &[Value]) -> Result<Self, Failure> {
        self.blobs.extend_from_slice(names);
        Ok(self)
    }

    /// The content, from the very bytes whose digest is signed; none once all of it is in force.
    pub(crate) fn content(&self) -> Result<Option<(Value, ChangeContent)>, Failure> {
        let Some(value) = &self.view.content else { return Ok(None) };
        let bytes = canonical(value).map_err(Failure::bug)?;
        let content: ChangeContent = serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!("the content of `{}` can't be read, so it can't be shown: {error}", self.view.change);
            Failure::failed(message, "don't sign it; check that server and command have the same version")
        })?;
        let claimed = self.view.digest.is_none_or(|digest| digest == Digest::of(&bytes));
        if content.change != self.view.change || !claimed {
            let message = format!("what the server shows as `{}` is not its content", self.view.change);
            return Err(Failure::failed(message, "don't sign it; tell the security owner"));
        }
        // What was read is all that is there: writing it again gives the same bytes.
        if canonical(&content).ok().as_deref() != Some(&bytes[..]) {
            let message = format!("the content of `{}` says more than can be shown", self.view.change);
            return Err(Failure::failed(message, "don't sign it; check that server and command have the same version"));
        }
        Ok(Some((value.clone(), content)))
    }

    /// As what waits, for comparing with an estate.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        let (_, content) = self.content().ok()??;
        Some(Waiting { change: self.view.change, content, blobs: self.blobs.clone() })
    }

    /// Done, or waiting for people.
    pub(crate) const fn exit(&self) -> Exit {
        if self.view.complete { Exit::Done } else { Exit::Waiting }
    }
}

/// Lets `people` know the new parties of a change set.
pub(crate) fn learn(people: &mut People, content: &ChangeContent, blobs: &[Value]) {
    for item in &content.items {
        if let Item::Party(party) = item {
            people.learn(party.party, &party.name, blobs);
        }
    }
}

/// Every part, in the order in which it can come into force, with its members, and what they are now where that is another value.
pub(crate) fn parts(content: &ChangeContent, people: &People, known: Option<&Known>) -> String {
    let Some(change) = Change::of(content.clone()) else { return String::new() };
    let mut out = String::new();
    for (i, part) in change.parts().into_iter().enumerate() {
        let Some(item) = change.item(part) else { continue };
        let before = known.and_then(|known| in_force(item, known));
        let (old, new) = match (item, part.section) {
            (Item::Boundary(boundary), Some(section)) => {
                out.push_str(&format!("{}. {section} section of boundary `{}`\n", i + 1, boundary.name));
                let old = match &before {
                    Some(Item::Boundary(before)) => before.charter.sections().remove(&section),
                    _ => None,
                };
                let told = |each: Option<Terms>| each.map(|each| terms(&each, people)).unwrap_or_default();
                (told(old), told(boundary.charter.sections().remove(&section)))
            }
            _ => {
                out.push_str(&format!("{}. {}\n", i + 1, title(item, people)));
                (before.map(|before| members(&before, people)).unwrap_or_default(), members(item, people))
            }
        };
        out.push_str(&lines(&against(&old, &new), "     "));
    }
    out
}

/// What is in force and who must sign what, after filing or signing.
pub(crate) fn state(view: &ChangeView, people: &People) -> String {
    let mut out = format!("change set {}\n", view.change);
    let done: Vec<String> = view.parts.iter().filter(|part| part.in_force).map(|part| people.spell(&part.what)).collect();
    if !done.is_empty() {
        out.push_str(&format!("in force: {}\n", done.join(", ")));
    }
    if view.complete {
        out.push_str("nothing waits\n");
        return out;
    }
    out.push_str("waits for signatures:\n");
    for part in view.parts.iter().filter(|part| !part.in_force) {
        out.push_str(&format!("  {}\n", people.spell(&part.what)));
        for need in &part.needs {
            out.push_str(&format!("    {}\n", self::need(need, people)));
        }
        if part.needs.is_empty() {
            out.push_str("    nobody more: it rests on what waits above\n");
        }
    }
    out.push_str(&format!("each of them signs with `writ sign {}`\n", view.change));
    out
}

fn need(need: &NeedView, people: &People) -> String {
    let reason = people.spell(&need.reason);
    if let Some(until) = &need.until {
        return format!("nobody yet, until {}", people.spell(until));
    }
    if let Some(key) = &need.key {
        return format!("the new key {key} of {}: {reason}", people.handles(&need.of));
    }
    let role = need.role.map(|role| format!(" as {role}")).unwrap_or_default();
    if let Some(key) = &need.old_key {
        return format!("the key {key} that is replaced, or {} of {}: {reason}", need.count, people.handles(&need.of));
    }
    match (need.of.len(), need.count) {
        (1, 1) => format!("{}{role}: {reason}", people.handles(&need.of)),
        (_, count) => format!("{count} of {}{role}: {reason}", people.handles(&need.of)),
    }
}
