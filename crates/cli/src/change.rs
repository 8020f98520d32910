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
use writ_types::{ChangeId, Digest, PartyId, canonical};
use writ_wire::api::{ChangeView, NeedView, SignedBy};

/// A change set of the server. What it says counts only where its digest is the one that is signed.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) view: ChangeView,
}

impl Seen {
    /// One change set.
    pub(crate) fn fetch(link: &Link, change: &ChangeId) -> Result<Self, Failure> {
        Ok(Self { view: link.get(&format!("/v1/changes/{change}"))? })
    }

    /// All that wait.
    pub(crate) fn fetch_all(link: &Link) -> Result<Vec<Self>, Failure> {
        Ok(link.get::<Vec<ChangeView>>("/v1/changes")?.into_iter().map(|view| Self { view }).collect())
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
        Some(Waiting { change: self.view.change, content, blobs: self.view.blobs.clone() })
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

/// What of the content no one here can read: parties whose name has no blob of the digest that is signed. Empty where all is shown.
pub(crate) fn unshown(content: &ChangeContent, people: &People) -> String {
    let hidden = content.items.iter().filter_map(|item| match item {
        Item::Party(party) if people.named(&party.name).is_none() => Some(party),
        _ => None,
    });
    let mut out = String::new();
    for party in hidden {
        out.push_str(&format!(
            "NOT SHOWN: who party {} is. The server sent no name whose digest is {}, which is what is signed. Whoever signs this vouches \
             for somebody they can't see: ask the filer, and don't sign before you know.\n",
            party.party, party.name
        ));
    }
    out
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

/// What is in force and who must sign what, after this user has filed or signed.
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
    let signed = people.handles(view.signed.iter().map(|signed| &signed.party));
    out.push_str(&format!("you have signed; so far: {signed}\nwaits for signatures:\n"));
    for part in view.parts.iter().filter(|part| !part.in_force) {
        out.push_str(&format!("  {}\n", people.spell(&part.what)));
        for need in &part.needs {
            out.push_str(&format!("    {}\n", self::need(need, view, people)));
        }
        if part.needs.is_empty() {
            out.push_str("    nobody more: it rests on what waits above\n");
        }
    }
    out.push_str(&format!("each of them signs with `writ sign {}`\n", view.change));
    out
}

/// Who can still give what a part needs, and how many of them must: who has signed for it is not asked again.
pub(crate) fn left<'a>(need: &'a NeedView, view: &ChangeView) -> (Vec<&'a PartyId>, usize) {
    let counts = |signed: &SignedBy| need.role.is_none_or(|role| signed.roles.contains(&role));
    let has = |party: &PartyId| view.signed.iter().any(|signed| signed.party == *party && counts(signed));
    let left: Vec<&PartyId> = need.of.iter().filter(|party| !has(party)).collect();
    let count = need.count.saturating_sub(need.of.len() - left.len());
    // The server says that it is still needed: then a signature that is there does not count for it.
    if count == 0 || left.is_empty() { (need.of.iter().collect(), need.count) } else { (left, count) }
}

fn need(need: &NeedView, view: &ChangeView, people: &People) -> String {
    let reason = people.spell(&need.reason);
    if let Some(until) = &need.until {
        return format!("nobody yet, until {}", people.spell(until));
    }
    if let Some(key) = &need.key {
        return format!("the new key {key} of {}: {reason}", people.handles(&need.of));
    }
    let role = need.role.map(|role| format!(" as {role}")).unwrap_or_default();
    let (left, count) = left(need, view);
    let given = left.len() < need.of.len();
    let who = people.handles(left.iter().copied());
    if let Some(key) = &need.old_key {
        return format!("the key {key} that is replaced, or {count} of {who}: {reason}");
    }
    match (left.len(), given) {
        (1, false) => format!("{who}{role}: {reason}"),
        (all, true) if all == count => format!("{count} more{role}: {who}: {reason}"),
        (_, true) => format!("{count} more{role}, of {who}: {reason}"),
        (_, false) => format!("{count} of {who}{role}: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_ledger::body::{PartyItem, PartyType};
    use writ_ledger::{Blob, Salt};
    use writ_types::{Handle, OwnerRole, TextValue as _};

    fn party(n: u8) -> PartyId {
        PartyId::from_bits([n; 16])
    }

    fn name(handle: &str) -> Blob {
        let content = crate::people::name_content(&Handle::parse(handle).unwrap(), None, None);
        Blob::new(content, Salt::from_bits([1; 16])).unwrap()
    }

    fn value(blob: &Blob) -> Value {
        serde_json::from_slice(blob.bytes()).unwrap()
    }

    /// R72: whoever signs sees whom they enrol, or is told aloud that they don't.
    #[test]
    fn a_name_that_is_not_the_one_signed_is_not_shown_and_that_is_said() {
        let gina = name("gina");
        let item = PartyItem { party: party(7), kind: PartyType::Person, name: gina.name(), members: Vec::new() };
        let content = ChangeContent { change: ChangeId::from_bits([1; 16]), filer: party(1), items: vec![Item::Party(item)] };
        let mut people = People::default();
        learn(&mut people, &content, &[value(&name("mallory"))]);
        let said = unshown(&content, &people);
        assert!(said.starts_with("NOT SHOWN: ") && said.contains(&party(7).to_string()), "{said}");
        learn(&mut people, &content, &[value(&gina)]);
        assert_eq!(unshown(&content, &people), "");
        assert!(parts(&content, &people, None).starts_with("1. party `gina`\n"));
    }

    /// Who has signed is not among those who are asked.
    #[test]
    fn only_those_who_have_not_signed_are_asked() {
        let mut people = People::default();
        for (n, handle) in [(1, "alice"), (2, "bob"), (3, "carol")] {
            people.learn(party(n), &name(handle).name(), &[value(&name(handle))]);
        }
        let signed = vec![SignedBy { party: party(1), roles: vec![OwnerRole::Control] }];
        let change = ChangeId::from_bits([1; 16]);
        let (parts, blobs) = (Vec::new(), Vec::new());
        let view = ChangeView { change, content: None, digest: None, filed_at: None, signed, parts, blobs, complete: false };
        let asked = |of: &[u8], count, role| {
            let of = of.iter().map(|n| party(*n)).collect();
            let asked = NeedView { of, count, role, reason: "why".to_owned(), ..NeedView::default() };
            need(&asked, &view, &people)
        };
        assert_eq!(asked(&[1, 2], 2, None), "1 more: bob: why");
        assert_eq!(asked(&[1, 2, 3], 2, None), "1 more, of bob, carol: why");
        assert_eq!(asked(&[2, 3], 2, None), "2 of bob, carol: why");
        assert_eq!(asked(&[2], 1, Some(OwnerRole::Business)), "bob as business: why");
        // Alice signed, but not as this.
        assert_eq!(asked(&[1], 1, Some(OwnerRole::Business)), "alice as business: why");
        assert_eq!(asked(&[1, 3], 2, Some(OwnerRole::Control)), "1 more as control: carol: why");
    }
}
