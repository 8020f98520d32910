//! Who answers for a boundary and for everything in it, and what they signed.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use writ_types::{Digest, Duty, Name, OwnerRole, PartyId, Section};

/// One row of `GET /v1/boundaries`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundaryRow {
    /// Its name.
    pub name: Name,
    /// The boundary above; none for the root.
    pub parent: Option<Name>,
    /// True if this boundary or one above it is production.
    pub production: bool,
}

/// `GET /v1/boundaries/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundaryView {
    /// True if this boundary or one above it is production.
    pub production: bool,
    /// As `boundary.set` has it, with the sections of the charter that are signed on it.
    pub set: Value,
    /// The entry that last set it.
    pub version: u64,
    /// Who answers now, with what is inherited.
    pub owners: OwnersView,
    /// The charter in force, with what is inherited.
    pub charter: CharterView,
}

/// Who holds a role or a duty now, and where that is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderView {
    /// The person.
    pub person: PartyId,
    /// The boundary on which it is set.
    pub from: Name,
    /// True if this is the backup, because the owner is disabled.
    pub backup: bool,
}

/// Who answers in a boundary. Also `GET /v1/identities/{id}/owners`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnersView {
    /// The boundary.
    pub boundary: Name,
    /// The holder of each role; a role that nobody active holds is not there.
    pub owners: BTreeMap<OwnerRole, HolderView>,
    /// The holder of each duty; a duty that nobody active holds is not there.
    pub duties: BTreeMap<Duty, HolderView>,
    /// What must be there before anything is issued, in words.
    pub missing: Vec<String>,
}

/// The charter in force. Also `GET /v1/identities/{id}/charter`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterView {
    /// The boundary.
    pub boundary: Name,
    /// SHA-256 over the digests of the four sections; none while one is unsigned.
    pub digest: Option<Digest>,
    /// The sections that are signed; an unsigned one is not there.
    pub sections: BTreeMap<Section, SectionView>,
}

/// One signed section of a charter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SectionView {
    /// What is promised, as `charter.signed` has it.
    pub terms: Value,
    /// SHA-256 of the RFC 8785 form of the terms.
    pub digest: Digest,
    /// Who answers.
    pub by: PartyId,
    /// The boundary on which it is signed.
    pub from: Name,
    /// The entry that put it in force.
    pub index: u64,
}
