//! Cedar behind Writ's words: the schema, policy sets, decisions, and what would change a denial.
//!
//! [`PolicySet::compile`] is the only way in for policy texts, [`decide`] the only judge, and a [`Permit`] the only
//! proof that it said yes. Nothing of Cedar's types leaves this crate. There is no clock, no randomness and no I/O here,
//! so a decision can be repeated from the log: the same set and the same facts give the same answer.

mod approval;
mod decide;
mod errors;
mod facts;
mod limits;
mod lint;
mod nearest;
mod question;
mod request;
mod set;
mod slice;
mod source;

pub use approval::{Needed, approvals_needed};
pub use decide::{Decision, Effect, Permit, decide};
pub use errors::PolicySetError;
pub use facts::{Actor, Ask, BoundaryFacts, Change, End, NonHuman, Owners, Person, ResourceFacts, TaskFacts};
pub use limits::{NESTING_MAX, POLICIES_MAX, POLICY_BYTES_MAX, REASON_CHARS_MAX, SET_BYTES_MAX};
pub use nearest::{Nearest, nearest};
pub use request::{Approve, Delegate, Govern, Identify, Kill, Reach, Request, Signal, Target, Who};
pub use set::PolicySet;
pub use source::PolicySource;

#[cfg(test)]
extern crate self as writ_policy;
/// The facts that the integration tests use too.
#[cfg(test)]
#[path = "../tests/policy/world.rs"]
pub mod world;
