//! Items in words, member by member, from the very content that is signed.

use super::difference::{Changed, Difference};
use crate::people::People;
use crate::show::quoted;
use serde_json::Value;
use std::collections::BTreeMap;
use writ_credential::PublicKey;
use writ_ledger::body::{Item, Terms};
use writ_types::{PartyId, TextValue as _};

/// What an item is, with its name.
pub(crate) fn title(item: &Item, people: &People) -> String {
    match item {
        Item::Party(item) => format!("party `{}`", people.handle(&item.party)),
        Item::PartyState(item) if item.disabled => format!("the end of the powers of party `{}`", people.handle(&item.party)),
        Item::PartyState(item) => format!("the return of the powers of party `{}`", people.handle(&item.party)),
        Item::Key(item) if item.remove => format!("the end of a key of party `{}`", people.handle(&item.party)),
        Item::Key(item) => format!("a new key of party `{}`", people.handle(&item.party)),
        Item::Boundary(item) => format!("boundary `{}`", item.name),
        Item::Identity(item) => format!("identity `{}`", item.name),
        Item::Resource(item) => format!("resource `{}`", item.name),
    }
}

/// The members of an item, by path. A boundary's charter is told section by section with [`terms`].
pub(crate) fn members(item: &Item, people: &People) -> BTreeMap<String, String> {
    let mut value = serde_json::to_value(item).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.remove("kind");
        if matches!(item, Item::Boundary(_)) {
            object.remove("charter");
        }
    }
    let mut out = BTreeMap::new();
    flatten("", &value, people, &mut out);
    match item {
        Item::Party(item) => {
            // The name itself in place of its digest, where the blob of that digest is known.
            if let Some(known) = people.named(&item.name) {
                out.remove("name");
                out.insert("handle".to_owned(), quoted(known.handle.as_str()));
                out.extend(known.name.iter().map(|name| ("name".to_owned(), quoted(name))));
                out.extend(known.mail.iter().map(|mail| ("mail".to_owned(), quoted(mail))));
            }
            out.insert("party".to_owned(), item.party.to_string());
        }
        Item::Key(item) => {
            if let Ok(key) = PublicKey::from_line(&item.key) {
                out.insert("fingerprint".to_owned(), key.fingerprint().to_string());
            }
        }
        _ => {}
    }
    out
}

/// The members of one section's terms, by path.
pub(crate) fn terms(terms: &Terms, people: &People) -> BTreeMap<String, String> {
    let value = match terms {
        Terms::Business(terms) => serde_json::to_value(terms),
        Terms::Identity(terms) => serde_json::to_value(terms),
        Terms::Platform(terms) => serde_json::to_value(terms),
        Terms::Security(terms) => serde_json::to_value(terms),
    };
    let mut out = BTreeMap::new();
    flatten("", &value.unwrap_or_default(), people, &mut out);
    out
}

/// Lines of `path value`, aligned and indented.
pub(crate) fn lines(members: &BTreeMap<String, String>, indent: &str) -> String {
    let width = members.keys().map(|path| path.chars().count()).max().unwrap_or(0);
    members.iter().map(|(path, value)| format!("{indent}{path:width$}  {value}\n")).collect()
}

/// The estate's difference, for people.
pub(crate) fn difference(difference: &Difference, people: &People) -> String {
    let mut out = String::new();
    for Changed { item, before, voided } in &difference.changes {
        let mark = if before.is_some() { '~' } else { '+' };
        out.push_str(&format!("{mark} {}\n", title(item, people)));
        let old = before.as_ref().map(|before| members(before, people)).unwrap_or_default();
        out.push_str(&compared(&old, &members(item, people), "    "));
        let Item::Boundary(boundary) = item else { continue };
        let signed = match before {
            Some(Item::Boundary(before)) => before.charter.sections(),
            _ => BTreeMap::new(),
        };
        for (section, new) in boundary.charter.sections() {
            let fate = if voided.contains(&section) { " (voids the signed one)" } else { "" };
            let mark = if signed.contains_key(&section) { '~' } else { '+' };
            out.push_str(&format!("  {mark} {section} section{fate}\n"));
            let old = signed.get(&section).map(|old| terms(old, people)).unwrap_or_default();
            out.push_str(&compared(&old, &terms(&new, people), "      "));
        }
    }
    out
}

/// What was, what is new, and what changed; what stays is left out where there was something before.
fn compared(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>, indent: &str) -> String {
    let mut out = BTreeMap::new();
    for (path, value) in new {
        match old.get(path) {
            Some(was) if was == value => {}
            Some(was) => {
                out.insert(path.clone(), format!("{was} -> {value}"));
            }
            None => {
                out.insert(path.clone(), value.clone());
            }
        }
    }
    for (path, was) in old.iter().filter(|(path, _)| !new.contains_key(*path)) {
        out.insert(path.clone(), format!("{was} -> nothing"));
    }
    lines(&out, indent)
}

/// Everything that is new, with what it was where that is another value.
pub(crate) fn against(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let told = |(path, value): (&String, &String)| match old.get(path) {
        Some(was) if was != value => (path.clone(), format!("{value}  (was {was})")),
        None if !old.is_empty() => (path.clone(), format!("{value}  (was nothing)")),
        _ => (path.clone(), value.clone()),
    };
    let mut out: BTreeMap<String, String> = new.iter().map(told).collect();
    let gone = old.iter().filter(|(path, _)| !new.contains_key(*path));
    out.extend(gone.map(|(path, was)| (path.clone(), format!("nothing  (was {was})"))));
    out
}

/// Every leaf by its path; lists of plain values on one line. What says nothing (null, empty) is left out.
fn flatten(path: &str, value: &Value, people: &People, out: &mut BTreeMap<String, String>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (name, member) in members {
                // A name can be another's text: it is shown as such.
                let name = crate::show::plain(name);
                let below = if path.is_empty() { name } else { format!("{path}.{name}") };
                flatten(&below, member, people, out);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            let items: Vec<String> = items.iter().map(|item| leaf(item, people)).collect();
            out.insert(path.to_owned(), items.join(", "));
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                flatten(&format!("{path}.{}", i + 1), item, people, out);
            }
        }
        other => {
            out.insert(path.to_owned(), leaf(other, people));
        }
    }
}

/// Any JSON, by path: for what other verbs show before it is signed.
pub(crate) fn value(value: &Value, people: &People) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    flatten("", value, people, &mut out);
    out
}

fn leaf(value: &Value, people: &People) -> String {
    match value {
        Value::String(text) => match PartyId::parse(text) {
            Ok(party) => people.handle(&party),
            Err(_) => quoted(text),
        },
        other => other.to_string(),
    }
}
