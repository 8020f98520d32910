//! Limits on people.

use writ_types::Ttl;

/// A session reads for at most this long.
pub const SESSION_TTL_MAX: Ttl = Ttl::from_seconds(8 * 3_600);

/// For this long a person can't approve requests of whoever enrolled the key (law 7).
pub const KEY_REST: Ttl = Ttl::from_seconds(7 * 86_400);

/// Sessions of one person at a time; the oldest is closed by the next login.
pub(crate) const SESSIONS_MAX: usize = 16;
