//! The server as its clients meet it: a real directory, real sockets, real certificates.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a helper that fails fails its test"
)]

mod crowd;
mod described;
mod hostile;
mod log;
mod once;
mod reading;
mod restart;
mod sessions;
mod tls;
mod world;
