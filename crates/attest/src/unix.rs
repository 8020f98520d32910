//! The peer of a Unix socket.

pub(crate) mod executable;
pub(crate) mod peer;
mod process;
pub(crate) mod stream;
