//! Limits on boundaries.

use writ_types::Ttl;

/// The boundary that the genesis makes and that has none above it.
pub const ROOT: &str = "root";

/// No boundary lies deeper than this.
pub const BOUNDARIES_DEPTH_MAX: usize = 16;

/// Identity documents renew without an owner for at most this long: a leaver is replaced within a month.
pub(crate) const GRACE_MAX: Ttl = Ttl::from_seconds(30 * 86_400);
