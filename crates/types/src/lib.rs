//! The words of Writ: ids, names, SPIFFE IDs, roles, scopes, time, digests, orders, secrets and error codes.
//!
//! Everything here is a value with one textual form. Parsing is the only way in from text, so an invalid
//! one has no representation; `serde` goes through the same parser.

mod canonical;
mod denial;
mod digest;
mod id;
mod name;
mod order;
mod random;
mod role;
mod scope;
mod secret;
mod selector;
mod spiffe;
mod text;
mod time;

pub use canonical::{CanonicalError, INTEGER_MAX, canonical, canonical_into};
pub use denial::{Code, Denial, Fault};
pub use digest::Digest;
pub use id::{ApprovalId, ChangeId, CredentialId, DecisionId, EventId, IdentityId, PartyId, ResourceId, TaskId};
pub use name::{Handle, Name, Purpose, SqlName};
pub use order::{CutDatabaseUser, OpenDatabaseUser, Order, OrderKind, ReleasePassword, SignX509};
pub use random::Random;
pub use role::{
    ActKind, ActorKind, Closure, CredentialKind, Duty, OwnerRole, RevocationClass, Section, TaskEnd, Tier, Trigger, Via,
};
pub use scope::{Grant, Scope};
pub use secret::Secret;
pub use selector::{ExecutablePath, Selector, SelectorPattern};
pub use spiffe::{SpiffeId, TrustDomain};
pub use text::{ParseError, TextValue, is_bidi};
pub use time::{Clock, Time, Ttl};
