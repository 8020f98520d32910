//! Limits on identity documents.

use writ_types::Ttl;

/// No X.509-SVID lives longer than this.
pub const SVID_TTL_MAX: Ttl = Ttl::from_seconds(3_600);

/// An X.509-SVID is good from this long before it was made, for verifiers whose clocks are behind.
pub const SVID_BACKDATE: Ttl = Ttl::from_seconds(10);

/// Selectors of one identity.
pub(crate) const SELECTORS_MAX: usize = 16;
