//! Who an entry says acted.

use writ_credential::VerifiedAct;
use writ_ledger::Actor;
use writ_types::{ActorKind, IdentityId, PartyId, Via};

/// The name of the server itself.
pub const WRIT: &str = "system/writ";

/// A person, by a key.
pub(crate) fn person(act: &VerifiedAct) -> Actor {
    Actor { id: act.by().to_string(), kind: ActorKind::Human, via: Via::Key }
}

/// A person, by a session.
pub(crate) fn session(party: PartyId) -> Actor {
    Actor { id: party.to_string(), kind: ActorKind::Human, via: Via::Session }
}

/// An identity, by its certificate.
pub(crate) fn identity(id: IdentityId, kind: ActorKind) -> Actor {
    Actor { id: id.to_string(), kind, via: Via::Svid }
}

/// An identity, by what the kernel says of it, before it has a certificate.
pub(crate) fn attested(id: IdentityId, kind: ActorKind) -> Actor {
    Actor { id: id.to_string(), kind, via: Via::Socket }
}

/// The server itself, because time passed or something outside answered.
pub(crate) fn system() -> Actor {
    Actor { id: WRIT.to_owned(), kind: ActorKind::System, via: Via::Timer }
}
