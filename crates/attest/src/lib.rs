//! Workload attestation: what a process is, by facts that the kernel gives. Nothing that a process says of itself is read.
//!
//! A caller is pinned once ([`Peer::of`]), heard through [`PeerStream`], and attested as often as something is handed to it
//! ([`Peer::attest`]). [`Attested`] is the proof: it has no other maker.

mod attested;
mod error;
mod unix;

pub use attested::Attested;
pub use error::AttestError;
pub use unix::executable::EXECUTABLE_BYTES_MAX;
pub use unix::peer::{Peer, Pinned};
pub use unix::stream::{PeerStream, mark_senders};
