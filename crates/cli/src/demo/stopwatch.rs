//! How long something took.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Runs from when it was started, whatever happens to the wall clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stopwatch(Duration);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(now())
    }

    pub(super) fn elapsed(&self) -> Duration {
        now().saturating_sub(self.0)
    }

    /// Whole milliseconds.
    pub(super) fn ms(&self) -> u64 {
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

fn now() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
