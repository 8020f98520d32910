//! Change sets, as people file, sign and take them back.

use super::{Came, World};
use crate::Cast;
use writ_ledger::body::{ChangeContent, Item};
use writ_plane::{Command, FileChange, SignChange, WithdrawChange};
use writ_types::{ActKind, ChangeId, OwnerRole};

impl World {
    /// A change set, as its filer signs it.
    pub fn change(&mut self, handle: &str, items: Vec<Item>) -> FileChange {
        let filer = Cast::get().person(handle).party;
        let content = ChangeContent { change: ChangeId::mint(&mut self.random), filer, items };
        let act = self.act(handle, ActKind::Change, &content.change.to_string(), &content);
        FileChange { content, act }
    }

    /// Files a change set.
    ///
    /// # Panics
    /// When it is refused.
    pub fn apply(&mut self, handle: &str, items: Vec<Item>) -> ChangeId {
        let file = self.change(handle, items);
        let id = file.content.change;
        self.ask(Command::FileChange(Box::new(file))).unwrap();
        id
    }

    /// Signs a change set, in all roles.
    ///
    /// # Errors
    /// The denial.
    pub fn sign(&mut self, handle: &str, change: ChangeId) -> Came {
        self.sign_as(handle, change, OwnerRole::ALL)
    }

    /// Signs a change set in these roles.
    ///
    /// # Errors
    /// The denial.
    pub fn sign_as(&mut self, handle: &str, change: ChangeId, roles: &[OwnerRole]) -> Came {
        let content = self.state().changes().get(&change).map(|change| change.content.clone());
        let act = self.act_as(handle, ActKind::Change, &change.to_string(), &content, roles);
        self.ask(Command::SignChange(SignChange { change, act }))
    }

    /// Takes a change set back.
    ///
    /// # Errors
    /// The denial.
    pub fn withdraw(&mut self, handle: &str, change: ChangeId) -> Came {
        let content = self.state().changes().get(&change).map(|change| change.content.clone());
        let act = self.act(handle, ActKind::Refuse, &change.to_string(), &content);
        self.ask(Command::WithdrawChange(WithdrawChange { change, act }))
    }
}
