//! Documents into items: handles become party ids, names are found, new things get their ids.

use super::document::{
    BoundaryDocument, Document, IdentityDocument, IdentityDocumentTerms, PartyDocument, ResourceDocument, Sender,
};
use super::fields::At;
use super::known::{Known, ROOT};
use super::nearest::nearest;
use super::problem::{Problems, Spot};
use super::yaml::shown;
use crate::failure::Failure;
use crate::people::name_content;
use std::collections::{BTreeMap, BTreeSet};
use writ_ledger::body::{BoundaryItem, Charter, IdentityItem, IdentityTerms, Item, PartyItem, PartyType, ResourceItem};
use writ_ledger::{Blob, Salt};
use writ_types::{Handle, IdentityId, Name, OwnerRole, PartyId, Random, ResourceId, TextValue as _};

/// The name that a charter has for the server as a sender.
const WRIT: &str = "system/writ";

/// The items of all documents, and the name blobs that are new.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) items: Vec<Item>,
    pub(crate) blobs: Vec<Blob>,
}

/// Resolves documents against what is known; or everything that is wrong.
pub(crate) fn resolve(documents: &[Document], known: &Known, random: &mut dyn Random) -> Result<Resolved, Failure> {
    let mut problems = Problems::default();
    let resolved = resolve_into(documents, known, random, &mut problems);
    problems.none_or(resolved)
}

pub(super) fn resolve_into(documents: &[Document], known: &Known, random: &mut dyn Random, problems: &mut Problems) -> Resolved {
    once(documents, problems);
    let mut resolver = Resolver { known, documents, problems, here: BTreeMap::new(), out: Resolved::default() };
    // Parties first: everything else names them.
    for document in documents {
        if let Document::Party(party) = document {
            resolver.identify(party, random);
        }
    }
    for document in documents {
        match document {
            Document::Party(party) => resolver.party(party, random),
            Document::Boundary(boundary) => resolver.boundary(boundary),
            Document::Identity(identity) => resolver.identity(identity, random),
            Document::Resource(resource) => resolver.resource(resource, random),
        }
    }
    resolver.out
}

/// No document stands there twice.
fn once(documents: &[Document], problems: &mut Problems) {
    let mut seen: BTreeMap<(&str, &str), &Spot> = BTreeMap::new();
    for document in documents {
        let (kind, name, spot) = document.title();
        if let Some(first) = seen.insert((kind, name), spot) {
            problems.say(spot, format!("{kind} `{name}` is described twice, first at {first}"), "leave one of them out");
        }
    }
}

struct Resolver<'a> {
    known: &'a Known,
    documents: &'a [Document],
    problems: &'a mut Problems,
    /// The ids of the parties that the documents describe.
    here: BTreeMap<Handle, (PartyId, PartyType)>,
    out: Resolved,
}

impl Resolver<'_> {
    /// Gives a described party its id: a team's or a system's can be new, a person's can't.
    fn identify(&mut self, document: &PartyDocument, random: &mut dyn Random) {
        let handle = &document.name.value;
        if let Some(known) = self.known.parties.get(handle) {
            if known.kind != document.kind {
                let what = format!("party `{handle}` is of another type already");
                self.problems.say(&document.name.spot, what, "choose another name, or leave the type as it is");
            }
            self.here.insert(handle.clone(), (known.party, document.kind));
            return;
        }
        let waiting = self.known.waiting_party(handle).map(|(party, _)| party);
        if document.kind == PartyType::Person {
            let help = if waiting.is_some() {
                "its change set waits for signatures: `writ sign` lists them".to_owned()
            } else {
                format!("enrol the person first: `writ party add {handle} --type person --display-name … --mail … --pub FILE`")
            };
            self.problems.say(&document.name.spot, format!("person `{handle}` is not enrolled"), help);
            return;
        }
        self.here.insert(handle.clone(), (waiting.unwrap_or_else(|| PartyId::mint(random)), document.kind));
    }

    /// The party with a handle, if it is of this type.
    fn party_of(&mut self, at: &At<Handle>, wanted: PartyType) -> Option<PartyId> {
        let handle = &at.value;
        let found =
            self.here.get(handle).copied().or_else(|| self.known.parties.get(handle).map(|known| (known.party, known.kind)));
        match found {
            Some((party, kind)) if kind == wanted => {
                if self.known.parties.get(handle).is_some_and(|known| known.disabled) {
                    self.problems.say(
                        &at.spot,
                        format!("party `{handle}` is disabled"),
                        "name somebody else, or enable it first",
                    );
                }
                Some(party)
            }
            Some((_, kind)) => {
                let what = format!("`{handle}` is a {}, and a {} is wanted here", kind_word(kind), kind_word(wanted));
                self.problems.say(&at.spot, what, format!("name a {}", kind_word(wanted)));
                None
            }
            None => {
                // A person that a document describes has been told about there.
                let described = |document: &Document| matches!(document, Document::Party(it) if it.name.value == *handle);
                if !self.documents.iter().any(described) {
                    let help = self.who_was_meant(handle, wanted);
                    self.problems.say(&at.spot, format!("{} `{handle}` is unknown", kind_word(wanted)), help);
                }
                None
            }
        }
    }

    fn who_was_meant(&self, handle: &Handle, wanted: PartyType) -> String {
        let known = self.known.parties.iter().filter(|(_, party)| party.kind == wanted).map(|(handle, _)| handle.as_str());
        let here = self.here.iter().filter(|(_, (_, kind))| *kind == wanted).map(|(handle, _)| handle.as_str());
        match nearest(handle.as_str(), known.chain(here)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if wanted == PartyType::Person => {
                format!("enrol the person first: `writ party add {handle} --type person --display-name … --mail … --pub FILE`")
            }
            None => format!("describe it here: `kind: Party`, `type: {}`", kind_word(wanted)),
        }
    }

    fn party(&mut self, document: &PartyDocument, random: &mut dyn Random) {
        let Some((party, kind)) = self.here.get(&document.name.value).copied() else { return };
        if kind != PartyType::Team
            && let Some(member) = document.members.first()
        {
            self.problems.say(
                &member.spot,
                format!("only a team has members, and `{}` is none", document.name.value),
                "leave them out",
            );
        }
        let mut members: Vec<PartyId> = Vec::new();
        for member in &document.members {
            let Some(member_id) = self.party_of(member, PartyType::Person) else { continue };
            if members.contains(&member_id) {
                self.problems.say(&member.spot, format!("member `{}` stands there twice", member.value), "leave one of them out");
            } else {
                members.push(member_id);
            }
        }
        let content = name_content(&document.name.value, document.display_name.as_deref(), document.mail.as_deref());
        let known = self.known.parties.get(&document.name.value).filter(|known| known.content == content).map(|known| known.name);
        let waiting =
            || self.known.waiting_party(&document.name.value).map(|(_, blob)| blob).filter(|blob| *blob.content() == content);
        let name = match known.or_else(|| waiting().map(|blob| self.keep(blob))) {
            Some(name) => name,
            None => match Blob::new(content, Salt::mint(random)) {
                Ok(blob) => self.keep(blob),
                Err(error) => return self.problems.say(&document.name.spot, error.to_string(), "write it shorter"),
            },
        };
        members.sort_unstable();
        self.out.items.push(Item::Party(PartyItem { party, kind, name, members }));
    }

    fn keep(&mut self, blob: Blob) -> writ_types::Digest {
        let name = blob.name();
        self.out.blobs.push(blob);
        name
    }

    fn people<K: Copy + Ord>(&mut self, named: &BTreeMap<K, At<Handle>>) -> BTreeMap<K, PartyId> {
        named.iter().filter_map(|(key, at)| Some((*key, self.party_of(at, PartyType::Person)?))).collect()
    }

    fn boundary(&mut self, document: &BoundaryDocument) {
        let name = &document.name;
        if name.value.as_str() == ROOT {
            self.problems.say(&name.spot, "boundary `root` is the genesis' own and can't be set", "describe boundaries below it");
        }
        let parent = match &document.parent {
            Some(parent) => {
                self.boundary_exists(parent);
                Some(parent.value.clone())
            }
            None => Name::parse(ROOT).ok(),
        };
        let (owners, backups) = (self.people(&document.owners), self.people(&document.backups));
        let duties = self.people(&document.duties);
        for (role, backup) in &document.backups {
            if document.owners.get(role).is_some_and(|owner| owner.value == backup.value) {
                let what = format!("`{}` is the {role} owner and the backup of that role", backup.value);
                self.problems.say(&backup.spot, what, "name somebody else as the backup");
            }
        }
        if document.production {
            for (role, owner) in document.owners.iter().filter(|(role, _)| !document.backups.contains_key(role)) {
                self.problems.say(
                    &owner.spot,
                    format!("the {role} owner has no backup, and boundary `{}` is production", name.value),
                    format!("add `{role}: …` to `backups`"),
                );
            }
        }
        alone(document, self.problems);
        let delegators = document.delegators.as_ref().and_then(|team| self.party_of(team, PartyType::Team));
        let identity = document.identity.as_ref().map(|terms| self.identity_terms(terms));
        let charter = Charter {
            business: document.business.clone(),
            identity,
            platform: document.platform.clone(),
            security: document.security.clone(),
        };
        let Some(parent) = parent else { return };
        self.out.items.push(Item::Boundary(Box::new(BoundaryItem {
            name: name.value.clone(),
            parent,
            production: document.production,
            delegators,
            owners,
            backups,
            duties,
            grace: document.grace,
            charter,
        })));
    }

    fn identity_terms(&mut self, terms: &IdentityDocumentTerms) -> IdentityTerms {
        let mut triggers = BTreeMap::new();
        for (trigger, senders) in &terms.triggers {
            let named: BTreeSet<String> = senders.iter().filter_map(|sender| self.sender(sender)).collect();
            triggers.insert(*trigger, named.into_iter().collect());
        }
        IdentityTerms {
            kinds: terms.kinds.clone(),
            ttl_max: terms.ttl_max,
            rotation: terms.rotation,
            triggers,
            misuse: terms.misuse.clone(),
        }
    }

    fn sender(&mut self, sender: &At<Sender>) -> Option<String> {
        let named = |handle: &Handle| At { value: handle.clone(), spot: sender.spot.clone() };
        match &sender.value {
            Sender::Writ => Some(WRIT.to_owned()),
            Sender::System(handle) => self.party_of(&named(handle), PartyType::System).map(|party| party.to_string()),
            Sender::Person(handle) => self.party_of(&named(handle), PartyType::Person).map(|party| party.to_string()),
        }
    }

    /// Says so if nobody knows the boundary.
    fn boundary_exists(&mut self, at: &At<Name>) {
        let here = |document: &Document| matches!(document, Document::Boundary(it) if it.name.value == at.value);
        if self.known.boundaries.contains_key(&at.value) || self.documents.iter().any(here) {
            return;
        }
        let names = self.documents.iter().filter_map(|document| match document {
            Document::Boundary(it) => Some(it.name.value.as_str()),
            _ => None,
        });
        let help = match nearest(at.value.as_str(), self.known.boundaries.keys().map(Name::as_str).chain(names)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "describe it: `kind: Boundary`".to_owned(),
        };
        self.problems.say(&at.spot, format!("boundary `{}` is unknown", at.value), help);
    }

    fn identity(&mut self, document: &IdentityDocument, random: &mut dyn Random) {
        self.boundary_exists(&document.boundary);
        let path = &document.spiffe_path;
        let spiffe_id = match self.known.trust_domain.member(&path.value) {
            Ok(id) if id.path().starts_with("/writ/") => {
                return self.problems.say(&path.spot, "paths below `/writ/` are the server's own", "choose another path");
            }
            Ok(id) => id,
            Err(error) => {
                let what = format!("the SPIFFE path `{}` is not one", shown(&path.value));
                return self.problems.say(&path.spot, what, error.why());
            }
        };
        let name = &document.name.value;
        let waiting = || {
            self.known.waiting_items().find_map(|(_, item)| match item {
                Item::Identity(item) if item.name == *name => Some(item.identity),
                _ => None,
            })
        };
        let identity = self.known.identities.get(name).map(|item| item.identity).or_else(waiting);
        self.out.items.push(Item::Identity(IdentityItem {
            identity: identity.unwrap_or_else(|| IdentityId::mint(random)),
            name: name.clone(),
            boundary: document.boundary.value.clone(),
            actor_kind: document.actor_kind,
            autonomous: document.autonomous,
            tier: document.tier,
            spiffe_id,
            selectors: document.selectors.iter().map(ToString::to_string).collect(),
            retired: document.retired,
        }));
    }

    fn resource(&mut self, document: &ResourceDocument, random: &mut dyn Random) {
        self.boundary_exists(&document.boundary);
        let name = &document.name.value;
        let waiting = || {
            self.known.waiting_items().find_map(|(_, item)| match item {
                Item::Resource(item) if item.name == *name => Some(item.resource),
                _ => None,
            })
        };
        let resource = self.known.resources.get(name).map(|item| item.resource).or_else(waiting);
        self.out.items.push(Item::Resource(Box::new(ResourceItem {
            resource: resource.unwrap_or_else(|| ResourceId::mint(random)),
            name: name.clone(),
            boundary: document.boundary.value.clone(),
            tier: document.tier,
            data_class: document.data_class.clone(),
            postgres: document.postgres.clone(),
        })));
    }
}

/// One person alone never answers for everything (R8).
fn alone(document: &BoundaryDocument, problems: &mut Problems) {
    let people: BTreeSet<&Handle> = document.owners.values().map(|owner| &owner.value).collect();
    if let (true, Some((_, first))) = (people.len() == 1, document.owners.iter().next())
        && OwnerRole::ALL.iter().all(|role| document.owners.contains_key(role))
    {
        let what = format!("`{}` alone holds every owner role", first.value);
        problems.say(&first.spot, what, "name a second person for at least one of them");
    }
}

/// The word for a type of party.
pub(crate) const fn kind_word(kind: PartyType) -> &'static str {
    match kind {
        PartyType::Person => "person",
        PartyType::Team => "team",
        PartyType::System => "system",
    }
}
