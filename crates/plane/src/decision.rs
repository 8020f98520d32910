//! Decisions: from names to facts, from facts to policy, from policy to a record that can be repeated.

mod approvals;
mod ask;
mod count;
mod facts;
mod record;

pub(crate) use approvals::approvals;
pub(crate) use ask::{Asking, evaluate};
pub use count::Count;
pub(crate) use record::{record, refused};
pub(crate) use writ_policy::Needed;
