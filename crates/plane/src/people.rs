//! Parties, their keys and their sessions.

mod apply;
mod command;
mod limits;
mod plan;
mod state;

pub(crate) use apply::spent;
pub(crate) use command::LoggedIn;
pub use command::Login;
pub use limits::{KEY_REST, SESSION_TTL_MAX};
pub use state::{Key, Party, People, Session};
