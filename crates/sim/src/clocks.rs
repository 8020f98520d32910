//! Two clocks that stand still until they are moved.

use std::time::Duration;
use writ_types::{Clock, Time, Ttl};

/// A wall clock that can be set, and a boot clock that only goes on.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    wall: Time,
    boot: Duration,
}

impl Clocks {
    /// Clocks that start at this moment.
    pub const fn at(wall: Time) -> Self {
        Self { wall, boot: Duration::from_secs(1) }
    }

    /// Both clocks, as a process reads them.
    pub const fn read(&self) -> Clock {
        Clock { wall: self.wall, boot: self.boot }
    }

    /// Time passes.
    pub fn pass(&mut self, milliseconds: u64) {
        self.wall = Time::from_micros(self.wall.micros().saturating_add(milliseconds.saturating_mul(1_000)));
        self.boot = self.boot.saturating_add(Duration::from_millis(milliseconds));
    }

    /// Somebody sets the wall clock forward.
    pub const fn leap(&mut self, by: Ttl) {
        self.wall = self.wall.after(by);
    }

    /// Somebody sets the wall clock back.
    pub fn step_back(&mut self, by: Ttl) {
        self.wall = Time::from_micros(self.wall.micros().saturating_sub(by.seconds().saturating_mul(1_000_000)));
    }

    /// The wall clock.
    pub const fn wall(&self) -> Time {
        self.wall
    }
}
