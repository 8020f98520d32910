//! An identity that shows its certificate.

use crate::state::State;
use crate::view::View;
use writ_ledger::Actor;
use writ_types::{ActorKind, Code, Denial, Digest, IdentityId};

/// A certificate that was shown in a handshake: the chain and the times hold, the log has not been asked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Its serial number, lower-case hexadecimal.
    pub serial: String,
    /// SHA-256 of its subject public key info.
    pub key: Digest,
}

/// An identity whose certificate the log knows. Only [`Caller::known`] makes one.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) identity: IdentityId,
    pub(crate) kind: ActorKind,
    pub(crate) serial: String,
    /// The entry that records the certificate.
    pub(crate) index: u64,
}

impl Caller {
    /// The identity, if the log recorded this very certificate and it has not expired.
    ///
    /// # Errors
    /// A validly signed certificate that the log does not know is refused: somebody else has the authority's key.
    pub(crate) fn known(&self, view: View<'_>) -> Result<Known, Denial> {
        self.find(view.state, view.now).ok_or_else(|| {
            Denial::new(
                Code::Unauthenticated,
                "this certificate is not in the log, has expired, or its identity is retired",
                "attest again over the Workload API",
            )
        })
    }

    fn find(&self, state: &State, now: writ_types::Time) -> Option<Known> {
        let document = state.identities.document(&self.serial, now).filter(|document| document.key == self.key)?;
        let kind = state.identities.get(&document.identity)?.actor_kind;
        Some(Known { identity: document.identity, kind, serial: self.serial.clone(), index: document.index })
    }
}

impl Known {
    pub(crate) fn actor(&self) -> Actor {
        crate::actor::identity(self.identity, self.kind)
    }
}
