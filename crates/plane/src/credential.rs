//! Credentials of tasks: granted, made, revoked, closed with proof.

mod apply;
mod command;
mod outcome;
mod plan;
mod state;

pub use command::Take;
pub(crate) use command::{Exceeded, Taken, Taking};
pub use outcome::{Closing, Failed, Made, Recover};
pub use plan::unfinished;
pub(crate) use plan::{due, revoke};
pub use state::{Credential, CredentialPhase, Credentials, Known};
