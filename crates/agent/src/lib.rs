//! The SPIFFE Workload API: workload keys, requests, streams that push.
//!
//! [`serve`] answers on a Unix socket; what it answers with, an [`Upstream`] decides. A caller is whoever the kernel says it is
//! (crate `attest`), and is looked at again each time something is handed to it. The way of one SVID:
//!
//! ```text
//! listener ─► connection   who connected: counted, pinned, challenged
//!          ─► service      the metadata; which stream
//!          ─► stream       looked at ─► entitled ─► key and request ─► issued ─► looked at again ─► handed over; and so at each change
//! ```

mod budget;
mod bundles;
mod caller;
mod connection;
mod frames;
mod key;
mod limits;
mod listener;
mod refusal;
mod service;
mod source;
mod stream;
mod svids;
mod tls;
mod upstream;

pub use budget::Budget;
pub use key::WorkloadKey;
pub use limits::Limits;
pub use listener::{AgentError, bind, serve};
pub use source::{HeldSvid, Source, SourceError, fetch};
pub use tls::{TlsError, client_config, server_config};
pub use upstream::{Entitled, Entitlement, Svid, Upstream};
