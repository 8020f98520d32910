//! Limits on boundaries.

/// The boundary that the genesis makes and that has none above it.
pub const ROOT: &str = "root";

/// No boundary lies deeper than this.
pub const BOUNDARIES_DEPTH_MAX: usize = 16;
