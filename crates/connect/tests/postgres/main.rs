//! The PostgreSQL connector against a real cluster, with real psql children; a superuser's psql judges.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that can't go on says so by failing")]

mod closure;
#[path = "../../dev/cluster.rs"]
mod cluster;
#[path = "../../dev/commit.rs"]
mod commit;
mod crash;
mod doctor;
mod psql;
mod refused;
mod survive;
mod tls;
mod world;
