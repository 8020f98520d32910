//! Entries of a filed or signed change set, and of every part that comes into force by it.

use super::command::{ChangeAccepted, ChangeTakenBack, Signer};
use super::force;
use crate::actor;
use crate::answer::Answer;
use crate::plan::{Draft, Plan};
use crate::task;
use crate::view::View;
use writ_ledger::Actor;
use writ_ledger::body::{ChangeContent, ChangeFiled, ChangeSigned, ChangeWithdrawn, Item};
use writ_types::{ActorKind, Digest, Via};

impl ChangeAccepted {
    pub(crate) fn plan(self, view: View<'_>, plan: &mut Plan) -> Answer {
        let id = self.id;
        if self.nothing_new {
            return Answer::Change { change: id, in_force: Vec::new(), complete: true };
        }
        let actor = match &self.by {
            Signer::Person(act) => actor::person(act),
            Signer::NewKey(party) => Actor { id: party.to_string(), kind: ActorKind::Human, via: Via::Key },
        };
        let draft = match self.filed {
            Some(content) => {
                let blobs = blobs(&content);
                Draft::new(actor.clone(), ChangeFiled { content }).blobs(blobs)
            }
            None => {
                let filed = view.state.changes.get(&id).map(|change| change.filed);
                Draft::new(actor.clone(), ChangeSigned { change: id }).cause(filed)
            }
        };
        plan.push(draft.on([id]).act(self.act));
        let forced = force::parts_ready(view, plan, id, &actor);
        task::cut_off(&forced.state, view, plan, &actor);
        Answer::Change { change: id, in_force: forced.in_force, complete: forced.state.changes.get(&id).is_none() }
    }
}

impl ChangeTakenBack {
    pub(crate) fn plan(self, plan: &mut Plan) -> Answer {
        let draft = Draft::new(actor::person(&self.by), ChangeWithdrawn { change: self.id });
        plan.push(draft.on([self.id]).cause([self.filed]).act(self.act));
        Answer::Done
    }
}

/// The blobs that a change set rests on: names and mail addresses.
fn blobs(content: &ChangeContent) -> Vec<Digest> {
    let name = |item: &Item| match item {
        Item::Party(party) => Some(party.name),
        _ => None,
    };
    content.items.iter().filter_map(name).collect()
}
