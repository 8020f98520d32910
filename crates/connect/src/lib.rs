//! One folder per managed backend; the only crate that talks to production resources.
//!
//! Each backend is a [`Connector`]: it makes a task's credential from a committed order, and it ends one in five
//! phases: block new, cut live, verify none, clean up, prove. Ending may be called again and again, by another
//! process too, and converges.

mod connector;
mod error;
pub mod postgres;
mod proof;
mod sealed;

pub use connector::{Connector, Effect, Made, Phase, PhaseHook};
pub use error::ConnectError;
pub use proof::ClosureProof;
pub use sealed::{Sealed, SealedError};
