//! Limits on the writer.

/// Grants of one batch.
pub const BATCH_MAX: usize = 1_024;

/// Submissions that wait in one lane.
pub const LANE_MAX: usize = 16_384;

/// Answers that are remembered by their idempotency key.
pub(super) const ANSWERED_MAX: usize = 16_384;

/// What a wall clock may gain or lose against the boot clock in the long run: one part in so many.
pub(super) const CLOCK_DRIFT: u64 = 1_000;

/// A wall clock that moves against the boot clock by more than this, in microseconds, is not trusted.
pub(super) const CLOCK_STEP_MAX: u64 = 2_000_000;
