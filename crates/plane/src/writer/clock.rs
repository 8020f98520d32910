//! Whether the wall clock can be trusted, judged by the boot clock.

use super::limits::{CLOCK_DRIFT, CLOCK_STEP_MAX};
use writ_types::{Clock, Time};

/// Compares each reading with the one before, and with the first that was trusted: a clock that creeps is no better than one that
/// leaps. While the wall clock is not trusted, time goes on by the boot clock, so that deadlines neither stand still nor all pass
/// at once.
#[derive(Debug, Default)]
pub(super) struct Judge {
    first: Option<Clock>,
    last: Option<Clock>,
    unsure: bool,
}

impl Judge {
    /// The time by this reading. `log_at` is the last entry's time.
    pub(super) fn read(&mut self, clock: Clock, log_at: Time) -> Time {
        let expected = match self.last {
            Some(last) => forward(last, clock),
            // A first reading has the log alone to compare with: a wall clock behind it has been set back.
            None if clock.wall.micros().saturating_add(CLOCK_STEP_MAX) < log_at.micros() => {
                self.unsure = true;
                log_at
            }
            None => clock.wall,
        };
        if clock.wall.micros().abs_diff(expected.micros()) > CLOCK_STEP_MAX {
            self.unsure = true;
        }
        let first = *self.first.get_or_insert(clock);
        let drift = forward(first, clock).micros().abs_diff(first.wall.micros()) / CLOCK_DRIFT;
        if clock.wall.micros().abs_diff(forward(first, clock).micros()) > CLOCK_STEP_MAX.saturating_add(drift) {
            self.unsure = true;
        }
        let wall = if self.unsure { expected } else { clock.wall };
        self.last = Some(Clock { wall, boot: clock.boot });
        wall
    }

    pub(super) const fn is_sure(&self) -> bool {
        !self.unsure
    }

    /// The next reading is taken as it is.
    pub(super) const fn confirm(&mut self) {
        self.unsure = false;
        (self.first, self.last) = (None, None);
    }
}

/// Where the wall clock should be by the boot clock.
fn forward(last: Clock, clock: Clock) -> Time {
    let passed = clock.boot.saturating_sub(last.boot);
    Time::from_micros(last.wall.micros().saturating_add(u64::try_from(passed.as_micros()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(wall: u64, boot: u64) -> Clock {
        Clock { wall: Time::from_seconds(wall), boot: Duration::from_secs(boot) }
    }

    #[test]
    fn a_step_back_or_a_leap_is_not_trusted_and_time_goes_on_by_the_boot_clock() {
        for leap in [995, 5_000] {
            let mut judge = Judge::default();
            assert_eq!(judge.read(at(1_000, 1), Time::from_seconds(0)), Time::from_seconds(1_000));
            assert_eq!(judge.read(at(1_001, 2), Time::from_seconds(0)), Time::from_seconds(1_001));
            assert!(judge.is_sure());
            assert_eq!(judge.read(at(leap, 3), Time::from_seconds(0)), Time::from_seconds(1_002));
            assert!(!judge.is_sure());
            assert_eq!(judge.read(at(leap + 10, 13), Time::from_seconds(0)), Time::from_seconds(1_012));
            judge.confirm();
            assert_eq!(judge.read(at(leap + 11, 14), Time::from_seconds(0)), Time::from_seconds(leap + 11));
            assert!(judge.is_sure());
        }
    }

    #[test]
    fn a_clock_that_creeps_is_not_trusted_and_one_that_is_slewed_a_little_is() {
        // Ten readings a second, each within what one reading may be off.
        let (start, tenth) = (Time::from_seconds(1_000).micros(), 100_000);
        for (parts_per_thousand, sure) in [(1_000, true), (999, true), (1_001, true), (990, false), (1_010, false), (0, false)] {
            let mut judge = Judge::default();
            let mut said = Time::from_seconds(0);
            for step in 0..10_000 {
                let wall = Time::from_micros(start + step * tenth / 1_000 * parts_per_thousand);
                said = judge.read(Clock { wall, boot: Duration::from_micros(step * tenth) }, said);
            }
            assert_eq!(judge.is_sure(), sure, "{parts_per_thousand}");
            let real = start + 10_000 * tenth;
            assert!(said.micros().abs_diff(real) <= CLOCK_STEP_MAX + real / CLOCK_DRIFT, "{parts_per_thousand}: {said}");
        }
    }

    #[test]
    fn a_clock_behind_the_log_is_not_trusted_at_the_start() {
        let mut judge = Judge::default();
        judge.read(at(1_000, 1), Time::from_seconds(1_010));
        assert!(!judge.is_sure());
    }
}
