//! What a change set must be to be filed at all: references that resolve, names that are free, bounds that hold.

use super::limits::ITEMS_MAX;
use crate::boundary::{BOUNDARIES_DEPTH_MAX, ROOT};
use crate::identity::SELECTORS_MAX;
use crate::state::State;
use std::collections::BTreeSet;
use writ_credential::PublicKey;
use writ_ledger::body::{BoundaryItem, ChangeContent, IdentityItem, Item, PartyItem, PartyType, ResourceItem};
use writ_types::{ActorKind, Name, PartyId, Selector, SelectorPattern, TextValue};

/// Everything that is wrong with `content`, in order.
pub(crate) fn problems(state: &State, content: &ChangeContent) -> Vec<String> {
    let mut check = Check { state, content, problems: Vec::new() };
    if content.items.is_empty() || content.items.len() > ITEMS_MAX {
        check.problems.push(format!("a change set has 1 to {ITEMS_MAX} items, this has {}", content.items.len()));
        return check.problems;
    }
    if state.changes.get(&content.change).is_some() {
        check.problems.push(format!("change set `{}` is filed already", content.change));
    }
    check.once();
    for item in &content.items {
        check.item(item);
    }
    check.problems
}

/// What is wrong with one item by now: between filing and signing, another change set may have taken its name or its key.
pub(crate) fn problem_of(state: &State, content: &ChangeContent, item: &Item) -> Option<String> {
    let mut check = Check { state, content, problems: Vec::new() };
    check.item(item);
    check.problems.into_iter().next()
}

struct Check<'a> {
    state: &'a State,
    content: &'a ChangeContent,
    problems: Vec<String>,
}

impl Check<'_> {
    fn say(&mut self, problem: String) {
        self.problems.push(problem);
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Party(item) => self.party(item),
            Item::PartyState(item) => self.known_party(&item.party),
            Item::Key(item) => self.key(item),
            Item::Boundary(item) => self.boundary(item),
            Item::Identity(item) => self.identity(item),
            Item::Resource(item) => self.resource(item),
        }
    }

    /// No item stands there twice: which one would count?
    fn once(&mut self) {
        let mut seen = BTreeSet::new();
        for item in &self.content.items {
            let named = match item {
                Item::Party(item) => format!("party `{}`", item.party),
                Item::PartyState(item) => format!("the powers of party `{}`", item.party),
                Item::Key(item) => format!("a key of party `{}`", item.party),
                Item::Boundary(item) => format!("boundary `{}`", item.name),
                Item::Identity(item) => format!("identity `{}`", item.name),
                Item::Resource(item) => format!("resource `{}`", item.name),
            };
            if !seen.insert(named.clone()) && !matches!(item, Item::Key(_)) {
                self.problems.push(format!("{named} stands in the change set twice"));
            }
        }
    }

    fn kind_of(&self, party: &PartyId) -> Option<PartyType> {
        let here = self.content.items.iter().find_map(|item| match item {
            Item::Party(item) if item.party == *party => Some(item.kind),
            _ => None,
        });
        here.or_else(|| self.state.people.party(party).map(|party| party.kind))
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

    fn key(&mut self, item: &writ_ledger::body::KeyItem) {
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
        let here = self.content.items.iter().any(|item| matches!(item, Item::Boundary(boundary) if boundary.name == *name));
        if !here && self.state.boundaries.get(name).is_none() {
            self.say(format!("boundary `{name}` of {of} is unknown"));
        }
    }

    fn boundary(&mut self, item: &BoundaryItem) {
        if item.name.as_str() == ROOT {
            return self.say("boundary `root` is the genesis' own and can't be set".to_owned());
        }
        self.has_boundary(&item.parent, &format!("boundary `{}`", item.name));
        let depth = self.state.boundaries.path(&item.parent).count();
        if self.state.boundaries.lies_in(&item.parent, &item.name)
            || item.parent == item.name
            || depth + 1 >= BOUNDARIES_DEPTH_MAX
        {
            self.say(format!("boundary `{}` would lie below itself, or deeper than {BOUNDARIES_DEPTH_MAX}", item.name));
        }
        for person in item.owners.values().chain(item.backups.values()).chain(item.duties.values()) {
            self.person(person, &format!("an owner, backup or duty holder of boundary `{}`", item.name));
        }
        for (role, backup) in &item.backups {
            if item.owners.get(role) == Some(backup) {
                self.say(format!("the backup of the {role} owner of boundary `{}` is somebody else", item.name));
            }
        }
        if let Some(team) = &item.delegators
            && self.kind_of(team) != Some(PartyType::Team)
        {
            self.say(format!("the delegators of boundary `{}` are a team, and `{team}` is none", item.name));
        }
        if let Some(terms) = &item.charter.identity {
            if terms.ttl_max.seconds() == 0 || terms.rotation.seconds() == 0 || terms.kinds.is_empty() {
                self.say(format!("the identity section of boundary `{}` needs kinds, a `ttlMax` and a `rotation`", item.name));
            }
            if terms.misuse != "kill-task" {
                self.say(format!("the misuse action of boundary `{}` is `kill-task`, the only one there is", item.name));
            }
        }
        for text in item.charter.platform.iter().flat_map(|terms| &terms.selectors) {
            if let Err(error) = SelectorPattern::parse(text) {
                self.say(error.to_string());
            }
        }
    }

    fn identity(&mut self, item: &IdentityItem) {
        self.has_boundary(&item.boundary, &format!("identity `{}`", item.name));
        if Some(item.spiffe_id.trust_domain()) != self.state.domain.trust_domain.as_ref() {
            self.say(format!("`{}` of identity `{}` is not in this trust domain", item.spiffe_id, item.name));
        }
        if item.spiffe_id.path() == "/writ/server" || item.spiffe_id.path().starts_with("/writ/") {
            self.say(format!("`{}` is reserved for the server", item.spiffe_id));
        }
        if !matches!(item.actor_kind, ActorKind::Workload | ActorKind::Agent) {
            self.say(format!("identity `{}` is a workload or an agent", item.name));
        }
        if item.selectors.is_empty() || item.selectors.len() > SELECTORS_MAX {
            self.say(format!("identity `{}` has 1 to {SELECTORS_MAX} selectors", item.name));
        }
        for text in &item.selectors {
            if let Err(error) = Selector::parse(text) {
                self.say(error.to_string());
            }
        }
        let twin = |id: &writ_types::IdentityId, name: &Name, spiffe: &writ_types::SpiffeId| {
            *id != item.identity && (*name == item.name || *spiffe == item.spiffe_id)
        };
        let named = [self.state.identities.named(&item.name), self.state.identities.with_spiffe_id(&item.spiffe_id)];
        let known = named.iter().flatten().any(|id| *id != item.identity);
        let here =
            self.content.items.iter().any(|other| matches!(other, Item::Identity(i) if twin(&i.identity, &i.name, &i.spiffe_id)));
        if known || here {
            self.say(format!("the name or the SPIFFE ID of identity `{}` is another's", item.name));
        }
    }

    fn resource(&mut self, item: &ResourceItem) {
        self.has_boundary(&item.boundary, &format!("resource `{}`", item.name));
        if self.state.resources.named(&item.name).is_some_and(|id| id != item.resource) {
            self.say(format!("the name of resource `{}` is another's", item.name));
        }
        let terms = &item.postgres;
        if terms.databases.is_empty() || terms.actions.is_empty() || terms.actions.values().any(Vec::is_empty) {
            self.say(format!("resource `{}` needs databases, and a group for each action", item.name));
        }
        let printable = |text: &String| !text.is_empty() && text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !printable(&terms.address) || !terms.replicas.iter().all(printable) || terms.replicas.len() > 16 {
            self.say(format!("the addresses of resource `{}` are `host:port`, at most 16 replicas", item.name));
        }
        if terms.ca.as_ref().is_some_and(|pem| pem.len() > 16 * 1024) || !(1..=1_000_000).contains(&terms.scram_iterations) {
            self.say(format!(
                "the certificates of resource `{}` are too long, or its SCRAM iterations not 1 to 1,000,000",
                item.name
            ));
        }
    }
}
