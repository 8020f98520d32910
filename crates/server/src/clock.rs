//! The only place that reads clocks.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;
use writ_plane::State;
use writ_types::{Clock, Time};

/// Both clocks, now.
pub(crate) fn read() -> Clock {
    Clock { wall: wall(), boot: boot() }
}

/// The time that sessions and certificates are judged by: a wall clock that was set back revives nothing.
pub(crate) fn now(state: &State) -> Time {
    wall().max(state.last_at())
}

/// The wall clock.
pub(crate) fn wall() -> Time {
    #[expect(clippy::disallowed_methods, reason = "this is the clock module")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

/// Time since boot, suspended time included: it never steps.
pub(crate) fn boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
