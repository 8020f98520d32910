//! Policy as its callers see it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod approvals;
mod explained;
mod hostile;
mod model;
mod scenarios;
pub mod world;
