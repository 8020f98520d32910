//! Identities and the documents that name them.

mod apply;
mod command;
mod limits;
mod plan;
mod state;

pub use command::IssueSvid;
pub(crate) use command::SvidAllowed;
pub(crate) use limits::SELECTORS_MAX;
pub use limits::{SVID_BACKDATE, SVID_TTL_MAX};
pub use state::{Document, Identities, Identity};
