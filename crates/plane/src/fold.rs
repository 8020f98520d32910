//! What every `apply` is told of the entry that it folds.

use writ_ledger::body::Body;
use writ_ledger::{Entry, SignedAct};
use writ_types::{DecisionId, Time};

/// Where and when an entry stands, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    /// Its index.
    pub(crate) index: u64,
    /// Its time.
    pub(crate) time: Time,
    /// The decision that it rests on.
    pub(crate) decision: Option<DecisionId>,
    /// The signatures that it carries.
    pub(crate) acts: &'a [SignedAct],
}

impl<'a> At<'a> {
    /// An entry of the log, which stands at `index`.
    pub(crate) fn of(index: u64, entry: &'a Entry) -> Self {
        Self { index, time: entry.at, decision: entry.decision, acts: &entry.acts }
    }
}

/// True if a decision that was made before this entry may come out differently after it.
pub(crate) const fn moves_grounds(body: &Body) -> bool {
    matches!(
        body,
        Body::Genesis(_)
            | Body::PartySet(_)
            | Body::PartyDisabled(_)
            | Body::PartyEnabled(_)
            | Body::KeyEnrolled(_)
            | Body::KeyRemoved(_)
            | Body::BoundarySet(_)
            | Body::CharterSigned(_)
            | Body::CharterVoided(_)
            | Body::IdentitySet(_)
            | Body::IdentityRetired(_)
            | Body::ResourceSet(_)
            | Body::AuthorityChanged(_)
    )
}
