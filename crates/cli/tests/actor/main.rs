//! The actor's side with everything real: the server's process, ssh-keygen's keys, PostgreSQL, and an agent under a user of its own.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that can't go on says so by failing")]

#[path = "../../../connect/dev/cluster.rs"]
#[expect(dead_code, reason = "the cluster does more for the connector's own tests")]
mod cluster;
mod deadline;
mod runs;
mod world;
