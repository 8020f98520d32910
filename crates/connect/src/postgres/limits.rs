//! The bounds of everything that waits or grows here.

use std::time::Duration;

/// How many connections, and how long each wait lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections for making users.
    pub opening_connections_max: usize,
    /// Connections for ending users: their own, so that an end never waits for a grant.
    pub ending_connections_max: usize,
    /// How long to wait for one of them to become free.
    pub lease: Duration,
    /// How long to wait for a connection to be made.
    pub connect: Duration,
    /// How long to wait for the answer of one call.
    pub call: Duration,
    /// How long one `end` works on one credential before it reports what it has.
    pub end: Duration,
    /// How long an `end` waits for an earlier effect of the same credential before it goes ahead.
    pub turn: Duration,
    /// The longest pause between two rounds of an `end`.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            opening_connections_max: 8,
            ending_connections_max: 8,
            lease: Duration::from_secs(5),
            connect: Duration::from_secs(3),
            call: Duration::from_secs(5),
            end: Duration::from_secs(5),
            turn: Duration::from_secs(1),
            pause: Duration::from_millis(20),
        }
    }
}
