//! Puts parts of a change set in force: each as soon as everyone who answers for it has signed and what it rests on is there.

use super::needs::{in_force_with, needs};
use super::state::{Change, Part};
use crate::plan::{Draft, Plan};
use crate::state::State;
use crate::view::View;
use writ_credential::PublicKey;
use writ_ledger::Actor;
use writ_ledger::body::{
    Body, BoundarySet, CharterSigned, CharterVoided, IdentityRetired, IdentitySet, Item, KeyEnrolled, KeyRemoved, PartyDisabled,
    PartyEnabled, PartySet, ResourceSet,
};
use writ_types::{ChangeId, Digest, PartyId, canonical};

/// What came into force.
pub(super) struct Forced {
    /// The state with all of the plan's entries folded.
    pub(super) state: State,
    /// The parts, in words.
    pub(super) in_force: Vec<String>,
}

/// Adds an entry for every part that is ready, again and again until none is: a part can rest on another of the same set.
pub(super) fn parts_ready(view: View<'_>, plan: &mut Plan, id: ChangeId, actor: &Actor) -> Forced {
    let mut forced = Forced { state: view.state.clone(), in_force: Vec::new() };
    let mut folded = 0;
    loop {
        for draft in plan.drafts().iter().skip(folded) {
            let at = draft.at(forced.state.size, view.now);
            forced.state.fold(at, &draft.body);
        }
        folded = plan.drafts().len();
        let Some(change) = forced.state.changes.get(&id) else { break };
        let Some((part, drafts)) = next(&forced.state, view, change, actor) else { break };
        forced.in_force.push(in_words(change, part));
        for draft in drafts {
            plan.push(draft);
        }
    }
    forced
}

impl State {
    /// This state as if all of `change` but `part` were in force, except what only ends after it. It shows who will have to sign
    /// `part`; it decides nothing.
    #[must_use]
    pub fn with_others(&self, change: &Change, part: Part) -> Self {
        let mut state = self.clone();
        let actor = crate::actor::system();
        for part in change.before(part) {
            for draft in drafts(&state, change, part, &actor) {
                let at = draft.at(state.size, state.last_at());
                state.fold(at, &draft.body);
            }
        }
        state
    }
}

/// The first part that is not in force and has all of its signatures.
fn next(state: &State, view: View<'_>, change: &Change, actor: &Actor) -> Option<(Part, Vec<Draft>)> {
    let ready = |part: &Part| {
        !change.done.contains(part)
            && needs(state, view.policy, change, *part, view.now).iter().all(|need| in_force_with(change, need))
    };
    let part = change.parts().into_iter().find(ready)?;
    Some((part, drafts(state, change, part, actor)))
}

/// The entries that put one part in force.
fn drafts(state: &State, change: &Change, part: Part, actor: &Actor) -> Vec<Draft> {
    let id = change.content.change;
    let mut cause = vec![change.filed];
    cause.extend(change.signatures.values().map(|signature| signature.index));
    cause.extend(change.keys.values().copied());
    let draft = |body: Body, on: Vec<String>| Draft::new(actor.clone(), body).on(on).on([id]).cause(cause.iter().copied());
    match (change.item(part), part.section) {
        (Some(Item::Boundary(item)), Some(section)) => {
            let Some(terms) = item.charter.sections().remove(&section) else { return Vec::new() };
            let mut drafts = Vec::new();
            let name = item.name.to_string();
            let before = state.boundaries.get(&item.name).and_then(|boundary| boundary.charter.get(&section));
            let moved = before.filter(|before| digest(&terms) != Some(before.digest));
            if let Some(before) = moved {
                let voided = CharterVoided { change: id, boundary: item.name.clone(), section, terms: before.digest };
                drafts.push(draft(voided.into(), vec![name.clone()]));
            }
            let Some(holder) = state.boundaries.holder(&state.people, &item.name, section.role()) else { return Vec::new() };
            let signed = CharterSigned { change: id, boundary: item.name.clone(), section, terms, by: holder.person };
            drafts.push(draft(signed.into(), vec![name, holder.person.to_string()]));
            drafts
        }
        (Some(Item::Boundary(item)), None) => {
            let mut boundary = (**item).clone();
            boundary.charter = Default::default();
            let name = boundary.name.to_string();
            vec![draft(BoundarySet { change: id, boundary }.into(), vec![name])]
        }
        (Some(item), _) => vec![one(change, item, &draft)],
        (None, _) => Vec::new(),
    }
}

/// The entry of an item that comes into force as a whole.
fn one(change: &Change, item: &Item, draft: &dyn Fn(Body, Vec<String>) -> Draft) -> Draft {
    let id = change.content.change;
    match item {
        Item::Party(party) => {
            let name = party.name;
            draft(PartySet { change: Some(id), party: party.clone() }.into(), vec![party.party.to_string()]).blobs([name])
        }
        Item::PartyState(state) if state.disabled => {
            draft(PartyDisabled { change: id, party: state.party }.into(), vec![state.party.to_string()])
        }
        Item::PartyState(state) => draft(PartyEnabled { change: id, party: state.party }.into(), vec![state.party.to_string()]),
        Item::Key(key) => {
            let fingerprint = PublicKey::from_line(&key.key).map(|key| key.fingerprint().to_string()).unwrap_or_default();
            let on = vec![key.party.to_string(), fingerprint.clone()];
            if key.remove {
                return draft(KeyRemoved { change: id, party: key.party, fingerprint }.into(), on);
            }
            let enrolled_by: Vec<PartyId> = change.signed_by().into_keys().filter(|signer| *signer != key.party).collect();
            let enrolled = KeyEnrolled { change: Some(id), party: key.party, key: key.key.clone(), fingerprint, enrolled_by };
            draft(enrolled.into(), on)
        }
        Item::Identity(identity) if identity.retired => {
            let on = vec![identity.identity.to_string(), identity.name.to_string(), identity.spiffe_id.to_string()];
            draft(IdentityRetired { change: id, identity: identity.identity }.into(), on)
        }
        Item::Identity(identity) => {
            let on = vec![identity.identity.to_string(), identity.name.to_string(), identity.spiffe_id.to_string()];
            draft(IdentitySet { change: id, identity: identity.clone() }.into(), on)
        }
        Item::Resource(resource) => {
            let on = vec![resource.resource.to_string(), resource.name.to_string()];
            draft(ResourceSet { change: id, resource: (**resource).clone() }.into(), on)
        }
        Item::Boundary(boundary) => {
            let on = vec![boundary.name.to_string()];
            draft(BoundarySet { change: id, boundary: (**boundary).clone() }.into(), on)
        }
    }
}

fn digest(terms: &writ_ledger::body::Terms) -> Option<Digest> {
    canonical(terms).ok().map(|bytes| Digest::of(&bytes))
}

/// A part in words: `boundary prod`, `business section of boundary prod`.
pub fn in_words(change: &Change, part: Part) -> String {
    match (change.item(part), part.section) {
        (Some(Item::Boundary(item)), Some(section)) => format!("{section} section of boundary `{}`", item.name),
        (Some(Item::Boundary(item)), None) => format!("boundary `{}`", item.name),
        (Some(Item::Party(item)), _) => format!("party `{}`", item.party),
        (Some(Item::PartyState(item)), _) => format!("the powers of party `{}`", item.party),
        (Some(Item::Key(item)), _) => format!("a key of party `{}`", item.party),
        (Some(Item::Identity(item)), _) => format!("identity `{}`", item.name),
        (Some(Item::Resource(item)), _) => format!("resource `{}`", item.name),
        (None, _) => String::new(),
    }
}
