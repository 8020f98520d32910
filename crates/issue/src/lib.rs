//! Signs committed bytes, and holds the keys that sign them.
//!
//! What is signed was laid out and logged before: [`X509Authority::sign`] consumes the `Committed` order, which only the
//! log's append makes. There is no other way to its key.

mod issued;
mod x509;

pub use issued::Issued;
pub use x509::{AuthorityError, AuthorityPlan, IssueError, X509Authority};
