//! What callers may use up, and how long things may take.

use std::time::Duration;

/// The bounds of one agent. Every one of them ends in a refusal, not in a longer queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once, of all users.
    pub connections: usize,
    /// Connections at once, of one user.
    pub connections_per_uid: usize,
    /// Calls and streams at once, on one connection.
    pub streams_per_connection: u32,
    /// SVIDs that one user may be issued at once, before the rate below holds.
    pub svids_burst_per_uid: u32,
    /// The time in which one more SVID may be issued to a user.
    pub svid_interval_per_uid: Duration,
    /// The time in which a connection answers its challenge and sends its first bytes.
    pub handshake: Duration,
    /// The longest request message, in bytes.
    pub message_bytes_max: usize,
    /// The longest metadata of a request, in bytes.
    pub header_bytes_max: u32,
    /// How long a caller is held whose identity is filed but may not be issued yet.
    pub pending: Duration,
    /// How long the upstream may take for one answer.
    pub upstream: Duration,
    /// The pause before something that failed for the operator's reasons is tried again; it doubles, up to half a minute.
    pub retry: Duration,
    /// How often a silent connection is asked whether it is there.
    pub keep_alive: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2_048,
            connections_per_uid: 64,
            streams_per_connection: 16,
            svids_burst_per_uid: 256,
            svid_interval_per_uid: Duration::from_millis(100),
            handshake: Duration::from_secs(10),
            message_bytes_max: 64 * 1024,
            header_bytes_max: 8 * 1024,
            pending: Duration::from_secs(5),
            upstream: Duration::from_secs(10),
            retry: Duration::from_secs(1),
            keep_alive: Duration::from_secs(60),
        }
    }
}
