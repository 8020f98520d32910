//! What a change set must be to be filed at all: references that resolve, names that are free, bounds that hold.

mod boundary;
mod identity;
mod resource;

use super::limits::ITEMS_MAX;
use super::succession::Tree;
use crate::state::State;
use std::collections::{BTreeMap, BTreeSet};
use writ_credential::PublicKey;
use writ_ledger::body::{ChangeContent, Item, KeyItem, PartyItem, PartyType};
use writ_types::{Name, PartyId};

/// Something that is wrong with a change set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The item, by its place; none where it is the set as a whole.
    pub item: Option<usize>,
    /// What is wrong, in a sentence that names it.
    pub what: String,
}

/// Everything that is wrong with `content`, in order.
pub fn problems(state: &State, content: &ChangeContent) -> Vec<Problem> {
    let whole = |what: String| Problem { item: None, what };
    if content.items.is_empty() || content.items.len() > ITEMS_MAX {
        return vec![whole(format!("a change set has 1 to {ITEMS_MAX} items, this has {}", content.items.len()))];
    }
    let mut problems = Vec::new();
    if state.changes.get(&content.change).is_some() {
        problems.push(whole(format!("change set `{}` is filed already", content.change)));
    }
    let mut seen = BTreeSet::new();
    let mut check = Check { state, here: Here::of(content), tree: Tree::over(state, &content.items), problems: Vec::new() };
    for (place, item) in content.items.iter().enumerate() {
        let named = titled(item);
        // No item stands there twice: which one would count?
        if !seen.insert(named.clone()) && !matches!(item, Item::Key(_)) {
            check.say(format!("{named} stands in the change set twice"));
        }
        check.item(item);
        problems.extend(check.problems.drain(..).map(|what| Problem { item: Some(place), what }));
    }
    problems
}

/// What is wrong with one item by now: between filing and signing, another change set may have taken its name or its key, and what
/// it refers to is in force or not.
pub(crate) fn problem_of(state: &State, item: &Item) -> Option<String> {
    let tree = Tree::over(state, std::slice::from_ref(item));
    let mut check = Check { state, here: Here::default(), tree, problems: Vec::new() };
    check.item(item);
    check.problems.into_iter().next()
}

fn titled(item: &Item) -> String {
    match item {
        Item::Party(item) => format!("party `{}`", item.party),
        Item::PartyState(item) => format!("the powers of party `{}`", item.party),
        Item::Key(item) => format!("a key of party `{}`", item.party),
        Item::Boundary(item) => format!("boundary `{}`", item.name),
        Item::Identity(item) => format!("identity `{}`", item.name),
        Item::Resource(item) => format!("resource `{}`", item.name),
    }
}

/// What the change set itself brings, so that its items can refer to each other.
#[derive(Default)]
struct Here<'a> {
    parties: BTreeMap<PartyId, PartyType>,
    boundaries: BTreeSet<&'a Name>,
    identities: identity::Seen<'a>,
    resources: BTreeMap<&'a Name, writ_types::ResourceId>,
}

impl<'a> Here<'a> {
    fn of(content: &'a ChangeContent) -> Self {
        let mut here = Self::default();
        for item in &content.items {
            match item {
                Item::Party(item) => _ = here.parties.insert(item.party, item.kind),
                Item::Boundary(item) => _ = here.boundaries.insert(&item.name),
                Item::Identity(item) => here.identities.comes(item),
                Item::PartyState(_) | Item::Key(_) | Item::Resource(_) => {}
            }
        }
        here
    }
}

struct Check<'a> {
    state: &'a State,
    here: Here<'a>,
    /// The boundaries as they would be.
    tree: Tree<'a>,
    problems: Vec<String>,
}

impl<'a> Check<'a> {
    fn say(&mut self, problem: String) {
        self.problems.push(problem);
    }

    fn item(&mut self, item: &'a Item) {
        match item {
            Item::Party(item) => self.party(item),
            Item::PartyState(item) => self.known_party(&item.party),
            Item::Key(item) => self.key(item),
            Item::Boundary(item) => self.boundary(item),
            Item::Identity(item) => self.identity(item),
            Item::Resource(item) => self.resource(item),
        }
    }

    fn kind_of(&self, party: &PartyId) -> Option<PartyType> {
        let known = || self.state.people.party(party).map(|party| party.kind);
        self.here.parties.get(party).copied().or_else(known)
    }

    fn known_party(&mut self, party: &PartyId) {
        if self.kind_of(party).is_none() {
            self.say(format!("party `{party}` is unknown"));
        }
    }

    /// Only a named person answers: not a team, not a mailbox (R22).
    fn person(&mut self, party: &PartyId, what: &str) {
        if self.kind_of(party) != Some(PartyType::Person) {
            self.say(format!("{what} is a person, and `{party}` is not one"));
        }
    }

    fn party(&mut self, item: &PartyItem) {
        if self.state.people.party(&item.party).is_some_and(|party| party.kind != item.kind) {
            self.say(format!("party `{}` can't become another type", item.party));
        }
        if item.kind != PartyType::Team && !item.members.is_empty() {
            self.say(format!("only a team has members, and `{}` is none", item.party));
        }
        for member in &item.members {
            self.person(member, "a member of a team");
        }
    }

    fn key(&mut self, item: &KeyItem) {
        self.person(&item.party, "who holds a key");
        let Ok(key) = PublicKey::from_line(&item.key) else {
            return self.say(format!("a key of party `{}` can't be read: it is one line as in `id_ed25519.pub`", item.party));
        };
        if key.to_string() != item.key {
            self.say(format!("a key of party `{}` has a comment or spaces: only its type and its base64 are signed", item.party));
        }
        let known = self.state.people.keys.get(&key.fingerprint().to_string());
        match (known, item.remove) {
            (Some(_), false) => self.say(format!("key `{}` is enrolled already: one key, one party", key.fingerprint())),
            (None, true) => self.say(format!("key `{}` is not enrolled", key.fingerprint())),
            (Some(known), true) if known.party != item.party => {
                self.say(format!("key `{}` is another party's", key.fingerprint()))
            }
            _ => {}
        }
    }

    fn has_boundary(&mut self, name: &Name, of: &str) {
        if !self.here.boundaries.contains(name) && self.state.boundaries.get(name).is_none() {
            self.say(format!("boundary `{name}` of {of} is unknown"));
        }
    }
}
