//! Nothing of the estate is in force without everyone who answers for it.

use super::Laws;
use crate::change::{Part, in_force_with, needs};
use std::collections::BTreeSet;
use writ_credential::PublicKey;
use writ_ledger::Entry;
use writ_ledger::body::{Body, Item, KeyEnrolled};
use writ_types::{ChangeId, Section};

pub(super) fn judge(laws: &Laws, entry: &Entry, body: &Body, found: &mut Vec<String>) {
    let mut check =
        |id: ChangeId, section: Option<Section>, is: &dyn Fn(&Item) -> bool| part(laws, entry, id, section, is, found);
    match body {
        Body::PartySet(set) => match set.change {
            Some(id) => check(id, None, &|item| matches!(item, Item::Party(it) if *it == set.party)),
            None => found.push("a party stands in no change set".to_owned()),
        },
        Body::PartyDisabled(it) => {
            check(it.change, None, &|item| matches!(item, Item::PartyState(state) if state.party == it.party && state.disabled));
        }
        Body::PartyEnabled(it) => {
            check(it.change, None, &|item| matches!(item, Item::PartyState(state) if state.party == it.party && !state.disabled));
        }
        Body::KeyEnrolled(it) => {
            match it.change {
                Some(id) => {
                    check(
                        id,
                        None,
                        &|item| matches!(item, Item::Key(key) if key.party == it.party && key.key == it.key && !key.remove),
                    );
                    enrollers(laws, id, it, found);
                }
                None => founders_key(laws, it, found),
            }
            if PublicKey::from_line(&it.key).map_or(true, |key| key.fingerprint().to_string() != it.fingerprint) {
                found.push("its fingerprint is another key's".to_owned());
            }
        }
        Body::KeyRemoved(it) => {
            let same = |key: &str| PublicKey::from_line(key).is_ok_and(|key| key.fingerprint().to_string() == it.fingerprint);
            check(
                it.change,
                None,
                &|item| matches!(item, Item::Key(key) if key.party == it.party && same(&key.key) && key.remove),
            );
        }
        Body::BoundarySet(it) => {
            let mut wanted = it.boundary.clone();
            check(it.change, None, &|item| match item {
                Item::Boundary(item) => {
                    let mut item = (**item).clone();
                    item.charter = Default::default();
                    item == wanted
                }
                _ => false,
            });
            wanted.charter = Default::default();
            if wanted != it.boundary {
                found.push("a charter comes by its own signatures".to_owned());
            }
        }
        Body::CharterSigned(it) => check(it.change, Some(it.section), &|item| match item {
            Item::Boundary(item) => item.name == it.boundary && item.charter.sections().get(&it.section) == Some(&it.terms),
            _ => false,
        }),
        Body::IdentitySet(it) => {
            check(it.change, None, &|item| matches!(item, Item::Identity(item) if *item == it.identity && !item.retired));
        }
        Body::IdentityRetired(it) => {
            check(it.change, None, &|item| matches!(item, Item::Identity(item) if item.identity == it.identity && item.retired));
        }
        Body::ResourceSet(it) => check(it.change, None, &|item| matches!(item, Item::Resource(item) if **item == it.resource)),
        _ => {}
    }
}

/// The part stands in the change set word for word, and has all the signatures that it needs.
fn part(laws: &Laws, entry: &Entry, id: ChangeId, section: Option<Section>, is: &dyn Fn(&Item) -> bool, found: &mut Vec<String>) {
    let Some(change) = laws.state.changes.get(&id) else {
        return found.push(format!("change set `{id}` does not wait"));
    };
    let Some(item) = change.content.items.iter().position(is) else {
        return found.push(format!("it is not what change set `{id}` says"));
    };
    let Some((_, policy)) = &laws.policy else { return };
    for need in needs(&laws.state, policy, change, Part { item, section }, entry.at) {
        if !in_force_with(change, &need) {
            found.push(format!("a signature is missing: {}", need.reason));
        }
    }
}

/// Only founders' keys come without a change set, right after the genesis, as it names them.
/// Who signed for a key can't be left out: for 7 days it approves nothing of theirs.
fn enrollers(laws: &Laws, id: ChangeId, it: &KeyEnrolled, found: &mut Vec<String>) {
    let Some(change) = laws.state.changes.get(&id) else { return };
    let signed: BTreeSet<_> = change.signed_by().into_keys().filter(|signer| *signer != it.party).collect();
    if it.enrolled_by.iter().copied().collect::<BTreeSet<_>>() != signed {
        found.push("it names others as its enrollers than those who signed".to_owned());
    }
}

fn founders_key(laws: &Laws, it: &KeyEnrolled, found: &mut Vec<String>) {
    let founders = laws.state.people.parties().count() as u64;
    let early = laws.state.size() >= 1 && laws.state.size() <= founders && laws.state.changes.iter().next().is_none();
    if !early || laws.state.people.party(&it.party).is_none() || !it.enrolled_by.is_empty() {
        found.push("a key stands in no change set".to_owned());
    }
    if laws.founders.get(&it.party) != Some(&it.key) {
        found.push("it is not the key that the genesis names".to_owned());
    }
}
