//! Policy as its callers see it.

mod approvals;
mod explained;
mod hostile;
mod model;
mod scenarios;
pub mod world;
