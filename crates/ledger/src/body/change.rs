//! Change sets: what `writ apply` files, and who signed.

use super::estate::{BoundaryItem, IdentityItem, ResourceItem};
use super::people::PartyItem;
use serde::{Deserialize, Serialize};
use writ_types::{ChangeId, PartyId};

/// A change set is filed, signed by its filer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeFiled {
    /// What is signed (act `change`, id: the change set's).
    pub content: ChangeContent,
}

/// What the filer and everyone who answers for a part sign.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeContent {
    /// The change set.
    pub change: ChangeId,
    /// Who files it.
    pub filer: PartyId,
    /// The estate's difference.
    pub items: Vec<Item>,
}

/// One part of a change set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Item {
    /// A party is added or changed.
    Party(PartyItem),
    /// A party is disabled or enabled.
    PartyState(PartyState),
    /// A key is enrolled or removed.
    Key(KeyItem),
    /// A boundary, with its owners and its charter.
    Boundary(Box<BoundaryItem>),
    /// An identity.
    Identity(IdentityItem),
    /// A resource.
    Resource(Box<ResourceItem>),
}

/// A party's powers end or return.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyState {
    /// The party.
    pub party: PartyId,
    /// True: its powers end.
    pub disabled: bool,
}

/// A key begins or stops to answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyItem {
    /// The party.
    pub party: PartyId,
    /// The public key, in OpenSSH's form without comment.
    pub key: String,
    /// True: it stops to answer.
    pub remove: bool,
}

/// Its filer takes a change set back: it waits no longer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeWithdrawn {
    /// The change set.
    pub change: ChangeId,
}

/// Somebody signed a change set; the entry's acts carry the signature.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSigned {
    /// The change set.
    pub change: ChangeId,
}
