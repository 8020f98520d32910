//! Boundaries: the tree of platforms and workflows, who answers there, and under which charter.

mod apply;
mod gate;
mod limits;
mod state;

pub use gate::{Missing, Standing};
pub use limits::{BOUNDARIES_DEPTH_MAX, ROOT};
pub use state::{Boundaries, Boundary, Holder, SignedSection};
