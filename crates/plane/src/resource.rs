//! Resources: what a task can reach.

mod apply;
mod state;

pub use state::{Resource, Resources};
