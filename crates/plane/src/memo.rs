//! What is remembered because it would come out the same: decisions that take no clock while their grounds stand, and the
//! authority's certificate once it has been read.

use crate::state::State;
use std::collections::BTreeMap;
use std::sync::Arc;
use writ_credential::x509::{CaFacts, parse_ca};
use writ_types::{Code, DecisionId, Denial, IdentityId};

/// A decision and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remembered {
    /// The entry that had last changed people, estate or policy when it was made.
    pub(crate) grounds: u64,
    /// The decision.
    pub(crate) decision: DecisionId,
    /// Its entry.
    pub(crate) index: u64,
}

/// Decisions on identity documents, and who signs them.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    decisions: BTreeMap<IdentityId, Remembered>,
    issuer: Option<Arc<CaFacts>>,
}

/// More identities than this are not remembered: policy is asked again.
const MEMO_MAX: usize = 1_000_000;

impl Memo {
    pub(crate) fn get(&self, identity: &IdentityId) -> Option<Remembered> {
        self.decisions.get(identity).copied()
    }

    pub(crate) fn keep(&mut self, identity: IdentityId, remembered: Remembered) {
        if self.decisions.len() < MEMO_MAX || self.decisions.contains_key(&identity) {
            self.decisions.insert(identity, remembered);
        }
    }

    /// The authority in force. Reading its certificate verifies it, which costs as much as a document's own request.
    pub(crate) fn issuer(&mut self, state: &State) -> Result<Arc<CaFacts>, Denial> {
        let none = || Denial::new(Code::WrongState, "there is no X.509 authority", "start the server again");
        let certificate = &state.domain.authority().ok_or_else(none)?.certificate;
        if let Some(issuer) = self.issuer.as_ref().filter(|issuer| issuer.der() == certificate) {
            return Ok(Arc::clone(issuer));
        }
        let bug =
            |error: String| Denial::new(Code::Bug, format!("the authority's certificate can't be read: {error}"), "report this");
        let issuer = Arc::new(parse_ca(certificate).map_err(|error| bug(error.to_string()))?);
        self.issuer = Some(Arc::clone(&issuer));
        Ok(issuer)
    }

    /// Memory that is discarded takes its decisions with it.
    pub(crate) fn clear(&mut self) {
        self.decisions.clear();
    }
}
