//! The log on a disk: what survives, what is noticed, what strangers can verify.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a helper that fails fails its test")]

mod again;
mod append;
mod crash;
mod damage;
mod exported;
mod full;
mod interop;
mod world;
