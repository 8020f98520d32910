//! `writ` as people and agents run it: the program, the server's process, stock `ssh-keygen`, a real PostgreSQL.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that can't go on says so by failing"
)]

mod actor;
#[path = "../../../connect/dev/cluster.rs"]
mod cluster;
mod demo;
mod people;
